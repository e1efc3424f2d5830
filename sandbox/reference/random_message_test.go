//go:build reference && cgo

package reference_test

import (
	"math/big"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

func (s *source) sendMode() int {
	if s.IntN(10) == 0 {
		return s.IntN(256)
	}
	return []int{0, 64, 128}[s.IntN(3)] + s.IntN(4) + []int{0, 0, 0, 16, 32}[s.IntN(5)]
}

func (s *source) reserveMode() int { return s.IntN([]int{4, 16, 32, 256}[s.IntN(4)]) }

func (s *source) libraryMode() int {
	if s.IntN(8) == 0 {
		return s.IntN(128)
	}
	return s.IntN(3) + []int{0, 0, 16}[s.IntN(3)]
}

// actionList is what a contract may leave in c5, mostly well-formed.
func (s *source) actionList() *cell.Cell {
	list := cell.BeginCell().EndCell()
	if s.IntN(20) == 0 {
		list = s.anyCell(2)
	}
	n := s.IntN(6)
	if s.IntN(60) == 0 {
		n = 250 + s.IntN(12)
	}
	for range n {
		b := cell.BeginCell().MustStoreRef(list)
		switch n := s.IntN(60); {
		case n < 26:
			b.MustStoreUInt(0x0ec3c86d, 32).MustStoreUInt(uint64(s.sendMode()), 8).MustStoreRef(s.relaxedMessage())
		case n < 40:
			b.MustStoreUInt(0x36e6b809, 32).MustStoreUInt(uint64(s.reserveMode()), 8).MustStoreBigCoins(big.NewInt(s.Int64N(2e9)))
			s.maybeExtra(b, 5, true)
		case n < 47:
			b.MustStoreUInt(0xad4de08e, 32).MustStoreRef(s.code(4, 2, ""))
		case n < 59:
			b.MustStoreUInt(0x26fa1dd4, 32).MustStoreUInt(uint64(s.libraryMode()), 7)
			if s.IntN(2) == 0 {
				b.MustStoreBoolBit(false).MustStoreSlice(s.libraryHash(), 256)
			} else {
				b.MustStoreBoolBit(true).MustStoreRef(s.anyCell(2))
			}
		default:
			s.fill(b, uint(s.IntN(60)))
		}
		list = b.EndCell()
	}
	return list
}

// relaxedMessage is a message that a contract sends, mostly well-formed.
func (s *source) relaxedMessage() *cell.Cell {
	b := cell.BeginCell()
	if s.IntN(5) == 0 { // ext_out_msg_info
		b.MustStoreUInt(3, 2)
		s.sender(b)
		if s.IntN(3) == 0 {
			s.address(b)
		} else {
			b.MustStoreUInt(0, 2)
		}
	} else {
		b.MustStoreBoolBit(false).MustStoreUInt(s.Uint64N(8), 3)
		s.sender(b)
		if s.IntN(20) == 0 {
			s.address(b)
		} else {
			b.MustStoreUInt(0b100, 3).MustStoreInt(int64([]int{0, 0, 0, -1}[s.IntN(4)]), 8).MustStoreSlice(s.bytes(32), 256)
		}
		b.MustStoreBigCoins(new(big.Int).Abs(s.coins()))
		s.maybeExtra(b, 6, false)
		s.flags(b)
		b.MustStoreBigCoins(big.NewInt(s.Int64N(1e6) * int64(s.IntN(2)))) // forward fee
	}
	if b.BitsLeft() < 110 {
		return b.EndCell() // the addresses left no room
	}
	b.MustStoreUInt(s.Uint64()>>s.IntN(64), 64).MustStoreUInt(uint64(s.Uint32()), 32)
	s.initAndBody(b, s.stateInit)
	if s.IntN(50) == 0 {
		s.fill(b, uint(s.IntN(9)))
	}
	return b.EndCell()
}

// coins are what a message carries: some, most, none.
func (s *source) coins() *big.Int {
	return big.NewInt([]int64{0, 1, 1e6, 1e7, 1e8, 1e9, 1e11}[s.IntN(7)] * (1 + s.Int64N(9)))
}

// flags are extra_flags, once known as ihr_fee.
func (s *source) flags(b *cell.Builder) {
	switch s.IntN(6) {
	case 0:
		b.MustStoreBigCoins(big.NewInt(s.Int64N(4)))
	case 1:
		b.MustStoreBigCoins(big.NewInt(s.Int64N(1e6) * int64(s.IntN(2))))
	default:
		b.MustStoreBigCoins(new(big.Int))
	}
}

func (s *source) sender(b *cell.Builder) {
	switch s.IntN(12) {
	case 0:
		s.address(b)
	case 1, 2:
		s.own(b)
	default:
		b.MustStoreUInt(0, 2)
	}
}

// initAndBody ends a message: a StateInit and a body, both within or outside.
func (s *source) initAndBody(b *cell.Builder, init func() *cell.Cell) {
	if s.IntN(4) == 0 {
		s.attach(b, init())
	} else {
		b.MustStoreBoolBit(false)
	}
	body := s.body()
	if body.BitsSize() < b.BitsLeft() && uint(body.RefsNum()) <= b.RefsLeft() && s.IntN(3) != 0 {
		b.MustStoreBoolBit(false).MustStoreBuilder(body.ToBuilder())
		return
	}
	if b.RefsLeft() == 0 {
		b.MustStoreBoolBit(false)
		return
	}
	b.MustStoreBoolBit(true).MustStoreRef(body)
}

func (s *source) attach(b *cell.Builder, init *cell.Cell) {
	b.MustStoreBoolBit(true)
	if init.BitsSize() < b.BitsLeft()-4 && uint(init.RefsNum()) < b.RefsLeft() && s.IntN(2) == 0 {
		b.MustStoreBoolBit(false).MustStoreBuilder(init.ToBuilder())
		return
	}
	b.MustStoreBoolBit(true).MustStoreRef(init)
}

func (s *source) body() *cell.Cell {
	switch s.IntN(8) {
	case 0:
		return cell.BeginCell().EndCell()
	case 1: // a large one
		return s.anyCell(4)
	default:
		b := cell.BeginCell().MustStoreUInt(uint64(s.IntN(4)), 32)
		s.fill(b, uint(s.IntN(300)))
		if s.IntN(3) == 0 {
			b.MustStoreRef(s.anyCell(1))
		}
		return b.EndCell()
	}
}

// stateInit is any StateInit.
func (s *source) stateInit() *cell.Cell {
	code := s.code(3, 2, "")
	if s.IntN(6) == 0 {
		code = nil
	}
	return s.stateInitOf(code, s.anyCell(1), false)
}

// stateInitOf is a StateInit, and settled if it is as an account has it: with
// no flags that say nothing.
func (s *source) stateInitOf(code, data *cell.Cell, settled bool) *cell.Cell {
	b := cell.BeginCell()
	switch {
	case s.IntN(12) != 0 || settled && s.version < 10: // before, it is the address that has the prefix
		b.MustStoreBoolBit(false)
	case settled:
		b.MustStoreBoolBit(true).MustStoreUInt(1+s.Uint64N(4), 5)
	default:
		b.MustStoreBoolBit(true).MustStoreUInt(s.Uint64N(12), 5)
	}
	switch {
	case s.IntN(12) != 0:
		b.MustStoreBoolBit(false)
	default: // not 0, which is known to differ
		b.MustStoreBoolBit(true).MustStoreUInt(1+s.Uint64N(3), 2)
	}
	b.MustStoreMaybeRef(code).MustStoreMaybeRef(data)
	if s.IntN(8) == 0 {
		b.MustStoreDict(s.privateLibraries())
	} else {
		b.MustStoreBoolBit(false)
	}
	return b.EndCell()
}

// privateLibraries are those of an account, by their true hashes but once.
func (s *source) privateLibraries() *cell.Dictionary {
	d := cell.NewDict(256)
	for range 1 + s.IntN(3) {
		root := s.anyCell(1)
		if len(s.libraries) > 0 && s.IntN(2) == 0 {
			root = s.libraries[s.IntN(len(s.libraries))]
		}
		key := root.Hash()
		if s.IntN(10) == 0 {
			key = s.bytes(32)
		}
		value := cell.BeginCell().MustStoreBoolBit(s.IntN(2) == 0).MustStoreRef(root)
		if err := d.SetBuilder(cell.BeginCell().MustStoreSlice(key, 256).EndCell(), value); err != nil {
			panic(err)
		}
	}
	return d
}

// message is what the account receives. init is the StateInit it comes with if
// it has one. Accounts that pay no fees get internal ones only: the gas limit
// of the others is known to differ.
func (s *source) message(lt uint64, now uint32, init *cell.Cell, internal bool) *cell.Cell {
	b := cell.BeginCell()
	choose := func() *cell.Cell {
		if init != nil && s.IntN(8) != 0 {
			return init
		}
		return s.stateInit()
	}
	to := func() {
		if s.IntN(60) == 0 { // an anycast form of the same address
			b.MustStoreUInt(0b101, 3).MustStoreUInt(4, 5).MustStoreSlice(s.self[:1], 4).
				MustStoreInt(int64(s.workchain), 8).MustStoreSlice(s.self[:], 256)
			return
		}
		s.own(b)
	}
	if !internal && s.IntN(4) == 0 { // external
		b.MustStoreUInt(2, 2)
		if s.IntN(6) == 0 {
			length := uint(s.IntN(80))
			b.MustStoreUInt(1, 2).MustStoreUInt(uint64(length), 9)
			s.fill(b, length)
		} else {
			b.MustStoreUInt(0, 2)
		}
		to()
		b.MustStoreBigCoins(big.NewInt(s.Int64N(1e6) * int64(s.IntN(2))))
	} else {
		bounced := uint64(0)
		if s.IntN(8) == 0 {
			bounced = 1
		}
		b.MustStoreBoolBit(false).MustStoreUInt(s.Uint64N(4)<<1|bounced, 3)
		b.MustStoreUInt(0b100, 3).MustStoreInt(int64([]int{0, 0, 0, -1}[s.IntN(4)]), 8).MustStoreSlice(s.bytes(32), 256)
		to()
		b.MustStoreBigCoins(new(big.Int).Abs(s.value()))
		s.maybeExtra(b, 8, true)
		s.flags(b)
		b.MustStoreBigCoins(big.NewInt(s.Int64N(1e7)))
		created := lt - s.Uint64N(1000)
		if s.IntN(12) == 0 {
			created = lt + s.Uint64N(1000)
		}
		b.MustStoreUInt(created, 64).MustStoreUInt(uint64(now-s.Uint32N(1000)), 32)
	}
	s.initAndBody(b, choose)
	return b.EndCell()
}

// value is what an account receives: gas for a short program, mostly.
func (s *source) value() *big.Int {
	switch s.IntN(10) {
	case 0:
		return new(big.Int)
	case 1:
		return big.NewInt(s.Int64N(1e6))
	case 2:
		return big.NewInt(s.Int64N(1e9))
	case 3:
		return new(big.Int).SetUint64(s.Uint64() >> s.IntN(20))
	default:
		return big.NewInt(s.Int64N(3e7))
	}
}
