package liteserver

import (
	"errors"
	"math/big"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// configOfKeyBlock is the mode bit that asks for the configuration as the last
// key block holds it, instead of the one in the state.
const configOfKeyBlock = 0x8000

// configRoot reads config:(addr:bits256 ^(Hashmap 32 ^Cell)) and opens its
// dictionary's root.
func configRoot(s *cell.Slice) (*cell.Dictionary, error) {
	if _, err := s.LoadSlice(256); err != nil {
		return nil, err
	}
	root, err := s.LoadRefCell()
	if err != nil {
		return nil, err
	}
	return root.AsDict(32), nil
}

// stateConfig opens the configuration in a masterchain state.
func stateConfig(state *cell.Cell) (*cell.Dictionary, error) {
	s, err := masterExtra(state)
	if err != nil {
		return nil, err
	}
	if _, err = shardHashes(s); err != nil {
		return nil, err
	}
	return configRoot(s)
}

// errNotKeyBlock is a block without a configuration where one is needed.
var errNotKeyBlock = errors.New("not a key block")

// blockConfig opens the configuration in a key block:
//
//	key_block:(## 1) shard_hashes shard_fees:(HashmapAugE 96) ^[...] config:key_block?ConfigParams
func blockConfig(block *cell.Cell) (*cell.Dictionary, error) {
	s, key, err := blockMasterExtra(block)
	if err != nil {
		return nil, err
	}
	if !key {
		return nil, errNotKeyBlock
	}
	if _, err = shardHashes(s); err != nil {
		return nil, err
	}
	if err = skipShardFees(s); err != nil {
		return nil, err
	}
	if _, err = s.LoadRefCell(); err != nil {
		return nil, err
	}
	return configRoot(s)
}

// skipShardFees passes over shard_fees:(HashmapAugE 96 ShardFeeCreated ...).
func skipShardFees(s *cell.Slice) error {
	var fees tontlb.ShardFeesAugDict
	return fees.LoadFromCell(s)
}

// openParams opens parameters with all their content, or all parameters if
// params is nil. A parameter that is not there is thereby proven absent.
func openParams(config *cell.Dictionary, params *[]int32) error {
	if params == nil {
		return openAll(config.AsCell())
	}
	for _, p := range *params {
		value, err := config.LoadValueByIntKey(big.NewInt(int64(p)))
		if errors.Is(err, cell.ErrNoSuchKeyInDict) {
			continue
		}
		if err != nil {
			return err
		}
		content, err := value.LoadRefCell()
		if err != nil {
			return err
		}
		if err = openAll(content); err != nil {
			return err
		}
	}
	return nil
}

// config answers getConfigAll and getConfigParams.
func (a *answerer) config(id *BlockID, mode int32, params *[]int32) (tl.Serializable, error) {
	if params != nil && len(*params) > maxParams {
		return nil, badQuery("more than %d parameters", maxParams)
	}
	if mode&configOfKeyBlock != 0 {
		return a.keyBlockConfig(id, mode, params)
	}
	v, err := a.masterView(id)
	if err != nil {
		return nil, err
	}
	proof, err := v.stateProof(func(state *cell.Cell) error {
		config, err := stateConfig(state)
		if err != nil {
			return err
		}
		return openParams(config, params)
	})
	if err != nil {
		return nil, err
	}
	answer := ton.ConfigAll{Mode: int(mode), ID: &v.block.id}
	if answer.StateProof, err = encode(proof[0]); err != nil {
		return nil, err
	}
	answer.ConfigProof, err = encode(proof[1])
	return answer, err
}

// keyBlockConfig proves the configuration by the last key block up to id.
func (a *answerer) keyBlockConfig(id *BlockID, mode int32, params *[]int32) (tl.Serializable, error) {
	b, err := a.masterBlock(id)
	if err != nil {
		return nil, err
	}
	if !b.header.KeyBlock {
		if b, err = a.masterBySeqno(b.header.PrevKeyBlockSeqno); err != nil {
			return nil, err
		}
	}
	proof, err := prove(b.root, func(root *cell.Cell) error {
		if err := visitHeader(root); err != nil {
			return err
		}
		config, err := blockConfig(root)
		if err != nil {
			return err
		}
		return openParams(config, params)
	})
	if err != nil {
		return nil, err
	}
	answer := ton.ConfigAll{Mode: int(mode), ID: &b.id}
	answer.ConfigProof, err = encode(proof)
	return answer, err
}

// masterBySeqno fetches the masterchain block with a sequence number.
func (a *answerer) masterBySeqno(seqno uint32) (*block, error) {
	id, err := a.src.Lookup(masterchain, masterShard, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
	if err != nil {
		return nil, err
	}
	return a.block(&id)
}
