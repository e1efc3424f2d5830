package sandbox_test

import (
	"errors"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// TestExecution repeats every transaction of a cascade from what the trace
// says it follows from.
func TestExecution(t *testing.T) {
	seen := 0
	chain := openChain(t, sandbox.Options{Observe: func(e sandbox.Execution, o sandbox.Outcome) error {
		seen++
		return nil
	}})
	trace, err := chain.Execute(t.Context(), give(t, 1, account(base, 7), tlb.TON, false))
	if err != nil {
		t.Fatal(err)
	}
	repeated := 0
	for each := range trace.All() {
		steps := 0
		got, err := each.Execution.Run(func(vm.TraceStep) { steps++ })
		if err != nil {
			t.Fatal(err)
		}
		if got.Transaction.HashKey() != each.Tx.Hash || got.After.HashKey() != each.After.HashKey() || got.Gas != each.Gas {
			t.Errorf("transaction of %s comes out differently", each.Tx.Account)
		}
		if ran := each.Skipped == ""; ran != (steps > 0) {
			t.Errorf("hook saw %d steps of a transaction with skip reason %q", steps, each.Skipped)
		}
		repeated++
	}
	if repeated != 2 || seen != repeated {
		t.Errorf("repeated %d transactions and observed %d, want 2", repeated, seen)
	}
}

// TestObserverStopsTheChain: an observer that disagrees ends the chain.
func TestObserverStopsTheChain(t *testing.T) {
	disagree := errors.New("another executor came to something else")
	chain := openChain(t, sandbox.Options{Observe: func(sandbox.Execution, sandbox.Outcome) error { return disagree }})
	if err := chain.Faucet(t.Context(), account(base, 7), tlb.TON); !errors.Is(err, disagree) {
		t.Errorf("got %v, want the observer's error", err)
	}
	if _, err := chain.Seal(t.Context()); !errors.Is(err, disagree) {
		t.Errorf("afterwards: got %v, want the observer's error", err)
	}
}

// TestRefusedExecution: a refusal says how to repeat it.
func TestRefusedExecution(t *testing.T) {
	chain := openChain(t, sandbox.Options{})
	var refused *sandbox.NotAcceptedError
	if err := chain.Send(t.Context(), external(t, account(base, 9))); !errors.As(err, &refused) || refused.Execution == nil {
		t.Fatalf("got %v, want a refusal with its execution", err)
	}
	if o, err := refused.Execution.Run(nil); err == nil && o.Transaction != nil {
		t.Errorf("repeated: %+v; want no transaction", o)
	}
}

func openChain(t testing.TB, o sandbox.Options) *sandbox.Chain {
	t.Helper()
	chain, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	return chain
}
