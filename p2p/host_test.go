package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"go.uber.org/goleak"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testCA = sync.OnceValues(sim.NewCA)

// attested makes options of a node that shows simulated evidence and wants it of all.
func attested(t testing.TB) ratls.Options {
	t.Helper()
	ca, err := testCA()
	if err != nil {
		t.Fatal(err)
	}
	policy := attest.Policy{AllowSimulated: true, EventsLater: true, Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform}
	return ratls.Options{
		Provider: ca.Platform("rack").VM(sim.Measure("node")),
		Appraise: func(s ratls.Shown) (attest.Appraisal, error) {
			return ca.Verifier().Appraise(s.Evidence, s.ReportData, policy, time.Now())
		},
	}
}

func open(t testing.TB, o Options) *Host {
	t.Helper()
	h, err := Open(newIdentity(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func listening(t testing.TB) (*Host, Candidate) {
	t.Helper()
	h := open(t, Options{RATLS: attested(t), Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
	c, err := ParseCandidateAddr(h.Addresses()[0], FromConfig)
	if err != nil {
		t.Fatal(err)
	}
	return h, c
}

func TestDial(t *testing.T) {
	h, c := listening(t)
	dialer := open(t, Options{RATLS: attested(t), AllowPrivate: true})
	if err := dialer.Dial(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := dialer.Dial(t.Context(), Candidate{ID: c.ID}); err != nil {
		t.Errorf("when connected: %v", err)
	}
	conns := dialer.Network().ConnsToPeer(h.ID())
	if len(conns) != 1 {
		t.Fatalf("%d connections", len(conns))
	}
	if p, ok := ratls.FromConn(conns[0]); !ok || p.Appraisal == nil {
		t.Errorf("peer is %+v, %v", p, ok)
	}
	if got := conns[0].ConnState().StreamMultiplexer; !strings.Contains(string(got), "yamux") {
		t.Errorf("muxer is %q", got)
	}
}

func TestDialRefusals(t *testing.T) {
	_, c := listening(t)
	public := open(t, Options{RATLS: attested(t)})
	private := open(t, Options{RATLS: attested(t), AllowPrivate: true})
	byName := c
	byName.Addrs = []string{strings.Replace(c.Addrs[0], "/ip4/127.0.0.1", "/dns4/localhost", 1)}
	stranger := c
	stranger.ID = newIdentity(t).ID()

	if err := public.Dial(t.Context(), c); !errors.Is(err, ErrPrivateAddress) {
		t.Errorf("loopback: got %v, want ErrPrivateAddress", err)
	}
	// The gater holds also where libp2p dials on its own.
	info := peer.AddrInfo{ID: c.ID, Addrs: []ma.Multiaddr{ma.StringCast(c.Addrs[0])}}
	if err := public.Connect(t.Context(), info); err == nil {
		t.Error("loopback was dialled by Connect")
	}
	if err := public.Dial(t.Context(), byName); err == nil {
		t.Error("a name for loopback was dialled")
	}
	if err := private.Dial(t.Context(), byName); err != nil {
		t.Errorf("a name for loopback, private addresses allowed: %v", err)
	}
	if err := private.Dial(t.Context(), stranger); err == nil {
		t.Error("a peer passed under another's id")
	}
	if err := private.Dial(t.Context(), Candidate{ID: stranger.ID}); err == nil {
		t.Error("a peer without address was dialled")
	}
	if err := private.Dial(t.Context(), Candidate{ID: stranger.ID, Addrs: []string{"x"}}); err == nil {
		t.Error("a malformed address was dialled")
	}
	unattested := open(t, Options{AllowPrivate: true, RATLS: ratls.Options{UnattestedOutbound: true}})
	if err := unattested.Dial(t.Context(), c); !errors.Is(err, ratls.ErrRefused) && !errors.Is(err, ratls.ErrNoAppraiser) {
		t.Errorf("a node without evidence: got %v", err)
	}
}

func TestOpenRefusals(t *testing.T) {
	for name, o := range map[string]Options{
		"not a multiaddr": {Listen: []string{"127.0.0.1:80"}},
		"UDP":             {Listen: []string{"/ip4/127.0.0.1/udp/1/quic-v1"}},
	} {
		if _, err := Open(newIdentity(t), o); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: got %v, want ErrAddress", name, err)
		}
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	listen := []string{"/ip4/127.0.0.1/tcp/0", fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)}
	if _, err := Open(newIdentity(t), Options{Listen: listen}); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("port taken: got %v", err)
	}
}

// TestStreamsPerProtocol: one peer cannot have more streams of a protocol than the
// limit, and others are not affected.
func TestStreamsPerProtocol(t *testing.T) {
	h, c := listening(t)
	const proto = "/test/1"
	release := make(chan struct{})
	h.SetStreamHandler(proto, func(st network.Stream) {
		st.Write([]byte("x"))
		<-release
		st.Close()
	})
	alice := open(t, Options{RATLS: attested(t), AllowPrivate: true})
	bob := open(t, Options{RATLS: attested(t), AllowPrivate: true})
	opened := func(h *Host) bool {
		st, err := h.NewStream(t.Context(), c.ID, proto)
		if err != nil {
			return false
		}
		t.Cleanup(func() { st.Reset() })
		_, err = io.ReadFull(st, make([]byte, 1))
		return err == nil
	}
	for _, h := range []*Host{alice, bob} {
		if err := h.Dial(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for n <= streamsPerProtocolPerPeer && opened(alice) {
		n++
	}
	if n < streamsPerProtocolPerPeer-8 || n > streamsPerProtocolPerPeer {
		t.Errorf("alice has %d streams, want about %d", n, streamsPerProtocolPerPeer)
	}
	if !opened(bob) {
		t.Error("bob has none")
	}
	close(release)
}

func TestConnectionsAreBounded(t *testing.T) {
	h := open(t, Options{RATLS: attested(t), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Connections: 3})
	c, err := ParseCandidateAddr(h.Addresses()[0], FromConfig)
	if err != nil {
		t.Fatal(err)
	}
	connected := 0
	for range 6 {
		if open(t, Options{RATLS: attested(t), AllowPrivate: true}).Dial(t.Context(), c) == nil {
			connected++
		}
	}
	if connected != 3 {
		t.Errorf("%d peers are connected, want 3", connected)
	}
}

func TestMDNS(t *testing.T) {
	if err := RunMDNS(t.Context(), open(t, Options{}), 1, NewBook(), nil); !errors.Is(err, ErrMDNSPrivate) {
		t.Errorf("without private addresses: got %v", err)
	}
	for network, want := range map[int32]string{-239: "_tussah-m239._udp", -3: "_tussah-m3._udp", 7: "_tussah-7._udp", -1 << 31: "_tussah-m2147483648._udp"} {
		if got := serviceTag(network); got != want {
			t.Errorf("network %d: %s, want %s", network, got, want)
		}
	}
	book := NewBook()
	find := mdnsFinder{book: book, log: slog.New(slog.DiscardHandler)}
	id := newIdentity(t).ID()
	find.HandlePeerFound(peer.AddrInfo{ID: id})
	find.HandlePeerFound(peer.AddrInfo{ID: "garbage", Addrs: []ma.Multiaddr{ma.StringCast("/ip4/192.168.1.2/tcp/1")}})
	find.HandlePeerFound(peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{ma.StringCast("/ip4/192.168.1.2/udp/1/quic-v1")}})
	if got := book.Candidates(); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	var many []ma.Multiaddr
	for i := range 1000 {
		many = append(many, ma.StringCast(fmt.Sprintf("/ip4/192.168.1.2/tcp/%d", i+1)))
	}
	find.HandlePeerFound(peer.AddrInfo{ID: id, Addrs: many})
	if got := book.Candidates(); len(got) != 1 || got[0].ID != id || len(got[0].Addrs) != maxAddresses || got[0].Source != FromMDNS {
		t.Errorf("got %+v", got)
	}
}

// TestMDNSOverTheNetwork needs an interface with multicast.
func TestMDNSOverTheNetwork(t *testing.T) {
	if !multicast() {
		t.Skip("no network interface of this machine does multicast")
	}
	var books []*Book
	var hosts []*Host
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for range 2 {
		h := open(t, Options{RATLS: attested(t), AllowPrivate: true, Listen: []string{"/ip4/0.0.0.0/tcp/0"}})
		book := NewBook()
		running.Go(func() {
			if err := RunMDNS(ctx, h, 1234567, book, nil); err != nil {
				t.Errorf("mDNS: %v", err)
			}
		})
		books, hosts = append(books, book), append(hosts, h)
	}
	for end := time.Now().Add(5 * time.Second); len(books[0].Find(hosts[1].ID())) == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Skip("nothing was heard in 5 s: this machine's multicast does not come back to it")
		}
	}
	found := books[0].Find(hosts[1].ID())[0]
	if err := hosts[0].Dial(ctx, found); err != nil {
		t.Errorf("dialling %+v: %v", found, err)
	}
}

func multicast() bool {
	all, err := net.Interfaces()
	if err != nil {
		return false
	}
	for _, i := range all {
		if i.Flags&(net.FlagUp|net.FlagMulticast|net.FlagLoopback) == net.FlagUp|net.FlagMulticast {
			return true
		}
	}
	return false
}
