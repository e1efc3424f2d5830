package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/tlb"
)

// handler answers with the functions a test gives it.
type handler struct {
	hello        func(context.Context, Peer, Hello) (Hello, error)
	announce     func(context.Context, Peer, tlb.ChannelConfig) (ChannelStatus, error)
	closeChannel func(context.Context, Peer, string) (tlb.SignedCoopClose, error)
	offers       func(context.Context, Peer) ([]Offer, error)
	request      func(context.Context, Peer, *Incoming) error
}

func (h handler) Hello(ctx context.Context, p Peer, m Hello) (Hello, error) {
	return h.hello(ctx, p, m)
}
func (h handler) Announce(ctx context.Context, p Peer, c tlb.ChannelConfig) (ChannelStatus, error) {
	return h.announce(ctx, p, c)
}
func (h handler) CloseChannel(ctx context.Context, p Peer, c string) (tlb.SignedCoopClose, error) {
	return h.closeChannel(ctx, p, c)
}
func (h handler) Offers(ctx context.Context, p Peer) ([]Offer, error) { return h.offers(ctx, p) }
func (h handler) Request(ctx context.Context, p Peer, in *Incoming) error {
	return h.request(ctx, p, in)
}

// pair is a payer and a payee, connected over loopback with simulated evidence of the
// payee; the payer shows none.
type pair struct {
	client     *Client
	server     *Server
	payer      *p2p.Host
	payee      *p2p.Host
	log        *lockedBuffer
	disconnect chan struct{} // closed when the payer lost the connection
}

type lockedBuffer struct {
	mu struct {
		sync.Mutex
		bytes.Buffer
	}
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.String()
}

func anyone(Peer) error { return nil }

// testTimes are for tests that do not wait for them, shortTimes for those that do.
var (
	testTimes = timeouts{
		call: 20 * time.Second, header: 20 * time.Second, body: 20 * time.Second, frame: 20 * time.Second,
		write: 20 * time.Second, cancel: 20 * time.Second, grace: 20 * time.Second,
	}
	shortTimes = timeouts{
		call: 20 * time.Second, header: 500 * time.Millisecond, body: time.Second, frame: 500 * time.Millisecond,
		write: 500 * time.Millisecond, cancel: 500 * time.Millisecond, grace: 500 * time.Millisecond,
	}
)

var testCA = sync.OnceValues(sim.NewCA)

func newPair(t testing.TB, h Handler) *pair {
	return newPairWith(t, h, Options{Admit: anyone}, testTimes)
}

// proxyClaims are what the payee of these tests attests to.
func proxyClaims() ratls.Claims { return ratls.Claims{Role: RoleProxy, Contract: "EQpayout"} }

