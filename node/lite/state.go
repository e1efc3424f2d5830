package lite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

const (
	masterchain       = -1
	masterShard int64 = -1 << 63
)

// block is what a proof shows of a block.
type block struct {
	header tontlb.BlockHeader
	state  [32]byte   // hash of the state after it; zero if the proof leaves it out
	extra  *cell.Cell // perhaps pruned
}

// block reads a Merkle proof of the block that id names, and compares every field
// of id but the file hash, which is not in a block, with it. The file hash counts
// where validators signed it.
//
//	block#11ef55aa global_id:int32 info:^BlockInfo value_flow:^ValueFlow
//	  state_update:^(MERKLE_UPDATE ShardState) extra:^BlockExtra = Block
func (c *Client) block(proof *cell.Cell, id *blockID) (*block, error) {
	root, err := unwrap(proof, id.RootHash)
	if err != nil {
		return nil, err
	}
	s, err := read(root)
	if err != nil {
		return nil, err
	}
	if tag, err := s.LoadUInt(32); err != nil || tag != 0x11ef55aa {
		return nil, fmt.Errorf("%w: not a block", ErrProof)
	}
	global, err := s.LoadInt(32)
	if err != nil {
		return nil, fmt.Errorf("%w: not a block", ErrProof)
	}
	if int32(global) != c.o.Global {
		return nil, fmt.Errorf("%w: %d, want %d", ErrNetwork, global, c.o.Global)
	}
	var refs [4]*cell.Cell
	for i := range refs {
		if refs[i], err = s.LoadRefCell(); err != nil {
			return nil, fmt.Errorf("%w: not a block", ErrProof)
		}
	}

	b := &block{extra: refs[3]}
	info, err := read(refs[0])
	if err != nil {
		return nil, fmt.Errorf("header of block %d: %w", id.SeqNo, err)
	}
	if err = b.header.LoadFromCell(info); err != nil {
		return nil, fmt.Errorf("%w: header of block %d: %v", ErrProof, id.SeqNo, err)
	}
	if b.header.SeqNo != id.SeqNo || b.header.NotMaster != (id.Workchain != masterchain) || !isShard(b.header.Shard, id) {
		return nil, fmt.Errorf("%w: block %d in workchain %d is another one by its header", ErrAnswer, id.SeqNo, id.Workchain)
	}
	b.state, err = newState(refs[2])
	return b, err
}

// newState reads the hash of the new state from a Merkle update. It stands in the
// update itself, which the block's hash covers; what a pruned branch below says
// of its own hash is covered less well.
func newState(update *cell.Cell) (hash [32]byte, err error) {
	if !update.IsSpecial() {
		return hash, fmt.Errorf("%w: state update is an ordinary cell", ErrProof)
	}
	if update.GetType() != cell.MerkleUpdateCellType {
		return hash, nil // pruned
	}
	data, err := rawBits(update) // type:8 old:256 new:256 …
	if err != nil || len(data) < 65 {
		return hash, fmt.Errorf("%w: malformed state update", ErrForgedCell)
	}
	return [32]byte(data[33:65]), nil
}

// isShard says whether a shard identifier of a header or state is the one in id.
//
//	shard_ident$00 shard_pfx_bits:(#<= 60) workchain_id:int32 shard_prefix:uint64
//
// In a block's name the prefix is followed by a one and zeros.
func isShard(s tontlb.ShardIdent, id *blockID) bool {
	if s.PrefixBits < 0 || s.PrefixBits > 60 || s.WorkchainID != id.Workchain {
		return false
	}
	end := uint64(1) << (63 - s.PrefixBits)
	return s.ShardPrefix&(end<<1-1) == 0 && s.ShardPrefix|end == uint64(id.Shard)
}

// shardState is what a proof shows of a state.
type shardState struct {
	accounts *cell.Cell // perhaps pruned
	extra    *cell.Cell // of the masterchain; perhaps pruned
}

// state reads the usual pair of proofs: of a block, as far as its state's hash, and
// of that state.
//
//	shard_state#9023afe2 global_id:int32 shard_id:ShardIdent seq_no:uint32 vert_seq_no:#
//	  gen_utime:uint32 gen_lt:uint64 min_ref_mc_seqno:uint32 out_msg_queue_info:^OutMsgQueueInfo
//	  before_split:(## 1) accounts:^ShardAccounts ^[ … ] custom:(Maybe ^McStateExtra) = ShardStateUnsplit
func (c *Client) state(blockProof, stateProof *cell.Cell, id *blockID) (*shardState, error) {
	b, err := c.block(blockProof, id)
	if err != nil {
		return nil, err
	}
	if b.state == [32]byte{} {
		return nil, fmt.Errorf("state hash of block %d: %w", id.SeqNo, ErrPruned)
	}
	root, err := unwrap(stateProof, b.state[:])
	if err != nil {
		return nil, fmt.Errorf("state after block %d: %w", id.SeqNo, err)
	}
	s, err := read(root)
	if err != nil {
		return nil, fmt.Errorf("state after block %d: %w", id.SeqNo, err)
	}
	malformed := fmt.Errorf("%w: no state after block %d", ErrProof, id.SeqNo)
	if tag, err := s.LoadUInt(32); err != nil || tag != 0x9023afe2 {
		return nil, malformed
	}
	const upToMinRef = 32 + (2 + 6 + 32 + 64) + 32 + 32 + 32 + 64 + 32
	if _, err = s.LoadSlice(upToMinRef); err != nil {
		return nil, malformed
	}
	if _, err = s.LoadBoolBit(); err != nil {
		return nil, malformed
	}
	hasExtra, err := s.LoadBoolBit()
	if err != nil {
		return nil, malformed
	}
	state := &shardState{}
	if state.accounts, err = s.PeekRefCellAt(1); err != nil {
		return nil, malformed
	}
	if hasExtra {
		if state.extra, err = s.PeekRefCellAt(3); err != nil {
			return nil, malformed
		}
	}
	return state, nil
}

