package kit_test

import (
	"bytes"
	"fmt"
	"math/big"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// puppetCode is a contract that does what it is told: the body of a message is
// an op code and then code to run. An empty body does nothing. Any get method
// returns the first 64 bits of its data.
//
//	DUP 0 GTINT
//	<{ DROP c4 PUSH CTOS 64 PLDU }> PUSHCONT IFJMP
//	DROP DUP SDEMPTY IFRET
//	32 LDU NIP BLESS EXECUTE
var puppetCode = asm(
	0x20, 0xc2, 0x00,
	0x98, 0x30, 0xed, 0x44, 0xd0, 0xd7, 0x0b, 0x3f, 0x00, 0xe0,
	0x30, 0x20, 0xc7, 0x01, 0xdc,
	0xd3, 0x1f, 0x31, 0xed, 0x1e, 0xd8,
)

func asm(raw ...byte) *cell.Cell {
	return cell.BeginCell().MustStoreSlice(raw, uint(len(raw))*8).EndCell()
}

// uint64Cell is a cell with one number, the puppets' data.
func uint64Cell(n uint64) *cell.Cell { return cell.BeginCell().MustStoreUInt(n, 64).EndCell() }

// step is a part of what a puppet is told.
type step struct {
	code []byte
	ref  *cell.Cell
}

func order(op uint32, steps ...step) *cell.Cell {
	b := cell.BeginCell().MustStoreUInt(uint64(op), 32)
	for _, s := range steps {
		b.MustStoreSlice(s.code, uint(len(s.code))*8)
		if s.ref != nil {
			b.MustStoreRef(s.ref)
		}
	}
	return b.EndCell()
}

var (
	accept = step{code: []byte{0xf8, 0x00}}
	// add is 2, 3, ADD, DROP.
	add = step{code: []byte{0x72, 0x73, 0xa0, 0x30}}
	// underflow loads from an empty slice.
	underflow = step{code: []byte{0xc8, 0xc9, 0xd0, 0xd3, 0x07}}
	// forever is a loop: <{ }> PUSHCONT AGAIN.
	forever = step{code: []byte{0x90, 0xea}}
)

func throw(n byte) step { return step{code: []byte{0xf2, n}} }

// store replaces the data with a number: n NEWC 64 STU ENDC c4 POP.
func store(n byte) step {
	return step{code: []byte{0x80, n, 0xc8, 0xcb, 0x3f, 0xc9, 0xed, 0x54}}
}

// send is PUSHREF, mode, SENDRAWMSG.
func send(mode byte, message *cell.Cell) step {
	return step{code: []byte{0x88, 0x81, 0x00, mode, 0xfb, 0x00}, ref: message}
}

// reserve is n, 2^30 *, mode, RAWRESERVE.
func reserve(n, mode byte) step {
	return step{code: []byte{0x80, n, 0xaa, 29, 0x80, mode, 0xfb, 0x02}}
}

// setCode is PUSHREF, SETCODE.
func setCode(code *cell.Cell) step { return step{code: []byte{0x88, 0xfb, 0x04}, ref: code} }

func internal(to *address.Address, value tlb.Nano, bounce bool, body *cell.Cell) *cell.Cell {
	c, err := tontlb.ToCell(&tontlb.InternalMessage{
		IHRDisabled: true, Bounce: bounce, SrcAddr: address.NewAddressNone(), DstAddr: to, Amount: tontlb.FromNanoTON(new(big.Int).SetUint64(uint64(value))), Body: body,
	})
	if err != nil {
		panic(err)
	}
	return c
}

func event(body *cell.Cell) *cell.Cell {
	c, err := tontlb.ToCell(&tontlb.ExternalMessageOut{SrcAddr: address.NewAddressNone(), DstAddr: address.NewAddressNone(), Body: body})
	if err != nil {
		panic(err)
	}
	return c
}

func nobody() *address.Address { return address.NewAddress(0, 0, bytes.Repeat([]byte{0xab}, 32)) }

// meaning describes puppets.
type meaning struct{}

func (meaning) Message(op uint32) (string, bool) {
	name, ok := map[uint32]string{1: "Increment", 2: "Ask", 3: "Answer"}[op]
	return name, ok
}

func (meaning) Exit(code int32) (string, bool) { return "not the owner", code == 42 }

func (meaning) Body(body *cell.Cell) []kit.Field {
	if body.BitsSize() < 32 {
		return nil
	}
	return []kit.Field{{Name: "steps", Value: fmt.Sprint(body.BitsSize()/8 - 4)}}
}

func (meaning) Storage(data *cell.Cell) []kit.Field {
	s, err := data.BeginParse()
	if err != nil || s.BitsLeft() != 64 {
		return nil
	}
	return []kit.Field{{Name: "count", Value: fmt.Sprint(s.MustLoadUInt(64))}}
}

// scene is what most tests have: alice, and two puppets of which one is
// described.
type scene struct {
	*kit.World
	tb           kit.TB
	alice        *kit.Treasury
	counter, bob *kit.Account
}

func newWorld(t testing.TB) *kit.World {
	t.Helper()
	return kit.New(t, open(t))
}

func newScene(t testing.TB, tb kit.TB) scene {
	t.Helper()
	w := kit.New(tb, open(t))
	s := scene{World: w, tb: tb, alice: w.Treasury("alice")}
	s.counter = w.Deploy("counter", puppetCode, uint64Cell(7), tlb.TON)
	s.bob = w.Deploy("bob", puppetCode, uint64Cell(0), tlb.TON)
	w.Describe(s.counter.Address, meaning{})
	return s
}