func newPairWith(t testing.TB, h Handler, o Options, times timeouts) *pair {
	t.Helper()
	ca, err := testCA()
	if err != nil {
		t.Fatal(err)
	}
	policy := attest.Policy{AllowSimulated: true, EventsLater: true, Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform}
	p := &pair{log: &lockedBuffer{}, disconnect: make(chan struct{})}
	p.payee = newHost(t, p2p.Options{
		RATLS:  ratls.Options{Provider: ca.Platform("rack").VM(sim.Measure("proxy")), UnattestedInbound: true, Self: proxyClaims},
		Listen: []string{"/ip4/127.0.0.1/tcp/0"},
	})
	p.payer = newHost(t, p2p.Options{
		RATLS: ratls.Options{Appraise: func(s ratls.Shown) (attest.Appraisal, error) {
			return ca.Verifier().Appraise(s.Evidence, s.ReportData, policy, time.Now())
		}},
		AllowPrivate: true,
	})
	o.Log = slog.New(slog.NewTextHandler(io.MultiWriter(p.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.server = serve(p.payee, h, o, times)
	t.Cleanup(p.server.Close)
	p.client = NewClient(p.payer, Options{Log: o.Log}) // admits the payee because it is attested
	p.client.times = times
	candidate, err := p2p.ParseCandidateAddr(p.payee.Addresses()[0], p2p.FromConfig)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.payer.Dial(t.Context(), candidate); err != nil {
		t.Fatal(err)
	}
	p.payer.Network().Notify(&network.NotifyBundle{DisconnectedF: func(network.Network, network.Conn) { close(p.disconnect) }})
	return p
}

func newHost(t testing.TB, o p2p.Options) *p2p.Host {
	t.Helper()
	id, err := p2p.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	h, err := p2p.Open(id, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func (p *pair) request(t *testing.T, h Header, body io.Reader) *Outgoing {
	t.Helper()
	out, err := p.client.Request(t.Context(), p.payee.ID(), h, body)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return out
}

func next[E Event](t *testing.T, out *Outgoing) E {
	t.Helper()
	e, err := out.Next(t.Context())
	if err != nil {
		t.Fatalf("next: %v", err)
	}
	want, ok := e.(E)
	if !ok {
		t.Fatalf("got %s: %+v, want %s", e.kind(), e, want.kind())
	}
	return want
}

func wantEnd(t *testing.T, out *Outgoing) {
	t.Helper()
	if e, err := out.Next(t.Context()); err != io.EOF {
		t.Errorf("after the terminal event: got %v, %v, want EOF", e, err)
	}
	if err := out.SendVoucher(testVoucher(t, 1)); !errors.Is(err, ErrEnded) {
		t.Errorf("voucher after the end: got %v, want ErrEnded", err)
	}
	if err := out.Cancel(); !errors.Is(err, ErrEnded) {
		t.Errorf("cancel after the end: got %v, want ErrEnded", err)
	}
}

func TestControlCalls(t *testing.T) {
	hello, voucher := testHello(), testVoucher(t, 10)
	consent, err := tlb.SignCoopClose(tlb.CoopClose{Network: -3, Channel: testAddress(7), Final: 10}, testKey(2))
	if err != nil {
		t.Fatal(err)
	}
	said := Hello{Version: Version, Role: RoleClient, Network: -3, Registry: "EQregistry", Agent: "me"}
	status := ChannelStatus{Channel: channelAddress, Highest: &voucher, Authorised: 10, Spent: 4}
	p := newPair(t, handler{
		hello: func(_ context.Context, p Peer, h Hello) (Hello, error) {
			if p.Appraisal != nil || !cmp.Equal(h, said, sameMessage) {
				return Hello{}, fmt.Errorf("heard %+v of %+v", h, p)
			}
			return hello, nil
		},
		announce: func(_ context.Context, _ Peer, c tlb.ChannelConfig) (ChannelStatus, error) {
			if !cmp.Equal(c, testConfig(), sameMessage) {
				return ChannelStatus{}, fmt.Errorf("heard %+v", c)
			}
			return status, nil
		},
		closeChannel: func(_ context.Context, _ Peer, c string) (tlb.SignedCoopClose, error) {
			if c != channelAddress {
				return tlb.SignedCoopClose{}, &Error{Code: CodeChannelUnknown, Message: "no channel " + c, Hint: "announce it first"}
			}
			return consent, nil
		},
		offers: func(context.Context, Peer) ([]Offer, error) { return hello.Offers, nil },
	})
	ctx, id := t.Context(), p.payee.ID()

	// What a peer says has to be what its evidence is bound to.
	for _, lie := range []func(*Hello){func(h *Hello) { h.Role = RoleWorker }, func(h *Hello) { h.Payout = "EQmallory" }} {
		honest := hello
		lie(&hello)
		if _, _, err := p.client.Hello(ctx, id, said); !errors.Is(err, ErrUnauthorised) {
			t.Errorf("a hello that its evidence does not bear out: %v", err)
		}
		hello = honest
	}

	gotHello, who, err := p.client.Hello(ctx, id, said)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hello, gotHello, sameMessage); diff != "" {
		t.Errorf("hello (-want +got):\n%s", diff)
	}
	if who.ID != id || who.Appraisal == nil || who.Appraisal.Image != sim.Measure("proxy").Image() {
		t.Errorf("peer is %+v", who)
	}
	gotStatus, err := p.client.Announce(ctx, id, testConfig(), testKey(1))
	if diff := cmp.Diff(status, gotStatus, sameMessage); err != nil || diff != "" {
		t.Errorf("announce: %v (-want +got):\n%s", err, diff)
	}
	gotConsent, err := p.client.CloseChannel(ctx, id, channelAddress)
	if diff := cmp.Diff(consent, gotConsent, sameMessage); err != nil || diff != "" {
		t.Errorf("close: %v (-want +got):\n%s", err, diff)
	}
	gotOffers, err := p.client.Offers(ctx, id)
	if diff := cmp.Diff(hello.Offers, gotOffers, sameMessage); err != nil || diff != "" {
		t.Errorf("offers: %v (-want +got):\n%s", err, diff)
	}
	if rtt, err := p.client.Ping(ctx, id); err != nil || rtt <= 0 {
		t.Errorf("ping: %v, %v", rtt, err)
	}

	_, err = p.client.CloseChannel(ctx, id, "EQother")
	refusal, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, ErrChannelUnknown) || refusal.Message != "no channel EQother" || refusal.Hint != "announce it first" {
		t.Errorf("close of another channel: got %v", err)
	}
}

func TestControlRefusals(t *testing.T) {
	blocked := make(chan struct{})
	p := newPair(t, handler{
		hello: func(context.Context, Peer, Hello) (Hello, error) { return Hello{}, nil }, // no role: cannot be sent
		announce: func(context.Context, Peer, tlb.ChannelConfig) (ChannelStatus, error) {
			return ChannelStatus{}, errors.New("disk of alice is full")
		},
		closeChannel: func(context.Context, Peer, string) (tlb.SignedCoopClose, error) { panic("canary-73b1") },
		offers: func(ctx context.Context, _ Peer) ([]Offer, error) {
			<-ctx.Done()
			close(blocked)
			return nil, ctx.Err()
		},
	})
	ctx, id := t.Context(), p.payee.ID()
	client := Hello{Version: Version, Role: RoleClient}

	if _, _, err := p.client.Hello(ctx, id, client); !errors.Is(err, ErrInternal) {
		t.Errorf("answer that cannot be sent: got %v, want ErrInternal", err)
	}
	if _, err := p.client.Announce(ctx, id, testConfig(), testKey(1)); !errors.Is(err, ErrInternal) || strings.Contains(err.Error(), "alice") {
		t.Errorf("foreign error: got %v", err)
	}
	if _, err := p.client.CloseChannel(ctx, id, "c"); !errors.Is(err, ErrInternal) {
		t.Errorf("panic: got %v, want ErrInternal", err)
	}
	if log := p.log.String(); !strings.Contains(log, "handler panic") || strings.Contains(log, "canary") {
		t.Errorf("log of the panic: %s", log)
	}
	short, stop := context.WithTimeout(ctx, 100*time.Millisecond)
	defer stop()
	if _, err := p.client.Offers(short, id); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow answer: got %v, want DeadlineExceeded", err)
	}
	p.server.stop(ErrDraining)
	<-blocked
	if _, err := p.client.Announce(ctx, p.payer.ID(), testConfig(), testKey(1)); err == nil {
		t.Error("a call to ourselves succeeded")
	}
}

func TestVersionAndConnection(t *testing.T) {
	p := newPair(t, handler{hello: func(context.Context, Peer, Hello) (Hello, error) {
		h := testHello()
		h.Version = 2
		return h, nil
	}})
	ctx, id := t.Context(), p.payee.ID()
	if _, _, err := p.client.Hello(ctx, id, Hello{Role: RoleClient}); !errors.Is(err, ErrVersion) {
		t.Errorf("payee of version 2: got %v, want ErrVersion", err)
	}
	if _, _, err := call[Hello](ctx, p.client, id, Hello{Role: RoleClient, Version: 2}); !errors.Is(err, ErrVersion) {
		t.Errorf("payer of version 2: got %v, want ErrVersion", err)
	}
	p.payer.Network().ClosePeer(id)
	if _, err := p.client.Ping(ctx, id); !errors.Is(err, ErrNotConnected) {
		t.Errorf("without a connection: got %v, want ErrNotConnected", err)
	}
	if _, err := p.client.Request(ctx, id, testHeader(1), strings.NewReader("x")); !errors.Is(err, ErrNotConnected) {
		t.Errorf("without a connection: got %v, want ErrNotConnected", err)
	}
}

func TestAdmission(t *testing.T) {
	h := handler{hello: func(context.Context, Peer, Hello) (Hello, error) { return testHello(), nil }}
	hello := Hello{Role: RoleClient}
	t.Run("payee admits attested peers only", func(t *testing.T) {
		p := newPairWith(t, h, Options{}, testTimes)
		if _, _, err := p.client.Hello(t.Context(), p.payee.ID(), hello); !errors.Is(err, ErrUnauthorised) {
			t.Errorf("hello: got %v, want ErrUnauthorised", err)
		}
		out := p.request(t, testHeader(3), strings.NewReader("abc"))
		if got := next[Failed](t, out); got.Code != CodeUnauthorised {
			t.Errorf("request: got %s, want unauthorised", got.Code)
		}
	})
	t.Run("payer refuses before it sends", func(t *testing.T) {
		p := newPair(t, handler{hello: func(context.Context, Peer, Hello) (Hello, error) {
			t.Error("payee was asked")
			return Hello{}, nil
		}})
		revoked := errors.New("image was revoked")
		p.client.opts.Admit = func(p Peer) error { return fmt.Errorf("%x: %w", p.Appraisal.Image[:4], revoked) }
		if _, _, err := p.client.Hello(t.Context(), p.payee.ID(), hello); !errors.Is(err, ErrNotAdmitted) || !errors.Is(err, revoked) {
			t.Errorf("hello: got %v", err)
		}
		if _, err := p.client.Request(t.Context(), p.payee.ID(), testHeader(1), unread{t}); !errors.Is(err, ErrNotAdmitted) || !errors.Is(err, revoked) {
			t.Errorf("request: got %v", err)
		}
	})
	t.Run("an appraisal ends", func(t *testing.T) {
		p := newPair(t, h)
		attested, _ := ratls.FromConn(p.payer.Network().ConnsToPeer(p.payee.ID())[0])
		attested.Appraisal.Expiry = time.Now().Add(-time.Second)
		if _, _, err := p.client.Hello(t.Context(), p.payee.ID(), hello); !errors.Is(err, ErrNotAdmitted) || !errors.Is(err, ErrExpired) {
			t.Errorf("hello: got %v, want ErrExpired", err)
		}
	})
}

// unread is a body that must not be touched.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// rawStream opens a stream past the client, to send what it would not.
func (p *pair) rawStream(t *testing.T, proto protocol.ID) network.Stream {
	t.Helper()
	st, err := p.payer.NewStream(t.Context(), p.payee.ID(), proto)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Reset() })
	return st
}

