package sandbox

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// StatesKept is how many states of each chain stay in memory, to be proven
// from and read at. Successive states share their cells, so the cost of one is
// what its block changed.
const StatesKept = 1024

// history is the past of one shard. The metas, some 130 bytes a block, are
// kept in memory for good; states for a while.
type history struct {
	metas  []blockMeta // by sequence number
	states map[uint32]*cell.Cell
}

func newHistory() *history { return &history{states: map[uint32]*cell.Cell{}} }

func (h *history) add(m blockMeta, state *cell.Cell) {
	h.metas = append(h.metas, m)
	h.states[m.seqno] = state
	if m.seqno >= StatesKept {
		delete(h.states, m.seqno-StatesKept)
	}
}

// find looks a block up; the zero state counts as block 0.
func (h *history) find(by Lookup) (blockMeta, error) {
	at := 0
	switch by.Mode {
	case BySeqno:
		at = int(by.Seqno)
	case ByLT:
		at, _ = slices.BinarySearchFunc(h.metas, by.LT, func(m blockMeta, lt uint64) int { return cmp.Compare(m.end, lt) })
	case ByTime:
		at, _ = slices.BinarySearchFunc(h.metas, by.Time, func(m blockMeta, t uint32) int { return cmp.Compare(m.utime, t) })
	}
	if at >= len(h.metas) {
		return blockMeta{}, ErrNotFound
	}
	return h.metas[at], nil
}

// before returns the newest block that ended by the given logical time: the one
// a master block that starts then has seen.
func (h *history) before(lt uint64) blockMeta {
	after, _ := slices.BinarySearchFunc(h.metas, lt+1, func(m blockMeta, lt uint64) int { return cmp.Compare(m.end, lt) })
	return h.metas[max(after-1, 0)]
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

// state returns the state after a block.
func (h *history) state(m blockMeta) (*cell.Cell, error) {
	if state, ok := h.states[m.seqno]; ok {
		return state, nil
	}
	return nil, fmt.Errorf("block %s: %w", m, ErrStateGone)
}
