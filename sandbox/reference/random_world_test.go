//go:build reference && cgo

package reference_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"sync"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/reference"
	"github.com/tussah-network/tussah/tlb"
)

// The global versions that both sides know. The reference was built when the
// node's was 14; what it does at 15 is what it does at 14.
const (
	oldestVersion, newestVersion = 4, 14
	worldVariants                = 4
)

// A world is what a random transaction happens in: few of them, as each costs
// the reference milliseconds.
type world struct {
	config    *cell.Cell
	version   uint32
	libraries []*cell.Cell // the dictionaries, as an execution has them
	roots     []*cell.Cell // what is in them
	previous  tuple.Tuple
	special   [][32]byte // accounts of the masterchain that are exempt from fees
	suspended [32]byte
	burning   [32]byte
}

// worlds are all worlds of a run.
var worlds = sync.OnceValue(func() (out []*world) {
	var first reference.Execution
	chain, err := sandbox.Open(sandbox.Options{Observe: func(e sandbox.Execution, _ sandbox.Outcome) error {
		first = reference.Execution(e)
		return nil
	}})
	if err != nil {
		panic(err)
	}
	defer chain.Close()
	if err := chain.Faucet(context.Background(), address.NewAddress(0, 0, make([]byte, 32)), tlb.TON); err != nil {
		panic(err)
	}
	for version := uint32(oldestVersion); version <= newestVersion; version++ {
		for variant := range worldVariants {
			s := &source{Rand: rand.New(rand.NewPCG(uint64(version), uint64(variant))), version: version}
			out = append(out, s.world(first, version, variant))
		}
	}
	return out
})

// world changes a configuration; variant 0 is as near to mainnet as can be.
func (s *source) world(base reference.Execution, version uint32, variant int) *world {
	w := &world{version: version, previous: base.Previous}
	params := base.Config.AsDict(32)
	set := func(id int64, param *cell.Cell) {
		if err := params.SetIntKey(big.NewInt(id), cell.BeginCell().MustStoreRef(param).EndCell()); err != nil {
			panic(err)
		}
	}
	set(8, cell.BeginCell().MustStoreUInt(0xc4, 8).MustStoreUInt(uint64(version), 32).MustStoreUInt(0x1ee, 64).EndCell())
	// Accounts that pay no fees may use 70 million gas, which takes seconds: here they may not.
	for _, id := range []int64{20, 21} {
		root, err := params.LoadValueByIntKey(big.NewInt(id))
		if err != nil {
			panic(err)
		}
		var gas tontlb.ConfigGasLimitsPrices
		if err := tontlb.Parse(&gas, root.MustLoadRef().MustToCell()); err != nil {
			panic(err)
		}
		gas.SpecialGasLimit = 1_000_000
		limits, err := tontlb.ToCell(gas)
		if err != nil {
			panic(err)
		}
		set(id, limits)
	}
	for range 3 {
		w.roots = append(w.roots, s.anyCell(1))
	}
	w.roots = append(w.roots, s.code(6, 2, ""))
	publishers := cell.NewDict(256)
	if err := publishers.SetBuilder(cell.BeginCell().MustStoreSlice(s.bytes(32), 256).EndCell(), cell.BeginCell()); err != nil {
		panic(err)
	}
	public := cell.NewDict(256)
	for _, root := range w.roots {
		// shared_lib_descr$00 lib:^Cell publishers:(Hashmap 256 True) = LibDescr;
		value := cell.BeginCell().MustStoreUInt(0, 2).MustStoreRef(root).MustStoreBuilder(publishers.AsCell().ToBuilder())
		if err := public.SetBuilder(cell.BeginCell().MustStoreSlice(root.Hash(), 256).EndCell(), value); err != nil {
			panic(err)
		}
	}
	if variant > 0 {
		w.libraries = []*cell.Cell{public.AsCell()}
	}
	w.special = [][32]byte{[32]byte(bytes.Repeat([]byte{0x33}, 32)), [32]byte(bytes.Repeat([]byte{0x55}, 32)), {}}
	w.suspended = [32]byte(s.bytes(32))
	w.burning = [32]byte(s.bytes(32))
	if variant == 0 {
		w.config = params.AsCell()
		return w
	}

	// 5: coins sent to an account of the masterchain are burned.
	set(5, cell.BeginCell().MustStoreUInt(0x01, 8).MustStoreBoolBit(true).MustStoreSlice(w.burning[:], 256).MustStoreUInt(1, 32).MustStoreUInt(2, 32).EndCell())
	// 18: prices that change with time.
	prices := cell.NewDict(32)
	for i, since := range []uint64{0, 1_700_000_000, 1_750_000_000} {
		price := uint64(i+1) * s.Uint64N(1000)
		value := cell.BeginCell().MustStoreUInt(0xcc, 8).MustStoreUInt(since, 32).MustStoreUInt(price, 64).MustStoreUInt(500*price, 64).
			MustStoreUInt(1000*price, 64).MustStoreUInt(500_000*price, 64)
		if err := prices.SetBuilder(cell.BeginCell().MustStoreUInt(since, 32).EndCell(), value); err != nil {
			panic(err)
		}
	}
	set(18, prices.AsCell())
	// 43: narrow limits of sizes.
	if variant == 2 {
		limits := cell.BeginCell().MustStoreUInt(2, 8).MustStoreUInt(20_000, 32).MustStoreUInt(8192, 32).MustStoreUInt(20, 32).MustStoreUInt(40, 16).
			MustStoreUInt(2000, 32).MustStoreUInt(10, 16).MustStoreUInt(60, 32).MustStoreUInt(40, 32).
			MustStoreUInt(2, 32).MustStoreUInt(256, 32).MustStoreUInt(1, 32).MustStoreUInt(4, 8).MustStoreUInt(10, 32)
		if version >= 14 {
			limits.MustStoreBoolBit(true).MustStoreUInt(3, 32)
		} else {
			limits.MustStoreBoolBit(false)
		}
		set(43, limits.EndCell())
	}
	// 44: an address that may not be deployed to.
	suspended := cell.NewDict(288)
	key := cell.BeginCell().MustStoreInt(0, 32).MustStoreSlice(w.suspended[:], 256).EndCell()
	if err := suspended.SetBuilder(key, cell.BeginCell()); err != nil {
		panic(err)
	}
	set(44, cell.BeginCell().MustStoreUInt(0, 8).MustStoreDict(suspended).MustStoreUInt(1_900_000_000, 32).EndCell())
	if variant == 3 {
		// 20 and 21: gas without a flat price, and no special limit.
		for _, id := range []int64{20, 21} {
			set(id, cell.BeginCell().MustStoreUInt(0xdd, 8).MustStoreUInt(300<<16, 64).MustStoreUInt(200_000, 64).MustStoreUInt(5_000, 64).
				MustStoreUInt(1_000_000, 64).MustStoreUInt(10_000_000, 64).MustStoreUInt(1_000_000_000, 64).EndCell())
		}
		w.previous = tuple.Tuple{}
	}
	w.config = params.AsCell()
	return w
}

