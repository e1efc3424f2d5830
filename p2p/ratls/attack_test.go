package ratls_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/multiformats/go-multistream"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// TestAttacks holds the channel against the seven attacks that it is made to
// withstand, each over TCP sockets and many times, and the honest end in both
// directions. TUSSAH_ATTACKS says how many times.
func TestAttacks(t *testing.T) {
	w := newWorld(t)
	for _, a := range []struct {
		name   string
		attack func(*testing.T, *world)
	}{
		{"relay", relay},
		{"diversion", diversion},
		{"reflection", reflection},
		{"replay", replay},
		{"cross-network", crossNetwork},
		{"resumption", resumption},
		{"missing gate B", missingGateB},
	} {
		t.Run(a.name, func(t *testing.T) { t.Parallel(); a.attack(t, w) })
	}
}

// TestHonestMallory is the control: with nothing wrong, the ends of the attacks
// accept each other. So each attack fails for what is wrong with it.
func TestHonestMallory(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	m := stolen(t, bob.Transport)
	for _, dials := range []bool{true, false} {
		var heard error
		if err := meet(t, alice.Transport, dials, "", m, func(e *evil) {
			ours := challengeOf(bob.options)
			theirs, err := e.challenges(ours)
			heard = errors.Join(err, e.ends(shows(t, bob.vm, e.preimage(t, m.certificate.Leaf, ours, theirs))))
		}); err != nil || heard != nil {
			t.Errorf("alice dials %v: %v; mallory heard %v", dials, err, heard)
		}
	}
}

// relay: mallory holds the leaked TLS key of bob, or of both, stands between them
// and forwards what they say at gate B. Only the exporter tells.
func relay(t *testing.T, w *world) {
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	open := bob.options // takes mallory as a client without evidence
	open.UnattestedInbound = true
	bobOpen := transport(t, open)
	asBob, asAlice := stolen(t, bob.Transport), stolen(t, alice.Transport)
	asBobOpen, asNobody := stolen(t, bobOpen), stolen(t, transport(t, w.client()))
	for run := range runs(t) {
		to, front, back := bob.Transport, asBob, asAlice
		if run%2 == 1 {
			to, front, back = bobOpen, asBobOpen, asNobody
		}
		out, in := pair(t)
		errs := make(chan error, 1)
		go func() {
			_, err := to.SecureInbound(t.Context(), in, "")
			errs <- err
		}()
		err := meet(t, alice.Transport, true, "", front, func(toAlice *evil) {
			defer out.Close()
			toBob, err := back.dial(out)
			if err != nil {
				return
			}
			forward(toAlice, toBob)
		})
		out.Close()
		refuses(t, run, err, attest.ErrReportData)
		if err := <-errs; run%2 == 0 {
			refuses(t, run, err, attest.ErrReportData) // bob too is talked to with a leaked key
		} else if err == nil {
			t.Fatalf("run %d: bob accepted what alice had made", run)
		}
	}
}

// forward carries all bytes both ways until either end closes.
func forward(a, b *evil) {
	var both sync.WaitGroup
	for _, way := range [][2]*evil{{a, b}, {b, a}} {
		both.Go(func() {
			io.Copy(way[0], way[1])
			time.AfterFunc(50*time.Millisecond, func() { a.Close(); b.Close() }) // verdicts cross
		})
	}
	both.Wait()
}

