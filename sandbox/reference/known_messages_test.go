//go:build reference && cgo

package reference_test

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A message that a contract sends, with 0.01 TON for the account 0303…; a field
// that is set is other than usual.
type message struct {
	from, to func(*cell.Builder)
	coins    func(*cell.Builder)
	extra    *cell.Dictionary
	flags    int64
	forward  int64
	rest     func(*cell.Builder) // from created_lt on
	ihr      bool
}

func (m message) cell() *cell.Cell {
	b := cell.BeginCell()
	if m.ihr {
		b.MustStoreUInt(0b0010, 4)
	} else {
		b.MustStoreUInt(0b0110, 4)
	}
	write := func(f, usual func(*cell.Builder)) {
		if f == nil {
			f = usual
		}
		f(b)
	}
	write(m.from, nobody)
	write(m.to, standard(0, 3))
	write(m.coins, func(b *cell.Builder) { b.MustStoreBigCoins(big.NewInt(1e7)) })
	b.MustStoreDict(m.extra).MustStoreBigCoins(big.NewInt(m.flags)).MustStoreBigCoins(big.NewInt(m.forward))
	write(m.rest, tail(func(*cell.Builder) {}, 0b00, 2))
	return b.EndCell()
}

func nobody(b *cell.Builder) { b.MustStoreUInt(0, 2) }

// tail ends a message: zero times, some bits, more.
func tail(more func(*cell.Builder), bits uint64, n uint) func(*cell.Builder) {
	return func(b *cell.Builder) {
		b.MustStoreUInt(0, 64).MustStoreUInt(0, 32).MustStoreUInt(bits, n)
		more(b)
	}
}

// outward is a message to the world outside.
func outward(from, to func(*cell.Builder)) *cell.Cell {
	b := cell.BeginCell().MustStoreUInt(0b11, 2)
	from(b)
	to(b)
	tail(func(*cell.Builder) {}, 0, 2)(b)
	return b.EndCell()
}

// A named cell is a message or an action with a peculiarity.
type named struct {
	name  string
	cell  *cell.Cell
	first bool // worth trying before another action
}

