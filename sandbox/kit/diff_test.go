package kit_test

import (
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/kit"
)

// TestStorageDiff pins how changed cells are shown: where they are, and not
// more of them than people read.
func TestStorageDiff(t *testing.T) {
	leaf := func(n uint64) *cell.Cell { return cell.BeginCell().MustStoreUInt(n, 16).EndCell() }
	node := func(n uint64, refs ...*cell.Cell) *cell.Cell {
		b := cell.BeginCell().MustStoreUInt(n, 8)
		for _, r := range refs {
			b.MustStoreRef(r)
		}
		return b.EndCell()
	}
	long := func(last uint64) *cell.Cell {
		return cell.BeginCell().MustStoreSlice(make([]byte, 60), 480).MustStoreUInt(last, 13).EndCell()
	}
	deep := func(n uint64) *cell.Cell { // the same cells many times over
		c := leaf(n)
		for range 200 {
			c = node(1, c, c, c, c)
		}
		return c
	}
	wide := func(n uint64) *cell.Cell {
		return node(0, node(n, leaf(n), leaf(n+1), leaf(n+2), leaf(n+3)), node(n+1, leaf(n+4), leaf(n+5), leaf(n+6), leaf(n+7)),
			node(n+2, leaf(n+8), leaf(n+9), leaf(n+10)), node(n+3))
	}
	var out strings.Builder
	for _, test := range []struct {
		name          string
		before, after *cell.Cell
	}{
		{"the same", node(1, leaf(2)), node(1, leaf(2))},
		{"bits", leaf(1), leaf(2)},
		{"below", node(1, leaf(2), node(3, leaf(4))), node(1, leaf(2), node(3, leaf(5)))},
		{"more", node(1), node(1, leaf(2))},
		{"fewer", node(1, leaf(2), leaf(3)), node(1, leaf(2))},
		{"odd bits", cell.BeginCell().MustStoreUInt(5, 3).EndCell(), cell.BeginCell().MustStoreUInt(5, 13).EndCell()},
		{"far inside", long(1), long(2)},
		{"shorter", long(1), cell.BeginCell().MustStoreSlice(make([]byte, 60), 480).EndCell()},
		{"deep", deep(1), deep(2)},
		{"wide", wide(1), wide(100)},
	} {
		out.WriteString("# " + test.name + "\n" + kit.DiffCells(test.before, test.after))
	}
	golden(t, "storage_diff", out.String())
}

// FuzzActions: whatever a contract leaves as its list of actions can be shown.
func FuzzActions(f *testing.F) {
	f.Add([]byte{0x0e, 0xc3, 0xc8, 0x6d, 0x01}, []byte{0x68}, uint8(2))
	f.Add([]byte{0xad, 0x4d, 0xe0, 0x8e}, []byte{}, uint8(1))
	f.Add([]byte{0x36, 0xe6, 0xb8, 0x09, 0x00, 0x41, 0x23}, []byte{}, uint8(0))
	f.Add([]byte{0x26, 0xfa, 0x1d, 0xd4}, []byte{}, uint8(3))
	f.Add([]byte{0x12}, []byte{}, uint8(1))
	f.Fuzz(func(t *testing.T, action, inner []byte, refs uint8) {
		if len(action) > 127 || len(inner) > 127 {
			t.Skip()
		}
		ref := cell.BeginCell().MustStoreSlice(inner, uint(len(inner))*8).EndCell()
		root := cell.BeginCell().EndCell()
		for range 3 {
			b := cell.BeginCell().MustStoreRef(root).MustStoreSlice(action, uint(len(action))*8)
			for range refs % 4 {
				b.MustStoreRef(ref)
			}
			root = b.EndCell()
		}
		if got := kit.Actions(newWorld(t), root); len(got) != 3 {
			t.Errorf("got %q", got)
		}
	})
}