// randomCase is one execution out of a world, decided by seed and number.
func randomCase(seed, number uint64) (in reference.Execution, version uint32) {
	r := rand.New(rand.NewPCG(seed, number))
	all := worlds()
	w := all[r.IntN(len(all))]
	s := &source{Rand: r, version: w.version, libraries: w.roots}
	s.self = [32]byte(s.bytes(32))
	special := false
	if s.IntN(6) == 0 {
		s.workchain = -1
		switch s.IntN(5) {
		case 0:
			s.self, special = w.special[s.IntN(len(w.special))], true
		case 1:
			s.self = w.burning
		}
	} else if s.IntN(20) == 0 {
		s.self = w.suspended
	}

	code := s.contract()
	if s.IntN(40) == 0 { // the code is a library
		root := w.roots[s.IntN(len(w.roots))]
		library, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(root.Hash(), 256).EndCellSpecial(true)
		if err != nil {
			panic(err)
		}
		code = library
	}
	data := s.anyCell(1 + s.IntN(2))
	init := s.stateInitOf(code, data, false)
	if s.IntN(2) == 0 {
		init = cell.BeginCell().MustStoreUInt(0, 2).MustStoreMaybeRef(code).MustStoreMaybeRef(data).MustStoreBoolBit(false).EndCell()
	}
	now := uint32(1_740_000_000 + s.IntN(50_000_000))
	lt := uint64(1_000_000 * (40_000_000 + s.IntN(1_000_000)))
	before := s.account(init, s.stateInitOf(code, data, true), now, lt, special) // may change the address, to that of init

	in = reference.Execution{
		Account: address.NewAddress(0, byte(s.workchain), bytes.Clone(s.self[:])), Before: before,
		Config: w.config, GlobalID: 0, Libraries: w.libraries, Now: now, LT: lt, Previous: w.previous,
	}
	if s.IntN(3) == 0 { // later within the block
		in.LT += s.Uint64N(1000)
	}
	in.Message = s.message(in.LT, now, init, special)
	in.BlockLT = in.LT - in.LT%1_000_000
	binary.BigEndian.PutUint64(in.Seed[:], 1+s.Uint64()>>1)
	return in, w.version
}

// contract is the code of an account: a long program that mostly ends in an
// exception, or a short one that gets as far as its actions.
func (s *source) contract() *cell.Cell {
	c := &coder{source: s, stack: []byte("IICSI")}
	if s.IntN(3) != 0 {
		c.op("f800") // ACCEPT
	}
	switch s.IntN(5) {
	case 0:
		c.op("88", s.actionList())
		c.op("ed55") // POP c5
	case 1:
		for range 1 + s.IntN(4) {
			c.action()
		}
	case 2:
		c.constant('C')
		c.op("ed54") // POP c4
		c.op("8a", c.nested(8))
		c.op("9130 f2ff") // PUSHCONT { DROP } TRY
		c.action()
	default:
		for range 3 + s.IntN(50) {
			c.instruction()
		}
	}
	return c.cell()
}

