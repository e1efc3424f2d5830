// Package kit tests contracts with nothing but go test. In a test:
//
//	w := kit.New(t, sandbox.New(t))
//	alice := w.Treasury("alice")
//	counter := w.Deploy("counter", code, data, tlb.TON)
//
//	res := alice.Send(kit.Message{To: counter.Address, Value: tlb.TON / 10, Body: increment})
//	res.Expect(kit.Tx{From: alice, To: counter, Op: 0x7e8764ef, Exit: 0, Success: true})
//	res.ExpectNone(kit.Tx{Bounced: true})
//
//	if got := counter.Get("value").Uint64(0); got != 1 {
//		t.Errorf("value is %d", got)
//	}
//
// Tests may run in parallel; a chain costs less than a millisecond.
//
// # From a message to a failure that explains itself
//
//  1. A [World] (world.go) knows names: of accounts, and through [Names], such
//     as [ABI] makes from the compiler's output, of messages, fields and exit
//     codes. It makes senders ([World.Treasury]) and contracts ([World.Deploy]).
//  2. [Treasury.Send], [World.SendAs] and [World.SendExternal] return a
//     [Result] (result.go), the whole tree of transactions.
//  3. A [Tx] says what one of them should be like. It is compiled into checks
//     (tx.go, number.go), each of which can say what it found instead.
//  4. When none matches, the test fails with the tree (tree.go), how the nearest
//     transactions differ, and what happened in them (explain.go): the phase
//     that failed, the last instructions and the stack, for which the
//     transaction is executed once more (steps.go), the actions (actions.go),
//     gas, fees, where the coins went, and what changed in storage (storage.go).
//
// # What it costs
//
// [Gas] is a benchmark whose metrics benchstat reads; [World.GasSnapshot]
// compares with a file under version control; [Profile] shows in `go tool
// pprof` which instructions the gas went to.
//
// # What always holds
//
//   - What is printed follows from the transactions alone: no map order, no
//     clock, no colours.
//   - A matcher that could never match, or says nothing, fails the test: a
//     mistyped test does not pass by accident.
//   - Nothing is executed again, and nothing rendered, unless a test fails.
//
// Start reading at world.go, then result.go and tx.go.
package kit
