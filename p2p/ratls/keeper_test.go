package ratls_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"go.uber.org/goleak"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// kept is a host with a keeper, whose machine and policy a test can turn.
type kept struct {
	host.Host
	epoch  atomic.Uint64
	judge  atomic.Pointer[func(ratls.Shown) error] // refuses what it likes to
	expiry atomic.Int64                            // of appraisals, in ns; 0: the verifier's
	broken atomic.Bool                             // the machine
	quotes atomic.Int64
}

type keptOptions struct {
	every time.Duration
	idle  bool // has no keeper
	slow  bool // at its real pace
	// how often a peer may ask, and how long be silent; 0: always, and long
	within time.Duration
	edit   func(*ratls.Options)
}

func (w *world) keep(t *testing.T, id string, ko keptOptions) *kept {
	t.Helper()
	k := &kept{}
	o := w.attested(id)
	inner, appraise := o.Provider, o.Appraise
	o.Every = ko.every
	o.Epoch = k.epoch.Load
	o.Provider = reportFunc(func(d [64]byte) ([]byte, error) {
		k.quotes.Add(1)
		if k.broken.Load() {
			return nil, errors.New("device busy")
		}
		return report(t, inner, d), nil
	})
	o.Appraise = func(s ratls.Shown) (attest.Appraisal, error) {
		if judge := k.judge.Load(); judge != nil {
			if err := (*judge)(s); err != nil {
				return attest.Appraisal{}, err
			}
		}
		a, err := appraise(s)
		if d := k.expiry.Load(); d != 0 {
			a.Expiry = time.Now().Add(time.Duration(d))
		}
		return a, err
	}
	if ko.edit != nil {
		ko.edit(&o)
	}
	k.Host = listen(t, ratls.Option(o))
	if !ko.idle {
		keeper := ratls.NewKeeper(k.Host, o)
		switch {
		case ko.within != 0:
			keeper.Within(ko.within)
		case !ko.slow:
			keeper.Fast()
		}
		run(t, keeper)
	}
	return k
}

// run runs a keeper until the test ends, and has it end well.
func run(t *testing.T, k *ratls.Keeper) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("keeper ended with %v", err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return stop
}

// until waits for what must come to be.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

func linked(t *testing.T, a, b *kept) (atA, atB ratls.Peer) {
	t.Helper()
	if err := dial(t, a.Host, b.Host); err != nil {
		t.Fatal(err)
	}
	return peerAt(t, a.Host, b.Host), peerAt(t, b.Host, a.Host)
}

func TestKeeperRepeats(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{every: 50 * time.Millisecond}), w.keep(t, "bob", keptOptions{})
	first, firstAtBob := linked(t, alice, bob)
	conn := alice.Network().ConnsToPeer(bob.ID())[0]
	var third ratls.Peer
	until(t, "bob attested again, twice", func() bool {
		third, _ = ratls.FromConn(conn)
		return third.Gated.Sub(first.Gated) >= 100*time.Millisecond
	})
	if third.Appraisal.Evidence == first.Appraisal.Evidence {
		t.Error("FromConn still tells of the first evidence")
	}
	until(t, "bob, asked, knows newer evidence of alice as well", func() bool {
		p := peerAt(t, bob.Host, alice.Host)
		return p.Gated.After(firstAtBob.Gated) && p.Appraisal.Evidence != firstAtBob.Appraisal.Evidence
	})
	if conn.IsClosed() || len(alice.Network().ConnsToPeer(bob.ID())) != 1 {
		t.Error("it is another connection")
	}
}

func TestKeeperFollowsThePolicy(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{}), w.keep(t, "bob", keptOptions{})
	first, _ := linked(t, alice, bob)
	time.Sleep(50 * time.Millisecond)
	if p := peerAt(t, alice.Host, bob.Host); p.Gated != first.Gated {
		t.Fatal("attested again without a reason")
	}
	alice.epoch.Store(1)
	until(t, "bob attested again under the new policy", func() bool { return peerAt(t, alice.Host, bob.Host).Gated.After(first.Gated) })
	second := peerAt(t, alice.Host, bob.Host)
	time.Sleep(50 * time.Millisecond)
	if p := peerAt(t, alice.Host, bob.Host); p.Gated != second.Gated {
		t.Error("attested again for one change of the policy")
	}
}

