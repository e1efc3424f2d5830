package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

var versions = []wallet.Version{wallet.V5R1, wallet.HighloadV3}

// TestCrashEverywhere stops the program at every write and every send, before
// and after, and finds each coin moved exactly once.
func TestCrashEverywhere(t *testing.T) {
	for _, version := range versions {
		t.Run(string(version), func(t *testing.T) {
			points := map[string]int{}
			for stop := 1; ; stop++ {
				if !crashAt(t, version, stop, points) {
					t.Logf("%d points: %v", stop-1, points)
					break
				}
			}
			if len(points) != 4 {
				t.Errorf("points reached: %v, want four kinds", points)
			}
		})
	}
}

type crash struct{}

// crashAt runs three sends with a crash at the stop-th point; false if there are fewer.
func crashAt(t *testing.T, version wallet.Version, stop int, points map[string]int) (crashed bool) {
	chain, w := funded(t, version, 20*tlb.TON)
	store := newMemory()
	count := 0
	at := func(name string) {
		if count++; count == stop {
			points[name]++
			panic(crash{})
		}
	}
	store.at, chain.at = at, at
	sends := map[string][]contracts.Message{
		"one": {gift("bob", tlb.TON)},
		"two": {gift("carol", 2*tlb.TON), gift("dave", 3*tlb.TON)},
	}
	run := func() (stopped bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(crash); !ok {
					panic(r)
				}
				stopped = true
			}
		}()
		q := queue(t, w, chain, store)
		for _, id := range []string{"one", "two"} {
			if err := q.Enqueue(t.Context(), id, sends[id]); err != nil {
				t.Fatal(err)
			}
		}
		settle(t, q)
		if err := q.Enqueue(t.Context(), "three", []contracts.Message{gift("erin", 4*tlb.TON)}); err != nil {
			t.Fatal(err)
		}
		settle(t, q)
		return false
	}
	crashed = run()
	if crashed && run() {
		t.Fatal("crashed twice")
	}
	for name, want := range map[string]tlb.Nano{"bob": tlb.TON, "carol": 2 * tlb.TON, "dave": 3 * tlb.TON, "erin": 4 * tlb.TON} {
		if got := balance(t, chain, addressOf(name)); got != want {
			t.Errorf("crash at %d: %s got %v, want %v", stop, name, got, want)
		}
	}
	q := queue(t, w, chain, store)
	for _, id := range []string{"one", "two", "three"} {
		if r, err := q.Wait(t.Context(), id); err != nil || r.LT == 0 {
			t.Errorf("crash at %d: send %s: %+v, %v", stop, id, r, err)
		}
	}
	return crashed
}

// TestLostAndLate: messages that never arrive expire and are signed anew; those
// that arrive after all change nothing.
func TestLostAndLate(t *testing.T) {
	for _, version := range versions {
		t.Run(string(version), func(t *testing.T) {
			ctx := t.Context()
			chain, w := funded(t, version, 20*tlb.TON)
			store := newMemory()
			chain.send = func(*cell.Cell) (bool, error) { return false, errOffline }
			q := queue(t, w, chain, store)
			if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", tlb.TON)}); err != nil {
				t.Fatal(err)
			}
			step := func() {
				t.Helper()
				if err := q.Step(ctx); err != nil {
					t.Fatal(err)
				}
			}
			step()
			q = queue(t, w, chain, store) // a restart sends the same bytes
			step()
			if len(chain.sent) != 2 || chain.sent[0].HashKey() != chain.sent[1].HashKey() {
				t.Fatalf("%d messages sent, want the same twice", len(chain.sent))
			}
			if err := chain.AdvanceTime(ctx, time.Minute); err != nil {
				t.Fatal(err)
			}
			q = queue(t, w, chain, store)
			step()
			if chain.sent[2].HashKey() != chain.sent[0].HashKey() {
				t.Fatal("signed anew before it expired")
			}
			if err := chain.AdvanceTime(ctx, wallet.HighloadTTL+2*time.Minute); err != nil {
				t.Fatal(err)
			}
			chain.send = func(*cell.Cell) (bool, error) { return true, errOffline } // it arrives, but the answer does not
			step()
			if n := len(chain.sent); chain.sent[n-1].HashKey() == chain.sent[0].HashKey() {
				t.Fatal("not signed anew after it expired")
			}
			settle(t, q)
			for _, late := range chain.sent {
				if err := chain.Chain.Send(ctx, late); !errors.Is(err, sandbox.ErrNotAccepted) {
					t.Errorf("a late message: %v, want %v", err, sandbox.ErrNotAccepted)
				}
			}
			if got := balance(t, chain, addressOf("bob")); got != tlb.TON {
				t.Errorf("bob got %v, want 1 TON", got)
			}
		})
	}
}

