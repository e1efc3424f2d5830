package ratls_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// world is a network with one root of trust and one allowed image.
type world struct {
	ca    *sim.CA
	image sim.Measurements
}

func newWorld(t testing.TB) *world {
	t.Helper()
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return &world{ca: ca, image: sim.Measure("allowed")}
}

var errUnlisted = errors.New("image is not in the registry")

func (w *world) appraise(s ratls.Shown) (attest.Appraisal, error) {
	return w.ca.Verifier().Appraise(s.Evidence, s.ReportData, w.policy(), time.Now())
}

func (w *world) policy() attest.Policy {
	return attest.Policy{
		AllowSimulated: true,
		EventsLater:    true,
		Platform:       attest.AnyPlatform,
		Image: func(image [32]byte) error {
			if image != w.image.Image() {
				return errUnlisted
			}
			return nil
		},
	}
}

// attested are the options of a node that shows good evidence and demands it.
func (w *world) attested(id string) ratls.Options {
	return ratls.Options{Provider: w.ca.Platform(id).VM(w.image), Appraise: w.appraise}
}

// proxy also takes clients without evidence; client shows none.
func (w *world) proxy() ratls.Options {
	o := w.attested("proxy")
	o.UnattestedInbound = true
	return o
}

func (w *world) client() ratls.Options { return ratls.Options{Appraise: w.appraise} }

const echo = "/test/echo/1"

// listen starts a host on a loopback socket that echoes streams.
func listen(t testing.TB, option libp2p.Option) host.Host {
	t.Helper()
	h, err := libp2p.New(
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		option,
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	h.SetStreamHandler(echo, func(s network.Stream) {
		defer s.Close()
		io.Copy(s, s)
	})
	return h
}

func dial(t testing.TB, from, to host.Host) error {
	t.Helper()
	return from.Connect(t.Context(), peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()})
}

// peerAt is what from's handshake established about to.
func peerAt(t *testing.T, from, to host.Host) ratls.Peer {
	t.Helper()
	// The accepting host learns of a connection a moment after the dialling one.
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if conns := from.Network().ConnsToPeer(to.ID()); len(conns) > 0 {
			p, ok := ratls.FromConn(conns[0])
			if !ok {
				t.Fatal("connection is not ours")
			}
			if p.ID != to.ID() {
				t.Fatalf("peer %s, want %s", p.ID, to.ID())
			}
			return p
		}
	}
	t.Fatal("no connection")
	return ratls.Peer{}
}

func TestBothAttested(t *testing.T) {
	w := newWorld(t)
	alice, bob := listen(t, ratls.Option(w.attested("alice"))), listen(t, ratls.Option(w.attested("bob")))
	if err := dial(t, alice, bob); err != nil {
		t.Fatal(err)
	}
	bobs, alices := peerAt(t, alice, bob), peerAt(t, bob, alice)
	for name, p := range map[string]ratls.Peer{"bob": bobs, "alice": alices} {
		if p.Appraisal == nil || p.Appraisal.Image != w.image.Image() || !p.Appraisal.Simulated {
			t.Errorf("%s: appraisal %+v", name, p.Appraisal)
		}
	}
	if bobs.Appraisal.Platform == alices.Appraisal.Platform {
		t.Error("both ends report one platform")
	}

	state := alice.Network().ConnsToPeer(bob.ID())[0].ConnState()
	if state.Security != ratls.ID || state.StreamMultiplexer != yamux.ID || !state.UsedEarlyMuxerNegotiation {
		t.Errorf("connection state %+v", state)
	}

	a, err := bobs.Export("EXPORTER-test", []byte("nonce"), 32)
	if err != nil {
		t.Fatal(err)
	}
	b, err := alices.Export("EXPORTER-test", []byte("nonce"), 32)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) || bytes.Equal(a, make([]byte, 32)) {
		t.Error("the two ends export different bytes")
	}

	s, err := alice.NewStream(t.Context(), bob.ID(), echo)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := ratls.FromConn(s.Conn()); !ok || p.Appraisal == nil {
		t.Error("a stream does not lead to its peer")
	}
	sent := make([]byte, 1<<20)
	rand.Read(sent)
	go func() {
		s.Write(sent)
		s.CloseWrite()
	}()
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("echo: %d bytes, %v", len(got), err)
	}
}

func TestClientWithoutEvidence(t *testing.T) {
	w := newWorld(t)
	client, proxy := listen(t, ratls.Option(w.client())), listen(t, ratls.Option(w.proxy()))
	if err := dial(t, client, proxy); err != nil {
		t.Fatal(err)
	}
	if p := peerAt(t, client, proxy); p.Appraisal == nil {
		t.Error("the client has no appraisal of the proxy")
	}
	if p := peerAt(t, proxy, client); p.Appraisal != nil {
		t.Errorf("the proxy has an appraisal of the client: %+v", p.Appraisal)
	}
}

// reportFunc is a provider made of a function.
type reportFunc func([64]byte) ([]byte, error)

func (f reportFunc) TEE() attest.TEE { return attest.TDX }

