package liteserver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// shardEntry is one shard as a masterchain state lists it, or the fact that a
// workchain has none.
type shardEntry struct {
	id    BlockID      // [noBlock] if there is none
	leaf  *cell.Cell   // bt_leaf$0 leaf:ShardDescr; nil if there is none
	proof []*cell.Cell // from the masterchain block to leaf, or that there is none
}

// noBlock is how TON names a block that is not there.
func noBlock() BlockID {
	return BlockID{Workchain: math.MinInt32, RootHash: make([]byte, 32), FileHash: make([]byte, 32)}
}

// findShard opens the path to the shard of a workchain that contains prefix, a
// shard ID or the first 64 bits of an account; ErrNotFound if there is no such
// workchain. It returns the shard's newest block and its leaf in the tree.
func findShard(shards *cell.Dictionary, workchain int32, prefix uint64) (BlockID, *cell.Cell, error) {
	var none BlockID
	value, err := shards.LoadValueByIntKey(big.NewInt(int64(workchain)))
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return none, nil, fmt.Errorf("workchain %d: %w", workchain, ErrNotFound)
	}
	if err != nil {
		return none, nil, err
	}
	node, err := value.LoadRefCell()
	if err != nil {
		return none, nil, err
	}
	shard := uint64(1) << 63
	for {
		s, err := node.BeginParse()
		if err != nil {
			return none, nil, err
		}
		fork, err := s.LoadBoolBit()
		if err != nil {
			return none, nil, err
		}
		if !fork {
			id, err := parseShardDescr(workchain, int64(shard), s)
			if err == nil {
				err = openAll(node) // clients read all of it
			}
			return id, node.WithoutTrace(), err
		}
		half := shard & -shard >> 1
		if half == 0 || s.RefsNum() != 2 {
			return none, nil, errors.New("malformed shard tree")
		}
		side := 0
		if prefix&(half<<1) != 0 {
			side = 1
			shard += half
		} else {
			shard -= half
		}
		if node, err = s.PeekRefCellAt(side); err != nil {
			return none, nil, err
		}
	}
}

// parseShardDescr reads the start of a ShardDescr, which both its constructors
// (0xa and 0xb) have in common.
func parseShardDescr(workchain int32, shard int64, s *cell.Slice) (BlockID, error) {
	fail := func(err error) (BlockID, error) {
		return BlockID{}, fmt.Errorf("shard description: %w", err)
	}
	if tag, err := s.LoadUInt(4); err != nil || tag != 0xa && tag != 0xb {
		return fail(fmt.Errorf("constructor tag %x", tag))
	}
	seqno, err := s.LoadUInt(32)
	if err != nil {
		return fail(err)
	}
	if _, err = s.LoadSlice(32 + 64 + 64); err != nil { // reg_mc_seqno, start_lt, end_lt
		return fail(err)
	}
	root, err := s.LoadSlice(256)
	if err != nil {
		return fail(err)
	}
	file, err := s.LoadSlice(256)
	if err != nil {
		return fail(err)
	}
	return BlockID{Workchain: workchain, Shard: shard, SeqNo: uint32(seqno), RootHash: root, FileHash: file}, nil
}

// shard returns the shard that contains prefix, proven from the view's block.
func (v *view) shard(workchain int32, prefix uint64) (*shardEntry, error) {
	x, err := stateMasterExtra(v.state)
	if err != nil {
		return nil, err
	}
	id, leaf, err := findShard(x.shards, workchain, prefix)
	absent := errors.Is(err, ErrNotFound)
	if err != nil && !absent {
		return nil, err
	}
	name := shardName{workchain, id.Shard}
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.shards[name]; e != nil {
		return e, nil
	}
	proof, err := v.stateProof(func(state *cell.Cell) error {
		x, err := stateMasterExtra(state)
		if err != nil {
			return err
		}
		if _, _, err = findShard(x.shards, workchain, prefix); absent && errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if absent {
		// Not kept: there is no end of workchains that are not there.
		return &shardEntry{id: noBlock(), proof: proof}, nil
	}
	e := &shardEntry{id: id, leaf: leaf, proof: proof}
	v.shards[name] = e
	return e, nil
}

// contains tells whether a shard contains another shard or an account prefix.
func contains(shard int64, prefix uint64) bool {
	free := bits.TrailingZeros64(uint64(shard)) + 1 // bits below the shard's prefix
	return free == 64 || (uint64(shard)^prefix)>>free == 0
}

// accountPrefix is the part of an account's address that shards go by.
func accountPrefix(address []byte) uint64 {
	return binary.BigEndian.Uint64(address)
}

// allShards proves the shards by the block itself, which lists them like the
// state does and is there for longer.
func (a *answerer) allShards(q ton.GetAllShardsInfo) (tl.Serializable, error) {
	b, err := a.masterBlock(q.ID)
	if err != nil {
		return nil, err
	}
	var data *cell.Cell
	proof, err := prove(b.root, func(root *cell.Cell) error {
		if err := visitHeader(root); err != nil {
			return err
		}
		x, err := blockMasterExtra(root)
		if err != nil {
			return err
		}
		data = cell.BeginCell().MustStoreDict(x.shards).EndCell().WithoutTrace()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ton.AllShardsInfo{ID: &b.id, Proof: []*cell.Cell{proof}, Data: data}, nil
}

func (a *answerer) shardInfo(q ton.GetShardInfo) (tl.Serializable, error) {
	v, err := a.masterView(q.ID)
	if err != nil {
		return nil, err
	}
	if q.Workchain == masterchain || q.Shard == 0 {
		return nil, badQuery("there is no such shard")
	}
	e, err := v.shard(q.Workchain, uint64(q.Shard))
	if err != nil {
		return nil, err
	}
	answer := ton.ShardInfo{ID: &v.block.id, ShardBlock: &e.id, ShardProof: e.proof, ShardDescription: e.leaf}
	if e.leaf != nil && e.id.Shard != q.Shard && (q.Exact || !contains(e.id.Shard, uint64(q.Shard))) {
		// The proof shows what there is instead.
		none := noBlock()
		answer.ShardBlock, answer.ShardDescription = &none, nil
	}
	return answer, nil
}
