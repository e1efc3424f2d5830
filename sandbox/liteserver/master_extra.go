package liteserver

import (
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

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

// masterExtra is what a masterchain state has beyond any shard's:
//
//	shard_hashes:(HashmapE 32 ^(BinTree ShardDescr)) config:(addr:bits256 ^(Hashmap 32 ^Cell))
//	^[ flags:(## 16) validator_info prev_blocks:OldMcBlocksInfo after_key_block last_key_block stats ] global_balance
type masterExtra struct {
	shards *cell.Dictionary
	config *cell.Dictionary
	info   *cell.Slice // the cell in square brackets
}

// stateMasterExtra opens the McStateExtra in a masterchain state, with its info
// cell: TON's own client takes both apart whichever it wants.
func stateMasterExtra(state *cell.Cell) (masterExtra, error) {
	var x masterExtra
	fail := func(err error) (masterExtra, error) {
		return masterExtra{}, fmt.Errorf("masterchain state: %w", err)
	}
	c, err := child(state, stateMaster)
	if err != nil {
		return fail(err)
	}
	s, err := openTagged(c, tagMasterState)
	if err != nil {
		return fail(err)
	}
	if x.shards, err = s.LoadDict(32); err != nil {
		return fail(err)
	}
	if x.config, err = loadConfig(s); err != nil {
		return fail(err)
	}
	if x.info, err = s.LoadRef(); err != nil {
		return fail(err)
	}
	return x, nil
}

// masterBlockExtra is what a masterchain block has beyond any shard's:
//
//	masterchain_block_extra#cca5 key_block:(## 1) shard_hashes:ShardHashes shard_fees:ShardFees
//	  ^[ prev_blk_signatures:(HashmapE 16 CryptoSignaturePair) recover_create_msg mint_msg ] config:key_block?ConfigParams
type masterBlockExtra struct {
	shards     *cell.Dictionary
	signatures *cell.Slice      // the cell in square brackets
	config     *cell.Dictionary // nil: not a key block
}

// blockMasterExtra opens the McBlockExtra of a masterchain block, with the cell
// of signatures and messages: TON's own client takes both apart.
func blockMasterExtra(block *cell.Cell) (masterBlockExtra, error) {
	var x masterBlockExtra
	fail := func(err error) (masterBlockExtra, error) {
		return masterBlockExtra{}, fmt.Errorf("masterchain block extra: %w", err)
	}
	extra, err := child(block, blockExtra)
	if err != nil {
		return fail(err)
	}
	c, err := child(extra, extraMaster)
	if err != nil {
		return fail(err)
	}
	s, err := openTagged(c, tagMasterExtra)
	if err != nil {
		return fail(err)
	}
	key, err := s.LoadBoolBit()
	if err != nil {
		return fail(err)
	}
	if x.shards, err = s.LoadDict(32); err != nil {
		return fail(err)
	}
	var fees tontlb.ShardFeesAugDict // passed over
	if err = fees.LoadFromCell(s); err != nil {
		return fail(err)
	}
	if x.signatures, err = s.LoadRef(); err != nil {
		return fail(err)
	}
	if key {
		if x.config, err = loadConfig(s); err != nil {
			return fail(err)
		}
	}
	return x, nil
}

// loadConfig reads config:(addr:bits256 ^(Hashmap 32 ^Cell)), whose dictionary
// it leaves closed.
func loadConfig(s *cell.Slice) (*cell.Dictionary, error) {
	if _, err := s.LoadSlice(256); err != nil {
		return nil, err
	}
	root, err := s.LoadRefCell()
	if err != nil {
		return nil, err
	}
	return root.AsDict(32), nil
}

// prevBlocks opens the list of earlier masterchain blocks in a masterchain state.
func prevBlocks(state *cell.Cell) (*tontlb.OldMcBlocksInfoAugDict, error) {
	x, err := stateMasterExtra(state)
	if err != nil {
		return nil, err
	}
	// flags:(## 16) validator_info:(32+32+1 bits) prev_blocks:OldMcBlocksInfo
	if _, err = x.info.LoadSlice(16 + 32 + 32 + 1); err != nil {
		return nil, err
	}
	var prev tontlb.OldMcBlocksInfoAugDict
	if err = prev.LoadFromCell(x.info); err != nil {
		return nil, err
	}
	return &prev, nil
}

// ancestor opens the entry of an earlier masterchain block.
func ancestor(state *cell.Cell, seqno uint32) (*tontlb.KeyExtBlkRef, error) {
	prev, err := prevBlocks(state)
	if err != nil {
		return nil, err
	}
	value, err := prev.LoadValueByIntKey(new(big.Int).SetUint64(uint64(seqno)))
	if err != nil {
		return nil, err
	}
	var ref tontlb.KeyExtBlkRef
	if err = tontlb.LoadFromCell(&ref, value); err != nil {
		return nil, err
	}
	return &ref, nil
}
