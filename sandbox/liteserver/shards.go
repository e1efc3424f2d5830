package liteserver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// shardEntry is one shard as a masterchain state lists it.
type shardEntry struct {
	id    BlockID
	descr *cell.Cell   // ShardDescr
	proof []*cell.Cell // from the masterchain block to descr
}

const (
	tagMasterState = 0xcc26 // McStateExtra
	tagMasterExtra = 0xcca5 // McBlockExtra
)

// openTagged opens c and checks that it starts with a 16-bit constructor tag.
func openTagged(c *cell.Cell, tag uint64) (*cell.Slice, error) {
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	if got, err := s.LoadUInt(16); err != nil || got != tag {
		return nil, fmt.Errorf("constructor tag is %#x, not %#x", got, tag)
	}
	return s, nil
}

// masterExtra opens a masterchain state's McStateExtra, past its tag:
//
//	shard_hashes:(HashmapE 32 ^(BinTree ShardDescr)) config:(addr:bits256 ^Hashmap) ^[info] global_balance
func masterExtra(state *cell.Cell) (*cell.Slice, error) {
	c, err := child(state, stateMaster)
	if err != nil {
		return nil, fmt.Errorf("masterchain state: %w", err)
	}
	return openTagged(c, tagMasterState)
}

// shardHashes opens the shard dictionary that s, a McStateExtra or a
// McBlockExtra, goes on with.
func shardHashes(s *cell.Slice) (*cell.Dictionary, error) {
	return s.LoadDict(32)
}

// stateShards opens the shard dictionary of a masterchain state.
func stateShards(state *cell.Cell) (*cell.Dictionary, error) {
	s, err := masterExtra(state)
	if err != nil {
		return nil, err
	}
	return shardHashes(s)
}

// blockShards opens the shard dictionary of a masterchain block:
//
//	masterchain_block_extra#cca5 key_block:(## 1) shard_hashes:ShardHashes ...
func blockShards(block *cell.Cell) (*cell.Dictionary, error) {
	s, _, err := blockMasterExtra(block)
	if err != nil {
		return nil, err
	}
	return shardHashes(s)
}

// blockMasterExtra opens the McBlockExtra of a masterchain block, past the
// flag that says whether it is a key block.
func blockMasterExtra(block *cell.Cell) (*cell.Slice, bool, error) {
	extra, err := child(block, blockExtra)
	if err != nil {
		return nil, false, err
	}
	c, err := child(extra, extraMaster)
	if err != nil {
		return nil, false, fmt.Errorf("masterchain block extra: %w", err)
	}
	s, err := openTagged(c, tagMasterExtra)
	if err != nil {
		return nil, false, err
	}
	key, err := s.LoadBoolBit()
	return s, key, err
}

