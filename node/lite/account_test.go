package lite_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// States that no sandbox makes, proven all the same.
func TestUnusualStates(t *testing.T) {
	a, other := testAddress(0, 0x51), testAddress(0, 0x52)
	huge := new(big.Int).Lsh(big.NewInt(1), 62)
	for _, c := range []struct {
		name  string
		state tontlb.AccountState
		want  error
		got   tlb.AccountStatus
	}{
		{"all coins there can be", tontlb.AccountState{Address: a, AccountStorage: tontlb.AccountStorage{
			Status: tontlb.AccountStatusUninit, Balance: tontlb.FromNanoTON(huge)}}, nil, tlb.AccountUninit},
		{"more coins than there can be", tontlb.AccountState{Address: a, AccountStorage: tontlb.AccountStorage{
			Status: tontlb.AccountStatusUninit, Balance: tontlb.FromNanoTON(new(big.Int).Add(huge, big.NewInt(1)))}}, lite.ErrAmount, 0},
		{"frozen", tontlb.AccountState{Address: a, AccountStorage: tontlb.AccountStorage{
			Status: tontlb.AccountStatusFrozen, StateHash: make([]byte, 32)}}, nil, tlb.AccountFrozen},
		{"of another account", tontlb.AccountState{Address: other, AccountStorage: tontlb.AccountStorage{
			Status: tontlb.AccountStatusUninit}}, lite.ErrState, 0},
	} {
		c.state.IsValid = true
		c.state.StorageInfo = tontlb.StorageInfo{StorageUsed: tontlb.StorageUsed{CellsUsed: big.NewInt(1), BitsUsed: big.NewInt(1)}, StorageExtra: tontlb.StorageExtraNone{}}
		state, err := tontlb.ToCell(c.state)
		if err != nil {
			t.Fatal(err)
		}
		entry, err := tontlb.ToCell(tontlb.ShardAccount{Account: state, LastTransHash: make([]byte, 32), LastTransLT: 7})
		if err != nil {
			t.Fatal(err)
		}
		accounts, err := tontlb.NewShardAccountsAugDict()
		if err == nil {
			err = accounts.Set(cell.BeginCell().MustStoreSlice(a.Data(), 256).EndCell(), entry)
		}
		if err != nil {
			t.Fatal(err)
		}
		root, err := tontlb.ToCell(accounts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := lite.ReadState(root, a, state.ToBOC())
		if !errors.Is(err, c.want) || got.Status != c.got || (err == nil && got.LastLT != 7) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// On a chain that is as fast as they come, many readers see it grow, each block
// complete and none older than the one before.
func TestFastChain(t *testing.T) {
	w := newWorld(t, sandbox.Options{Mode: sandbox.Interval, Interval: sandbox.MinInterval})
	ctx, stop := context.WithTimeout(t.Context(), 800*time.Millisecond)
	defer stop()
	go w.chain.Run(ctx)
	c := w.open(t, lite.Options{})
	first, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			last := first
			for ctx.Err() == nil {
				head, err := c.Head(t.Context())
				if err != nil || head.Seqno < last.Seqno || head.LT < last.LT {
					t.Errorf("head %d after %d: %v", head.Seqno, last.Seqno, err)
					return
				}
				last = head
				if _, err := c.Account(t.Context(), head, w.calculator); err != nil {
					t.Error(err)
					return
				}
				if _, err := c.RunGet(t.Context(), head, w.calculator, "sum", 1, 2); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	readers.Wait()
	if last, err := c.Head(t.Context()); err != nil || last.Seqno <= first.Seqno {
		t.Errorf("the chain did not grow: %d, %v", last.Seqno, err)
	}
}

func BenchmarkHead(b *testing.B) {
	chain := newKeyChain(b, 2, false, func(n uint32) bool { return n == 1 })
	c, err := lite.Open(b.Context(), lite.Options{Servers: []lite.Server{at(serve(b, chain))}, Global: sandbox.DefaultGlobalID})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		if _, err := c.Head(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccount(b *testing.B) {
	w := newWorld(b, sandbox.Options{})
	c := w.open(b, lite.Options{})
	head, err := c.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.Account(b.Context(), head, w.calculator); err != nil {
			b.Fatal(err)
		}
	}
}

// A get method runs here, on a state proven by the chain's validators.
func ExampleClient_RunGet() {
	addr, key, contract, done := exampleServer()
	defer done()
	ctx := context.Background()
	client, err := lite.Open(ctx, lite.Options{Servers: []lite.Server{{Addr: addr, Key: key}}, Global: sandbox.DefaultGlobalID})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	head, err := client.Head(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	sum, err := client.RunGet(ctx, head, contract, "sum", 40, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sum.Uint64(0))
	// Output: 42 <nil>
}
