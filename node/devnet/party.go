package devnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
)

// Party is somebody with a funded wallet, who acts on the chain without a node:
// the registry's owner, an operator before the first start.
type Party struct {
	Wallet wallet.Wallet

	queue *wallet.Queue
	store *node.Store
	stop  context.CancelFunc
	done  chan error
}

// Party opens the wallet dir/wallet.key, making the key if it is missing, and
// sees to it that the wallet has at least the amount.
func (n *Network) Party(ctx context.Context, dir string, amount tlb.Nano) (*Party, error) {
	key, err := n.key(dir + "/wallet.key")
	if err != nil {
		return nil, err
	}
	p := &Party{}
	if p.Wallet, err = wallet.New(key, wallet.V5R1, sandbox.DefaultGlobalID); err != nil {
		return nil, err
	}
	if err := n.Fund(ctx, p.Wallet, amount); err != nil {
		return nil, err
	}
	if p.store, err = node.OpenStore("queue", vfs.NewMem()); err != nil {
		return nil, err
	}
	if p.queue, err = wallet.NewQueue(p.Wallet, n.Chain, p.store.Table('q'), wallet.Options{Log: n.o.Log}); err != nil {
		return nil, errors.Join(err, p.store.Close())
	}
	running, stop := context.WithCancel(context.Background())
	p.stop, p.done = stop, make(chan error, 1)
	go func() { p.done <- p.queue.Run(running) }()
	return p, nil
}

// Fund tops a wallet up to at least the amount from the sandbox's giver.
func (n *Network) Fund(ctx context.Context, w wallet.Wallet, amount tlb.Nano) error {
	acc, err := n.Chain.Account(ctx, tlb.Block{}, w.Address())
	if err != nil || acc.Balance >= amount {
		return err
	}
	if err := n.Chain.Faucet(ctx, w.Address(), amount-acc.Balance); err != nil {
		return err
	}
	return n.until(ctx, func() (bool, error) {
		acc, err := n.Chain.Account(ctx, tlb.Block{}, w.Address())
		return acc.Balance >= amount, err
	})
}

// until looks again at every block.
func (n *Network) until(ctx context.Context, done func() (bool, error)) error {
	for {
		head, err := n.Chain.Head(ctx)
		if err != nil {
			return err
		}
		if ok, err := done(); ok || err != nil {
			return err
		}
		if err := n.Chain.Wait(ctx, head.Seqno+1); err != nil {
			return err
		}
	}
}

// Send sends messages from the wallet and waits until the wallet has sent them.
func (p *Party) Send(ctx context.Context, what string, messages ...contracts.Message) error {
	if err := p.queue.Enqueue(ctx, what, messages); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if _, err := p.queue.Wait(ctx, what); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Close stops the party's queue.
func (p *Party) Close() error {
	p.stop()
	if err := <-p.done; err != nil && !errors.Is(err, context.Canceled) {
		return errors.Join(err, p.store.Close())
	}
	return p.store.Close()
}