func frames(t *testing.T, messages ...message) []byte {
	t.Helper()
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = appendFrame(b, m); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// A channel's address is public, and so is a voucher once it was claimed: neither
// lets a stranger use the channel.
func TestAnnouncementNeedsTheSessionKey(t *testing.T) {
	heard := false
	p := newPair(t, handler{announce: func(context.Context, Peer, tlb.ChannelConfig) (ChannelStatus, error) {
		heard = true
		return ChannelStatus{Channel: channelAddress}, nil
	}})
	ctx, id, cfg := t.Context(), p.payee.ID(), testConfig()
	if _, err := p.client.Announce(ctx, id, cfg, nil); !errors.Is(err, tlb.ErrPrivateKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := p.client.Announce(ctx, id, cfg, testKey(2)); !errors.Is(err, ErrUnauthorised) || heard {
		t.Errorf("another key: %v", err)
	}
	for name, ends := range map[string][2]peer.ID{"another payer": {"someone", id}, "another payee": {p.payer.ID(), "someone"}} {
		proof, err := signAnnouncement(ends[0], ends[1], cfg, testKey(1))
		if err != nil {
			t.Fatal(err)
		}
		if err := (announce{cfg, proof}).verify(p.payer.ID(), id); !errors.Is(err, ErrUnauthorised) {
			t.Errorf("%s: %v", name, err)
		}
	}
	proof, err := signAnnouncement(p.payer.ID(), id, cfg, testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	other := cfg
	other.Salt++
	if err := (announce{other, proof}).verify(p.payer.ID(), id); !errors.Is(err, ErrUnauthorised) {
		t.Errorf("another channel: %v", err)
	}
	cfg.SessionKey = [32]byte{1} // of small order: one signature fits every text
	if err := (announce{cfg, proof}).verify(p.payer.ID(), id); !errors.Is(err, ErrUnauthorised) {
		t.Errorf("weak key: %v", err)
	}
	if _, err := p.client.Announce(ctx, id, testConfig(), testKey(1)); err != nil || !heard {
		t.Errorf("the channel's own key: %v", err)
	}
}
