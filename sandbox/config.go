package sandbox

import (
	"crypto/ed25519"
	"fmt"
	"math/big"
	"time"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// globalVersion is the TVM version of the network, and capabilities its
// capability bits: those of mainnet in April 2026.
const (
	globalVersion = 13
	capabilities  = 0x1ee
)

// Addresses mainnet reserves in the masterchain. Nobody lives there in the
// sandbox: no elections and no voting take place.
var (
	zeroAccount    = [32]byte{}
	electorAccount = repeat(0x33)
	configAccount  = repeat(0x55)
)

// Prices and limits of mainnet, as of April 2026. Prices with a fraction are
// in units of 2^-16 nanoTON, as everywhere in TON's configuration.
var (
	masterGas = tontlb.ConfigGasLimitsPrices{
		HasFlatPricing: true, FlatGasLimit: 100, FlatGasPrice: 1_000_000,
		HasSeparateSpecialLimit: true, GasPrice: 10_000 << 16, GasLimit: 1_000_000, SpecialGasLimit: 70_000_000,
		GasCredit: 10_000, BlockGasLimit: 2_500_000, FreezeDueLimit: 100_000_000, DeleteDueLimit: 1_000_000_000,
	}
	baseGas = tontlb.ConfigGasLimitsPrices{
		HasFlatPricing: true, FlatGasLimit: 100, FlatGasPrice: 40_000,
		HasSeparateSpecialLimit: true, GasPrice: 400 << 16, GasLimit: 1_000_000, SpecialGasLimit: 1_000_000,
		GasCredit: 10_000, BlockGasLimit: 10_000_000, FreezeDueLimit: 100_000_000, DeleteDueLimit: 1_000_000_000,
	}
	masterForward = tontlb.ConfigMsgForwardPrices{
		LumpPrice: 10_000_000, BitPrice: 10_000 << 16, CellPrice: 1_000_000 << 16,
		IHRFactor: 98_304, FirstFrac: 21_845, NextFrac: 21_845,
	}
	baseForward = tontlb.ConfigMsgForwardPrices{
		LumpPrice: 400_000, BitPrice: 400 << 16, CellPrice: 40_000 << 16,
		IHRFactor: 98_304, FirstFrac: 21_845, NextFrac: 21_845,
	}
	storage = tontlb.ConfigStoragePrices{BitPrice: 1, CellPrice: 500, MCBitPrice: 1_000, MCCellPrice: 500_000}

	masterLimits = tontlb.BlockLimitsV1{
		Bytes:   tontlb.ParamLimits{Underload: 131_072, SoftLimit: 524_288, HardLimit: 1_048_576},
		Gas:     tontlb.ParamLimits{Underload: 200_000, SoftLimit: 1_000_000, HardLimit: 2_500_000},
		LTDelta: tontlb.ParamLimits{Underload: 1_000, SoftLimit: 5_000, HardLimit: 10_000},
	}
	baseLimits = tontlb.BlockLimitsV1{
		Bytes:   tontlb.ParamLimits{Underload: 262_144, SoftLimit: 1_048_576, HardLimit: 2_097_152},
		Gas:     tontlb.ParamLimits{Underload: 2_000_000, SoftLimit: 10_000_000, HardLimit: 20_000_000},
		LTDelta: tontlb.ParamLimits{Underload: 1_000, SoftLimit: 5_000, HardLimit: 10_000},
	}
)

// genesisConfig builds the configuration dictionary of a network: mainnet's,
// or that of a dumped world with the new network's identity. Where it
// departs from mainnet: one validator for good (34), blocks create no coins
// (14) and burn none (no 5), so that coins are conserved to the nanoTON; no
// DNS root (4), no bridges and no precompiled contracts.
func genesisConfig(dumped *cell.Cell, globalID int32, validator ed25519.PublicKey, since time.Time, base blockMeta) (*cell.Cell, error) {
	workchain := tontlb.WorkchainDescrV1{WorkchainDescrFields: tontlb.WorkchainDescrFields{
		EnabledSince: uint32(since.Unix()), MaxSplit: 4, Basic: true, Active: true, AcceptMsgs: true,
		ZeroStateRootHash: base.root[:], ZeroStateFileHash: base.file[:],
		Format: tontlb.WorkchainFormatBasic{VMVersion: -1},
	}}
	params := configWriter{dict: cell.NewDict(32)}
	if dumped != nil {
		params.dict = dumped.AsDict(32)
	} else {
		params.putMainnet()
	}
	params.putDict(12, 32, false, big.NewInt(0), workchain)
	params.put(19, tontlb.GlobalIDConfig{GlobalID: globalID})
	params.putValidator(34, validator, since)
	if params.err != nil {
		return nil, fmt.Errorf("build configuration: %w", params.err)
	}
	return params.dict.AsCell(), nil
}

// putMainnet stores what any sandbox begins with.
func (w *configWriter) putMainnet() {
	w.put(0, tontlb.ConfigParamAddress{Address: configAccount[:]})
	w.put(1, tontlb.ConfigParamAddress{Address: electorAccount[:]})
	w.put(2, tontlb.ConfigParamAddress{Address: zeroAccount[:]})
	w.put(8, tontlb.GlobalVersion{Version: globalVersion, Capabilities: capabilities})
	w.putSet(9, 0, 1, 9, 10, 12, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 28, 34)
	w.putSet(10, 0, 1, 9, 10, 12, 14, 15, 16, 17, 32, 34, 36, -1001, -1000)
	w.put(14, tontlb.BlockCreateFees{MasterchainBlockFee: coins(0), BasechainBlockFee: coins(0)})
	w.put(15, tontlb.ValidatorElectionTimings{
		ValidatorsElectedFor: 65_536, ElectionsStartBefore: 32_768, ElectionsEndBefore: 8_192, StakeHeldFor: 32_768,
	})
	w.put(16, tontlb.ValidatorCountLimits{MaxValidators: 400, MaxMainValidators: 100, MinValidators: 1})
	w.put(17, tontlb.ValidatorStakeLimits{
		MinStake: coins(300_000e9), MaxStake: coins(10_000_000e9), MinTotalStake: coins(75_000_000e9), MaxStakeFactor: 3 << 16,
	})
	w.putDict(18, 32, true, big.NewInt(0), storage)
	w.put(20, masterGas)
	w.put(21, baseGas)
	w.put(22, masterLimits)
	w.put(23, baseLimits)
	w.put(24, masterForward)
	w.put(25, baseForward)
	w.put(28, tontlb.CatchainConfigV2{
		ShuffleMcValidators: true, McCatchainLifetime: 250, ShardCatchainLifetime: 250,
		ShardValidatorsLifetime: 1_000, ShardValidatorsNum: 23,
	})
	w.put(29, tontlb.ConsensusConfigV4{
		NewCatchainIds: true, RoundCandidates: 3, NextCandidateDelayMs: 2_000, ConsensusTimeoutMs: 16_000,
		FastAttempts: 3, AttemptDuration: 8, CatchainMaxDeps: 4, MaxBlockBytes: 2 << 20, MaxCollatedBytes: 2 << 20,
		ProtoVersion: 5, CatchainMaxBlocksCoff: 10_000,
	})
	w.putSpecial(31, zeroAccount, electorAccount, configAccount)
}

// validatorLife is how long the one validator is in office: for good, as far
// as a 32-bit clock goes.
const validatorLife = 20 * 365 * 24 * time.Hour

// validatorWeight is the whole weight of the validator set.
const validatorWeight = 1 << 60

// configWriter fills a configuration dictionary; the first error sticks.
type configWriter struct {
	dict *cell.Dictionary
	err  error
}

func (w *configWriter) put(id int32, value any) {
	c, err := tontlb.ToCell(value)
	w.store(id, c, err)
}

func (w *configWriter) store(id int32, c *cell.Cell, err error) {
	if err == nil && w.err == nil {
		key := cell.BeginCell().MustStoreInt(int64(id), 32).EndCell()
		err = w.dict.SetBuilder(key, cell.BeginCell().MustStoreRef(c))
	}
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("parameter %d: %w", id, err)
	}
}

