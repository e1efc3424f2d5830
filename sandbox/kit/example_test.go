package kit_test

import (
	"context"
	"fmt"
	"time"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// counterCode adds 1 to its data for op 1, and throws 42 for any other. Get
// methods return the count.
var counterCode = asm(
	0x20, 0xc2, 0x00, 0x98, 0x30, 0xed, 0x44, 0xd0, 0xd7, 0x0b, 0x3f, 0x00, 0xe0, // a get method?
	0x30, 0x20, 0xc7, 0x01, 0xdc, // an empty body?
	0xd3, 0x1f, 0x30, 0xc0, 0x01, 0xf2, 0xaa, // 32 LDU DROP, 1 EQINT, 42 THROWIFNOT
	0xed, 0x44, 0xd0, 0xd7, 0x0b, 0x3f, 0xa4, // c4 PUSH CTOS 64 PLDU INC
	0xc8, 0xcb, 0x3f, 0xc9, 0xed, 0x54, // NEWC 64 STU ENDC c4 POP
)

// printer stands in for the *testing.T of a real test, so that an example can
// show what a failing test says.
type printer struct{}

func (printer) Helper()                           {}
func (printer) Name() string                      { return "example" }
func (printer) Context() context.Context          { return context.Background() }
func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (printer) Fatalf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// exampleChain has a clock that stands still, so that every run prints the same.
func exampleChain() *sandbox.Chain {
	chain, err := sandbox.Open(sandbox.Options{Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
	if err != nil {
		panic(err)
	}
	return chain
}

// A test deploys a contract, sends it messages, and says what should come of
// them. In a test, the first line
// is w := kit.New(t, sandbox.New(t)).
func Example() {
	w := kit.New(printer{}, exampleChain())

	alice := w.Treasury("alice")
	counter := w.Deploy("counter", counterCode, uint64Cell(0), tlb.TON)
	op := func(n uint64) *cell.Cell { return cell.BeginCell().MustStoreUInt(n, 32).EndCell() }

	res := alice.Send(kit.Message{To: counter.Address, Value: tlb.TON / 10, Body: op(1)})
	res.Expect(kit.Tx{From: alice, To: counter, Op: 1, Exit: 0, Success: true, TotalFees: kit.AtMost(tlb.TON / 100)})
	res.ExpectNone(kit.Tx{Bounced: true})
	fmt.Println("count:", counter.Get("count").Uint64(0))

	// An expectation that is not met explains itself, and ends a real test.
	alice.Send(kit.Message{To: counter.Address, Value: tlb.TON / 10, Body: op(2)}).
		Expect(kit.Tx{From: alice, To: counter, Success: true})
	// Output:
	// count: 1
	// kit: no transaction has from alice, to counter, success true
	//
	// #2: success is false, not true
	// #1: from is outside, not alice; to is alice, not counter
	// #3: from is counter, not alice; to is alice, not counter
	//
	// #  message                                      value          result   gas   fees
	// 1  outside -> alice: signed                     -              ok       3308  0.002075731 TON
	// 2    alice -> counter: op 0x00000002            0.1 TON        exit 42  306   0.000255731 TON
	// 3      counter -> alice: bounced op 0x00000002  0.0994776 TON  ok       669   0.0002676 TON
	//
	// #2 alice -> counter: op 0x00000002
	//   account     EQDNNVQ-emu4ngneMlgQZ106ywd5NmG0W6w6iWKJnmUKnXjO, active
	//   failed      compute phase: exit 42
	//   body        x{00000002}
	//   last steps  gas left  instruction
	//               249902    DROP
	//               249884    DUP
	//               249858    SDEMPTY
	//               249840    IFRET
	//               249814    32 LDU
	//               249796    DROP
	//               249770    1 EQINT
	//               249744    THROWIFNOT 42
	//   stack       s0  0
	//               s1  cell x{6800B8E5A0E011C6C76402C779C99A4D8AF36F07AA475D4F03C43B963A3C2094..} (737 bits)
	//               s2  100000000
	//               s3  1199518000
	//   gas         306 used, limit 250000, 12 steps
	//   fees        gas 0.0001224 TON, messages 0.0004 TON, of which 0.000266669 TON where the messages arrive
	//   balance     1.099518 TON -> 1.099518 TON: + 0.1 TON received - 0.0994776 TON sent - 0.0005224 TON fees
	//   storage     unchanged
}

// A result prints as the tree of its transactions.
func ExampleResult_Tree() {
	w := kit.New(printer{}, exampleChain())
	bob := w.Random("bob")
	fmt.Print(w.SendAs(sandbox.Giver(), kit.Message{To: bob.Address, Value: tlb.TON}).Tree())
	// Output:
	// #  message                  value       result             gas  fees
	// 1  giver -> bob: empty      1 TON       not run: no state  0    0.000133331 TON
	// 2    bob -> giver: bounced  0.9996 TON  ok                 44   0.00004 TON
}

// Refusals of external messages are results too.
func ExampleWorld_SendExternal() {
	w := kit.New(printer{}, exampleChain())
	counter := w.Deploy("counter", counterCode, uint64Cell(0), tlb.TON)
	fmt.Print(w.SendExternal(kit.External{To: counter.Address, Body: cell.BeginCell().MustStoreUInt(2, 32).EndCell()}).Explain())
	// Output:
	// outside -> counter: not accepted
	//   account     EQDNNVQ-emu4ngneMlgQZ106ywd5NmG0W6w6iWKJnmUKnXjO
	//   refused     compute phase, before it accepted: exit 42
	//   last steps  gas left  instruction
	//               9902      DROP
	//               9884      DUP
	//               9858      SDEMPTY
	//               9840      IFRET
	//               9814      32 LDU
	//               9796      DROP
	//               9770      1 EQINT
	//               9744      THROWIFNOT 42
	//   stack       s0  0
	//               s1  cell x{88019A6AA87CF4D7713C13BC64B020CEBA75960EF26CC368B7587512C5133CCA..} (309 bits)
	//               s2  0
	//               s3  999536000
	//   gas         306 used on credit
}
