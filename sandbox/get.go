package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/tuple"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// RunGet runs a get method on the newest state of an account, at the time of
// the chain. For the arguments and the result see [get.Run].
func (c *Chain) RunGet(ctx context.Context, a *address.Address, method string, args ...any) (get.Result, error) {
	state, err := c.GetState(ctx, a)
	if err != nil {
		return get.Result{}, fmt.Errorf("run %s: %w", method, err)
	}
	id := tontlb.MethodNameHash(method)
	result, err := get.RunLazily(carefulMachine(), state, id, args...)
	if errors.Is(err, errLooksBack) {
		if state.Previous, err = c.previous(); err == nil {
			result, err = get.RunOn(machine(), state, id, args...)
		}
	}
	if err != nil {
		return get.Result{}, fmt.Errorf("run %s on %s: %w", method, a, err)
	}
	return result, nil
}

// GetState is what get methods of an account run on, but for earlier blocks:
// [Chain.RunGet] looks them up for methods that need them.
func (c *Chain) GetState(_ context.Context, a *address.Address) (get.State, error) {
	id, err := idOf(a)
	if err != nil {
		return get.State{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.shardOf(id)
	if err != nil {
		return get.State{}, err
	}
	l, err := s.lane(id)
	if err != nil {
		return get.State{}, err
	}
	account := l.account.State()
	if status := statusOf(account); status != tlb.AccountActive {
		return get.State{}, fmt.Errorf("%s is %s: %w", a, status, ErrNotActive)
	}
	code, data := account.StateInit.Code, account.StateInit.Data
	if c.store != nil { // the caller is not to depend on the disk
		if code, err = code.PrewarmRecursive(0); err == nil {
			data, err = data.PrewarmRecursive(0)
		}
		if err != nil {
			return get.State{}, fmt.Errorf("account %s: %w", a, err)
		}
	}
	if _, changed := s.front.lanes[id.hash]; !changed {
		s.keep(id.hash, l, true)
	}
	return get.State{
		Address: a, Code: code, Data: data, Balance: nano(account.Balance),
		Config: c.config.root, Now: c.now(), LT: c.master.front.end,
		Libraries: c.libraries(),
	}, nil
}

func (c *Chain) previous() (tuple.Tuple, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.build(); err != nil {
		return tuple.Tuple{}, err
	}
	return c.prevBlocks()
}
