package liteserver

import (
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

const (
	masterchain = int32(address.MasterchainID)
	// masterShard is the one shard of the masterchain, and a whole workchain.
	masterShard = int64(-1 << 63)
)

// parseHeader reads the header of a block.
func parseHeader(block *cell.Cell) (*tontlb.BlockHeader, error) {
	info, err := child(block, blockInfo)
	if err != nil {
		return nil, fmt.Errorf("block header: %w", err)
	}
	var h tontlb.BlockHeader
	if err := tontlb.Parse(&h, info); err != nil {
		return nil, fmt.Errorf("block header: %w", err)
	}
	return &h, nil
}

// block is a block of the source together with its name.
type block struct {
	id     BlockID
	root   *cell.Cell
	header *tontlb.BlockHeader
}

func isMaster(id *BlockID) bool {
	return id.Workchain == masterchain
}

// block fetches the block with the given id, which may come from a client.
func (a *answerer) block(id *BlockID) (*block, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	if id.SeqNo == 0 {
		return nil, ErrNotFound // a zero state is no block
	}
	root, err := a.src.Block(*id)
	if err != nil {
		return nil, err
	}
	if hash := root.HashKey(); string(hash[:]) != string(id.RootHash) {
		return nil, ErrNotFound
	}
	h, err := parseHeader(root)
	if err != nil {
		return nil, err
	}
	return &block{id: *id.Copy(), root: root, header: h}, nil
}

// state fetches the state after b and makes sure it is the one b leads to:
// proofs built of anything else would only be refused by the client.
func (a *answerer) state(b *block) (*cell.Cell, error) {
	root, err := a.src.State(b.id)
	if err != nil {
		return nil, err
	}
	want, err := stateHash(b.root)
	if err != nil {
		return nil, err
	}
	if root.HashKey() != cell.Hash(want) {
		return nil, fmt.Errorf("state of block %d:%x:%d is not the one the block leads to", b.id.Workchain, uint64(b.id.Shard), b.id.SeqNo)
	}
	return root, nil
}

// zeroState fetches the state a shard began with.
func (a *answerer) zeroState(id *BlockID) (*cell.Cell, error) {
	root, err := a.src.State(*id)
	if err != nil {
		return nil, err
	}
	if hash := root.HashKey(); string(hash[:]) != string(id.RootHash) {
		return nil, ErrNotFound
	}
	return root, nil
}

// masterBlock fetches a masterchain block a client refers to. As in the
// reference server, sequence number 2^32-1 means the latest.
func (a *answerer) masterBlock(id *BlockID) (*block, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	if !isMaster(id) {
		return nil, badQuery("reference block is not of the masterchain")
	}
	if id.SeqNo == ^uint32(0) {
		head := a.src.MasterHead()
		id = &head
	}
	return a.block(id)
}

// checkID refuses names no block can have.
func checkID(id *BlockID) error {
	switch {
	case id == nil || len(id.RootHash) != 32 || len(id.FileHash) != 32:
		return badQuery("incomplete block id")
	case isMaster(id) && id.Shard != masterShard:
		return badQuery("the masterchain has one shard")
	case id.Shard == 0:
		return badQuery("block id with an empty shard")
	}
	return nil
}
