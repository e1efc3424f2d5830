package sandbox

import (
	"context"
	"fmt"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// RunGet runs a get method on the newest state of an account, at the time of
// the chain. For the arguments and the result see [get.Run].
func (c *Chain) RunGet(ctx context.Context, a *address.Address, method string, args ...any) (get.Result, error) {
	account, err := c.Account(ctx, tlb.Block{}, a)
	if err != nil {
		return get.Result{}, err
	}
	if account.Status != tlb.AccountActive {
		return get.Result{}, fmt.Errorf("run %s on %s, which is %s: %w", method, a, account.Status, ErrNotActive)
	}
	c.mu.Lock()
	state := get.State{
		Address: a, Code: account.Code, Data: account.Data, Balance: account.Balance,
		Config: c.config.root, Now: c.now(), LT: c.master.front.end,
	}
	c.mu.Unlock()
	return get.Run(state, method, args...)
}
