package liteserver

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// A client that was away comes back with the block it knows, however old, and
// has the chain proven from there: for that, the state after the block must show
// the key block before it. Sources forget states. What such a proof needs of a
// forgotten one can be found again: the block's own state update has the cells
// that it changed, among them the end of the list of earlier blocks, and the rest
// of the list is in the newest state still, as the list only grows.

// masterViewOf is the view of a masterchain block, whose state may be forgotten;
// then it is good for finding the blocks in seqnos and nothing else.
func (a *answerer) masterViewOf(b *block, seqnos ...uint32) (*view, error) {
	v, err := a.view(&b.id)
	if !errors.Is(err, sandbox.ErrStateGone) {
		return v, err
	}
	state, err := a.oldState(b, seqnos)
	if err != nil {
		return nil, fmt.Errorf("state of masterchain block %d: %w", b.id.SeqNo, err)
	}
	return newView(b, state)
}

// oldState is the state after b as far as it can be found again; the rest of it
// is pruned.
func (a *answerer) oldState(b *block, seqnos []uint32) (*cell.Cell, error) {
	update, err := child(b.root, blockUpdate)
	if err != nil {
		return nil, err
	}
	after, err := child(update, 1)
	if err != nil {
		return nil, err
	}
	head := a.src.MasterHead()
	newest, err := a.view(&head)
	if err != nil {
		return nil, err
	}
	t := newTracer()
	state := newest.state.WithTrace(t.trace)
	if err = openState(state); err != nil {
		return nil, err
	}
	for _, n := range seqnos {
		if _, err = ancestor(state, n); err != nil {
			return nil, err
		}
	}
	// The list is below the extra's info cell; the totals are often the same, too.
	return t.restore(after, map[int]restorer{
		stateTotals: t.restoreAll,
		stateMaster: func(extra *cell.Cell) (*cell.Cell, error) {
			return t.restore(extra, map[int]restorer{int(extra.RefsNum()) - 1: t.restoreAll})
		},
	})
}

// restorer puts cells that were opened elsewhere in the place of pruned ones.
type restorer func(c *cell.Cell) (*cell.Cell, error)

// restore applies restorers to references of c.
func (t *tracer) restore(c *cell.Cell, by map[int]restorer) (*cell.Cell, error) {
	refs := make([]*cell.Cell, c.RefsNum())
	for i := range refs {
		ref, err := c.PeekRef(i)
		if err == nil && by[i] != nil {
			ref, err = by[i](ref)
		}
		if err != nil {
			return nil, err
		}
		refs[i] = ref
	}
	return c.RebuildWithRefs(refs)
}

// restoreAll is the restorer of a whole tree.
func (t *tracer) restoreAll(c *cell.Cell) (*cell.Cell, error) {
	if c.GetType() == cell.PrunedCellType {
		if opened := t.opened[c.HashKey(0)]; opened != nil {
			return opened.WithoutTrace(), nil
		}
		return c, nil
	}
	by := make(map[int]restorer, c.RefsNum())
	for i := range int(c.RefsNum()) {
		by[i] = t.restoreAll
	}
	return t.restore(c, by)
}
