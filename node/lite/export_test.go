package lite

import (
	"context"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// What follows lets tests hand answers to their readers without a network between,
// many thousands of them.

// Ask puts a query to the first server.
func (c *Client) Ask(ctx context.Context, query any) ([]byte, error) {
	return c.servers[0].ask(ctx, c.o.Timeout, encode(query))
}

func IDOf(b tlb.Block) *ton.BlockIDExt { return idOf(b) }

func (c *Client) ReadAccount(answer []byte, at *ton.BlockIDExt, a *address.Address) (acc tlb.Account, err error) {
	err = guarded(func() error {
		acc, err = c.readAccount(answer, at, a)
		return err
	})
	return acc, err
}

func ReadTransactions(answer []byte, a *address.Address, lt uint64, hash [32]byte, limit int) (txs []tlb.Tx, err error) {
	err = guarded(func() error {
		txs, err = readTransactions(answer, a, lt, hash, limit)
		return err
	})
	return txs, err
}

func (c *Client) ReadConfig(answer []byte, at *ton.BlockIDExt) (root *cell.Cell, err error) {
	err = guarded(func() error {
		root, err = c.readConfig(answer, at)
		return err
	})
	return root, err
}

// ReadHead follows a block proof from a key block on; the head known so far is
// forgotten before.
func (c *Client) ReadHead(answer []byte, from KeyBlock) (head tlb.Block, err error) {
	err = guarded(func() error {
		c.mu.Lock()
		c.mu.key, c.mu.head = from, tlb.Block{}
		c.mu.Unlock()
		p, err := readBlockProof(answer)
		if err != nil {
			return err
		}
		_, err = c.follow(context.Background(), func(context.Context, []byte) ([]byte, error) { return nil, ErrTimeout }, from.id(), p)
		head = c.mu.head
		return err
	})
	return head, err
}

func Guarded(f func() error) error { return guarded(f) }

func IsLie(err error) bool { return isLie(err) }

// ReadState reads an account from the accounts of a proven state.
func ReadState(accounts *cell.Cell, a *address.Address, boc []byte) (tlb.Account, error) {
	return account(&shardState{accounts: accounts}, a, boc)
}
