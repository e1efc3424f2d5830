//go:build reference && cgo

package reference_test

import (
	"math/big"
	"math/rand/v2"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A source makes random things. The same seed makes the same things.
type source struct {
	*rand.Rand
	self      [32]byte // address of the account
	workchain int8
	version   uint32
	libraries []*cell.Cell // that contracts may refer to by hash
}

// number is an integer of the TVM, with a taste for small ones and for the
// ends of ranges.
func (s *source) number() *big.Int {
	power := func(n int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(n)) }
	out := new(big.Int)
	switch s.IntN(10) {
	case 0, 1, 2, 3:
		out.SetInt64(int64(s.IntN(16)))
	case 4:
		out.SetInt64(int64(s.IntN(300)))
	case 5:
		out.Add(power(s.IntN(257)), big.NewInt(int64(s.IntN(3)-1)))
	case 6:
		out.SetUint64(s.Uint64() >> s.IntN(64))
	case 7:
		out.Sub(power(256), big.NewInt(int64(1+s.IntN(2))))
	default:
		out.SetBytes(s.bytes(1 + s.IntN(32)))
	}
	if s.IntN(4) == 0 {
		out.Neg(out)
		if s.IntN(20) == 0 {
			out = new(big.Int).Neg(power(256))
		}
	}
	if limit := power(256); out.Cmp(limit) >= 0 {
		out.Sub(limit, big.NewInt(1))
	}
	return out
}

// amount is money or nearly so.
func (s *source) amount() *big.Int {
	switch s.IntN(12) {
	case 0:
		return new(big.Int)
	case 1:
		return s.number()
	case 2:
		return new(big.Int).SetUint64(s.Uint64() >> 4)
	default:
		return big.NewInt(s.Int64N([]int64{1e3, 1e6, 1e8, 1e9, 1e10}[s.IntN(5)]))
	}
}

func (s *source) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(s.Uint32())
	}
	return out
}

// fill adds random bits, at most as many as there is room for.
func (s *source) fill(b *cell.Builder, bits uint) {
	bits = min(bits, b.BitsLeft())
	b.MustStoreSlice(s.bytes(int(bits+7)/8), bits)
}

// anyCell is a tree of cells of at most some depth.
func (s *source) anyCell(depth int) *cell.Cell {
	b := cell.BeginCell()
	switch s.IntN(8) {
	case 0:
	case 1: // a number of coins and more
		b.MustStoreBigCoins(big.NewInt(s.Int64N(1e12)))
		s.fill(b, uint(s.IntN(200)))
	case 2:
		s.address(b)
		s.fill(b, uint(s.IntN(100)))
	case 3:
		s.fill(b, 1023)
	case 4: // zeros and ones
		zeros := make([]byte, 128)
		if s.IntN(2) == 0 {
			for i := range zeros {
				zeros[i] = 255
			}
		}
		b.MustStoreSlice(zeros, uint(s.IntN(1024)))
	case 5:
		return s.dict([]uint{8, 16, 32, 64, 256}[s.IntN(5)]).AsCell()
	default:
		s.fill(b, uint(8*s.IntN(64)))
	}
	if depth > 0 {
		for range s.IntN(5) {
			b.MustStoreRef(s.anyCell(depth - 1))
		}
	}
	return b.EndCell()
}

// key is one of few, so that a dictionary is asked for what it has.
func (s *source) key(bits uint) uint64 { return s.Uint64N(12) & (1<<bits - 1) }

func keyOf(key uint64, bits uint) *cell.Builder {
	b := cell.BeginCell()
	if bits > 64 {
		b.MustStoreSlice(make([]byte, 40), bits-64)
		bits = 64
	}
	return b.MustStoreUInt(key, bits)
}

func (s *source) dict(bits uint) *cell.Dictionary {
	d := cell.NewDict(bits)
	for range 1 + s.IntN(8) {
		key := keyOf(s.key(min(bits, 63)), bits)
		if s.IntN(3) == 0 {
			key = cell.BeginCell()
			s.fill(key, bits)
		}
		value := cell.BeginCell()
		s.fill(value, uint(s.IntN(40)))
		if s.IntN(3) == 0 {
			value.MustStoreRef(s.anyCell(0))
		}
		if err := d.SetBuilder(key.EndCell(), value); err != nil {
			panic(err)
		}
	}
	return d
}

// extra are extra currencies, never none. In an account or in a message under
// way there is some of each; a contract may say it sends nothing of one, or
// write nonsense.
func (s *source) extra(valid bool) *cell.Dictionary {
	d := cell.NewDict(32)
	for range 1 + s.IntN(3) {
		value := cell.BeginCell().MustStoreBigVarUInt(big.NewInt(1+s.Int64N(1e6)), 32)
		if !valid && s.IntN(5) == 0 {
			value = cell.BeginCell()
			s.fill(value, []uint{5, 5, 13, 4}[s.IntN(4)])
		}
		if err := d.SetBuilder(cell.BeginCell().MustStoreUInt(s.Uint64N(5), 32).EndCell(), value); err != nil {
			panic(err)
		}
	}
	return d
}

func (s *source) maybeExtra(b *cell.Builder, oneIn int, valid bool) {
	if s.IntN(oneIn) == 0 && s.version >= 10 { // before, they are known to differ
		b.MustStoreDict(s.extra(valid))
	} else {
		b.MustStoreBoolBit(false)
	}
}

func (s *source) libraryHash() []byte {
	if len(s.libraries) > 0 && s.IntN(3) != 0 {
		return s.libraries[s.IntN(len(s.libraries))].Hash()
	}
	return s.bytes(32)
}

// address is a MsgAddress of any form, mostly addr_std.
func (s *source) address(b *cell.Builder) {
	switch n := s.IntN(24); {
	case n == 0:
		b.MustStoreUInt(0, 2) // addr_none
	case n == 1: // addr_extern
		length := uint(s.IntN(100))
		b.MustStoreUInt(1, 2).MustStoreUInt(uint64(length), 9)
		s.fill(b, length)
	case n == 2: // addr_var
		length := []uint{0, 64, 256, 300}[s.IntN(4)]
		b.MustStoreUInt(3, 2)
		s.anycast(b, 3)
		b.MustStoreUInt(uint64(length), 9).MustStoreInt(int64(s.IntN(4)-2), 32)
		s.fill(b, length)
	case n == 3:
		b.MustStoreUInt(2, 2)
		s.anycast(b, 1)
		b.MustStoreInt(int64(s.workchain), 8).MustStoreSlice(s.self[:], 256)
	case n < 10:
		s.own(b)
	default:
		b.MustStoreUInt(0b100, 3).MustStoreInt(int64([]int{0, 0, 0, 0, -1, -1, 1, 7}[s.IntN(8)]), 8).MustStoreSlice(s.bytes(32), 256)
	}
}

// own is the account's address.
func (s *source) own(b *cell.Builder) {
	b.MustStoreUInt(0b100, 3).MustStoreInt(int64(s.workchain), 8).MustStoreSlice(s.self[:], 256)
}

// anycast is a Maybe Anycast, there once in a number of times.
func (s *source) anycast(b *cell.Builder, oneIn int) {
	if s.IntN(oneIn) != 0 {
		b.MustStoreBoolBit(false)
		return
	}
	depth := uint(s.IntN(32))
	b.MustStoreBoolBit(true).MustStoreUInt(uint64(depth), 5)
	s.fill(b, depth)
}
