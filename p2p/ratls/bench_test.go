package ratls_test

import (
	"context"
	"crypto/rand"
	"net"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// BenchmarkHandshake compares both ends of a handshake over loopback with
// libp2p's stock TLS in one run: without evidence, gate A alone with an appraisal
// from the cache, gate A alone appraised anew, and both gates, of which the second
// makes and appraises fresh evidence every time.
func BenchmarkHandshake(b *testing.B) {
	w := newWorld(b)
	var cache attest.Cache
	verifier := w.ca.Verifier() // one, which gets to know the platform
	cached := w.attested("cached")
	cached.Appraise = func(s ratls.Shown) (attest.Appraisal, error) {
		return cache.Appraise(verifier, s.Evidence, s.ReportData, w.policy(), time.Now())
	}
	plain := ratls.Options{UnattestedInbound: true, UnattestedOutbound: true}
	for _, c := range []struct {
		name string
		make func() sec.SecureTransport
	}{
		{"stock-tls", func() sec.SecureTransport { return stock(b) }},
		{"gate-a-no-evidence", func() sec.SecureTransport { return compatible(b, plain) }},
		{"gate-a-cached", func() sec.SecureTransport { return compatible(b, cached) }},
		{"gate-a-appraised", func() sec.SecureTransport { return compatible(b, w.attested("full")) }},
		{"both-gates-no-evidence", func() sec.SecureTransport { return transport(b, plain) }},
		{"both-gates-cached", func() sec.SecureTransport { return transport(b, cached) }},
		{"both-gates-appraised", func() sec.SecureTransport { return transport(b, w.attested("full")) }},
	} {
		b.Run(c.name, func(b *testing.B) { handshakes(b, c.make(), c.make) })
	}
}

func stock(b *testing.B) sec.SecureTransport {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	t, err := libp2ptls.New(libp2ptls.ID, key, nil)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// acceptors is enough for none of them to ask for a toll, which they do where one
// alone gets more than 64 handshakes a second.
const acceptors = 64

// handshakes ends each with one byte from acceptor to dialer, which ours sends
// as its verdict and stock TLS needs to tell the dialer that it was accepted.
func handshakes(b *testing.B, dialer sec.SecureTransport, acceptor func() sec.SecureTransport) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	var all []sec.SecureTransport
	for range acceptors {
		all = append(all, acceptor())
	}
	_, ours := dialer.(*ratls.Transport)
	go func() {
		for i := 0; ; i++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := all[i%len(all)].SecureInbound(context.Background(), c, "")
			if err != nil {
				continue
			}
			if !ours {
				s.Write([]byte{1})
			}
			s.Close()
		}
	}()
	once := func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		s, err := dialer.SecureOutbound(context.Background(), c, peer.ID(""))
		if err != nil {
			b.Fatal(err)
		}
		if !ours {
			if _, err := s.Read(make([]byte, 1)); err != nil {
				b.Fatal(err)
			}
		}
		s.Close()
	}
	for range all { // makes certificates and fills the cache
		once()
	}
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}
