package channel_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// TestConcurrentRequests runs 16 requests at a time over one channel, and finds
// both ends agreeing to the nanoTON.
func TestConcurrentRequests(t *testing.T) {
	aliceDB, bobDB := newMemory(), newMemory()
	alice := payer(t, aliceDB, config, tlb.TON, channel.Options{Window: 100})
	bob := payee(t, bobDB, config, tlb.TON, channel.Options{})
	const workers, each = 16, 10
	var ack acknowledged
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for n := range each {
				if err := payOne(t, alice, bob, channel.Request{byte(worker), byte(n)}, &ack); err != nil {
					t.Errorf("worker %d, request %d: %v", worker, n, err)
					return
				}
			}
		})
	}
	all.Wait()
	a, b := alice.State(), bob.State()
	if want := tlb.Nano(workers * each * 150); a.Spent != want || b.Spent != want {
		t.Errorf("spent: alice %d, bob %d, want %d", a.Spent, b.Spent, want)
	}
	if a.Allotted != 0 || b.Reserved != 0 || a.Doubtful != 0 || len(a.Requests) != 0 || len(b.Requests) != 0 {
		t.Errorf("left over: alice %s, bob %s", payerLine(a), payeeLine(b))
	}
	if limit := a.Spent + workers*150; a.Authorised > limit {
		t.Errorf("authorised %d for %d spent", a.Authorised, a.Spent)
	}
	if err := errors.Join(alice.Close(), bob.Close()); err != nil {
		t.Fatal(err)
	}
	again := payer(t, aliceDB, config, tlb.TON, channel.Options{Window: 100}).State()
	if diff := cmp.Diff(journalled(a), journalled(again)); diff != "" {
		t.Errorf("reopened payer differs:\n%s", diff)
	}
	bobAgain := payee(t, bobDB, config, tlb.TON, channel.Options{}).State()
	if err := bobAgain.Held.Verify(ed25519.PublicKey(config.SessionKey[:])); err != nil || payeeLine(bobAgain) != payeeLine(b) {
		t.Errorf("reopened payee: %s, was %s; its voucher: %v", payeeLine(bobAgain), payeeLine(b), err)
	}
}

// journalled is the part of a state that a restart keeps, with nothing running.
func journalled(s channel.PayerState) []any {
	return []any{s.Phase, s.Authorised, s.Spent, s.Stated, s.Doubtful, s.Receipt, s.Last}
}

// TestSharedWrites checks that requests that come at once share one write, and
// that none returns before its write is done.
func TestSharedWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		store.before = func() error { time.Sleep(10 * time.Millisecond); return nil }
		alice := payer(t, store, config, tlb.TON, channel.Options{Window: 100})
		start := time.Now()
		var all sync.WaitGroup
		for worker := range 16 {
			all.Go(func() {
				if _, err := alice.Begin(t.Context(), channel.Request{byte(worker)}, 100, 100); err != nil {
					t.Error(err)
				}
				if store.written() == 0 {
					t.Error("Begin returned before anything was written")
				}
			})
		}
		all.Wait()
		if store.written() > 2 {
			t.Errorf("16 requests took %d writes, want at most 2", store.written())
		}
		if took := time.Since(start); took > 20*time.Millisecond {
			t.Errorf("16 requests took %v, want two writes of 10 ms", took)
		}
	})
}

// TestChargesAreSaved checks that what a request was charged survives a crash a
// second later, without anybody having waited for it.
func TestChargesAreSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		bob := payee(t, store, config, 1000, channel.Options{})
		if err := bob.Accept(t.Context(), voucherOf(t, config, 1, 500)); err != nil {
			t.Fatal(err)
		}
		if err := bob.Begin(t.Context(), id("a"), 100); err != nil {
			t.Fatal(err)
		}
		before := store.written()
		for total := tlb.Nano(1); total <= 200; total++ {
			if ok, err := bob.Charge(t.Context(), id("a"), total); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if store.written() != before {
			t.Errorf("200 charges waited for %d writes", store.written()-before)
		}
		time.Sleep(1001 * time.Millisecond)
		synctest.Wait()
		if store.written() != before+1 {
			t.Errorf("a second later: %d writes, want 1", store.written()-before)
		}
		after := payee(t, store.clone(), config, 1000, channel.Options{})
		if got := after.Spent(); got != 200 {
			t.Errorf("after a crash: spent %d, want the 200 charged", got)
		}
	})
}

