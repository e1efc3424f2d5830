package tlb

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Limits on a tree of cells from outside. TON allows an account 65536 cells and the TVM a depth of
// 512 for contract data, so nothing that a contract of ours could hold is refused.
const (
	MaxCells = 1 << 16
	MaxDepth = 512
)

var (
	// ErrNoCell says that a cell was expected and nil came.
	ErrNoCell = errors.New("no cell")
	// ErrSpecialCell says that a pruned branch, library, Merkle or lazily loaded cell stands where
	// only ordinary cells may.
	ErrSpecialCell = errors.New("special cell")
	// ErrForgedLevel says that a cell declares a level above zero. Without special cells below it,
	// that is a lie; with them, the cell is refused anyway.
	ErrForgedLevel = errors.New("forged level mask")
	// ErrTooLarge says that an input is above its limit in bytes, cells or depth.
	ErrTooLarge = errors.New("too large")
	// ErrBoC says that bytes are no bag of cells with one root.
	ErrBoC = errors.New("malformed bag of cells")
	// ErrNotCanonical says that a bag of cells is not encoded the one way that [EncodeBoC] writes.
	ErrNotCanonical = errors.New("bag of cells not in canonical form")
)

// CheckCell makes sure that reading the tree under c reads exactly what c's hash stands for.
//
// The library keeps the level mask that the sender of a bag of cells declared, and lets the bits of
// a pruned branch be read as if they were content. Both let a sender choose what we read under a
// hash that somebody else signed or proved. Since a level comes only from special cells, and none
// are allowed here, the true mask of every cell is zero.
//
// It returns [ErrNoCell], [ErrSpecialCell], [ErrForgedLevel] or [ErrTooLarge].
func CheckCell(c *cell.Cell) error {
	// Cells already seen are known by pointer, not by hash: an honest cell and a copy of it with a
	// forged level share their hash at level zero, and the copy must be looked at too.
	seen := make(map[*cell.Cell]bool)
	next := []*cell.Cell{c}
	for len(next) > 0 {
		c := next[len(next)-1]
		next = next[:len(next)-1]
		if err := checkOne(c); err != nil {
			return err
		}
		if seen[c] {
			continue
		}
		seen[c] = true
		if len(seen) > MaxCells {
			return fmt.Errorf("more than %d cells: %w", MaxCells, ErrTooLarge)
		}
		for i := range int(c.RefsNum()) {
			ref, err := c.PeekRef(i)
			if err != nil {
				return fmt.Errorf("ref %d of a cell: %w", i, err)
			}
			next = append(next, ref)
		}
	}
	// Only now is the depth worth anything: it was computed under the declared masks.
	if c.Depth() > MaxDepth {
		return fmt.Errorf("deeper than %d: %w", MaxDepth, ErrTooLarge)
	}
	return nil
}

// checkOne looks at c alone.
func checkOne(c *cell.Cell) error {
	switch {
	case c == nil:
		return ErrNoCell
	case c.IsSpecial() || c.IsLazy():
		return ErrSpecialCell
	case c.LevelMask().Mask != 0 || c.IsVirtualized():
		return ErrForgedLevel
	}
	return nil
}

// ParseBoC decodes a bag of cells of at most max bytes. It accepts one root, passes the tree through
// [CheckCell], and accepts only the bytes that [EncodeBoC] would write for it: one value, one
// encoding. It returns [ErrTooLarge], [ErrBoC], [ErrNotCanonical] or CheckCell's errors.
func ParseBoC(b []byte, max int) (*cell.Cell, error) {
	if len(b) > max {
		return nil, fmt.Errorf("bag of cells of %d bytes, at most %d: %w", len(b), max, ErrTooLarge)
	}
	// A cell takes two bytes at least, so this bounds what is allocated by what was sent.
	c, err := cell.FromBOCWithOptions(b, cell.BOCParseOptions{MaxCells: min(MaxCells, len(b)/2+1)})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBoC, err) // %v: the library's errors are no promise of ours
	}
	if err := CheckCell(c); err != nil {
		return nil, err
	}
	if !bytes.Equal(c.ToBOC(), b) {
		return nil, ErrNotCanonical
	}
	return c, nil
}

// EncodeBoC writes c in the form that [ParseBoC] reads: one root, no index, CRC32C at the end.
func EncodeBoC(c *cell.Cell) ([]byte, error) {
	if err := CheckCell(c); err != nil {
		return nil, err
	}
	return c.ToBOC(), nil
}