func messages() (out []named) {
	add := func(name string, c *cell.Cell) { out = append(out, named{name: name, cell: c}) }
	anycast := func(depth uint64) func(*cell.Builder) {
		return func(b *cell.Builder) {
			b.MustStoreUInt(0b101, 3).MustStoreUInt(depth, 5).MustStoreUInt(0, uint(depth)).MustStoreUInt(0, 8).MustStoreSlice(bytes.Repeat([]byte{3}, 32), 256)
		}
	}
	variable := func(bits uint, workchain int64) func(*cell.Builder) {
		return func(b *cell.Builder) {
			b.MustStoreUInt(0b110, 3).MustStoreUInt(uint64(bits), 9).MustStoreInt(workchain, 32).MustStoreSlice(make([]byte, 40), bits)
		}
	}
	outside := func(b *cell.Builder) { b.MustStoreUInt(1, 2).MustStoreUInt(8, 9).MustStoreUInt(1, 8) }
	extra := func(bits uint, value uint64) *cell.Dictionary {
		d := cell.NewDict(32)
		if err := d.SetBuilder(cell.BeginCell().MustStoreUInt(1, 32).EndCell(), cell.BeginCell().MustStoreUInt(value, bits)); err != nil {
			panic(err)
		}
		return d
	}
	ref := func(c *cell.Cell) func(*cell.Builder) { return func(b *cell.Builder) { b.MustStoreRef(c) } }
	init := func(c *cell.Cell) *cell.Cell {
		return message{rest: tail(func(b *cell.Builder) { b.MustStoreRef(c) }, 0b110, 3)}.cell()
	}
	library := func(key []byte, value *cell.Builder) *cell.Cell {
		d := cell.NewDict(256)
		if err := d.SetBuilder(cell.BeginCell().MustStoreSlice(key, 256).EndCell(), value); err != nil {
			panic(err)
		}
		return cell.BeginCell().MustStoreUInt(0, 4).MustStoreDict(d).EndCell()
	}
	special, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(make([]byte, 32), 256).EndCellSpecial(true)
	if err != nil {
		panic(err)
	}
	empty := cell.BeginCell().EndCell()

	add("as it should be", message{}.cell())
	add("with IHR", message{ihr: true, flags: 2}.cell())
	add("from the account", message{from: standard(0, 7)}.cell())
	add("from another", message{from: standard(0, 3)}.cell())
	add("from outside", message{from: outside}.cell())
	add("from addr_var", message{from: variable(256, 0)}.cell())
	add("from anycast 4", message{from: anycast(4)}.cell())
	for _, depth := range []uint64{0, 1, 4, 30, 31} {
		add(fmt.Sprintf("to anycast %d", depth), message{to: anycast(depth)}.cell())
	}
	for _, bits := range []uint{0, 64, 255, 256, 300} {
		add(fmt.Sprintf("to addr_var of %d bits", bits), message{to: variable(bits, 0)}.cell())
	}
	add("to addr_var in workchain 500", message{to: variable(256, 500)}.cell())
	add("to addr_var in the masterchain", message{to: variable(256, -1)}.cell())
	add("to nobody", message{to: nobody}.cell())
	add("to the outside", message{to: outside}.cell())
	add("to workchain 1", message{to: standard(1, 3)}.cell())
	add("to the masterchain", message{to: standard(-1, 3)}.cell())
	add("no amount of an extra currency", message{extra: extra(5, 0)}.cell())
	add("amount of an extra currency with leading zeros", message{extra: extra(21, 2<<16|5)}.cell())
	add("amount of an extra currency cut short", message{extra: extra(4, 0)}.cell())
	add("amount of an extra currency and more", message{extra: extra(14, 1<<9|5<<1)}.cell())
	add("extra currency that the account does not have", message{extra: extra(13, 1<<8|5)}.cell())
	add("coins with leading zeros", message{coins: func(b *cell.Builder) { b.MustStoreUInt(2<<16|5, 20) }}.cell())
	add("zero coins in a byte", message{coins: func(b *cell.Builder) { b.MustStoreUInt(1<<8, 12) }}.cell())
	for _, flags := range []int64{1, 3, 4} {
		add(fmt.Sprintf("flags %d", flags), message{flags: flags}.cell())
	}
	add("forward fee", message{forward: 1e6}.cell())
	add("more after the body's reference", message{rest: tail(ref(empty), 0b01101, 5)}.cell())
	add("two bodies", message{rest: tail(func(b *cell.Builder) { b.MustStoreRef(empty).MustStoreRef(empty) }, 0b01, 2)}.cell())
	add("no body", message{rest: tail(func(*cell.Builder) {}, 0, 1)}.cell())
	add("body that is not there", message{rest: tail(func(*cell.Builder) {}, 1, 2)}.cell())
	add("cut short", message{rest: func(b *cell.Builder) { b.MustStoreUInt(0, 64) }}.cell())
	add("StateInit: empty cell", init(empty))
	add("StateInit: nothing", init(cell.BeginCell().MustStoreUInt(0, 5).EndCell()))
	add("StateInit: and more", init(cell.BeginCell().MustStoreUInt(0, 9).EndCell()))
	add("StateInit: special cell", init(special))
	add("StateInit: library", init(library(empty.Hash(), cell.BeginCell().MustStoreBoolBit(true).MustStoreRef(empty))))
	add("StateInit: library under another hash", init(library(make([]byte, 32), cell.BeginCell().MustStoreBoolBit(true).MustStoreRef(empty))))
	add("StateInit: library that is not there", init(library(empty.Hash(), cell.BeginCell().MustStoreBoolBit(true))))
	add("StateInit: library and more", init(library(empty.Hash(), cell.BeginCell().MustStoreUInt(3, 2).MustStoreRef(empty))))
	add("outward to nobody", outward(nobody, nobody))
	add("outward", outward(nobody, outside))
	add("outward to an account", outward(nobody, standard(0, 3)))
	add("outward from another", outward(standard(0, 3), nobody))
	add("empty cell", empty)
	add("special cell", special)
	return out
}

