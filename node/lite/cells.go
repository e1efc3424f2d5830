package lite

import (
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
	for i := range int(c.RefsNum()) {
		ref, err := c.PeekRef(i)
		if err != nil {
			return 0, fmt.Errorf("%w: %v", ErrForgedCell, err)
		}
		mask, err := checkMask(ref, seen)
		if err != nil {
			return 0, err
		}
		below |= mask
	}
	mask := below
	if c.IsSpecial() {
		var err error
		if mask, err = specialMask(c, below); err != nil {
			return 0, err
		}
	}
	if c.LevelMask().Mask != mask {
		return 0, fmt.Errorf("%w: level mask %d, declared %d", ErrForgedCell, mask, c.LevelMask().Mask)
	}
	seen[c] = mask
	return mask, nil
}

// specialMask is the level mask of a special cell, given those of the cells below.
// That such a cell has the right shape, and a Merkle cell the hashes of what is
// below it, the library checks whenever it reads a bag of cells.
func specialMask(c *cell.Cell, below byte) (byte, error) {
	switch c.GetType() {
	case cell.PrunedCellType:
		data, err := rawBits(c)
		if err != nil || len(data) < 2 {
			return 0, fmt.Errorf("%w: malformed pruned branch", ErrForgedCell)
		}
		return data[1], nil
	case cell.LibraryCellType:
		return 0, nil
	case cell.MerkleProofCellType, cell.MerkleUpdateCellType:
		return below >> 1, nil
	}
	return 0, fmt.Errorf("%w: special cell of unknown type", ErrForgedCell)
}

// rawBits returns the bits of a special cell.
func rawBits(c *cell.Cell) ([]byte, error) {
	var data []byte
	s, err := c.BeginParse()
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