// closings tells the error codes of a host's connections as they end.
func closings(h host.Host, at func(network.Conn)) {
	h.Network().Notify(&network.NotifyBundle{DisconnectedF: func(_ network.Network, c network.Conn) { at(c) }})
}

// code is with what a connection was closed, as its streams tell.
func code(st network.Stream) (c network.ConnErrorCode, remote bool) {
	st.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := st.Read(make([]byte, 1))
	if e, ok := errors.AsType[*network.ConnError](err); ok {
		return e.ErrorCode, e.Remote
	}
	return 0, false
}

func TestKeeperDropsWhoFails(t *testing.T) {
	for _, c := range []struct {
		name string
		turn func(w *world, alice *kept) // alice's policy
		want *attest.Refusal
	}{
		{"image revoked", func(_ *world, alice *kept) {
			refuse := func(ratls.Shown) error { return attest.ErrImage }
			alice.judge.Store(&refuse)
			alice.epoch.Store(1)
		}, attest.ErrImage},
		{"platform denied", func(_ *world, alice *kept) {
			refuse := func(ratls.Shown) error { return attest.ErrPlatform }
			alice.judge.Store(&refuse)
			alice.epoch.Store(1)
		}, attest.ErrPlatform},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			alice, bob := w.keep(t, "alice", keptOptions{}), w.keep(t, "bob", keptOptions{})
			var gone atomic.Int64
			closings(bob.Host, func(network.Conn) { gone.Add(1) })
			linked(t, alice, bob)
			st, err := bob.NewStream(t.Context(), alice.ID(), echo)
			if err != nil {
				t.Fatal(err)
			}
			st.Write([]byte{1})
			st.Read(make([]byte, 1))
			c.turn(w, alice)
			// Either end may be the first to close: bob hears the same reason by verdict.
			got, remote := code(st)
			if remote && got != ratls.ConnErrors+network.ConnErrorCode(c.want.Code()) {
				t.Errorf("closed with %#x, want %#x and %d", got, ratls.ConnErrors, c.want.Code())
			}
			until(t, "no connection", func() bool {
				return len(alice.Network().Conns()) == 0 && len(bob.Network().Conns()) == 0 && gone.Load() == 1
			})
		})
	}
}

// The code reaches a peer whose keeper does not close first: bob's end here lets
// alice ask, and stops before the verdict that would tell it.
func TestKeeperDropsWithACode(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{}), w.keep(t, "bob", keptOptions{idle: true})
	bob.SetStreamHandler(ratls.KeepProtocol, func(st network.Stream) {
		ratls.ReadChallenge(st)
		ratls.WriteFrame(st, goodChallenge()) // of another network
		ratls.ReadProof(st)
		ratls.WriteFrame(st, ratls.Proof{})
		st.Write([]byte{0xff, 0xff})
	})
	linked(t, alice, bob)
	st, err := bob.NewStream(t.Context(), alice.ID(), echo)
	if err != nil {
		t.Fatal(err)
	}
	st.Write([]byte{1})
	st.Read(make([]byte, 1))
	alice.epoch.Store(1)
	if got, remote := code(st); !remote || got != ratls.ConnErrors+network.ConnErrorCode(ratls.ErrNetwork.Code()) {
		t.Errorf("closed with %#x (by the other end: %v), want %#x", got, remote, ratls.ConnErrors+network.ConnErrorCode(ratls.ErrNetwork.Code()))
	}
}

func TestKeeperAsksOnlyForEvidence(t *testing.T) {
	w := newWorld(t)
	proxy := w.keep(t, "proxy", keptOptions{every: time.Millisecond, edit: func(o *ratls.Options) { o.UnattestedInbound = true }})
	client := w.keep(t, "client", keptOptions{idle: true, edit: func(o *ratls.Options) { o.Provider = nil }})
	var asked atomic.Int64
	client.SetStreamHandler(ratls.KeepProtocol, func(st network.Stream) { asked.Add(1); st.Reset() })
	_, first := linked(t, client, proxy)
	time.Sleep(100 * time.Millisecond)
	if asked.Load() != 0 {
		t.Errorf("a client without evidence was asked %d times", asked.Load())
	}
	if p := peerAt(t, proxy.Host, client.Host); p.Gated != first.Gated || p.Appraisal != nil {
		t.Errorf("client: %+v", p)
	}
}

