package strict

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
)

// counter is a client that counts its calls by method.
type counter struct {
	ton.LiteClient
	mu    sync.Mutex
	calls map[string]int
}

func (c *counter) QueryLiteserver(ctx context.Context, query, answer tl.Serializable) error {
	name := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", query), "*"), "ton.")
	c.mu.Lock()
	c.calls[name]++
	c.mu.Unlock()
	return c.LiteClient.QueryLiteserver(ctx, query, answer)
}

// ask makes a call that the library has no function for.
func ask[T any](ctx context.Context, w *walker, query tl.Serializable) (T, error) {
	var none T
	var answer tl.Serializable
	if err := w.client.QueryLiteserver(ctx, query, &answer); err != nil {
		return none, err
	}
	switch a := answer.(type) {
	case T:
		return a, nil
	case ton.LSError:
		return none, a
	}
	return none, mismatch("answer to %T is a %T", query, answer)
}
