package bench_test

import (
	"bytes"
	_ "embed"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

//go:embed counter.boc
var counterCode []byte

// BenchmarkGet is the get method that is compared, for a profile.
func BenchmarkGet(b *testing.B) {
	code, err := cell.FromBOC(counterCode)
	if err != nil {
		b.Fatal(err)
	}
	counter := address.NewAddress(0, 0, bytes.Repeat([]byte{100}, 32))
	chain, err := sandbox.Open(sandbox.Options{Genesis: []sandbox.GenesisAccount{
		{Address: counter, Balance: 1000 * tlb.TON, Code: code, Data: cell.BeginCell().MustStoreUInt(0, 64).EndCell()},
	}})
	if err != nil {
		b.Fatal(err)
	}
	defer chain.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := chain.RunGet(b.Context(), counter, "currentCounter"); err != nil {
			b.Fatal(err)
		}
	}
}
