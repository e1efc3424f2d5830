package sandbox_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// largeSizes are the worlds of the benchmarks. The largest takes a while, so
// that it has to be asked for: TUSSAH_LARGE=1.
func largeSizes() []int {
	sizes := []int{1_000, 10_000, 100_000}
	if os.Getenv("TUSSAH_LARGE") != "" {
		sizes = append(sizes, 1_000_000)
	}
	return sizes
}

// multitude are accounts with code in common and data of their own, as wallets.
func multitude(accounts int) []sandbox.GenesisAccount {
	out := make([]sandbox.GenesisAccount, accounts)
	for n := range out {
		out[n] = sandbox.GenesisAccount{
			Address: numbered(uint32(n)), Balance: tlb.TON, Code: sink, Data: cell.BeginCell().MustStoreUInt(uint64(n), 64).EndCell(),
		}
	}
	return out
}

// BenchmarkWorld measures, over the number of accounts, the time to make a
// chain and to open it again, the memory it takes, and the time of a block with
// 100 transfers to accounts at random.
func BenchmarkWorld(b *testing.B) {
	for _, where := range []string{"memory", "stored"} {
		for _, accounts := range largeSizes() {
			b.Run(fmt.Sprintf("%s/%d", where, accounts), func(b *testing.B) { benchWorld(b, where == "stored", accounts) })
		}
	}
}

func benchWorld(b *testing.B, stored bool, accounts int) {
	o := sandbox.Options{Mode: sandbox.Manual}
	if stored {
		o.Dir = b.TempDir()
	}
	before := heapInUse()
	o.Genesis = multitude(accounts)
	began := time.Now()
	chain, err := sandbox.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	made, opened := time.Since(began), time.Duration(0)
	o.Genesis = nil
	if stored {
		if err := chain.Close(); err != nil {
			b.Fatal(err)
		}
		began = time.Now()
		if chain, err = sandbox.Open(o); err != nil {
			b.Fatal(err)
		}
		opened = time.Since(began)
	}
	defer chain.Close()
	fresh := heapInUse() - before

	nonce := uint64(0)
	block := func() {
		for range 100 {
			nonce++
			to := numbered(uint32(nonce * 2654435761 % uint64(accounts)))
			if err := chain.Send(b.Context(), give(b, nonce, to, tlb.TON/1000, false)); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := chain.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
		chain.MasterHead() // makes the blocks, in memory
	}
	for b.Loop() {
		block()
	}
	b.ReportMetric(made.Seconds(), "s-make")
	if stored {
		b.ReportMetric(float64(opened.Microseconds())/1000, "ms-open")
	}
	b.ReportMetric(float64(fresh)/float64(accounts), "B/account")
	b.ReportMetric(float64(heapInUse()-before)/(1<<20), "MiB-end")
	runtime.KeepAlive(chain)
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