// diversion: alice is led to a good machine that is not the one she meant.
func diversion(t *testing.T, w *world) {
	alice, bob, carol := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy), w.node(t, "carol", ratls.RoleProxy)
	bobs := stolen(t, bob.Transport)
	for run := range runs(t) {
		switch run % 3 {
		case 0: // bob is dialled, carol answers
			out, in := pair(t)
			go carol.SecureInbound(t.Context(), in, "")
			_, err := alice.SecureOutbound(t.Context(), out, idOf(t, bob.Transport))
			if _, ok := errors.AsType[sec.ErrPeerIDMismatch](err); !ok {
				t.Fatalf("run %d: got %v, want a peer id mismatch", run, err)
			}
		case 1: // carol's evidence says carol's contract, mallory says bob's
			err := meet(t, alice.Transport, run%2 == 0, "", bobs, func(e *evil) {
				ours := challengeOf(bob.options)
				theirs, _ := e.challenges(ours)
				p := e.preimage(t, bobs.certificate.Leaf, ours, theirs)
				p.Claims.Contract = "0:carol"
				e.ends(shows(t, bob.vm, p))
			})
			refuses(t, run, err, attest.ErrReportData)
		case 2: // bob's certificate, and carol's machine behind it
			err := meet(t, alice.Transport, run%2 == 0, "", bobs, func(e *evil) {
				ours := challengeOf(bob.options)
				theirs, _ := e.challenges(ours)
				e.ends(shows(t, carol.vm, e.preimage(t, bobs.certificate.Leaf, ours, theirs)))
			})
			refuses(t, run, err, ratls.ErrGates)
		}
	}
}