// masterExtra reads the shards and the configuration that a masterchain state
// begins its extra with.
//
//	masterchain_state_extra#cc26 shard_hashes:(HashmapE 32 ^(BinTree ShardDescr))
//	  config:(config_addr:bits256 config:^(Hashmap 32 ^Cell)) … = McStateExtra
func (s *shardState) masterExtra() (shards *cell.Dictionary, config *cell.Cell, err error) {
	if s.extra == nil {
		return nil, nil, fmt.Errorf("%w: not a masterchain state", ErrProof)
	}
	r, err := read(s.extra)
	if err != nil {
		return nil, nil, fmt.Errorf("masterchain state: %w", err)
	}
	if tag, tagErr := r.LoadUInt(16); tagErr != nil || tag != 0xcc26 {
		return nil, nil, fmt.Errorf("%w: not a masterchain state", ErrProof)
	}
	if shards, err = r.LoadDict(32); err == nil {
		_, err = r.LoadSlice(256)
	}
	if err == nil {
		config, err = r.LoadRefCell()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: masterchain state: %v", ErrProof, err)
	}
	return shards, config, nil
}

// find looks a key up. Not to find it is no error only where the dictionary's path
// shows that there is no such key.
func find(d *cell.Dictionary, key *cell.Cell) (value *cell.Slice, ok bool, err error) {
	value, err = d.LoadValue(key)
	switch {
	case errors.Is(err, cell.ErrNoSuchKeyInDict):
		return nil, false, nil
	case errors.Is(err, cell.ErrDictHasSpecialCells):
		return nil, false, ErrPruned
	case err != nil:
		return nil, false, fmt.Errorf("%w: dictionary: %v", ErrProof, err)
	}
	return value, true, nil
}

// shardOf finds the block that holds an account's state, in the shards that a
// masterchain state lists.
//
//	bt_leaf$0 leaf:ShardDescr = BinTree
//	bt_fork$1 left:^BinTree right:^BinTree = BinTree
//	shard_descr#b / #a seq_no:uint32 reg_mc_seqno:uint32 start_lt:uint64 end_lt:uint64
//	  root_hash:bits256 file_hash:bits256 … = ShardDescr
func shardOf(shards *cell.Dictionary, workchain int32, account []byte) (*blockID, error) {
	key := cell.BeginCell().MustStoreInt(int64(workchain), 32).EndCell()
	value, ok, err := find(shards, key)
	if err != nil {
		return nil, fmt.Errorf("shards of workchain %d: %w", workchain, err)
	}
	if !ok {
		return nil, fmt.Errorf("%w: workchain %d has no shards", ErrProof, workchain)
	}
	node, err := value.LoadRefCell()
	if err != nil {
		return nil, fmt.Errorf("%w: shards of workchain %d: %v", ErrProof, workchain, err)
	}
	prefix := binary.BigEndian.Uint64(account)
	for depth := range 61 {
		s, err := read(node)
		if err != nil {
			return nil, fmt.Errorf("shard of the account: %w", err)
		}
		fork, err := s.LoadBoolBit()
		if err == nil && !fork {
			end := uint64(1) << (63 - depth)
			return shardDescription(s, workchain, int64(prefix&^(end<<1-1)|end))
		}
		if err == nil {
			node, err = s.PeekRefCellAt(int(prefix >> (63 - depth) & 1))
		}
		if err != nil {
			return nil, fmt.Errorf("%w: shards of workchain %d: %v", ErrProof, workchain, err)
		}
	}
	return nil, fmt.Errorf("%w: shards of workchain %d are split too deep", ErrProof, workchain)
}

func shardDescription(s *cell.Slice, workchain int32, shard int64) (*blockID, error) {
	id := &blockID{Workchain: workchain, Shard: shard}
	tag, err := s.LoadUInt(4)
	if err == nil && tag != 0xa && tag != 0xb {
		err = fmt.Errorf("tag %x", tag)
	}
	var seqno uint64
	if err == nil {
		seqno, err = s.LoadUInt(32)
	}
	if err == nil {
		_, err = s.LoadSlice(32 + 64 + 64)
	}
	if err == nil {
		id.RootHash, err = s.LoadSlice(256)
	}
	if err == nil {
		id.FileHash, err = s.LoadSlice(256)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: shard description: %v", ErrProof, err)
	}
	id.SeqNo = uint32(seqno)
	return id, nil
}

// param opens one parameter of a configuration dictionary.
func param(config *cell.Cell, id int64) (*cell.Cell, error) {
	key := cell.BeginCell().MustStoreBigInt(big.NewInt(id), 32).EndCell()
	value, ok, err := find(config.AsDict(32), key)
	if err == nil && !ok {
		err = fmt.Errorf("%w: it is not there", ErrProof)
	}
	var content *cell.Cell
	if err == nil {
		if content, err = value.LoadRefCell(); err != nil {
			err = fmt.Errorf("%w: %v", ErrProof, err)
		}
	}
	if err == nil {
		err = plain(content)
	}
	if err != nil {
		return nil, fmt.Errorf("config parameter %d: %w", id, err)
	}
	return content, nil
}
