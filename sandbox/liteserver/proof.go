package liteserver

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// prove builds a Merkle proof of root that contains what visit reads through
// the root it is given, and only that: every cell it does not open is pruned.
func prove(root *cell.Cell, visit func(root *cell.Cell) error) (*cell.Cell, error) {
	t := newTracer()
	if err := visit(root.WithTrace(t.trace)); err != nil {
		return nil, err
	}
	body, err := t.body(root, 0)
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	return cell.CreateMerkleProof(body)
}

// tracer notes which cells are opened. The library has a proof builder too; it
// makes room for a thousand cells first, which costs more than a small proof.
type tracer struct {
	trace  *cell.Trace
	opened map[cell.Hash]*cell.Cell
	built  map[builtKey]*cell.Cell
}

func newTracer() *tracer {
	t := &tracer{opened: make(map[cell.Hash]*cell.Cell, 32), built: make(map[builtKey]*cell.Cell, 64)}
	t.trace = cell.NewTraceForListener(t)
	return t
}

// builtKey names a part of a proof: cells in a Merkle update are pruned for a
// deeper level than the same ones outside.
type builtKey struct {
	hash  cell.Hash
	depth int
}

func (t *tracer) OnLoad(c *cell.Cell)        { t.opened[c.HashKey()] = c }
func (t *tracer) OnCreate()                  {}
func (t *tracer) ChildTrace(int) *cell.Trace { return t.trace }
func (t *tracer) PendingError() error        { return nil }

// body is what a proof has of c, that many Merkle cells deep.
func (t *tracer) body(c *cell.Cell, depth int) (*cell.Cell, error) {
	key := builtKey{c.HashKey(), depth}
	if built := t.built[key]; built != nil {
		return built, nil
	}
	built, err := t.build(c, depth)
	if err != nil {
		return nil, err
	}
	t.built[key] = built
	return built, nil
}

func (t *tracer) build(c *cell.Cell, depth int) (*cell.Cell, error) {
	opened := t.opened[c.HashKey()]
	if opened == nil {
		return cell.CreatePrunedBranch(c.WithoutTrace(), depth+1, depth)
	}
	opened = opened.WithoutTrace()
	if opened.RefsNum() == 0 {
		return opened, nil
	}
	if kind := opened.GetType(); kind == cell.MerkleProofCellType || kind == cell.MerkleUpdateCellType {
		depth++
	}
	refs := make([]*cell.Cell, opened.RefsNum())
	for i := range refs {
		ref, err := opened.PeekRef(i)
		if err != nil {
			return nil, err
		}
		if refs[i], err = t.body(ref, depth); err != nil {
			return nil, err
		}
	}
	return opened.RebuildWithRefs(refs)
}

// open reads one cell, which is what puts it into a proof.
func open(c *cell.Cell) error {
	_, err := c.BeginParse()
	return err
}

// openAll reads c and everything below it.
func openAll(c *cell.Cell) error {
	return openUnseen(c, make(map[cell.Hash]bool))
}

func openUnseen(c *cell.Cell, seen map[cell.Hash]bool) error {
	hash := c.HashKey()
	if seen[hash] {
		return nil // a proof includes cells by hash, so once is enough
	}
	seen[hash] = true
	s, err := c.BeginParse()
	if err != nil {
		return err
	}
	return openRefs(s, seen)
}

// openRefs reads everything below an open cell that is not among seen.
func openRefs(s *cell.Slice, seen map[cell.Hash]bool) error {
	for i := range s.RefsNum() {
		ref, err := s.PeekRefCellAt(i)
		if err != nil {
			return err
		}
		if err = openUnseen(ref, seen); err != nil {
			return err
		}
	}
	return nil
}

// whole loads what is left to load of a tree from a stored chain.
func whole(c *cell.Cell) (*cell.Cell, error) {
	if !c.IsLazy() {
		return c, nil // and so is nothing below, in a chain in memory
	}
	return c.PrewarmRecursive(0)
}

// encode serializes a bag of cells. Blocks and states are written by
// [sandbox.BlockBOC] instead, so that their bytes have the file hash.
func encode(roots ...*cell.Cell) ([]byte, error) {
	return cell.ToBOCWithOptionsErr(roots, cell.BOCSerializeOptions{})
}

// The references of a block's root cell.
const (
	blockInfo = iota
	blockValueFlow
	blockUpdate
	blockExtra
)

// The references of a ShardStateUnsplit root.
const (
	stateQueue = iota
	stateAccounts
	stateTotals
	stateMaster // only in the masterchain
)

// The references of a BlockExtra; the last one only in the masterchain.
const (
	extraInMessages = iota
	extraOutMessages
	extraAccounts
	extraMaster
)

// child opens c and returns its reference i.
func child(c *cell.Cell, i int) (*cell.Cell, error) {
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	return s.PeekRefCellAt(i)
}

// openState opens what every proof of a state has: its root, and its totals,
// which TON's own client takes apart whatever it looks for.
func openState(state *cell.Cell) error {
	totals, err := child(state, stateTotals)
	if err != nil {
		return err
	}
	return open(totals)
}

// stateHash is the hash of the state after a block, from the block itself.
func stateHash(block *cell.Cell) ([32]byte, error) {
	update, err := child(block, blockUpdate)
	if err != nil {
		return [32]byte{}, fmt.Errorf("state update: %w", err)
	}
	after, err := child(update, 1)
	if err != nil {
		return [32]byte{}, fmt.Errorf("state update: %w", err)
	}
	return after.HashKey(0), nil
}

// visitHeader opens a block's header with its references to the blocks before.
func visitHeader(block *cell.Cell) error {
	info, err := child(block, blockInfo)
	if err != nil {
		return err
	}
	// ^ExtBlkRef of the masterchain, ^BlkPrevInfo, the latter with two more
	// references after a merge.
	return openAll(info)
}

// visitStateHash opens as much of a block as proves which state it leads to.
func visitStateHash(block *cell.Cell) error {
	if err := visitHeader(block); err != nil {
		return err
	}
	_, err := stateHash(block)
	return err
}
