package lite

import (
	"encoding/binary"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// parse reads a bag of cells with so many roots and checks every cell in it.
func parse(boc []byte, roots int) ([]*cell.Cell, error) {
	// A cell takes two bytes at least, so this bounds what is allocated by what was sent.
	cells, err := cell.FromBOCMultiRootWithOptions(boc, cell.BOCParseOptions{MaxCells: len(boc)/2 + 1})
	if err != nil {
		return nil, fmt.Errorf("%w: bag of cells: %v", ErrAnswer, err)
	}
	if len(cells) != roots {
		return nil, fmt.Errorf("%w: bag of %d cells, want %d", ErrAnswer, len(cells), roots)
	}
	for _, root := range cells {
		if err := checkRoot(root); err != nil {
			return nil, err
		}
	}
	return cells, nil
}

func parseOne(boc []byte) (*cell.Cell, error) {
	roots, err := parse(boc, 1)
	if err != nil {
		return nil, err
	}
	return roots[0], nil
}

// checkRoot checks the tree under a root, which must be of level 0: whatever is
// pruned in it must be below a Merkle cell.
//
// The library believes the level mask that a bag of cells declares, and hashes
// follow from masks. A forged mask lets a pruned branch stand, under the right
// hash, for whatever its sender likes. So masks are computed anew, from the only
// place they come from: the pruned branches.
func checkRoot(root *cell.Cell) error {
	mask, err := checkMask(root, map[*cell.Cell]byte{})
	if err != nil {
		return err
	}
	if mask != 0 {
		return fmt.Errorf("%w: something is pruned outside of a proof", ErrForgedCell)
	}
	return nil
}

// checkMask returns the true level mask of c. Cells seen are known by pointer: a
// forged copy of an honest cell may have its hash. The depth of the recursion is
// bounded, since the library refuses trees deeper than 1024.
func checkMask(c *cell.Cell, seen map[*cell.Cell]byte) (byte, error) {
	if mask, ok := seen[c]; ok {
		return mask, nil
	}
	if c.IsLazy() || c.IsVirtualized() {
		return 0, fmt.Errorf("%w: not a plain cell", ErrForgedCell)
	}
	var below byte
	refs := make([]*cell.Cell, c.RefsNum())
	for i := range refs {
		ref, err := c.PeekRef(i)
		if err != nil {
			return 0, fmt.Errorf("%w: %v", ErrForgedCell, err)
		}
		mask, err := checkMask(ref, seen)
		if err != nil {
			return 0, err
		}
		below |= mask
		refs[i] = ref
	}
	mask := below
	if c.IsSpecial() {
		var err error
		if mask, err = specialMask(c, refs, below); err != nil {
			return 0, err
		}
	}
	if c.LevelMask().Mask != mask {
		return 0, fmt.Errorf("%w: level mask %d, declared %d", ErrForgedCell, mask, c.LevelMask().Mask)
	}
	seen[c] = mask
	return mask, nil
}

const (
	hashBits  = 256
	depthBits = 16
)

// specialMask checks a special cell on its own and returns its level mask.
//
//	pruned branch   type:8 mask:8 (hash:256)×levels (depth:16)×levels
//	library         type:8 hash:256
//	Merkle proof    type:8 hash:256 depth:16 ^body
//	Merkle update   type:8 old:256 new:256 old_depth:16 new_depth:16 ^old ^new
func specialMask(c *cell.Cell, refs []*cell.Cell, below byte) (byte, error) {
	data, err := rawBits(c)
	if err != nil {
		return 0, err
	}
	shape := func(bits uint, n int) bool { return c.BitsSize() == 8+bits && len(refs) == n }
	merkle := func(n int) bool {
		for i, ref := range refs {
			hash := data[1+32*i : 1+32*(i+1)]
			depth := binary.BigEndian.Uint16(data[1+32*n+2*i:])
			if [32]byte(hash) != ref.HashKey(0) || depth != ref.Depth(0) {
				return false
			}
		}
		return true
	}
	switch cell.Type(data[0]) {
	case cell.PrunedCellType:
		if c.BitsSize() < 16 {
			break
		}
		mask := data[1]
		levels := uint(mask&1 + mask>>1&1 + mask>>2&1)
		if mask >= 1 && mask <= 7 && shape(8+levels*(hashBits+depthBits), 0) {
			return mask, nil
		}
	case cell.LibraryCellType:
		if shape(hashBits, 0) {
			return 0, nil
		}
	case cell.MerkleProofCellType:
		if shape(hashBits+depthBits, 1) && merkle(1) {
			return below >> 1, nil
		}
	case cell.MerkleUpdateCellType:
		if shape(2*(hashBits+depthBits), 2) && merkle(2) {
			return below >> 1, nil
		}
	}
	return 0, fmt.Errorf("%w: malformed special cell", ErrForgedCell)
}

// rawBits returns the bits of a special cell, at least one byte.
func rawBits(c *cell.Cell) ([]byte, error) {
	s, err := c.BeginParse()
	if err == nil && s.BitsLeft() < 8 {
		err = fmt.Errorf("only %d bits", s.BitsLeft())
	}
	var data []byte
	if err == nil {
		data, err = s.LoadSlice(s.BitsLeft())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: special cell: %v", ErrForgedCell, err)
	}
	return data, nil
}

// unwrap returns the body of a Merkle proof of the cell with the given hash.
func unwrap(proof *cell.Cell, hash []byte) (*cell.Cell, error) {
	body, err := cell.UnwrapProof(proof, hash)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrProof, err)
	}
	return body, nil
}

// read opens a cell of a proof; one that was pruned away has no content.
func read(c *cell.Cell) (*cell.Slice, error) {
	if c.IsSpecial() {
		return nil, ErrPruned
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrProof, err)
	}
	return s, nil
}

// plain makes sure that nothing under a cell of a proof was pruned away.
func plain(c *cell.Cell) error {
	if err := tlb.CheckCell(c); err != nil {
		return fmt.Errorf("%w: %w", ErrPruned, err)
	}
	return nil
}
