package sandbox

import (
	"bytes"
	"fmt"
	"slices"
	"sort"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// StatesKept is how many states of each shard a chain in memory keeps at
// least, to be proven from and read at. Successive states share their cells,
// so the cost of one is what its block changed. A stored chain keeps them all.
const StatesKept = 1024

// historyPage is how many blocks share a page of a history.
const historyPage = 512

// history is the past of one shard. What is written once never changes, so that
// a snapshot is a copy of a few slice headers.
type history struct {
	pages [][]pastBlock // all but the last are full
}

// pastBlock is a block with, in a chain that is not stored, its cells.
type pastBlock struct {
	meta  blockMeta
	block *cell.Cell // nil for a zero state
	state *cell.Cell // nil if no longer kept
}

func (h *history) len() int {
	if len(h.pages) == 0 {
		return 0
	}
	return (len(h.pages)-1)*historyPage + len(h.pages[len(h.pages)-1])
}

func (h *history) at(i int) pastBlock { return h.pages[i/historyPage][i%historyPage] }

func (h *history) add(b pastBlock) {
	if h.len()%historyPage == 0 {
		h.pages = append(h.pages, make([]pastBlock, 0, historyPage))
		h.forget(len(h.pages) - 2 - StatesKept/historyPage)
	}
	last := len(h.pages) - 1
	h.pages[last] = append(h.pages[last], b)
}

// forget drops the states of a page. Snapshots may share the page, so it is
// replaced, not changed.
func (h *history) forget(page int) {
	if page < 0 || h.pages[page][0].state == nil && h.pages[page][1].state == nil {
		return
	}
	lean := slices.Clone(h.pages[page])
	for i := range lean {
		lean[i].state = nil
	}
	h.pages = slices.Clone(h.pages)
	h.pages[page] = lean
}

// fork returns a history with the same past, and makes sure that what is added
// to one of them is not seen in the other.
func (h *history) fork() *history {
	out := &history{pages: slices.Clone(h.pages)}
	if last := len(h.pages) - 1; last >= 0 {
		out.pages[last] = slices.Clip(h.pages[last])
		h.pages[last] = slices.Clip(h.pages[last])
	}
	return out
}

// find looks a block up; the zero state counts as block 0.
func (h *history) find(by Lookup) (blockMeta, error) {
	at := 0
	switch by.Mode {
	case BySeqno:
		at = int(by.Seqno)
	case ByLT:
		at = sort.Search(h.len(), func(i int) bool { return h.at(i).meta.end >= by.LT })
	case ByTime:
		at = sort.Search(h.len(), func(i int) bool { return h.at(i).meta.utime >= by.Time })
	}
	if at >= h.len() {
		return blockMeta{}, ErrNotFound
	}
	return h.at(at).meta, nil
}

// before returns the newest block that ended by the given logical time: the one
// a master block that starts then has seen.
func (h *history) before(lt uint64) blockMeta {
	after := sort.Search(h.len(), func(i int) bool { return h.at(i).meta.end > lt })
	return h.at(max(after-1, 0)).meta
}

// exact returns the block with this id, hashes and all.
func (h *history) exact(id BlockID) (blockMeta, error) {
	m, err := h.find(Lookup{Mode: BySeqno, Seqno: id.SeqNo})
	if err == nil && (!bytes.Equal(m.root[:], id.RootHash) || !bytes.Equal(m.file[:], id.FileHash)) {
		err = ErrNotFound
	}
	if err != nil {
		return blockMeta{}, fmt.Errorf("block (%d,%016x,%d): %w", id.Workchain, uint64(id.Shard), id.SeqNo, err)
	}
	return m, nil
}

// block returns a block, or ErrNotFound for a zero state.
func (c *Chain) block(m blockMeta) (*cell.Cell, error) {
	if c.store != nil {
		return c.store.block(m)
	}
	if root := c.histories[m.shard].at(int(m.seqno)).block; root != nil {
		return root, nil
	}
	return nil, fmt.Errorf("block %s: %w", m, ErrNotFound)
}

// state returns the state after a block.
func (c *Chain) state(m blockMeta) (*cell.Cell, error) {
	if c.store != nil {
		return c.store.state(m)
	}
	if state := c.histories[m.shard].at(int(m.seqno)).state; state != nil {
		return state, nil
	}
	for _, s := range c.shards() {
		if s.last == m {
			return s.root, nil
		}
	}
	return nil, fmt.Errorf("block %s: %w", m, ErrStateGone)
}