func sends(mode uint64, m *cell.Cell) *cell.Cell {
	return cell.BeginCell().MustStoreUInt(0x0ec3c86d, 32).MustStoreUInt(mode, 8).MustStoreRef(m).EndCell()
}

func actions() (out []named) {
	add := func(name string, b *cell.Builder) { out = append(out, named{name: name, cell: b.EndCell()}) }
	send := func(name string, mode uint64, m *cell.Cell) {
		out = append(out, named{name: fmt.Sprintf("send, mode %d%s", mode, name), cell: sends(mode, m)})
	}
	reserve := func(mode uint64, nano int64) *cell.Builder {
		return cell.BeginCell().MustStoreUInt(0x36e6b809, 32).MustStoreUInt(mode, 8).MustStoreBigCoins(big.NewInt(nano)).MustStoreBoolBit(false)
	}
	library := func(mode uint64, c *cell.Cell) *cell.Builder {
		return cell.BeginCell().MustStoreUInt(0x26fa1dd4, 32).MustStoreUInt(mode, 7).MustStoreBoolBit(true).MustStoreRef(c)
	}
	good := message{}.cell()
	send("", 0, good)
	out[0].first = true
	send("", 160, good)
	out[1].first = true
	for _, mode := range []uint64{1, 2, 3, 8, 10, 16, 32, 64, 65, 66, 128, 130, 192, 255} {
		send("", mode, good)
	}
	send(", from another", 0, message{from: standard(0, 3)}.cell())
	send(", from another", 2, message{from: standard(0, 3)}.cell())
	send(", to workchain 1", 0, message{to: standard(1, 3)}.cell())
	send(", to workchain 1", 2, message{to: standard(1, 3)}.cell())
	send(", flags 4", 0, message{flags: 4}.cell())
	send(", too much", 0, message{coins: func(b *cell.Builder) { b.MustStoreBigCoins(big.NewInt(1e15)) }}.cell())
	send(", too much", 2, message{coins: func(b *cell.Builder) { b.MustStoreBigCoins(big.NewInt(1e15)) }}.cell())
	send(", cut short", 0, message{rest: func(b *cell.Builder) { b.MustStoreUInt(0, 64) }}.cell())
	send(", cut short", 2, message{rest: func(b *cell.Builder) { b.MustStoreUInt(0, 64) }}.cell())
	send(", outward", 64, outward(nobody, nobody))
	for mode := range uint64(16) {
		add(fmt.Sprintf("reserve, mode %d", mode), reserve(mode, 1e8))
	}
	add("reserve, mode 16", reserve(16, 1e8))
	add("reserve, mode 32", reserve(32, 1e8))
	add("reserve too much", reserve(0, 1e15))
	add("reserve too much, mode 2", reserve(2, 1e15))
	add("reserve and more", reserve(0, 1).MustStoreUInt(1, 1))
	add("code", cell.BeginCell().MustStoreUInt(0xad4de08e, 32).MustStoreRef(cell.BeginCell().EndCell()))
	add("code that is not there", cell.BeginCell().MustStoreUInt(0xad4de08e, 32))
	small := cell.BeginCell().MustStoreUInt(77, 32).EndCell()
	for _, mode := range []uint64{0, 1, 2, 3, 16, 17, 32} {
		add(fmt.Sprintf("library, mode %d", mode), library(mode, small))
	}
	out[len(out)-6].first = true // it is there afterwards, whatever comes
	add("library by hash, mode 1", cell.BeginCell().MustStoreUInt(0x26fa1dd4, 32).MustStoreUInt(1, 7).MustStoreBoolBit(false).MustStoreSlice(small.Hash(), 256))
	add("nonsense", cell.BeginCell().MustStoreUInt(0x12345678, 32))
	add("send, mode 16, nothing", cell.BeginCell().MustStoreUInt(0x0ec3c86d, 32).MustStoreUInt(16, 8))
	add("send twice", cell.BeginCell().MustStoreUInt(0x0ec3c86d, 32).MustStoreUInt(0, 8).MustStoreRef(good).MustStoreRef(good))
	return out
}
