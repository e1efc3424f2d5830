package lite

import (
	"context"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// config is the configuration that a key block began.
type config struct {
	key  KeyBlock
	root *cell.Cell
}

// Config returns the network's configuration dictionary after a masterchain block;
// the zero block means the newest. It changes with key blocks only, so most calls
// are answered from memory.
func (c *Client) Config(ctx context.Context, at tlb.Block) (*cell.Cell, error) {
	at, err := c.orHead(ctx, at)
	if err != nil {
		return nil, err
	}
	// Between the newest key block and the head, the configuration is that key block's.
	c.mu.Lock()
	key, kept := c.mu.key, c.mu.config
	current := at.Seqno >= key.Seqno && at.Seqno <= c.mu.head.Seqno
	c.mu.Unlock()
	if current && kept.root != nil && kept.key == key {
		return kept.root, nil
	}

	query := c.queryAt(at, ton.GetConfigAll{BlockID: idOf(at)})
	var root *cell.Cell
	err = c.each(ctx, func(ctx context.Context, ask asker) error {
		answer, err := ask(ctx, query)
		if err == nil {
			root, err = c.readConfig(answer, idOf(at))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("configuration at block %d: %w", at.Seqno, err)
	}
	if current {
		c.mu.Lock()
		c.mu.config = config{key, root}
		c.mu.Unlock()
	}
	return root, nil
}

func (c *Client) readConfig(answer []byte, at *blockID) (*cell.Cell, error) {
	r, err := open(answer, tagConfig)
	if err != nil {
		return nil, err
	}
	r.uint32() // mode
	id, blockProof, stateProof := r.block(), r.bytes(), r.bytes()
	if err = r.close(); err != nil {
		return nil, err
	}
	if !id.Equals(at) {
		return nil, fmt.Errorf("%w: configuration at another block", ErrAnswer)
	}
	var roots [2]*cell.Cell
	for i, boc := range [][]byte{blockProof, stateProof} {
		if roots[i], err = parseOne(boc); err != nil {
			return nil, err
		}
	}
	state, err := c.state(roots[0], roots[1], at)
	if err != nil {
		return nil, err
	}
	_, root, err := state.masterExtra()
	if err != nil {
		return nil, err
	}
	return root, plain(root)
}

// RunGet runs a get method of an account as of a masterchain block; the zero block
// means the newest. It runs in this process, on proven state and configuration, so
// that its result is as certain as they are. For arguments and result see get.Run.
// An account without code is [ErrNotActive].
func (c *Client) RunGet(ctx context.Context, at tlb.Block, a *address.Address, method string, args ...any) (get.Result, error) {
	at, err := c.orHead(ctx, at)
	if err != nil {
		return get.Result{}, err
	}
	acc, err := c.Account(ctx, at, a)
	if err != nil {
		return get.Result{}, err
	}
	if acc.Status != tlb.AccountActive || acc.Code == nil {
		return get.Result{}, fmt.Errorf("%s of %s at block %d: %w: %s", method, a.StringRaw(), at.Seqno, ErrNotActive, acc.Status)
	}
	root, err := c.Config(ctx, at)
	if err != nil {
		return get.Result{}, err
	}
	result, err := get.Run(get.State{
		Address: a, Code: acc.Code, Data: acc.Data, Balance: acc.Balance, Config: root, Now: at.Time, LT: at.LT,
	}, method, args...)
	if err != nil {
		return get.Result{}, fmt.Errorf("%s of %s: %w", method, a.StringRaw(), err)
	}
	return result, nil
}
