package lite

import (
	"context"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Send offers an external message to the network through every server at once, so
// that one that swallows it does not stop it. It returns when one has taken it,
// which proves nothing: look for the transaction. If all decline, the error is
// [ErrRefused] with what they said.
func (c *Client) Send(ctx context.Context, msg *cell.Cell) error {
	query := encode(ton.SendMessage{Body: msg.ToBOCWithOptions(cell.BOCSerializeOptions{})})
	results := make(chan error, len(c.servers))
	for _, s := range c.servers {
		go func() {
			// Others go on when one has taken it and the caller is gone; the timeout of the query ends them.
			results <- c.on(context.WithoutCancel(ctx), s, 0, func(ctx context.Context, ask asker) error {
				answer, err := ask(ctx, query)
				if err != nil {
					return err
				}
				return readSent(answer)
			})
		}()
	}
	var failures []error
	for range c.servers {
		select {
		case err := <-results:
			if err == nil {
				return nil
			}
			failures = append(failures, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := errors.Join(failures...)
	if _, ok := errors.AsType[*RefusalError](err); ok {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if isLie(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNoServer, err)
}

func readSent(answer []byte) error {
	r, err := open(answer, tagSendStatus)
	if err != nil {
		return err
	}
	status := r.int32()
	if err := r.close(); err != nil {
		return err
	}
	if status != 1 {
		return fmt.Errorf("%w: status %d", ErrAnswer, status)
	}
	return nil
}
