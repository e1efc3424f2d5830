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
// libp2p's stock TLS: without evidence, with evidence whose appraisal costs
// nothing (as from a cache), and with full appraisal at both ends.
func BenchmarkHandshake(b *testing.B) {
	w := newWorld(b)
	cached := w.attested("cached")
	cached.Appraise = func(ratls.Shown) (attest.Appraisal, error) {
		return attest.Appraisal{TEE: attest.TDX, Expiry: time.Now().Add(time.Hour)}, nil
	}
	plain := ratls.Options{UnattestedInbound: true, UnattestedOutbound: true}

	b.Run("stock-tls", func(b *testing.B) {
		stock := func() sec.SecureTransport {
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
		handshakes(b, stock(), stock())
	})
	for name, o := range map[string]ratls.Options{"plain": plain, "cached": cached, "appraised": w.attested("full")} {
		b.Run(name, func(b *testing.B) { handshakes(b, transport(b, o), transport(b, o)) })
	}
}

// handshakes ends each with one byte from acceptor to dialer, which ours sends
// as its verdict and stock TLS needs to tell the dialer that it was accepted.
func handshakes(b *testing.B, dialer, acceptor sec.SecureTransport) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	_, ours := acceptor.(*ratls.Transport)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := acceptor.SecureInbound(context.Background(), c, "")
			if err != nil {
				continue
			}
			if !ours {
				s.Write([]byte{1})
			}
			s.Close()
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
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
}
