package lite_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// hourOld is a network whose blocks are old by this machine's clock.
func hourOld() sandbox.Options {
	return sandbox.Options{Now: func() time.Time { return time.Now().Add(-time.Hour) }}
}

// freeze makes a server replay the proof of what is its newest block now.
func (l *liar) freeze(t testing.TB, trusted lite.KeyBlock) {
	t.Helper()
	id := ton.BlockIDExt{Workchain: -1, Shard: masterShard, SeqNo: trusted.Seqno, RootHash: trusted.RootHash[:], FileHash: trusted.FileHash[:]}
	frozen, err := l.ask(ton.GetBlockProof{KnownBlock: &id})
	if err != nil {
		t.Fatal(err)
	}
	replay := lie(func(query, honest tl.Serializable) tl.Serializable {
		if _, ok := query.(ton.GetBlockProof); ok {
			return frozen
		}
		return honest
	})
	l.lie.Store(&replay)
}

// count counts the queries for the newest block.
func (l *liar) count() *atomic.Int64 {
	var n atomic.Int64
	asked := func(query tl.Serializable) {
		if _, ok := query.(ton.GetBlockProof); ok {
			n.Add(1)
		}
	}
	l.asked.Store(&asked)
	return &n
}

// openStalling opens a client whose first servers can be frozen, and returns what it trusts.
func (w *world) openStalling(t testing.TB, servers ...lite.Server) (*lite.Client, lite.KeyBlock) {
	t.Helper()
	var trusted lite.KeyBlock
	c := w.open(t, lite.Options{Servers: servers, OnTrust: func(k lite.KeyBlock) { trusted = k }})
	return c, trusted
}

// A server that replays its last block for ever does not hide what others know.
func TestFrozenServer(t *testing.T) {
	w := newWorld(t, hourOld())
	one, two := newLiar(t, w.server), newLiar(t, w.server)
	c, trusted := w.openStalling(t, one.server, two.server, at(w.server))
	one.freeze(t, trusted)
	two.freeze(t, trusted)
	w.faucet(t, w.nobody, 20)
	tip, err := w.chain.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var head tlb.Block
	calls := 0
	for ; head.Seqno < tip.Seqno; calls++ {
		if calls == 3 { // one for each server
			t.Fatalf("at block %d after %d calls, an honest server is at %d", head.Seqno, calls, tip.Seqno)
		}
		if head, err = c.Head(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// From now on the honest one is asked first.
	for range 5 {
		w.faucet(t, w.nobody, 1)
		if head, err = c.Head(t.Context()); err != nil {
			t.Fatal(err)
		}
		if tip, _ = w.chain.Head(t.Context()); head.Seqno != tip.Seqno {
			t.Errorf("at block %d, an honest server is at %d", head.Seqno, tip.Seqno)
		}
	}
}

// Nor does one that moves on, but stays behind.
func TestLaggingServer(t *testing.T) {
	key := func(n uint32) bool { return n == 1 }
	lagging, fresh := newKeyChain(t, 20, true, key), newKeyChain(t, 20, true, key)
	lagging.head.Store(2)
	fresh.head.Store(2)
	c, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{at(serve(t, lagging)), at(serve(t, fresh))},
		Global: sandbox.DefaultGlobalID, Trusted: keyBlockOf(fresh.ids[1])})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := uint32(3); n <= 10; n++ {
		lagging.head.Store(n)
		fresh.head.Store(n + 10)
		if got, err := c.Head(t.Context()); err != nil || got.Seqno != n+10 {
			t.Errorf("at block %d, want %d: %v", got.Seqno, n+10, err)
		}
	}
}

// As long as blocks are fresh, one server is enough.
func TestFreshHeadTakesOneQuery(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	one, two := newLiar(t, w.server), newLiar(t, w.server)
	c, _ := w.openStalling(t, one.server, two.server)
	asked, beside := one.count(), two.count()
	for range 10 {
		w.faucet(t, w.nobody, 1)
		if _, err := c.Head(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 10 || beside.Load() != 0 {
		t.Errorf("%d and %d queries, want 10 and 0", asked.Load(), beside.Load())
	}
}

// Servers that answer at once instead of waiting are not asked all the time.
func TestWaitPauses(t *testing.T) {
	w := newWorld(t, sandbox.Options{Mode: sandbox.Manual})
	l := newLiar(t, w.server)
	c, trusted := w.openStalling(t, l.server)
	head, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.freeze(t, trusted)
	asked := l.count()
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	if err := c.Wait(ctx, head.Seqno+1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a block that does not come: %v", err)
	}
	if n := asked.Load(); n == 0 || n > 10 {
		t.Errorf("%d queries in a second, want 1 to 10", n)
	}
}

// Whoever waits for a block hears of it from the server that has it, at once and
// not only when the head has become old.
func TestWaitBesideFrozenServer(t *testing.T) {
	w := newWorld(t, sandbox.Options{Mode: sandbox.Manual})
	l := newLiar(t, w.server)
	c, trusted := w.openStalling(t, l.server, at(w.server))
	head, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.freeze(t, trusted)
	if _, err := w.chain.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked := l.count()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	if err := c.Wait(ctx, head.Seqno+1); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the frozen server was asked %d times, want once", n)
	}
}

// A server that leads towards the head in the smallest of steps, each just in time,
// has its time for a call and no more. The next call goes on from where it came to.
func TestCallEndsInTime(t *testing.T) {
	const links = 40
	chain := newKeyChain(t, links, true, func(uint32) bool { return true })
	chain.head.Store(1)
	l := newLiar(t, serve(t, chain))
	var mu sync.Mutex
	var trusted []uint32
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(trusted)
	}
	const limit = 600 * time.Millisecond
	c, err := lite.Open(t.Context(), lite.Options{
		Servers: []lite.Server{l.server}, Global: sandbox.DefaultGlobalID, Trusted: keyBlockOf(chain.ids[1]), Timeout: limit,
		OnTrust: func(k lite.KeyBlock) {
			mu.Lock()
			defer mu.Unlock()
			trusted = append(trusted, k.Seqno)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	chain.head.Store(links)
	drip := lie(func(_, answer tl.Serializable) tl.Serializable {
		time.Sleep(limit / 4)
		if p, ok := answer.(ton.PartialBlockProof); ok && len(p.Steps) > 1 {
			first := p.Steps[0].(ton.BlockLinkForward)
			p.Steps, p.To, p.Complete = p.Steps[:1], first.To, false
			return p
		}
		return answer
	})
	l.lie.Store(&drip)
	began := time.Now()
	_, err = c.Head(context.Background())
	if !errors.Is(err, lite.ErrTimeout) {
		t.Errorf("%v, want %v", err, lite.ErrTimeout)
	}
	if took := time.Since(began); took > 6*limit { // 4, and some for a slow machine
		t.Errorf("took %s", took)
	}
	proven := count()
	if proven == 0 || proven == links-1 {
		t.Fatalf("%d key blocks proven, want some of %d", proven, links-1)
	}
	l.lie.Store(nil)
	if head, err := c.Head(t.Context()); err != nil || head.Seqno != links {
		t.Fatalf("next call: at block %d, %v", head.Seqno, err)
	}
	for i, n := range trusted {
		if n != uint32(i+2) {
			t.Fatalf("key blocks were proven twice: %v", trusted)
		}
	}
}