func TestOldMessageExecutedAfterAll(t *testing.T) {
	// The first message arrives, but the queue hears of it only after it would have expired.
	ctx := t.Context()
	chain, w := funded(t, wallet.V5R1, 20*tlb.TON)
	store := newMemory()
	chain.send = func(*cell.Cell) (bool, error) { return false, nil }
	q := queue(t, w, chain, store)
	if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", tlb.TON)}); err != nil {
		t.Fatal(err)
	}
	if err := q.Step(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chain.Chain.Send(ctx, chain.sent[0]); err != nil {
		t.Fatal(err)
	}
	if err := chain.AdvanceTime(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	q = queue(t, w, chain, store)
	settle(t, q)
	if len(chain.sent) != 1 {
		t.Errorf("%d messages sent, want 1", len(chain.sent))
	}
	if got := balance(t, chain, addressOf("bob")); got != tlb.TON {
		t.Errorf("bob got %v, want 1 TON", got)
	}
}

// TestOldBodyAfterSigningAnew: a head that is ahead of the blocks makes the queue
// sign anew while the old message can still be executed, and is.
func TestOldBodyAfterSigningAnew(t *testing.T) {
	for _, version := range versions {
		ctx := t.Context()
		chain, w := funded(t, version, 20*tlb.TON)
		chain.send = func(*cell.Cell) (bool, error) { return false, nil }
		fast := &ahead{connection: chain}
		q := queue(t, w, fast, newMemory())
		if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", tlb.TON)}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := q.Step(ctx); err != nil {
				t.Fatal(err)
			}
			fast.by += time.Hour
		}
		if len(chain.sent) != 3 {
			t.Fatalf("%s: %d messages signed, want 3", version, len(chain.sent))
		}
		if err := chain.Chain.Send(ctx, chain.sent[0]); err != nil {
			t.Fatal(err)
		}
		chain.send = nil
		settle(t, q)
		if got := balance(t, chain, addressOf("bob")); got != tlb.TON {
			t.Errorf("%s: bob got %v, want 1 TON", version, got)
		}
	}
}

type ahead struct {
	*connection
	by time.Duration
}

func (a *ahead) Head(ctx context.Context) (tlb.Block, error) {
	head, err := a.connection.Head(ctx)
	head.Time = head.Time.Add(a.by)
	return head, err
}

func TestAnotherSender(t *testing.T) {
	// The same key elsewhere uses the sequence number first.
	ctx := t.Context()
	chain, w := funded(t, wallet.V5R1, 20*tlb.TON)
	chain.send = func(*cell.Cell) (bool, error) { return false, nil }
	q := queue(t, w, chain, newMemory())
	if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", tlb.TON)}); err != nil {
		t.Fatal(err)
	}
	if err := q.Step(ctx); err != nil {
		t.Fatal(err)
	}
	other, err := w.Sign(ctx, []contracts.Message{gift("carol", tlb.TON)}, wallet.Once{Until: chain.Now().Add(time.Minute), Deploy: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Chain.Send(ctx, other); err != nil {
		t.Fatal(err)
	}
	chain.send = nil
	settle(t, q)
	for _, name := range []string{"bob", "carol"} {
		if got := balance(t, chain, addressOf(name)); got != tlb.TON {
			t.Errorf("%s got %v, want 1 TON", name, got)
		}
	}
}

func TestDuplicateEnqueue(t *testing.T) {
	ctx := t.Context()
	chain, w := funded(t, wallet.V5R1, 20*tlb.TON)
	store := newMemory()
	q := queue(t, w, chain, store)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", tlb.TON)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := q.Pending(); got != 1 {
		t.Errorf("%d pending, want 1", got)
	}
	settle(t, q)
	for range 2 { // done, and done before a restart
		if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", tlb.TON)}); err != nil {
			t.Fatal(err)
		}
		settle(t, q)
		q = queue(t, w, chain, store)
	}
	if got := balance(t, chain, addressOf("bob")); got != tlb.TON {
		t.Errorf("bob got %v, want 1 TON", got)
	}
}