func (f reportFunc) Evidence(_ context.Context, d [64]byte) (attest.Evidence, error) {
	report, err := f(d)
	return attest.Evidence{TEE: attest.TDX, Report: report}, err
}

func (f reportFunc) Measure(context.Context, attest.Event) error { return nil }

// report is what a machine shows for these 64 bytes.
func report(t testing.TB, p attest.Provider, d [64]byte) []byte {
	t.Helper()
	e, err := p.Evidence(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return e.Report
}

// TestRefusals lets mallory dial an honest node and be dialled by one. In both
// directions the dial itself must fail, with the reason.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	honest := w.attested("honest")
	measured := func(edit func(*sim.Measurements)) ratls.Options {
		m := w.image
		edit(&m)
		return ratls.Options{Provider: w.ca.Platform("mallory").VM(m), Appraise: w.appraise}
	}
	foreign := newWorld(t).attested("mallory")
	foreign.Appraise = w.appraise

	// A quote that a good VM made for its own key.
	stolen := report(t, w.ca.Platform("victim").VM(w.image), [64]byte{1})

	for _, c := range []struct {
		name    string
		mallory ratls.Options
		want    error
	}{
		{"stolen quote", ratls.Options{Provider: reportFunc(func([64]byte) ([]byte, error) { return stolen, nil }), Appraise: w.appraise}, attest.ErrReportData},
		{"image not allowed", measured(func(m *sim.Measurements) { *m = sim.Measure("other") }), attest.ErrImage},
		{"debug", measured(func(m *sim.Measurements) { m.Attributes |= 1 }), attest.ErrDebug},
		{"foreign root", foreign, attest.ErrRoot},
		{"no evidence", w.client(), ratls.ErrNoEvidence},
	} {
		t.Run(c.name, func(t *testing.T) {
			node, mallory := listen(t, ratls.Option(honest)), listen(t, ratls.Option(c.mallory))

			err := dial(t, node, mallory)
			if !errors.Is(err, c.want) || errors.Is(err, ratls.ErrRefused) {
				t.Errorf("dialling mallory: got %v, want %v", err, c.want)
			}
			err = dial(t, mallory, node)
			if !errors.Is(err, c.want) || !errors.Is(err, ratls.ErrRefused) {
				t.Errorf("mallory dialling: got %v, want to be refused for %v", err, c.want)
			}
			for _, h := range []host.Host{node, mallory} {
				if n := len(h.Network().Conns()); n != 0 {
					t.Errorf("%d connections are left", n)
				}
			}
		})
	}
}

func TestZeroOptionsAcceptNobody(t *testing.T) {
	w := newWorld(t)
	zero := listen(t, ratls.Option(ratls.Options{}))
	if err := dial(t, zero, listen(t, ratls.Option(w.proxy()))); !errors.Is(err, ratls.ErrNoAppraiser) {
		t.Errorf("attested peer: got %v, want %v", err, ratls.ErrNoAppraiser)
	}
	if err := dial(t, zero, listen(t, ratls.Option(ratls.Options{}))); !errors.Is(err, ratls.ErrNoEvidence) {
		t.Errorf("unattested peer: got %v, want %v", err, ratls.ErrNoEvidence)
	}
}

func TestPeerIDMismatch(t *testing.T) {
	w := newWorld(t)
	alice, bob, carol := listen(t, ratls.Option(w.attested("alice"))), listen(t, ratls.Option(w.attested("bob"))), listen(t, ratls.Option(w.attested("carol")))
	err := alice.Connect(t.Context(), peer.AddrInfo{ID: carol.ID(), Addrs: bob.Addrs()})
	mismatch, ok := errors.AsType[sec.ErrPeerIDMismatch](err)
	if !ok || mismatch.Expected != carol.ID() || mismatch.Actual != bob.ID() {
		t.Errorf("got %v, want a peer id mismatch", err)
	}
}

func TestStockHostsAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, option := range map[string]libp2p.Option{
		"tls":   libp2p.Security(libp2ptls.ID, libp2ptls.New),
		"noise": libp2p.Security(noise.ID, noise.New),
	} {
		t.Run(name, func(t *testing.T) {
			ours, stock := listen(t, ratls.Option(w.proxy())), listen(t, option)
			if err := dial(t, stock, ours); err == nil {
				t.Error("a stock host connected to us")
			}
			if err := dial(t, ours, stock); err == nil {
				t.Error("we connected to a stock host")
			}
		})
	}
}

// Connections of other security protocols must not pass for ours.
func TestFromConnOfAnother(t *testing.T) {
	a, b := listen(t, libp2p.Security(noise.ID, noise.New)), listen(t, libp2p.Security(noise.ID, noise.New))
	if err := dial(t, a, b); err != nil {
		t.Fatal(err)
	}
	if p, ok := ratls.FromConn(a.Network().Conns()[0]); ok {
		t.Errorf("got %+v", p)
	}
}