// idOf is the id of a transport, as its certificate proves it to others.
func idOf(t *testing.T, tr *ratls.Transport) peer.ID {
	t.Helper()
	c, err := tr.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := transport(t, ratls.Options{UnattestedInbound: true, Appraise: func(ratls.Shown) (attest.Appraisal, error) { return attest.Appraisal{}, nil }})
	p, err := w.Check(tls.ConnectionState{PeerCertificates: chainOf(c)}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// reflection: alice is shown what she herself says.
func reflection(t *testing.T, w *world) {
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	open := alice.options
	open.UnattestedInbound, open.UnattestedOutbound = true, true
	aliceOpen := transport(t, open)
	self, bobs, nobody := stolen(t, alice.Transport), stolen(t, bob.Transport), stolen(t, transport(t, w.client()))
	echo := func(e *evil) {
		theirs, err := ratls.ReadChallenge(e)
		if err != nil || ratls.WriteFrame(e, theirs) != nil {
			return
		}
		if proof, err := ratls.ReadProof(e); err == nil {
			ratls.WriteFrame(e, proof)
		}
		e.verdict(ratls.Accepted)
		e.heard()
	}
	echoProof := func(o ratls.Options) func(*evil) {
		return func(e *evil) {
			if _, err := e.challenges(challengeOf(o)); err != nil {
				return
			}
			if proof, err := ratls.ReadProof(e); err == nil {
				ratls.WriteFrame(e, proof)
			}
			e.verdict(ratls.Accepted)
			e.heard()
		}
	}
	for run := range runs(t) {
		dials := run%2 == 0
		switch run / 2 % 4 {
		case 0: // with alice's own leaked key
			refuses(t, run, meet(t, alice.Transport, dials, "", self, echo), ratls.ErrReflection)
		case 1: // the challenge too, which makes nonces equal
			refuses(t, run, meet(t, alice.Transport, dials, "", bobs, echo), ratls.ErrReflection)
		case 2: // with a good machine's key, in alice's role
			refuses(t, run, meet(t, alice.Transport, dials, "", bobs, echoProof(alice.options)), attest.ErrReportData)
		case 3: // without any evidence at gate A
			refuses(t, run, meet(t, aliceOpen, dials, "", nobody, echoProof(alice.options)), ratls.ErrGates)
		}
	}
}

// replay: mallory, with bob's leaked key, repeats a proof that alice accepted.
func replay(t *testing.T, w *world) {
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	bobs := stolen(t, bob.Transport)
	var challenge ratls.Challenge
	var proof ratls.Proof
	record := func(e *evil) {
		challenge = challengeOf(bob.options)
		theirs, err := e.challenges(challenge)
		if err != nil {
			return
		}
		proof = shows(t, bob.vm, e.preimage(t, bobs.certificate.Leaf, challenge, theirs))
		e.ends(proof)
	}
	for run := range runs(t) {
		dials := run%2 == 0
		if run%10 == 0 {
			if err := meet(t, alice.Transport, dials, "", bobs, record); err != nil {
				t.Fatalf("run %d: the proof to replay was not accepted: %v", run, err)
			}
		}
		refuses(t, run, meet(t, alice.Transport, dials, "", bobs, func(e *evil) {
			if _, err := e.challenges(challenge); err == nil {
				e.ends(proof)
			}
		}), attest.ErrReportData)
	}
}

// crossNetwork: a good machine of another network or registry, honest about it or not.
func crossNetwork(t *testing.T, w *world) {
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	bobs := stolen(t, bob.Transport)
	elsewhere := []func(*ratls.Options){
		func(o *ratls.Options) { o.Network = -218 },
		func(o *ratls.Options) { o.Registry = "0:fork" },
	}
	for run := range runs(t) {
		dials := run%2 == 0
		o := bob.options
		elsewhere[run/2%2](&o)
		if run/4%2 == 0 {
			stranger := transport(t, o)
			out, in := pair(t)
			dialer, acceptor := alice.Transport, stranger
			if !dials {
				dialer, acceptor = stranger, alice.Transport
			}
			errs := make(chan error, 1)
			go func() {
				_, err := acceptor.SecureInbound(t.Context(), in, "")
				errs <- err
			}()
			_, err := dialer.SecureOutbound(t.Context(), out, "")
			refuses(t, run, err, ratls.ErrNetwork)
			refuses(t, run, <-errs, ratls.ErrNetwork)
			continue
		}
		refuses(t, run, meet(t, alice.Transport, dials, "", bobs, func(e *evil) {
			ours := challengeOf(bob.options)
			theirs, _ := e.challenges(ours)
			p := e.preimage(t, bobs.certificate.Leaf, ours, theirs)
			p.Network, p.Registry = o.Network, o.Registry // what the machine really is of
			e.ends(shows(t, bob.vm, p))
		}), attest.ErrReportData)
	}
}

// resumption: mallory offers a session of her own making, and tickets; nothing is
// ever resumed or issued, and everybody is checked.
func resumption(t *testing.T, w *world) {
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	var appraised atomic.Int64
	inner := alice.options.Appraise
	counted := alice.options
	counted.Appraise = func(s ratls.Shown) (attest.Appraisal, error) { appraised.Add(1); return inner(s) }
	target := transport(t, counted)
	asAlice, bobs := stolen(t, target), stolen(t, bob.Transport)
	nobody := stolen(t, transport(t, w.client()))
	var key [32]byte
	copy(key[:], "mallory makes tickets by this key")

	for run := range runs(t) {
		if run%2 == 1 { // alice is dialled, with a ticket that mallory made with alice's leaked key
			cache := &tickets{LRU: tls.NewLRUClientSessionCache(1)}
			m := nobody
			m.tune = func(c *tls.Config) { c.ClientSessionCache, c.ServerName = cache, "alice" }
			if err := forgeTicket(t, asAlice, m, key); err != nil {
				t.Fatal(err)
			}
			issued := cache.put.Load()
			err := meet(t, target, false, "", m, func(e *evil) { t.Error("mallory is in") })
			refuses(t, run, err, ratls.ErrNoEvidence)
			if cache.got.Load() == 0 || cache.put.Load() != issued {
				t.Fatalf("run %d: ticket offered %d times, %d new ones issued", run, cache.got.Load(), cache.put.Load()-issued)
			}
			continue
		}
		// Alice dials. Once she accepted; the second time mallory has tickets for
		// her and no machine any more.
		m := bobs
		m.tune = func(c *tls.Config) { c.SetSessionTicketKeys([][32]byte{key}) }
		honest := run%4 == 0
		before := appraised.Load()
		err := meet(t, target, true, "", m, func(e *evil) {
			if e.ConnectionState().DidResume {
				t.Error("alice resumed a session")
			}
			ours := challengeOf(bob.options)
			theirs, _ := e.challenges(ours)
			proof := ratls.Proof{}
			if honest {
				proof = shows(t, bob.vm, e.preimage(t, m.certificate.Leaf, ours, theirs))
			}
			e.ends(proof)
		})
		if honest {
			if err != nil || appraised.Load() != before+2 {
				t.Fatalf("run %d: %v after %d appraisals", run, err, appraised.Load()-before)
			}
			continue
		}
		refuses(t, run, err, ratls.ErrNoEvidence)
		if appraised.Load() != before+1 {
			t.Fatalf("run %d: gate A was not judged again", run)
		}
	}
}

// tickets counts what a client is issued and what it offers.
type tickets struct {
	LRU      tls.ClientSessionCache
	put, got atomic.Int64
}

func (c *tickets) Put(key string, s *tls.ClientSessionState) { c.put.Add(1); c.LRU.Put(key, s) }

func (c *tickets) Get(key string) (*tls.ClientSessionState, bool) {
	s, ok := c.LRU.Get(key)
	if ok {
		c.got.Add(1)
	}
	return s, ok
}

// forgeTicket fills mallory's cache with a session of a server with alice's certificate.
func forgeTicket(t *testing.T, alice, m mallory, key [32]byte) error {
	out, in := pair(t)
	alice.tune = func(c *tls.Config) { c.SetSessionTicketKeys([][32]byte{key}) }
	ended := make(chan error, 1)
	go func() {
		e, err := alice.accept(in)
		e.Close()
		ended <- err
	}()
	e, err := m.dial(out)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, e) // the ticket comes before the end
	return errors.Join(err, <-ended)
}

// missingGateB: gate A passed, and then nothing that gate B asks for.
func missingGateB(t *testing.T, w *world) {
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	strict := listen(t, ratls.Option(alice.options))
	bobs := stolen(t, bob.Transport)
	for run := range runs(t) {
		dials := run%2 == 0
		switch run / 2 % 5 {
		case 0: // stops
			refuses(t, run, meet(t, alice.Transport, dials, "", bobs, func(e *evil) { e.Close() }), io.EOF)
		case 1: // shows nothing
			refuses(t, run, meet(t, alice.Transport, dials, "", bobs, func(e *evil) {
				e.challenges(challengeOf(bob.options))
				e.ends(ratls.Proof{})
			}), ratls.ErrNoEvidence)
		case 2: // goes on to the muxer
			refuses(t, run, meet(t, alice.Transport, dials, "", bobs, func(e *evil) {
				e.Write(binary.BigEndian.AppendUint32(nil, 1<<31))
			}), ratls.ErrGateMessage)
		case 3: // says nothing, until its time is over
			ctx, cancel := context.WithCancel(t.Context())
			out, in := pair(t)
			go func() {
				act := bobs.accept
				c := in
				if !dials {
					act, c = bobs.dial, out
				}
				if e, err := act(c); err == nil {
					ratls.ReadChallenge(e) // so alice is at gate B
				}
				cancel()
			}()
			ours := out
			if !dials {
				ours = in
			}
			_, err := secure(ctx, alice.Transport, dials)(ours, "")
			refuses(t, run, err, net.ErrClosed)
		case 4: // asks for the protocol without gate B, which is off
			c, err := net.Dial("tcp", tcpAddr(t, strict))
			if err != nil {
				t.Fatal(err)
			}
			_, err = multistream.SelectOneOf([]string{string(ratls.CompatibleID)}, c)
			c.Close()
			if _, ok := errors.AsType[multistream.ErrNotSupported[string]](err); !ok {
				t.Fatalf("run %d: got %v, want the protocol to be unknown", run, err)
			}
		}
	}
	if n := len(strict.Network().Conns()); n != 0 {
		t.Errorf("%d connections", n)
	}
}