func TestInsufficient(t *testing.T) {
	ctx := t.Context()
	chain := &connection{Chain: sandbox.New(t)}
	w := walletOf(t, "alice", wallet.V5R1)
	q := queue(t, w, chain, newMemory())

	err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", tlb.TON)})
	short, ok := errors.AsType[wallet.ErrInsufficient](err)
	if !ok || short.Have != 0 || short.Need <= tlb.TON || short.Need > tlb.TON+tlb.TON/10 {
		t.Fatalf("empty wallet: %v", err)
	}
	if q.Pending() != 0 || len(chain.sent) != 0 {
		t.Error("something was enqueued or sent")
	}
	if _, err := q.Wait(ctx, "one"); !errors.Is(err, wallet.ErrUnknownID) {
		t.Errorf("Wait = %v, want %v", err, wallet.ErrUnknownID)
	}

	if err := chain.Faucet(ctx, w.Address(), 2*tlb.TON); err != nil {
		t.Fatal(err)
	}
	if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", tlb.TON)}); err != nil {
		t.Fatal(err)
	}
	// What waits already counts.
	if err := q.Enqueue(ctx, "two", []contracts.Message{gift("bob", tlb.TON)}); !errors.As(err, &short) || short.Have != 2*tlb.TON {
		t.Errorf("two of 1 TON from 2 TON: %v", err)
	}
	settle(t, q)
}