func TestKeeperIsNotAskedAllTheTime(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{slow: true}), w.keep(t, "bob", keptOptions{idle: true})
	linked(t, alice, bob)
	quotes := alice.quotes.Load()
	for range 5 {
		st, err := bob.NewStream(t.Context(), alice.ID(), ratls.KeepProtocol)
		if err != nil {
			t.Fatal(err)
		}
		st.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := ratls.ReadChallenge(st); !errors.Is(err, network.ErrReset) {
			t.Errorf("got %v, want a reset", err)
		}
	}
	if n := alice.quotes.Load() - quotes; n != 0 {
		t.Errorf("%d quotes were made", n)
	}
	if len(alice.Network().Conns()) != 1 {
		t.Error("asking ended the connection")
	}
}

func TestKeeperRetriesUntilExpiry(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{every: 20 * time.Millisecond}), w.keep(t, "bob", keptOptions{})
	alice.expiry.Store(int64(time.Hour))
	first, _ := linked(t, alice, bob)

	bob.broken.Store(true)
	tries := bob.quotes.Load()
	until(t, "several tries", func() bool { return bob.quotes.Load() >= tries+5 })
	if len(alice.Network().Conns()) != 1 || len(bob.Network().Conns()) != 1 {
		t.Fatal("a machine that is busy was dropped")
	}
	bob.broken.Store(false)
	broke := time.Now()
	until(t, "attested again once it works", func() bool { return peerAt(t, alice.Host, bob.Host).Gated.After(broke) })
	if first.ID != peerAt(t, alice.Host, bob.Host).ID {
		t.Error("another peer")
	}

	// Now for longer than the appraisal holds.
	alice.expiry.Store(int64(300 * time.Millisecond))
	broke = time.Now()
	until(t, "an appraisal that expires", func() bool { return peerAt(t, alice.Host, bob.Host).Gated.After(broke) })
	st, err := bob.NewStream(t.Context(), alice.ID(), echo)
	if err != nil {
		t.Fatal(err)
	}
	bob.broken.Store(true)
	if got, remote := code(st); !remote || got != ratls.ConnErrors+network.ConnErrorCode(ratls.ErrExpired.Code()) {
		t.Errorf("closed with %#x (by the other end: %v), want that of %v", got, remote, ratls.ErrExpired)
	}
	until(t, "no connection", func() bool { return len(alice.Network().Conns()) == 0 })
}

// An appraisal is renewed when it expires, be gate B due or not.
func TestKeeperRenewsBeforeUse(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{}), w.keep(t, "bob", keptOptions{})
	alice.expiry.Store(int64(50 * time.Millisecond))
	first, _ := linked(t, alice, bob)
	until(t, "renewed", func() bool { return peerAt(t, alice.Host, bob.Host).Appraisal.Expiry.After(first.Appraisal.Expiry) })
}

// Both ends ask at every tick, so they ask at once most of the time.
func TestKeepersAskAtOnce(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{every: time.Nanosecond}), w.keep(t, "bob", keptOptions{every: time.Nanosecond})
	linked(t, alice, bob)
	for range 20 {
		now := time.Now()
		until(t, "both attested again", func() bool {
			return peerAt(t, alice.Host, bob.Host).Gated.After(now) && peerAt(t, bob.Host, alice.Host).Gated.After(now)
		})
	}
}

