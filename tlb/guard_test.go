package tlb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// rawCell is a cell as it stands in a bag of cells, so that tests can write what no builder would.
type rawCell struct {
	special bool
	mask    byte // declared level mask
	data    []byte
	refs    []byte // indices
}

// rawBoC writes a bag of cells with its checksum right and everything else as told.
func rawBoC(cells ...rawCell) []byte {
	var body []byte
	for _, c := range cells {
		d1 := byte(len(c.refs)) | c.mask<<5
		if c.special {
			d1 |= 8
		}
		body = append(body, d1, byte(2*len(c.data)))
		body = append(body, c.data...)
		body = append(body, c.refs...)
	}
	b := []byte{0xb5, 0xee, 0x9c, 0x72, 0x41, 2, byte(len(cells)), 1, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	b = append(b, 0) // the root is cell 0
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// fixChecksum returns b with the checksum at its end corrected, so that a fuzzer gets past it.
func fixChecksum(b []byte) []byte {
	if len(b) < 4 {
		return b
	}
	b = b[: len(b)-4 : len(b)-4]
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func prunedCell(t testing.TB) *cell.Cell {
	t.Helper()
	c, err := cell.BeginCell().MustStoreUInt(uint64(cell.PrunedCellType), 8).MustStoreUInt(1, 8).
		MustStoreSlice(make([]byte, 32+2), 34*8).EndCellSpecial(true)
	return mustCell(t, c, err)
}

func chain(depth int) *cell.Cell {
	c := cell.BeginCell().EndCell()
	for range depth {
		c = cell.BeginCell().MustStoreRef(c).EndCell()
	}
	return c
}

func TestCheckCell(t *testing.T) {
	forgedLeaf, err := cell.FromBOC(rawBoC(rawCell{mask: 1, data: []byte{1}}))
	forgedLeaf = mustCell(t, forgedLeaf, err)
	forgedChild, err := cell.FromBOC(rawBoC(rawCell{data: []byte{1}, refs: []byte{1}}, rawCell{mask: 1, data: []byte{2}}))
	forgedChild = mustCell(t, forgedChild, err)
	proof, err := cell.CreateMerkleProof(cell.BeginCell().EndCell())
	proof = mustCell(t, proof, err)

	// An honest child and a forged twin with the same hash at level zero: both must be looked at.
	honest := cell.BeginCell().MustStoreUInt(2, 8).EndCell()
	twins := cell.BeginCell().MustStoreRef(cell.BeginCell().MustStoreRef(honest).EndCell()).MustStoreRef(forgedChild).EndCell()

	// 2^60 paths through 61 cells: counted once each, or the guard itself would hang.
	diamond := cell.BeginCell().EndCell()
	for range 60 {
		diamond = cell.BeginCell().MustStoreRef(diamond).MustStoreRef(diamond).EndCell()
	}

	for _, c := range []struct {
		name string
		cell *cell.Cell
		want error
	}{
		{"empty", cell.BeginCell().EndCell(), nil},
		{"voucher", must(testVoucher().ToCell()), nil},
		{"receipt", must(testReceipt().ToCell()), nil},
		{"diamond", diamond, nil},
		{"deepest", chain(tlb.MaxDepth), nil},
		{"nil", nil, tlb.ErrNoCell},
		{"too deep", chain(tlb.MaxDepth + 1), tlb.ErrTooLarge},
		{"too many cells", wide(tlb.MaxCells + 1), tlb.ErrTooLarge},
		{"library", libraryCell(t), tlb.ErrSpecialCell},
		{"pruned", prunedCell(t), tlb.ErrSpecialCell},
		{"Merkle proof", proof, tlb.ErrSpecialCell},
		{"pruned below", cell.BeginCell().MustStoreRef(prunedCell(t)).EndCell(), tlb.ErrForgedLevel},
		{"library below", cell.BeginCell().MustStoreRef(libraryCell(t)).EndCell(), tlb.ErrSpecialCell},
		{"forged leaf", forgedLeaf, tlb.ErrForgedLevel},
		{"forged below an honest parent", forgedChild, tlb.ErrForgedLevel},
		{"forged twin", twins, tlb.ErrForgedLevel},
	} {
		if err := tlb.CheckCell(c.cell); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// wide is a tree of n distinct cells, four refs each.
func wide(n int) *cell.Cell {
	next := 0
	var build func(height int) *cell.Cell
	build = func(height int) *cell.Cell {
		next++
		b := cell.BeginCell().MustStoreUInt(uint64(next), 32)
		for range 4 {
			if height > 0 && next < n {
				b.MustStoreRef(build(height - 1))
			}
		}
		return b.EndCell()
	}
	return build(10)
}

// TestForgedPruned is the attack that CheckCell is for: the hash of the parent is the honest one,
// while the child's bits are the sender's choice.
func TestForgedPruned(t *testing.T) {
	honest := cell.BeginCell().MustStoreUInt(1, 8).MustStoreRef(cell.BeginCell().MustStoreUInt(0x10, 64).EndCell()).EndCell()
	child := honest.MustPeekRef(0)
	pruned := append([]byte{byte(cell.PrunedCellType), 1}, child.Hash()...)
	pruned = append(pruned, 0, 0) // depth
	b := rawBoC(rawCell{mask: 0, data: []byte{1}, refs: []byte{1}}, rawCell{special: true, mask: 1, data: pruned})
	forged, err := cell.FromBOC(b)
	if err != nil {
		t.Skipf("the library no longer decodes a forged mask: %v", err)
	}
	if forged.HashKey() != honest.HashKey() {
		t.Skip("the library no longer hashes a forged mask like the honest cell")
	}
	if err := tlb.CheckCell(forged); !errors.Is(err, tlb.ErrSpecialCell) {
		t.Errorf("CheckCell: %v", err)
	}
	if _, err := tlb.ParseBoC(b, 1000); !errors.Is(err, tlb.ErrSpecialCell) {
		t.Errorf("ParseBoC: %v", err)
	}
}

func TestParseBoC(t *testing.T) {
	c := must(testReceipt().ToCell())
	good := must(tlb.EncodeBoC(c))
	got, err := tlb.ParseBoC(good, len(good))
	if err != nil || got.HashKey() != c.HashKey() {
		t.Fatalf("ParseBoC: %v", err)
	}

	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	shared := rawBoC(rawCell{refs: []byte{1, 2}}, rawCell{data: []byte{7}}, rawCell{data: []byte{7}})
	unreachable := rawBoC(rawCell{data: []byte{7}}, rawCell{data: []byte{8}})
	for _, x := range []struct {
		name string
		b    []byte
		max  int
		want error
	}{
		{"nothing", nil, 100, tlb.ErrBoC},
		{"one byte above the limit", good, len(good) - 1, tlb.ErrTooLarge},
		{"cut", good[:len(good)-1], 2000, tlb.ErrBoC},
		{"trailing byte", append(bytes.Clone(good), 0), 2000, tlb.ErrBoC},
		{"bit flipped", flipped, 2000, tlb.ErrBoC},
		{"two roots", cell.ToBOCWithOptions([]*cell.Cell{chain(1), chain(2)}, cell.BOCSerializeOptions{WithCRC32C: true}), 2000, tlb.ErrBoC},
		{"no checksum", c.ToBOCWithOptions(cell.BOCSerializeOptions{}), 2000, tlb.ErrNotCanonical},
		{"index", c.ToBOCWithOptions(cell.BOCSerializeOptions{WithCRC32C: true, WithIndex: true}), 2000, tlb.ErrNotCanonical},
		{"stored hash", c.ToBOCWithOptions(cell.BOCSerializeOptions{WithCRC32C: true, WithTopHash: true}), 2000, tlb.ErrNotCanonical},
		{"equal cells twice", shared, 2000, tlb.ErrNotCanonical},
		{"unreachable cell", unreachable, 2000, tlb.ErrNotCanonical},
		{"forged level", rawBoC(rawCell{mask: 2, data: []byte{1}}), 2000, tlb.ErrForgedLevel},
		{"library cell", libraryCell(t).ToBOC(), 2000, tlb.ErrSpecialCell},
	} {
		if got, err := tlb.ParseBoC(x.b, x.max); !errors.Is(err, x.want) || got != nil {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
	}
	if _, err := tlb.EncodeBoC(libraryCell(t)); !errors.Is(err, tlb.ErrSpecialCell) {
		t.Errorf("EncodeBoC of a library cell: %v", err)
	}
	if _, err := tlb.EncodeBoC(nil); !errors.Is(err, tlb.ErrNoCell) {
		t.Errorf("EncodeBoC of nil: %v", err)
	}
}

func FuzzParseBoC(f *testing.F) {
	f.Add(must(tlb.EncodeBoC(must(testReceipt().ToCell()))))
	f.Add(chain(3).ToBOC())
	f.Add(rawBoC(rawCell{mask: 1, data: []byte{1}}))
	f.Add(rawBoC(rawCell{refs: []byte{1, 1}}, rawCell{data: []byte{7}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = fixChecksum(b)
		c, err := tlb.ParseBoC(b, 1<<16)
		if err != nil {
			return
		}
		if c.Level() != 0 || c.HashKey(0) != c.HashKey() {
			t.Fatal("a cell with a level got through")
		}
		if again, err := tlb.EncodeBoC(c); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("read from %x, written as %x, %v", b, again, err)
		}
	})
}
