package sandbox

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// maxDiff bounds the cells compared to find what two states share. Beyond it
// an update is still right, only larger than it need be.
const maxDiff = 1 << 20

// merkleUpdate builds the Merkle update from one state to the next: both
// trees, with everything they share pruned away.
//
// Successive states share almost all their cells, so the differences are found
// by walking both trees from the root, pairing references by position, for as
// long as the hashes differ. Where the shapes do not match (a key was added to
// a dictionary, and what was there moved one level down) the walk ends as soon
// as the new tree comes to a cell already seen in the old one.
func merkleUpdate(from, to *cell.Cell) (*cell.Cell, error) {
	opened, known := difference(from, to)
	left, err := prune(from, func(c *cell.Cell) bool { return !opened[c.HashKey()] })
	if err != nil {
		return nil, fmt.Errorf("old side of state update: %w", err)
	}
	right, err := prune(to, func(c *cell.Cell) bool { return known[c.HashKey()] })
	if err != nil {
		return nil, fmt.Errorf("new side of state update: %w", err)
	}
	return cell.CreateMerkleUpdate(left, right)
}

// difference returns the cells of the old tree to keep open, and those whose
// hash the update then shows: the open ones and their children.
func difference(from, to *cell.Cell) (opened, known map[cell.Hash]bool) {
	type pair struct{ old, new, parent *cell.Cell } // parent of new
	opened, known = map[cell.Hash]bool{}, map[cell.Hash]bool{}
	queue := []pair{{old: from, new: to}}
	for n := 0; len(queue) > 0 && n < maxDiff; n++ {
		p := queue[0]
		queue = queue[1:]
		if p.old.HashKey() == p.new.HashKey() || known[p.new.HashKey()] || p.parent != nil && known[p.parent.HashKey()] {
			continue
		}
		if p.old.IsSpecial() {
			continue
		}
		opened[p.old.HashKey()] = true
		known[p.old.HashKey()] = true
		for i := range int(p.old.RefsNum()) {
			known[p.old.MustPeekRef(i).HashKey()] = true
		}
		for i := range int(min(p.old.RefsNum(), p.new.RefsNum())) {
			queue = append(queue, pair{old: p.old.MustPeekRef(i), new: p.new.MustPeekRef(i), parent: p.new})
		}
	}
	return opened, known
}

// prune copies a tree with the cells that cut names replaced by their hashes.
// Cells without references stay, being hardly larger than their hashes.
func prune(root *cell.Cell, cut func(*cell.Cell) bool) (*cell.Cell, error) {
	done := map[cell.Hash]*cell.Cell{}
	var walk func(*cell.Cell) (*cell.Cell, error)
	walk = func(c *cell.Cell) (*cell.Cell, error) {
		if c.RefsNum() == 0 {
			return c, nil
		}
		if out, ok := done[c.HashKey()]; ok {
			return out, nil
		}
		var out *cell.Cell
		var err error
		switch {
		case cut(c):
			out, err = cell.CreatePrunedBranch(c, 1, 0)
		case c.IsSpecial():
			out = c // its insides count levels differently; whole is right too
		default:
			refs := make([]*cell.Cell, c.RefsNum())
			for i := range refs {
				if refs[i], err = walk(c.MustPeekRef(i)); err != nil {
					return nil, err
				}
			}
			out, err = c.RebuildWithRefs(refs)
		}
		if err != nil {
			return nil, err
		}
		done[c.HashKey()] = out
		return out, nil
	}
	return walk(root)
}
