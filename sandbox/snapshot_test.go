package sandbox_test

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// modes are the kinds of chain that must behave alike.
func modes() map[string]sandbox.Options {
	return map[string]sandbox.Options{
		"in memory": {}, "stored": {FS: vfs.NewMem()}, "four shards": {SplitDepth: 2},
	}
}

// TestSnapshot goes to and fro between moments on different branches.
func TestSnapshot(t *testing.T) {
	for name, o := range modes() {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			chain := openChain(t, o)
			faucet := func(n byte) {
				t.Helper()
				if err := chain.Faucet(ctx, account(base, n), tlb.TON); err != nil {
					t.Fatal(err)
				}
			}
			type moment struct {
				snapshot *sandbox.Snapshot
				head     tlb.Block
				rich     byte // account that has coins, and all below
			}
			var moments []moment
			keep := func(rich byte) {
				s := chain.Snapshot()
				head, err := chain.Head(ctx)
				if err != nil {
					t.Fatal(err)
				}
				moments = append(moments, moment{s, head, rich})
			}
			check := func(m moment) {
				t.Helper()
				if head, err := chain.Head(ctx); err != nil || head != m.head {
					t.Errorf("head %+v, want %+v: %v", head, m.head, err)
				}
				for n := range byte(8) {
					want := tlb.Nano(0)
					if n <= m.rich {
						want = tlb.TON
					}
					if got := view(t, chain, n).Balance; got != want {
						t.Errorf("account %d has %s, want %s", n, got, want)
					}
				}
				checkConserved(t, chain)
			}
			faucet(0)
			keep(0)
			faucet(1)
			faucet(2)
			keep(2)
			faucet(3)
			keep(3)
			// Another branch from the first moment, then every moment again, twice.
			if err := chain.Restore(moments[0].snapshot); err != nil {
				t.Fatal(err)
			}
			check(moments[0])
			faucet(1)
			keep(1)
			for range 2 {
				for _, i := range []int{2, 0, 3, 1} {
					if err := chain.Restore(moments[i].snapshot); err != nil {
						t.Fatal(err)
					}
					check(moments[i])
					faucet(7)
				}
			}
			checkBlocks(t, chain)
		})
	}
}

// TestSnapshotRefuses a snapshot of another chain, and one of a closed chain.
func TestSnapshotRefuses(t *testing.T) {
	chain, other := sandbox.New(t), sandbox.New(t)
	if err := chain.Restore(other.Snapshot()); !errors.Is(err, sandbox.ErrForeign) {
		t.Errorf("of another chain: %v", err)
	}
	if err := chain.Restore(nil); !errors.Is(err, sandbox.ErrForeign) {
		t.Errorf("none: %v", err)
	}
	s := chain.Snapshot()
	_ = chain.Close()
	if err := chain.Restore(s); !errors.Is(err, sandbox.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestRestoreEndsWaits: who waits for a message of a branch that is left hears
// of it, and the message itself waits again where it did.
func TestRestoreEndsWaits(t *testing.T) {
	ctx := t.Context()
	chain := openChain(t, sandbox.Options{Mode: sandbox.Manual})
	done := make(chan error)
	go func() {
		_, err := chain.Execute(ctx, give(t, 1, account(base, 1), tlb.TON, false))
		done <- err
	}()
	for len(chain.Pending()) == 0 {
	}
	s := chain.Snapshot()
	if err := chain.Restore(s); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, sandbox.ErrRestored) {
		t.Errorf("got %v", err)
	}
	for range 2 {
		seal(t, chain)
		if got := view(t, chain, 1).Balance; got != tlb.TON {
			t.Errorf("balance %s", got)
		}
		if err := chain.Restore(s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestoreRevives a chain that an observer stopped.
func TestRestoreRevives(t *testing.T) {
	ctx := t.Context()
	disagree := errors.New("no")
	var verdict error
	chain := openChain(t, sandbox.Options{Observe: func(sandbox.Execution, sandbox.Outcome) error { return verdict }})
	s := chain.Snapshot()
	verdict = disagree
	if err := chain.Faucet(ctx, account(base, 1), tlb.TON); !errors.Is(err, disagree) {
		t.Fatalf("got %v", err)
	}
	verdict = nil
	if err := chain.Restore(s); err != nil {
		t.Fatal(err)
	}
	if err := chain.Faucet(ctx, account(base, 1), tlb.TON); err != nil {
		t.Error(err)
	}
	checkConserved(t, chain)
}

// BenchmarkSnapshot measures taking a snapshot and going back to it, after a
// change, in worlds of different size.
func BenchmarkSnapshot(b *testing.B) {
	for _, size := range []int{100, 10_000, 100_000} {
		b.Run(sizeName(size), func(b *testing.B) {
			chain := openChain(b, sandbox.Options{Genesis: crowd(size)})
			before := chain.Snapshot()
			for b.Loop() {
				b.StopTimer()
				if err := chain.Faucet(b.Context(), account(base, 1), tlb.TON); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				chain.Snapshot()
				if err := chain.Restore(before); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
