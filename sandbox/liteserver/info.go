package liteserver

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// zeroState remembers the ID of the network's zero state, which never changes.
type zeroState struct {
	sync.Mutex
	id *ton.ZeroStateIDExt
}

// zeroStateID is what the source has for block 0.
func (a *answerer) zeroStateID() (*ton.ZeroStateIDExt, error) {
	a.zero.Lock()
	defer a.zero.Unlock()
	if a.zero.id != nil {
		return a.zero.id, nil
	}
	id, err := a.src.Lookup(masterchain, masterShard, Lookup{Mode: sandbox.BySeqno, Seqno: 0})
	if err != nil {
		return nil, err
	}
	a.zero.id = &ton.ZeroStateIDExt{Workchain: masterchain, RootHash: id.RootHash, FileHash: id.FileHash}
	return a.zero.id, nil
}

func (a *answerer) masterchainInfo() (tl.Serializable, error) {
	head := a.src.MasterHead()
	b, err := a.block(&head)
	if err != nil {
		return nil, err
	}
	state, err := stateHash(b.root)
	if err != nil {
		return nil, err
	}
	zero, err := a.zeroStateID()
	if err != nil {
		return nil, err
	}
	return ton.MasterchainInfo{Last: &b.id, StateRootHash: state[:], Init: zero}, nil
}

func (a *answerer) masterchainInfoExt(q ton.GetMasterchainInfoExt) (tl.Serializable, error) {
	// Mode 1 asks for the block up to which the server has the shards' states
	// too. Here that is every block.
	if q.Mode&^(1|1<<31) != 0 {
		return nil, badQuery("unsupported getMasterchainInfoExt mode %d", q.Mode)
	}
	head := a.src.MasterHead()
	b, err := a.block(&head)
	if err != nil {
		return nil, err
	}
	state, err := stateHash(b.root)
	if err != nil {
		return nil, err
	}
	zero, err := a.zeroStateID()
	if err != nil {
		return nil, err
	}
	return ton.MasterchainInfoExt{
		Mode: q.Mode &^ (1 << 31), Version: a.version, Capabilities: a.capabilities,
		Last: &b.id, LastUTime: b.header.GenUtime, Now: a.now(),
		StateRootHash: state[:], Init: zero,
	}, nil
}

func (a *answerer) blockData(q ton.GetBlockData) (tl.Serializable, error) {
	b, err := a.block(q.ID)
	if err != nil {
		return nil, err
	}
	return ton.BlockData{ID: &b.id, Payload: sandbox.BlockBOC(b.root)}, nil
}

// blockState answers with a whole state, the zero state too. It is meant for
// debugging: like the reference server, it refuses states that are not small.
func (a *answerer) blockState(q ton.GetState) (tl.Serializable, error) {
	if err := checkID(q.ID); err != nil {
		return nil, err
	}
	var root *cell.Cell
	if q.ID.SeqNo == 0 {
		var err error
		if root, err = a.zeroState(q.ID); err != nil {
			return nil, err
		}
	} else {
		b, err := a.block(q.ID)
		if err != nil {
			return nil, err
		}
		if root, err = a.state(b); err != nil {
			return nil, err
		}
	}
	if err := countCells(root, maxStateCells); err != nil {
		return nil, err
	}
	data := sandbox.BlockBOC(root)
	sum := sha256.Sum256(data)
	return ton.BlockState{ID: q.ID, RootHash: root.Hash(), FileHash: sum[:], Data: data}, nil
}

// countCells visits the cells of a tree, and is [ErrTooLarge] if there are more
// than limit.
func countCells(root *cell.Cell, limit int) error {
	seen := make(map[cell.Hash]bool)
	queue := []*cell.Cell{root}
	for len(queue) > 0 {
		c := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		hash := c.HashKey()
		if seen[hash] {
			continue
		}
		if seen[hash] = true; len(seen) > limit {
			return fmt.Errorf("%w: more than %d cells", ErrTooLarge, limit)
		}
		s, err := c.BeginParse()
		if err != nil {
			return err
		}
		for i := range s.RefsNum() {
			ref, err := s.PeekRefCellAt(i)
			if err != nil {
				return err
			}
			queue = append(queue, ref)
		}
	}
	return nil
}

func (a *answerer) blockHeader(q ton.GetBlockHeader) (tl.Serializable, error) {
	b, err := a.block(q.ID)
	if err != nil {
		return nil, err
	}
	proof, err := proveHeader(b, q.Mode)
	if err != nil {
		return nil, err
	}
	return ton.BlockHeader{ID: &b.id, Mode: q.Mode, HeaderProof: proof}, nil
}

// Modes of a block header answer: what it proves besides the header.
const (
	withUpdate    = 1
	withValueFlow = 2
	withExtra     = 16
	// Of a masterchain block's extra, with the bit above:
	withShards     = 32
	withSignatures = 64
)

func (a *answerer) lookupBlock(q ton.LookupBlock) (tl.Serializable, error) {
	id, err := a.lookup(q.Mode, q.ID, q.LT, q.UTime)
	if err != nil {
		return nil, err
	}
	b, err := a.block(&id)
	if err != nil {
		return nil, err
	}
	// The bits above the lookup mode say what the header is to come with.
	proof, err := proveHeader(b, q.Mode>>4)
	if err != nil {
		return nil, err
	}
	return ton.BlockHeader{ID: &b.id, Mode: q.Mode, HeaderProof: proof}, nil
}

// Ways to look a block up: exactly one bit of a query's mode.
const (
	lookupSeqno = 1
	lookupLT    = 2
	lookupTime  = 4
	lookupMask  = 7
)

func (a *answerer) lookup(mode uint32, id *ton.BlockInfoShort, lt uint64, utime uint32) (BlockID, error) {
	if id == nil {
		return BlockID{}, badQuery("incomplete block id")
	}
	if id.Workchain == masterchain && id.Shard != masterShard || id.Shard == 0 {
		return BlockID{}, badQuery("block id with an impossible shard")
	}
	by := Lookup{Seqno: uint32(id.Seqno), LT: lt, Time: utime}
	switch mode & lookupMask {
	case lookupSeqno:
		by.Mode = sandbox.BySeqno
	case lookupLT:
		by.Mode = sandbox.ByLT
	case lookupTime:
		by.Mode = sandbox.ByTime
	default:
		return BlockID{}, badQuery("exactly one of mode.0, mode.1, and mode.2 bits must be set")
	}
	shard, err := a.shardOf(id.Workchain, id.Shard)
	if err != nil {
		return BlockID{}, err
	}
	found, err := a.src.Lookup(id.Workchain, shard, by)
	if err == nil && found.SeqNo == 0 && by.Mode != sandbox.BySeqno {
		// The zero state is old enough, but it is no block.
		found, err = a.src.Lookup(id.Workchain, shard, Lookup{Mode: sandbox.BySeqno, Seqno: 1})
	}
	return found, err
}

// shardOf is the shard that a shard named by a client falls into: TON takes the
// name as the beginning of an address, so of a workchain that is split, the
// whole means the first shard of its second half.
func (a *answerer) shardOf(workchain int32, prefix int64) (int64, error) {
	if workchain == masterchain {
		return masterShard, nil
	}
	head := a.src.MasterHead()
	b, err := a.block(&head)
	if err != nil {
		return 0, err
	}
	x, err := blockMasterExtra(b.root)
	if err != nil {
		return 0, err
	}
	id, _, err := findShard(x.shards, workchain, uint64(prefix))
	return id.Shard, err
}
