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
//
// The trees may be lazy. What is pruned is then not loaded, only its hash.
func merkleUpdate(from, to *cell.Cell) (*cell.Cell, error) {
	opened, known, err := difference(from, to)
	if err != nil {
		return nil, err
	}
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
func difference(from, to *cell.Cell) (opened, known map[cell.Hash]bool, err error) {
	type pair struct{ old, new, parent *cell.Cell } // parent of new
	opened, known = map[cell.Hash]bool{}, map[cell.Hash]bool{}
	queue := []pair{{old: from, new: to}}
	for n := 0; len(queue) > 0 && n < maxDiff; n++ {
		p := queue[0]
		queue = queue[1:]
		if p.old.HashKey() == p.new.HashKey() || known[p.new.HashKey()] || p.parent != nil && known[p.parent.HashKey()] {
			continue
		}
		before, err := refsOf(p.old)
		if err != nil {
			return nil, nil, err
		}
		if before.cell.IsSpecial() {
			continue
		}
		opened[p.old.HashKey()] = true
		known[p.old.HashKey()] = true
		for _, ref := range before.refs {
			known[ref.HashKey()] = true
		}
		if len(before.refs) == 0 {
			continue
		}
		after, err := refsOf(p.new)
		if err != nil {
			return nil, nil, err
		}
		for i := range min(len(before.refs), len(after.refs)) {
			queue = append(queue, pair{old: before.refs[i], new: after.refs[i], parent: p.new})
		}
	}
	return opened, known, nil
}

// loaded is a cell that is not lazy, with its references, which may be.
type loaded struct {
	cell *cell.Cell
	refs []*cell.Cell
}

func refsOf(c *cell.Cell) (l loaded, err error) {
	if l.cell, err = c.Prewarm(); err != nil {
		return l, err
	}
	l.refs = make([]*cell.Cell, l.cell.RefsNum())
	for i := range l.refs {
		if l.refs[i], err = l.cell.PeekRef(i); err != nil {
			return l, err
		}
	}
	return l, nil
}

// prune copies a tree with the cells that cut names replaced by their hashes.
// Cells without references stay, being hardly larger than their hashes.
func prune(root *cell.Cell, cut func(*cell.Cell) bool) (*cell.Cell, error) {
	done := map[cell.Hash]*cell.Cell{}
	var walk func(*cell.Cell) (*cell.Cell, error)
	walk = func(c *cell.Cell) (*cell.Cell, error) {
		if out, ok := done[c.HashKey()]; ok {
			return out, nil
		}
		leaf := c.Depth() == 0
		if !leaf && cut(c) {
			out, err := cell.CreatePrunedBranch(c, 1, 0)
			done[c.HashKey()] = out
			return out, err
		}
		l, err := refsOf(c)
		if err != nil {
			return nil, err
		}
		out := l.cell
		if !leaf && !out.IsSpecial() { // the insides of those count levels differently; whole is right too
			for i, ref := range l.refs {
				if l.refs[i], err = walk(ref); err != nil {
					return nil, err
				}
			}
			if out, err = out.RebuildWithRefs(l.refs); err != nil {
				return nil, err
			}
		}
		done[c.HashKey()] = out
		return out, nil
	}
	return walk(root)
}