func TestBlockedByFunds(t *testing.T) {
	// Coins leave behind the queue's back: the large send waits, the small one does not.
	ctx := t.Context()
	chain, w := funded(t, wallet.V5R1, 10*tlb.TON)
	q := queue(t, w, chain, newMemory())
	for id, amount := range map[string]tlb.Nano{"large": 8 * tlb.TON, "small": tlb.TON} {
		if err := q.Enqueue(ctx, id, []contracts.Message{gift(id, amount)}); err != nil {
			t.Fatal(err)
		}
	}
	other, err := w.Sign(ctx, []contracts.Message{gift("carol", 5*tlb.TON)}, wallet.Once{Until: chain.Now().Add(time.Minute), Deploy: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Chain.Send(ctx, other); err != nil {
		t.Fatal(err)
	}
	if err := q.Step(ctx); err == nil {
		t.Error("nothing said that a send is waiting for coins")
	}
	if _, err := q.Wait(ctx, "small"); err != nil {
		t.Errorf("small: %v", err)
	}
	_, err = q.Wait(ctx, "large")
	if short, ok := errors.AsType[wallet.ErrInsufficient](err); !ok || short.Have >= 4*tlb.TON || short.Need < 8*tlb.TON {
		t.Errorf("large: %v", err)
	}
	if err := chain.Faucet(ctx, w.Address(), 10*tlb.TON); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	if got := balance(t, chain, addressOf("large")); got != 8*tlb.TON {
		t.Errorf("large got %v, want 8 TON", got)
	}
}

// TestEnqueueBesideFlight: what is signed may have left the wallet already, so
// it is not asked for twice, before a restart and after.
func TestEnqueueBesideFlight(t *testing.T) {
	ctx := t.Context()
	chain, w := funded(t, wallet.V5R1, 10*tlb.TON)
	store := newMemory()
	q := queue(t, w, chain, store)
	if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", 6*tlb.TON)}); err != nil {
		t.Fatal(err)
	}
	chain.send = func(*cell.Cell) (bool, error) { return true, errOffline }
	chain.at = func(string) { panic(crash{}) } // at the first send, just before it
	func() {
		defer func() { _ = recover() }()
		_ = q.Step(ctx)
	}()
	chain.at, chain.send = nil, nil
	q = queue(t, w, chain, store)
	if err := q.Enqueue(ctx, "two", []contracts.Message{gift("carol", 3*tlb.TON)}); err != nil {
		t.Fatal(err)
	}
	if err := q.Enqueue(ctx, "three", []contracts.Message{gift("dave", 8*tlb.TON)}); err == nil {
		t.Error("more than the wallet holds was taken")
	}
	if err := q.Enqueue(ctx, "four", []contracts.Message{gift("erin", 5*tlb.TON)}); err != nil {
		t.Errorf("beside a flight: %v", err)
	}
	for range 3 {
		_ = q.Step(ctx) // "four" has to wait for coins
	}
	if got := q.Pending(); got != 1 {
		t.Errorf("%d pending, want only what cannot be paid", got)
	}
}

func TestSkipped(t *testing.T) {
	// Between signing and executing, the coins for the second message are gone.
	ctx := t.Context()
	chain, w := funded(t, wallet.V5R1, 10*tlb.TON)
	q := queue(t, w, chain, newMemory())
	messages := map[string]tlb.Nano{"one": tlb.TON, "two": 8 * tlb.TON}
	for _, id := range []string{"one", "two"} {
		if err := q.Enqueue(ctx, id, []contracts.Message{gift(id, messages[id])}); err != nil {
			t.Fatal(err)
		}
	}
	chain.send = func(*cell.Cell) (bool, error) { return false, nil }
	if err := q.Step(ctx); err != nil {
		t.Fatal(err)
	}
	// The sandbox has no way to take coins from a wallet but the wallet's own, so
	// the batch is replayed on a network where the wallet holds less.
	poor := &connection{Chain: sandbox.New(t)}
	if err := poor.Faucet(ctx, w.Address(), 5*tlb.TON); err != nil {
		t.Fatal(err)
	}
	if err := poor.Chain.Send(ctx, chain.sent[0]); err != nil {
		t.Fatal(err)
	}
	chain.Chain = poor.Chain
	settle(t, q)
	if _, err := q.Wait(ctx, "one"); err != nil {
		t.Errorf("one: %v", err)
	}
	if r, err := q.Wait(ctx, "two"); !errors.Is(err, wallet.ErrSkipped) || r.LT == 0 {
		t.Errorf("two: %+v, %v, want %v", r, err, wallet.ErrSkipped)
	}
	if got := balance(t, chain, addressOf("two")); got != 0 {
		t.Errorf("two got %v", got)
	}
	if err := q.Enqueue(ctx, "two", []contracts.Message{gift("two", 1)}); err != nil || q.Pending() != 0 {
		t.Errorf("the same id again: %v, %d pending", err, q.Pending())
	}
}

// TestBatch fills one signed message of each wallet.
func TestBatch(t *testing.T) {
	for _, version := range versions {
		t.Run(string(version), func(t *testing.T) {
			ctx := t.Context()
			chain, w := funded(t, version, 100*tlb.TON)
			q := queue(t, w, chain, newMemory())
			full := w.MaxMessages()
			for i := range full + 1 { // one more than fits
				m := gift(fmt.Sprint("friend ", i), tlb.TON/100)
				if err := q.Enqueue(ctx, fmt.Sprint(i), []contracts.Message{m}); err != nil {
					t.Fatal(err)
				}
			}
			settle(t, q)
			if len(chain.sent) != 2 {
				t.Errorf("%d messages signed for %d sends, want 2", len(chain.sent), full+1)
			}
			for i := range full + 1 {
				if got := balance(t, chain, addressOf(fmt.Sprint("friend ", i))); got != tlb.TON/100 {
					t.Fatalf("friend %d got %v", i, got)
				}
				if _, err := q.Wait(ctx, fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestDeployThroughQueue(t *testing.T) {
	// A send whose message carries code: the largest this system makes, a channel.
	for _, version := range versions {
		ctx := t.Context()
		chain, w := funded(t, version, 5*tlb.TON)
		q := queue(t, w, chain, newMemory())
		cfg := tlb.ChannelConfig{
			Payer: w.Address(), Payout: addressOf("bob"), SessionKey: wallet.KeyFromSeed([32]byte{1}).Public(),
			PayeeKey: wallet.KeyFromSeed([32]byte{2}).Public(), CloseDelay: 3600, Network: network, Salt: 7,
		}
		open, err := contracts.OpenChannel(cfg, tlb.TON)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Enqueue(ctx, "open", []contracts.Message{open}); err != nil {
			t.Fatal(err)
		}
		settle(t, q)
		if _, err := q.Wait(ctx, "open"); err != nil {
			t.Fatal(err)
		}
		acc, err := chain.Account(ctx, tlb.Block{}, open.To)
		if err != nil {
			t.Fatal(err)
		}
		if state, err := contracts.ParseChannel(acc); err != nil || state.Deposit != tlb.TON {
			t.Errorf("%s: channel %+v, %v", version, state, err)
		}
	}
}

func TestRun(t *testing.T) {
	chain, w := funded(t, wallet.V5R1, 10*tlb.TON)
	q, err := wallet.NewQueue(w, chain, newMemory(), wallet.Options{Poll: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	for i := range 3 {
		id := fmt.Sprint("send ", i)
		if err := q.Enqueue(ctx, id, []contracts.Message{gift("bob", tlb.TON)}); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Wait(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if got := balance(t, chain, addressOf("bob")); got != 3*tlb.TON {
		t.Errorf("bob got %v, want 3 TON", got)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want %v", err, context.Canceled)
	}
	if _, err := q.Wait(ctx, "none"); !errors.Is(err, wallet.ErrUnknownID) {
		t.Errorf("Wait = %v, want %v", err, wallet.ErrUnknownID)
	}
}

func TestQueueRefusals(t *testing.T) {
	ctx := t.Context()
	chain, w := funded(t, wallet.V5R1, 10*tlb.TON)
	q, err := wallet.NewQueue(w, chain, newMemory(), wallet.Options{MaxPending: 1})
	if err != nil {
		t.Fatal(err)
	}
	large := gift("bob", 1)
	for i := range 400 {
		large.Body = cell.BeginCell().MustStoreUInt(uint64(i), 1000%64).MustStoreSlice(make([]byte, 120), 960).MustStoreRef(large.Body).EndCell()
	}
	many := make([]contracts.Message, 256)
	for i := range many {
		many[i] = gift("bob", 1)
	}
	for _, tt := range []struct {
		name, id string
		messages []contracts.Message
		want     error
	}{
		{"no id", "", []contracts.Message{gift("bob", 1)}, wallet.ErrID},
		{"long id", strings.Repeat("x", 257), []contracts.Message{gift("bob", 1)}, wallet.ErrID},
		{"no messages", "a", nil, wallet.ErrNoMessages},
		{"too many", "a", many, wallet.ErrTooMany},
		{"too large", "a", []contracts.Message{large}, wallet.ErrTooLarge},
		{"no address", "a", []contracts.Message{{Amount: 1}}, tlb.ErrAddress},
		{"no such amount", "a", []contracts.Message{gift("bob", tlb.MaxNano+1)}, tlb.ErrOverflow},
		{"fine", "a", []contracts.Message{gift("bob", 1)}, nil},
		{"full", "b", []contracts.Message{gift("bob", 1)}, wallet.ErrQueueFull},
	} {
		if err := q.Enqueue(ctx, tt.id, tt.messages); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := wallet.NewQueue(wallet.Wallet{}, chain, newMemory(), wallet.Options{}); !errors.Is(err, wallet.ErrNoKey) {
		t.Errorf("no wallet: %v, want %v", err, wallet.ErrNoKey)
	}
}

func TestStoreFailureEndsRun(t *testing.T) {
	chain, w := funded(t, wallet.V5R1, 10*tlb.TON)
	store := &failing{memory: newMemory()}
	q := queue(t, w, chain, store)
	if err := q.Enqueue(t.Context(), "one", []contracts.Message{gift("bob", 1)}); err != nil {
		t.Fatal(err)
	}
	store.err = errors.New("disk full")
	if err := q.Run(t.Context()); !errors.Is(err, store.err) {
		t.Errorf("Run = %v, want %v", err, store.err)
	}
	if len(chain.sent) != 0 {
		t.Error("sent without having been written down")
	}
}

type failing struct {
	*memory
	err error
}

func (f *failing) Commit(write func(set func(key, value []byte), del func(key []byte))) error {
	if f.err != nil {
		return f.err
	}
	return f.memory.Commit(write)
}
