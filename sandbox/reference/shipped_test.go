//go:build reference && cgo

package reference_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/reference"
)

func TestShippedReference(t *testing.T) {
	t.Parallel()
	if *update {
		ship(t)
	}
	replayAll(t, cpp(), shipped(t))
}

// shippedParams are the parameters that a plain transaction follows from.
var shippedParams = []uint64{0, 1, 8, 12, 18, 19, 20, 21, 24, 25, 31}

// ship writes the smallest transactions of mainnet, one of each kind, with as
// much of the configuration as it takes to come to the same.
func ship(t *testing.T) {
	smallest := make(map[string]reference.Fixture)
	size := make(map[string]int)
	for _, f := range mainnetBlock(t) {
		f.Config.Cell = cut(t, f.Config.Cell)
		f.Libraries, f.Previous = nil, nil
		var tx tontlb.Transaction
		if err := tontlb.Parse(&tx, f.Expected.Transaction.Cell); err != nil {
			t.Fatal(err)
		}
		kind := "internal"
		if tx.IO.In.MsgType == tontlb.MsgTypeExternalIn {
			kind = "external"
		}
		if tx.OutMsgCount == 0 {
			continue
		}
		for _, run := range []reference.Executor{goVM, cpp()} {
			if r, err := reference.Replay(f, run); err != nil || !r.OK() {
				kind = ""
			}
		}
		if n := len(f.Before.Cell.ToBOC()); kind != "" && (size[kind] == 0 || n < size[kind]) {
			f.Name = fmt.Sprintf("mainnet, block (0,8000000000000000,71398501), %s message", kind)
			smallest[kind], size[kind] = f, n
		}
	}
	for kind, f := range smallest {
		file, err := os.Create(filepath.Join("testdata", kind+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Write(file); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func cut(t *testing.T, config *cell.Cell) *cell.Cell {
	t.Helper()
	out := cell.NewDict(32)
	all, err := config.AsDict(32).LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range all {
		if !slices.Contains(shippedParams, entry.Key.Copy().MustLoadUInt(32)) {
			continue
		}
		if err := out.Set(entry.Key.MustToCell(), entry.Value.MustToCell()); err != nil {
			t.Fatal(err)
		}
	}
	return out.AsCell()
}