// findShard opens the path to the shard of a workchain that contains prefix, a
// shard ID or the first 64 bits of an account. ErrNoWorkchain: there is none.
func findShard(shards *cell.Dictionary, workchain int32, prefix uint64) (BlockID, *cell.Cell, error) {
	var none BlockID
	value, err := shards.LoadValueByIntKey(big.NewInt(int64(workchain)))
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return none, nil, fmt.Errorf("%w: %d", ErrNoWorkchain, workchain)
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
			return parseShardDescr(workchain, int64(shard), s)
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
func parseShardDescr(workchain int32, shard int64, s *cell.Slice) (BlockID, *cell.Cell, error) {
	descr, err := s.Copy().WithoutTrace().ToCell()
	if err != nil {
		return BlockID{}, nil, err
	}
	fail := func(err error) (BlockID, *cell.Cell, error) {
		return BlockID{}, nil, fmt.Errorf("shard description: %w", err)
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
	return BlockID{Workchain: workchain, Shard: shard, SeqNo: uint32(seqno), RootHash: root, FileHash: file}, descr, nil
}

// shard returns the shard that contains prefix, proven from the view's block.
func (v *view) shard(workchain int32, prefix uint64) (*shardEntry, error) {
	shards, err := stateShards(v.state)
	if err != nil {
		return nil, err
	}
	id, descr, err := findShard(shards, workchain, prefix)
	if err != nil {
		return nil, err
	}
	name := shardName{workchain, id.Shard}
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.shards[name]; e != nil {
		return e, nil
	}
	proof, err := v.stateProof(func(state *cell.Cell) error {
		shards, err := stateShards(state)
		if err != nil {
			return err
		}
		_, _, err = findShard(shards, workchain, uint64(id.Shard))
		return err
	})
	if err != nil {
		return nil, err
	}
	e := &shardEntry{id: id, descr: descr, proof: proof}
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

func (a *answerer) allShards(q ton.GetAllShardsInfo) (tl.Serializable, error) {
	v, err := a.masterView(q.ID)
	if err != nil {
		return nil, err
	}
	var data *cell.Cell
	proof, err := v.stateProof(func(state *cell.Cell) error {
		shards, err := stateShards(state)
		if err != nil {
			return err
		}
		b := cell.BeginCell()
		if shards.IsEmpty() {
			data = b.MustStoreBoolBit(false).EndCell()
			return nil
		}
		if err = open(shards.AsCell()); err != nil {
			return err
		}
		data = b.MustStoreMaybeRef(shards.AsCell().WithoutTrace()).EndCell()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ton.AllShardsInfo{ID: &v.block.id, Proof: proof, Data: data}, nil
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
	if e.id.Shard != q.Shard && (q.Exact || !contains(e.id.Shard, uint64(q.Shard)) && !contains(q.Shard, uint64(e.id.Shard))) {
		return nil, fmt.Errorf("%w: %d has no shard %x now", ErrNoWorkchain, q.Workchain, uint64(q.Shard))
	}
	return ton.ShardInfo{ID: &v.block.id, ShardBlock: &e.id, ShardProof: e.proof, ShardDescription: e.descr}, nil
}

// shardBlockProof leads from a masterchain block to a shard block: the proof of
// each block names the next one.
func (a *answerer) shardBlockProof(q ton.GetShardBlockProof) (tl.Serializable, error) {
	b, err := a.block(q.ID)
	if err != nil {
		return nil, err
	}
	if isMaster(&b.id) {
		return nil, badQuery("block is of the masterchain")
	}
	master, links, err := a.shardLinks(b)
	if err != nil {
		return nil, err
	}
	return ton.ShardBlockProof{MasterchainID: &master.id, Links: links}, nil
}

// shardLinks finds the first masterchain block that includes b, and the chain
// of proofs from it back to b.
func (a *answerer) shardLinks(b *block) (*block, []ton.ShardBlockLink, error) {
	if b.header.MasterRef == nil {
		return nil, nil, errors.New("shard block without a masterchain reference")
	}
	master, top, err := a.includingMaster(b)
	if err != nil {
		return nil, nil, err
	}
	proof, err := prove(master.root, func(root *cell.Cell) error {
		if err := visitHeader(root); err != nil {
			return err
		}
		shards, err := blockShards(root)
		if err != nil {
			return err
		}
		_, _, err = findShard(shards, b.id.Workchain, uint64(b.id.Shard))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	links, err := appendLink(nil, top, proof)
	if err != nil {
		return nil, nil, err
	}
	for id := top; !id.Equals(&b.id); {
		if len(links) == maxShardSearch || id.SeqNo <= b.id.SeqNo {
			return nil, nil, ErrNotFound
		}
		cur, err := a.block(&id)
		if err != nil {
			return nil, nil, err
		}
		parents, err := ton.GetParentBlocks(cur.header)
		if err != nil {
			return nil, nil, err
		}
		next := parents[0]
		for _, p := range parents {
			if contains(p.Shard, uint64(b.id.Shard)) {
				next = p
			}
		}
		if proof, err = prove(cur.root, visitHeader); err != nil {
			return nil, nil, err
		}
		if links, err = appendLink(links, *next, proof); err != nil {
			return nil, nil, err
		}
		id = *next
	}
	return master, links, nil
}

func appendLink(links []ton.ShardBlockLink, id BlockID, proof *cell.Cell) ([]ton.ShardBlockLink, error) {
	data, err := encode(proof)
	if err != nil {
		return nil, err
	}
	return append(links, ton.ShardBlockLink{ID: &id, Proof: data}), nil
}

// includingMaster finds the first masterchain block that lists b's shard at b
// or later. A shard block refers to an earlier masterchain block, so the search
// starts behind that one.
func (a *answerer) includingMaster(b *block) (*block, BlockID, error) {
	head := a.src.MasterHead()
	from := b.header.MasterRef.SeqNo + 1
	for seqno := from; seqno <= head.SeqNo && seqno-from < maxShardSearch; seqno++ {
		id, err := a.src.Lookup(masterchain, masterShard, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
		if err != nil {
			return nil, BlockID{}, err
		}
		master, err := a.block(&id)
		if err != nil {
			return nil, BlockID{}, err
		}
		shards, err := blockShards(master.root)
		if err != nil {
			return nil, BlockID{}, err
		}
		top, _, err := findShard(shards, b.id.Workchain, uint64(b.id.Shard))
		if err != nil {
			return nil, BlockID{}, err
		}
		if top.SeqNo >= b.id.SeqNo {
			return master, top, nil
		}
	}
	return nil, BlockID{}, ErrNotFound
}