// transport makes one outside of a host.
func transport(t testing.TB, o ratls.Options) *ratls.Transport {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := ratls.New(ratls.ID, key, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// pair is a TCP connection over loopback.
func pair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestGarbage(t *testing.T) {
	w := newWorld(t)
	tr := transport(t, w.attested("node"))
	random := make([]byte, 1<<16)
	rand.Read(random)
	for name, garbage := range map[string][]byte{
		"text":          []byte("GET / HTTP/1.1\r\n\r\n"),
		"random":        random,
		"zeros":         make([]byte, 1<<16),
		"empty":         nil,
		"record header": {22, 3, 1, 0xff, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			for side, secure := range map[string]func(context.Context, net.Conn, peer.ID) (sec.SecureConn, error){
				"inbound": tr.SecureInbound, "outbound": tr.SecureOutbound,
			} {
				mallory, ours := pair(t)
				go func() {
					mallory.Write(garbage)
					mallory.Close()
				}()
				if _, err := secure(t.Context(), ours, ""); err == nil {
					t.Errorf("%s: accepted garbage", side)
				}
			}
		})
	}
}

// A peer that paid and says nothing more holds a slot until its time is over; with
// all slots held, the next is refused at once; slots come back. One that does not
// even pay holds none.
func TestSilentPeers(t *testing.T) {
	w := newWorld(t)
	tr := transport(t, w.attested("node"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2*ratls.MaxInbound)
	secure := func(c net.Conn) {
		_, err := tr.SecureInbound(ctx, c, "")
		ended <- err
	}
	for range ratls.MaxInbound {
		_, silent := pair(t)
		go secure(silent)
	}
	if err := connect(t, transport(t, w.attested("early")), tr); err != nil {
		t.Errorf("silent strangers hold places: %v", err)
	}
	for range ratls.MaxInbound {
		theirs, ours := pair(t)
		go ratls.PayToll(theirs, nil)
		go secure(ours)
	}
	for deadline := time.Now().Add(10 * time.Second); tr.Inbound() < ratls.MaxInbound && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	theirs, ours := pair(t)
	go ratls.PayToll(theirs, nil)
	if _, err := tr.SecureInbound(t.Context(), ours, ""); !errors.Is(err, ratls.ErrBusy) {
		t.Errorf("got %v, want %v", err, ratls.ErrBusy)
	}
	cancel()
	for range 2 * ratls.MaxInbound {
		if err := <-ended; err == nil {
			t.Error("a silent peer was accepted")
		}
	}
	if err := connect(t, transport(t, w.attested("late")), tr); err != nil {
		t.Errorf("slots did not come back: %v", err)
	}
}

// An acceptor whose certificate is good but who gives no verdict has not accepted.
func TestNoVerdict(t *testing.T) {
	w := newWorld(t)
	dialer, acceptor := transport(t, w.attested("dialer")), transport(t, w.attested("acceptor"))
	certificate, err := acceptor.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{*certificate}, ClientAuth: tls.RequireAnyClientCert}
	for name, after := range map[string]func(c *tls.Conn, cancel func()){
		"closes":      func(c *tls.Conn, _ func()) { c.Close() },
		"stays quiet": func(_ *tls.Conn, cancel func()) { cancel() },
		"sends zero":  func(c *tls.Conn, _ func()) { c.Write([]byte{0}); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out, in := pair(t)
			go func() {
				c := tls.Server(in, config)
				if err := errors.Join(ratls.CollectToll(in), c.Handshake()); err != nil {
					t.Error(err)
				}
				after(c, cancel)
			}()
			if _, err := dialer.SecureOutbound(ctx, out, ""); err == nil {
				t.Error("the dialer takes itself for accepted")
			}
		})
	}
}

// connect runs a handshake between two transports and returns the dialer's error.
func connect(t testing.TB, dialer, acceptor *ratls.Transport) error {
	t.Helper()
	out, in := pair(t)
	accepted := make(chan error, 1)
	go func() {
		_, err := acceptor.SecureInbound(t.Context(), in, "")
		accepted <- err
	}()
	_, err := dialer.SecureOutbound(t.Context(), out, "")
	if err == nil {
		err = <-accepted
	}
	return err
}

func TestPanickingAppraiser(t *testing.T) {
	w := newWorld(t)
	bad := w.attested("bad")
	bad.Appraise = func(ratls.Shown) (attest.Appraisal, error) { panic("bug") }
	good := transport(t, w.attested("good"))
	if err := connect(t, transport(t, bad), good); !errors.Is(err, ratls.ErrPanic) {
		t.Errorf("as dialer: got %v, want %v", err, ratls.ErrPanic)
	}
	if err := connect(t, good, transport(t, bad)); !errors.Is(err, ratls.ErrRefused) {
		t.Errorf("as acceptor: got %v, want %v", err, ratls.ErrRefused)
	}
}

func TestNoQuoteNoHandshake(t *testing.T) {
	w := newWorld(t)
	broken := w.attested("broken")
	errDevice := errors.New("no TDX device")
	broken.Provider = reportFunc(func([64]byte) ([]byte, error) { return nil, errDevice })
	err := connect(t, transport(t, broken), transport(t, w.proxy()))
	if !errors.Is(err, ratls.ErrNoOwnEvidence) || !errors.Is(err, errDevice) {
		t.Errorf("got %v, want %v and its cause", err, ratls.ErrNoOwnEvidence)
	}
}