// putSet stores a set of parameter numbers: an inline dictionary of nothing.
func (w *configWriter) putSet(id int32, members ...int64) {
	dict := cell.NewDict(32)
	for _, m := range members {
		if err := dict.SetBuilder(cell.BeginCell().MustStoreInt(m, 32).EndCell(), cell.BeginCell()); err != nil {
			w.store(id, nil, err)
			return
		}
	}
	w.store(id, dict.AsCell(), nil)
}

// putDict stores a dictionary of one entry, inline or behind a "maybe" bit.
func (w *configWriter) putDict(id int32, bits uint, inline bool, key *big.Int, value any) {
	c, err := tontlb.ToCell(value)
	dict := cell.NewDict(bits)
	if err == nil {
		err = dict.SetIntKey(key, c)
	}
	if err != nil {
		w.store(id, nil, err)
		return
	}
	if inline {
		w.store(id, dict.AsCell(), nil)
		return
	}
	w.store(id, cell.BeginCell().MustStoreDict(dict).EndCell(), nil)
}

// putSpecial stores the accounts that pay no fees.
func (w *configWriter) putSpecial(id int32, accounts ...[32]byte) {
	dict := cell.NewDict(256)
	for _, a := range accounts {
		if err := dict.SetBuilder(hashKey(a), cell.BeginCell()); err != nil {
			w.store(id, nil, err)
			return
		}
	}
	w.store(id, cell.BeginCell().MustStoreDict(dict).EndCell(), nil)
}

func (w *configWriter) putValidator(id int32, key ed25519.PublicKey, since time.Time) {
	desc, err := tontlb.ToCell(tontlb.ValidatorAddr{
		PublicKey: tontlb.SigPubKeyED25519{Key: key}, Weight: validatorWeight, ADNLAddr: make([]byte, 32),
	})
	list := cell.NewDict(16)
	if err == nil {
		err = list.SetIntKey(big.NewInt(0), desc)
	}
	if err != nil {
		w.store(id, nil, err)
		return
	}
	w.put(id, tontlb.ValidatorSetExt{
		UTimeSince: uint32(since.Unix()), UTimeUntil: uint32(since.Add(validatorLife).Unix()),
		Total: 1, Main: 1, TotalWeight: validatorWeight, List: list,
	})
}

func coins(nano uint64) tontlb.Coins { return tontlb.FromNanoTONU(nano) }

func hashKey(h [32]byte) *cell.Cell { return cell.BeginCell().MustStoreSlice(h[:], 256).EndCell() }

func repeat(b byte) (out [32]byte) {
	for i := range out {
		out[i] = b
	}
	return out
}
