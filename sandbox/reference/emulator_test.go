//go:build reference && cgo

package reference_test

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/reference"
	"github.com/tussah-network/tussah/tlb"
)

// The glue with which a chain has everything checked.
func observe(e sandbox.Execution, o sandbox.Outcome) error {
	return reference.Check(reference.Execution(e), reference.Outcome(o))
}

// cpp is the reference, with one open emulator for each configuration.
var cpp = sync.OnceValue(func() reference.Executor {
	var mu sync.Mutex
	open := make(map[cell.Hash]*reference.Emulator)
	return func(in reference.Execution) (reference.Outcome, error) {
		mu.Lock()
		e, ok := open[in.Config.HashKey()]
		if !ok {
			var err error
			if e, err = reference.Open(in.Config); err != nil {
				mu.Unlock()
				return reference.Outcome{}, err
			}
			open[in.Config.HashKey()] = e
		}
		mu.Unlock()
		return e.Run(in)
	}
})

// The reference itself makes what mainnet made.
func TestMainnetReference(t *testing.T) {
	t.Parallel()
	replayAll(t, cpp(), mainnet(t))
}

func TestCheckChain(t *testing.T) {
	t.Parallel()
	seen := record(t, observe, 3)
	if len(seen) < 6 {
		t.Errorf("%d transactions were checked", len(seen))
	}
}

// record runs a small chain and returns what it executed.
func record(t *testing.T, observe func(sandbox.Execution, sandbox.Outcome) error, faucets int) (seen []sandbox.Execution) {
	t.Helper()
	chain, err := sandbox.Open(sandbox.Options{Observe: func(e sandbox.Execution, o sandbox.Outcome) error {
		seen = append(seen, e)
		return observe(e, o)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	for i := range faucets {
		to := address.NewAddress(0, 0, bytes.Repeat([]byte{byte(i + 1)}, 32))
		if err := chain.Faucet(t.Context(), to, tlb.TON); err != nil {
			t.Fatal(err)
		}
	}
	return seen
}

// A chain whose executor is wrong stops, and says how to see it again.
func TestCheckFindsMismatch(t *testing.T) {
	t.Parallel()
	in := reference.Execution(record(t, observe, 1)[0])
	right, err := goVM(in)
	if err != nil {
		t.Fatal(err)
	}
	later := in
	later.Now++
	other, err := goVM(later)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*reference.Outcome)
		want   string
	}{
		"transaction": {func(o *reference.Outcome) { o.Transaction = other.Transaction }, "now: want"},
		"account":     {func(o *reference.Outcome) { o.After = other.After }, "account after: want"},
		"gas":         {func(o *reference.Outcome) { o.Gas++ }, "gas: want"},
		"exit":        {func(o *reference.Outcome) { o.Exit = 7 }, "exit code: want 0, got 7"},
		"actions":     {func(o *reference.Outcome) { o.Actions = cell.BeginCell().MustStoreUInt(1, 1).EndCell() }, "actions: want"},
		"refused":     {func(o *reference.Outcome) { *o = reference.Outcome{} }, "accepted: want true, got false"},
	} {
		ours := right
		test.change(&ours)
		err := reference.Check(in, ours)
		m, ok := errors.AsType[*reference.Mismatch](err)
		if !ok || !errors.Is(err, reference.ErrMismatch) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want a mismatch with %q", name, err, test.want)
			continue
		}
		var file bytes.Buffer
		if err := m.Fixture.Write(&file); err != nil {
			t.Fatal(err)
		}
		f, err := reference.ReadFixture(&file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r, err := reference.Replay(f, goVM); err != nil || !r.OK() {
			t.Errorf("%s: replay of the reproducer: %+v, %v", name, r, err)
		}
	}
	if err := reference.Check(in, right); err != nil {
		t.Error(err)
	}
}

func TestEmulatorRefuses(t *testing.T) {
	t.Parallel()
	empty := cell.BeginCell().EndCell()
	version := cell.BeginCell().MustStoreUInt(0xc4, 8).MustStoreUInt(13, 32).MustStoreUInt(0, 64).EndCell()
	short := cell.NewDict(32)
	if err := short.SetIntKey(big.NewInt(8), cell.BeginCell().MustStoreRef(version).EndCell()); err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*cell.Cell{"no dictionary": empty, "no address of the configuration": short.AsCell()} {
		if _, err := reference.Open(config); !errors.Is(err, reference.ErrConfig) {
			t.Errorf("%s: got %v, want ErrConfig", name, err)
		}
	}
	in := reference.Execution(record(t, observe, 1)[0])
	e, err := reference.Open(in.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in.Before = empty
	if _, err := e.Run(in); !errors.Is(err, reference.ErrInput) {
		t.Errorf("got %v, want ErrInput", err)
	}
}

// One emulator serves many goroutines, and forgets one run before the next.
func TestEmulatorTogether(t *testing.T) {
	t.Parallel()
	seen := record(t, observe, 4)
	e, err := reference.Open(seen[0].Config)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, in := range seen {
				ours, err := in.Run(nil)
				if err != nil {
					t.Error(err)
					continue
				}
				theirs, err := e.Run(reference.Execution(in))
				if err == nil {
					err = reference.Compare(reference.Execution(in), reference.Outcome(ours), theirs)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkCheck(b *testing.B) {
	var in sandbox.Execution
	chain, err := sandbox.Open(sandbox.Options{Observe: func(e sandbox.Execution, _ sandbox.Outcome) error { in = e; return nil }})
	if err != nil {
		b.Fatal(err)
	}
	defer chain.Close()
	if err := chain.Faucet(b.Context(), address.NewAddress(0, 0, make([]byte, 32)), tlb.TON); err != nil {
		b.Fatal(err)
	}
	out, err := in.Run(nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := observe(in, out); err != nil {
			b.Fatal(err)
		}
	}
}