func TestKeeperEnds(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{idle: true}), w.keep(t, "bob", keptOptions{idle: true})
	hang := make(chan struct{})
	defer close(hang)
	bob.SetStreamHandler(ratls.KeepProtocol, func(st network.Stream) { <-hang; st.Reset() })
	o := w.attested("alice")
	o.Every = time.Nanosecond
	linked(t, alice, bob)
	before := goleak.IgnoreCurrent()
	stop := run(t, ratls.NewKeeper(alice.Host, o).Fast())
	time.Sleep(50 * time.Millisecond) // it is asking, and waits for bob
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("ended after %v", took)
	}
	if err := goleak.Find(before, goleak.IgnoreAnyFunction("github.com/tussah-network/tussah/p2p/ratls_test.TestKeeperEnds.func2"),
		goleak.IgnoreAnyFunction("github.com/libp2p/go-libp2p/p2p/host/basic.(*BasicHost).newStreamHandler")); err != nil {
		t.Error(err)
	}
	for _, p := range alice.Mux().Protocols() {
		if p == ratls.KeepProtocol {
			t.Error("the host still answers")
		}
	}
}

// Who is asked while it asks answers all the same. If it did not, two keepers of
// one pace would turn each other away at every tick, until both had expired.
func TestKeeperAnswersWhileItAsks(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{}), w.keep(t, "bob", keptOptions{idle: true})
	asked, hang := make(chan struct{}), make(chan struct{})
	defer close(hang)
	bob.SetStreamHandler(ratls.KeepProtocol, func(st network.Stream) { close(asked); <-hang; st.Reset() })
	linked(t, alice, bob)
	alice.epoch.Store(1)
	<-asked
	st, err := bob.NewStream(t.Context(), alice.ID(), ratls.KeepProtocol)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Reset()
	st.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := ratls.ReadChallenge(st); err != nil {
		t.Errorf("alice does not answer: %v", err)
	}
}

// A peer that does not answer when the policy changed is not kept for as long as
// its old appraisal would last.
func TestKeeperDropsTheSilent(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{within: 200 * time.Millisecond}), w.keep(t, "bob", keptOptions{idle: true})
	linked(t, alice, bob)
	conn := alice.Network().ConnsToPeer(bob.ID())[0]
	alice.epoch.Store(1)
	until(t, "bob dropped", conn.IsClosed)
}

// What is missing is ours: a peer that stands is not dropped for it.
func TestKeeperKeepsWhomItCannotJudge(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.keep(t, "alice", keptOptions{within: 50 * time.Millisecond}), w.keep(t, "bob", keptOptions{})
	first, _ := linked(t, alice, bob)
	conn := alice.Network().ConnsToPeer(bob.ID())[0]
	blind := func(ratls.Shown) error { return ratls.ErrCannotJudge }
	alice.judge.Store(&blind)
	alice.epoch.Store(1)
	time.Sleep(500 * time.Millisecond)
	if conn.IsClosed() {
		t.Fatal("bob was dropped for what alice did not know")
	}
	alice.judge.Store(nil)
	until(t, "bob attested again", func() bool {
		p, _ := ratls.FromConn(conn)
		return p.Gated.After(first.Gated)
	})
}

// A stranger that asks and breaks off, again and again, gets one quote in a while.
func TestKeeperLimitsQuotes(t *testing.T) {
	w := newWorld(t)
	const least = 300 * time.Millisecond
	bob := w.keep(t, "bob", keptOptions{within: least, edit: func(o *ratls.Options) { o.UnattestedInbound = true }})
	mallory := listen(t, ratls.Option(w.client()))
	if err := dial(t, mallory, bob.Host); err != nil {
		t.Fatal(err)
	}
	time.Sleep(least)
	start, before := time.Now(), bob.quotes.Load()
	for range 40 {
		st, err := mallory.NewStream(t.Context(), bob.ID(), ratls.KeepProtocol)
		if err != nil {
			t.Fatal(err)
		}
		if ratls.WriteFrame(st, ratls.Challenge{Role: ratls.RoleClient}) == nil {
			if _, err := ratls.ReadChallenge(st); err == nil {
				ratls.ReadProof(st)
			}
		}
		st.Reset()
	}
	if made, most := bob.quotes.Load()-before, int64(time.Since(start)/least)+1; made > most || made == 0 {
		t.Errorf("%d quotes in %v", made, time.Since(start))
	}
}