func TestWaitAuthorised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bob := payee(t, newMemory(), config, 1000, channel.Options{})
		ctx := t.Context()
		if err := bob.Accept(ctx, voucherOf(t, config, 1, 100)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			if err := bob.Begin(ctx, id(name), 50); err != nil {
				t.Fatal(err)
			}
		}
		wait := func(name string, total tlb.Nano, grace time.Duration) chan error {
			done := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(ctx, grace)
				defer cancel()
				done <- bob.WaitAuthorised(ctx, id(name), total)
			}()
			synctest.Wait()
			return done
		}

		// A voucher wakes the one that it suffices for.
		a, b := wait("a", 120, time.Minute), wait("b", 600, 2*time.Second)
		if err := bob.Accept(ctx, voucherOf(t, config, 2, 200)); err != nil {
			t.Fatal(err)
		}
		if err := <-a; err != nil {
			t.Errorf("a: %v", err)
		}
		if err := <-b; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("b: %v, want a timeout", err)
		}
		// So does another request's end,
		b = wait("b", 120, time.Minute)
		if _, err := bob.Finish(ctx, id("a"), 60); err != nil {
			t.Fatal(err)
		}
		if err := <-b; err != nil {
			t.Errorf("b: %v", err)
		}
		// and nobody waits for a channel that is gone, or stopped.
		b = wait("b", 200, time.Minute)
		if err := bob.Gone(); err != nil {
			t.Fatal(err)
		}
		if err := <-b; !errors.Is(err, channel.ErrClosed) {
			t.Errorf("b: %v, want %v", err, channel.ErrClosed)
		}
		carol := payee(t, newMemory(), config, 1000, channel.Options{})
		if err := carol.Begin(ctx, id("c"), 0); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- carol.WaitAuthorised(ctx, id("c"), 1) }()
		synctest.Wait()
		if err := carol.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, channel.ErrStopped) {
			t.Errorf("c: %v, want %v", err, channel.ErrStopped)
		}
	})
}

func TestConsentClose(t *testing.T) {
	store := newMemory()
	bob := payee(t, store, config, 1000, channel.Options{})
	ctx := t.Context()
	if err := bob.Accept(ctx, voucherOf(t, config, 1, 100)); err != nil {
		t.Fatal(err)
	}
	if err := bob.Begin(ctx, id("a"), 70); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.ConsentClose(bobKey); !errors.Is(err, channel.ErrRequestsRunning) {
		t.Errorf("with a request running: %v, want %v", err, channel.ErrRequestsRunning)
	}
	if err := bob.Begin(ctx, id("b"), 0); !errors.Is(err, channel.ErrClosing) {
		t.Errorf("a new request: %v, want %v", err, channel.ErrClosing)
	}
	if _, err := bob.Finish(ctx, id("a"), 70); err != nil {
		t.Fatal(err)
	}
	consent, err := bob.ConsentClose(bobKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := consent.Verify(bobKey.Public().(ed25519.PublicKey)); err != nil {
		t.Error(err)
	}
	if consent.CoopClose.Final != 70 {
		t.Errorf("final %d, want the 70 spent", consent.CoopClose.Final)
	}
	again := payee(t, store, config, 1000, channel.Options{})
	if err := again.Begin(ctx, id("b"), 0); !errors.Is(err, channel.ErrClosing) {
		t.Errorf("a new request after a restart: %v, want %v", err, channel.ErrClosing)
	}
}

// BenchmarkAccept is 64 payers' vouchers at a time, each checked and on disk
// before it counts.
func BenchmarkAccept(b *testing.B) {
	const inFlight = 64
	store := openPebble(b, vfs.Default, pebble.Sync, b.TempDir())
	payees := make([]*channel.Payee, inFlight)
	vouchers := make([][]tlb.SignedVoucher, inFlight)
	for i := range payees {
		cfg := config
		cfg.Salt = uint64(i)
		payees[i] = payee(b, store, cfg, tlb.TON, channel.Options{})
		for n := i; n < b.N; n += inFlight {
			vouchers[i] = append(vouchers[i], voucherOf(b, cfg, uint64(n)+1, tlb.Nano(n)+1))
		}
	}
	b.ResetTimer()
	var all sync.WaitGroup
	for i, bob := range payees {
		all.Go(func() {
			for _, v := range vouchers[i] {
				if err := bob.Accept(b.Context(), v); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
	if err := store.db.Close(); err != nil {
		b.Fatal(err)
	}
}
