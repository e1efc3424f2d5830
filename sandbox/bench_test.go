package sandbox_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// sink takes any message and does nothing: SETCP0.
var sink = cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00}, 16).EndCell()

// BenchmarkTransactions measures transactions through the whole chain, blocks
// included. "full blocks": 500 a block, as under load. "one by one": a block
// for each, as in tests.
func BenchmarkTransactions(b *testing.B) {
	b.Run("full blocks", func(b *testing.B) {
		chain := benchChain(b, sandbox.Manual)
		queued := 0
		for n := range b.N {
			if err := chain.Send(b.Context(), give(b, uint64(n), account(base, byte(n%16)), tlb.TON/1000, false)); err != nil {
				b.Fatal(err)
			}
			if queued++; queued == 500 {
				queued = 0
				if _, err := chain.Seal(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		}
		if _, err := chain.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
		// Each message makes two transactions: the giver's and the receiver's.
		b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	})
	b.Run("one by one", func(b *testing.B) {
		chain := benchChain(b, sandbox.Instant)
		for n := range b.N {
			if err := chain.Send(b.Context(), give(b, uint64(n), account(base, byte(n%16)), tlb.TON/1000, false)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	})
}

// BenchmarkNew measures a fresh chain, as every test makes one.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		chain, err := sandbox.Open(sandbox.Options{})
		if err != nil {
			b.Fatal(err)
		}
		_ = chain.Close()
	}
}

func benchChain(b *testing.B, mode sandbox.Mode) *sandbox.Chain {
	b.Helper()
	o := sandbox.Options{Mode: mode}
	for n := range byte(16) {
		o.Genesis = append(o.Genesis, sandbox.GenesisAccount{Address: account(base, n), Balance: tlb.TON, Code: sink})
	}
	chain, err := sandbox.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = chain.Close() })
	b.ResetTimer()
	return chain
}

// crowd is a world of many accounts that hold coins.
func crowd(size int) (genesis []sandbox.GenesisAccount) {
	for n := range size {
		hash := sha256.Sum256([]byte(fmt.Sprint("crowd ", n)))
		genesis = append(genesis, sandbox.GenesisAccount{Address: address.NewAddress(0, 0, hash[:]), Balance: tlb.TON})
	}
	return genesis
}

func sizeName(n int) string { return fmt.Sprintf("%d accounts", n) }