// account is a ShardAccount in any state that the chain may have: init is what
// the message brings, settled what the account has.
func (s *source) account(init, settled *cell.Cell, now uint32, lt uint64, special bool) *cell.Cell {
	lastLT := lt - 1 - s.Uint64N(1e9)
	if s.IntN(12) == 0 {
		lastLT = lt + s.Uint64N(1000) // an earlier transaction of this block
	}
	shard := func(account *cell.Cell, lt uint64) *cell.Cell {
		return cell.BeginCell().MustStoreRef(account).MustStoreSlice(s.bytes(32), 256).MustStoreUInt(lt, 64).EndCell()
	}
	kind := s.IntN(10)
	if special { // they are there from the beginning
		kind = 9
	}
	if kind < 2 && s.IntN(10) != 0 && s.workchain == 0 {
		s.self = [32]byte(init.Hash()) // what the message brings is the account's
	}
	if kind == 0 {
		if s.IntN(2) == 0 {
			return cell.BeginCell().MustStoreRef(cell.BeginCell().MustStoreBoolBit(false).EndCell()).
				MustStoreSlice(make([]byte, 32), 256).MustStoreUInt(0, 64).EndCell()
		}
		return shard(cell.BeginCell().MustStoreBoolBit(false).EndCell(), lastLT-1)
	}

	balance := s.value()
	switch s.IntN(4) {
	case 0:
		balance = big.NewInt(s.Int64N(1e12))
	case 1:
		balance = big.NewInt(s.Int64N(1e5))
	}
	if s.IntN(2) == 0 { // enough to pay for an external message
		balance.Add(balance, big.NewInt(2e7))
	}
	state := cell.BeginCell()
	switch kind {
	case 1:
		state.MustStoreUInt(0, 2) // uninit
	case 2, 3: // frozen; with a fixed prefix it is known to differ how it comes back
		hash := init.Hash()
		if s.IntN(4) == 0 || init.MustBeginParse().MustLoadBoolBit() {
			hash = s.bytes(32)
		}
		state.MustStoreUInt(1, 2).MustStoreSlice(hash, 256)
	default:
		state.MustStoreBoolBit(true).MustStoreBuilder(settled.ToBuilder())
	}
	extra := cell.BeginCell()
	s.maybeExtra(extra, 5, true)
	storage := func(extra *cell.Builder) *cell.Cell {
		return cell.BeginCell().MustStoreUInt(lastLT, 64).MustStoreBigCoins(balance).MustStoreBuilder(extra).MustStoreBuilder(state).EndCell()
	}
	counted := storage(cell.BeginCell().MustStoreBoolBit(false)) // version 10 does not count extra currencies
	if s.IntN(3) == 0 {
		counted = storage(extra)
	}
	cells, bits := size(counted)
	if s.IntN(10) == 0 {
		cells, bits = s.Uint64N(1000), s.Uint64N(100_000)
	}
	a := cell.BeginCell().MustStoreBoolBit(true)
	s.own(a)
	a.MustStoreVarUInt(cells, 7).MustStoreVarUInt(bits, 7)
	a.MustStoreUInt(0, 3) // storage_extra_none
	paid := now - s.Uint32N(3600)
	switch s.IntN(6) {
	case 0:
		paid = now - s.Uint32N(40_000_000)
	case 1:
		paid = 0
	case 2:
		paid = now
	}
	if special {
		paid = 0
	}
	a.MustStoreUInt(uint64(paid), 32)
	if s.IntN(6) == 0 && !special {
		a.MustStoreBoolBit(true).MustStoreBigCoins(big.NewInt(s.Int64N([]int64{1e3, 1e8, 3e9}[s.IntN(3)])))
	} else {
		a.MustStoreBoolBit(false)
	}
	a.MustStoreBuilder(storage(extra).ToBuilder())
	return shard(a.EndCell(), lastLT-1)
}

// size counts the different cells of a tree, and their bits.
func size(root *cell.Cell) (cells, bits uint64) {
	seen := make(map[cell.Hash]bool)
	var walk func(*cell.Cell)
	walk = func(c *cell.Cell) {
		if seen[c.HashKey()] {
			return
		}
		seen[c.HashKey()] = true
		cells++
		bits += uint64(c.BitsSize())
		for i := range int(c.RefsNum()) {
			ref, err := c.PeekRef(i)
			if err != nil {
				panic(fmt.Sprint(i, err))
			}
			walk(ref)
		}
	}
	walk(root)
	return cells, bits
}
