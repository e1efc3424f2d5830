package liteserver

import (
	"errors"
	"math/big"
	"slices"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Bits of a config query's mode. All but the last ask for something beyond the
// parameters listed, as TON's own client does to set up its virtual machine.
const (
	configPrevBlocks = 1 << 7  // what PREVMCBLOCKS gives a contract
	configOfKeyBlock = 1 << 15 // the configuration as the last key block holds it, not the state
)

// configModes are the parameters that bits of a mode stand for.
var configModes = map[int32][]int32{
	1 << 4: {34, 35}, // validators
	1 << 5: {31},     // special contracts
	1 << 8: {12},     // workchains
	1 << 9: {8},      // global version
	// The version says what PREVMCBLOCKS gives.
	configPrevBlocks: {8},
}

// wanted are the parameters a query asks for; nil: all.
func wanted(mode int32, params *[]int32) *[]int32 {
	if params == nil {
		return nil
	}
	all := slices.Clone(*params)
	for bit, more := range configModes {
		if mode&bit != 0 {
			all = append(all, more...)
		}
	}
	return &all
}

// errNotKeyBlock is a block without a configuration where one is needed.
var errNotKeyBlock = errors.New("not a key block")

// stateConfig opens the configuration in a masterchain state.
func stateConfig(state *cell.Cell) (*cell.Dictionary, error) {
	x, err := stateMasterExtra(state)
	return x.config, err
}

// blockConfig opens the configuration in a key block.
func blockConfig(block *cell.Cell) (*cell.Dictionary, error) {
	x, err := blockMasterExtra(block)
	if err == nil && x.config == nil {
		err = errNotKeyBlock
	}
	return x.config, err
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
	params = wanted(mode, params)
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
		if mode&configPrevBlocks != 0 {
			if err = openPrevBlocks(state, v.block.id.SeqNo); err != nil {
				return err
			}
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

// openPrevBlocks opens the entries of the blocks that PREVMCBLOCKS gives: the
// last sixteen and the last ones with a round number. The zero state is among
// them because TON's own client looks for it in any state.
func openPrevBlocks(state *cell.Cell, seqno uint32) error {
	const recent = 16
	entries := []uint32{0}
	for n := seqno; n > 0 && seqno-n < recent-1; n-- {
		entries = append(entries, n-1)
	}
	for n, left := seqno/100*100, recent; left > 0; n, left = n-100, left-1 {
		if n < seqno {
			entries = append(entries, n)
		}
		if n < 100 {
			break
		}
	}
	for _, n := range entries {
		if _, err := ancestor(state, n); err != nil {
			return err
		}
	}
	return nil
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
	id, err := a.masterID(seqno)
	if err != nil {
		return nil, err
	}
	return a.block(&id)
}
