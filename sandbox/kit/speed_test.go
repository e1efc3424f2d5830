package kit_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// hundred is how many contracts the package under test has.
const hundred = 100

// testOneContract is a test as people write them: a chain of its own, a
// treasury, a contract, messages and a get method.
func testOneContract(t kit.TB, chain *sandbox.Chain) {
	w := kit.New(t, chain)
	alice := w.Treasury("alice")
	counter := w.Deploy("counter", counterCode, uint64Cell(0), tlb.TON)
	for range 2 {
		alice.Send(kit.Message{To: counter.Address, Value: tlb.TON / 10, Body: order(1)}).
			Expect(kit.Tx{From: alice, To: counter, Success: true})
	}
	alice.Send(kit.Message{To: counter.Address, Value: tlb.TON / 10, Body: order(2)}).Expect(kit.Tx{To: counter, Exit: 42})
	if got := counter.Get("count").Uint64(0); got != 2 {
		t.Errorf("count is %d, want 2", got)
	}
}

// TestHundredContracts has them run beside each other, as in a test package.
// How long that may take is a matter of the benchmark below.
func TestHundredContracts(t *testing.T) {
	for i := range hundred {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			testOneContract(t, sandbox.New(t))
		})
	}
}

// BenchmarkHundredContracts is the same, timed. The goal is a second.
func BenchmarkHundredContracts(b *testing.B) {
	for b.Loop() {
		var all sync.WaitGroup
		for range hundred {
			all.Go(func() { testOneContract(b, sandbox.New(b)) })
		}
		all.Wait()
	}
}

// BenchmarkSend is one message to a contract, through a treasury, and one
// expectation that is met.
func BenchmarkSend(b *testing.B) {
	w := kit.New(b, sandbox.New(b))
	alice := w.Treasury("alice")
	counter := w.Deploy("counter", counterCode, uint64Cell(0), tlb.TON)
	message := kit.Message{To: counter.Address, Value: tlb.TON / 100, Body: order(1)}
	for b.Loop() {
		alice.Send(message).Expect(kit.Tx{From: alice, To: counter, Success: true})
	}
}
