package lite_test

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// rawCell is a cell as it stands in a bag of cells, so that tests can write what no
// builder would.
type rawCell struct {
	special bool
	mask    byte // declared level mask
	bits    uint
	data    []byte
	refs    []*cell.Cell
}

// forge writes the trees under roots as a bag of cells, each cell as edit leaves it.
func forge(t testing.TB, edit func(c *cell.Cell, raw *rawCell), roots ...*cell.Cell) []byte {
	t.Helper()
	var order []*cell.Cell // children before parents
	raws := map[*cell.Cell]*rawCell{}
	var visit func(c *cell.Cell)
	visit = func(c *cell.Cell) {
		if raws[c] != nil {
			return
		}
		s := c.MustBeginParse()
		raw := &rawCell{special: c.IsSpecial(), mask: c.LevelMask().Mask, bits: s.BitsLeft(), data: s.MustLoadSlice(s.BitsLeft())}
		for i := range int(c.RefsNum()) {
			raw.refs = append(raw.refs, c.MustPeekRef(i))
		}
		edit(c, raw)
		raws[c] = raw
		for _, ref := range raw.refs {
			visit(ref)
		}
		order = append(order, c)
	}
	for _, root := range roots {
		visit(root)
	}
	slices.Reverse(order)
	index := map[*cell.Cell]int{}
	for i, c := range order {
		index[c] = i
	}
	var body []byte
	for _, c := range order {
		raw := raws[c]
		d1 := byte(len(raw.refs)) | raw.mask<<5
		if raw.special {
			d1 |= 8
		}
		body = append(body, d1, byte(raw.bits/8+(raw.bits+7)/8))
		data := append([]byte(nil), raw.data...)
		if raw.bits%8 != 0 {
			data[len(data)-1] |= 1 << (7 - raw.bits%8)
		}
		body = append(body, data...)
		for _, ref := range raw.refs {
			body = binary.BigEndian.AppendUint16(body, uint16(index[ref]))
		}
	}
	b := []byte{0xb5, 0xee, 0x9c, 0x72, 0x42, 4}
	b = binary.BigEndian.AppendUint16(b, uint16(len(order)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(roots)))
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	for _, root := range roots {
		b = binary.BigEndian.AppendUint16(b, uint16(index[root]))
	}
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// prune makes raw a pruned branch that stands for c at level 0.
func prune(c *cell.Cell, raw *rawCell) {
	hash := c.HashKey(0)
	data := append([]byte{byte(cell.PrunedCellType), 1}, hash[:]...)
	data = binary.BigEndian.AppendUint16(data, c.Depth(0))
	*raw = rawCell{special: true, mask: 1, bits: uint(8 * len(data)), data: data}
}

// pruning is an edit that prunes one cell and leaves the declared masks of the
// others alone.
func pruning(target *cell.Cell) func(*cell.Cell, *rawCell) {
	return func(c *cell.Cell, raw *rawCell) {
		if c == target {
			prune(c, raw)
		}
	}
}

// pruningHonestly prunes a cell and raises the masks of all cells above it, as far
// as a Merkle cell.
func pruningHonestly(t testing.TB, target *cell.Cell) func(*cell.Cell, *rawCell) {
	t.Helper()
	var above func(c *cell.Cell) bool
	above = func(c *cell.Cell) bool {
		for i := range int(c.RefsNum()) {
			if ref := c.MustPeekRef(i); ref == target || above(ref) {
				return true
			}
		}
		return false
	}
	return func(c *cell.Cell, raw *rawCell) {
		switch {
		case c == target:
			prune(c, raw)
		case !c.IsSpecial() && above(c):
			raw.mask |= 1
		}
	}
}

func unchanged(*cell.Cell, *rawCell) {}

// child descends through references.
func child(c *cell.Cell, path ...int) *cell.Cell {
	for _, i := range path {
		c = c.MustPeekRef(i)
	}
	return c
}

func parsed(t testing.TB, boc []byte) []*cell.Cell {
	t.Helper()
	roots, err := cell.FromBOCMultiRoot(boc)
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

// The forger itself: what it does not edit stays the same cell.
func TestForge(t *testing.T) {
	honest := someData(20)
	if got := parsed(t, forge(t, unchanged, honest, calculatorCode())); got[0].HashKey() != honest.HashKey() || got[1].HashKey() != calculatorCode().HashKey() {
		t.Error("an unchanged tree has another hash")
	}
	// This is the hole: pruned, with the masks above untouched, it is the same by its hash.
	forged := parsed(t, forge(t, pruning(child(honest, 0, 0)), honest))[0]
	if forged.HashKey() != honest.HashKey() || !child(forged, 0, 0).IsSpecial() {
		t.Error("a forged tree has another hash")
	}
}

// What the guard leaves to the library: the shape of special cells, and the hashes
// in Merkle cells.
func TestLibraryChecksSpecialCells(t *testing.T) {
	proof, err := cell.CreateMerkleProof(someData(3))
	if err != nil {
		t.Fatal(err)
	}
	update, err := cell.CreateMerkleUpdate(someData(3), someData(4))
	if err != nil {
		t.Fatal(err)
	}
	for name, special := range map[string]*cell.Cell{"proof": proof, "update": update} {
		for i := range special.BitsSize() / 8 {
			boc := forge(t, func(c *cell.Cell, raw *rawCell) {
				if c == special {
					raw.data[i] ^= 1
				}
			}, special)
			if _, err := cell.FromBOC(boc); err == nil {
				t.Errorf("%s: byte %d may be anything", name, i)
			}
		}
	}
	for name, edit := range map[string]func(raw *rawCell){
		"mask unlike the declared": func(raw *rawCell) { raw.data[1] = 2 },
		"level 0":                  func(raw *rawCell) { raw.data[1], raw.mask = 0, 0 },
		"too short":                func(raw *rawCell) { raw.data = raw.data[:30]; raw.bits = 240 },
		"a reference":              func(raw *rawCell) { raw.refs = []*cell.Cell{cell.BeginCell().EndCell()} },
		"type":                     func(raw *rawCell) { raw.data[0] = 9 },
	} {
		target := someData(2)
		boc := forge(t, func(c *cell.Cell, raw *rawCell) {
			if c == target {
				prune(c, raw)
				edit(raw)
			}
		}, target)
		if _, err := cell.FromBOC(boc); err == nil {
			t.Errorf("pruned branch: %s is read", name)
		}
	}
}
