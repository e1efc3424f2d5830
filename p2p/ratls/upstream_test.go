package ratls_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// compatible makes a transport of gate A alone.
func compatible(t testing.TB, o ratls.Options) *ratls.Transport {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := ratls.NewCompatible(ratls.CompatibleID, key, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestCompatibleCertificate(t *testing.T) {
	w := newWorld(t)
	node, other := compatible(t, w.attested("node")), compatible(t, w.attested("other"))
	certificate, err := node.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf := certificate.Leaf
	key, ok := leaf.PublicKey.(ed25519.PublicKey)
	if !ok || leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil {
		t.Fatalf("%T, or not signed by itself", leaf.PublicKey)
	}
	if len(leaf.Extensions) != 1 || !leaf.Extensions[0].Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 12345, 1}) || !leaf.Extensions[0].Critical {
		t.Errorf("extensions %+v, want one, critical, with a quote", leaf.Extensions)
	}
	quote := attest.Evidence{TEE: attest.TDX, Report: leaf.Extensions[0].Value}
	if _, err := w.ca.Verifier().Identify(quote, sha512.Sum512(key)); err != nil {
		t.Errorf("the quote is not bound to SHA-512 of the key: %v", err)
	}
	p, err := other.Check(tls.ConnectionState{PeerCertificates: chainOf(certificate)}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	libp2pKey, err := crypto.UnmarshalEd25519PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := peer.IDFromPublicKey(libp2pKey); p.ID != id {
		t.Errorf("peer %s, want that of the certificate's key, %s", p.ID, id)
	}
	if _, err := node.Check(tls.ConnectionState{PeerCertificates: chainOf(certificate)}, time.Now()); !errors.Is(err, ratls.ErrReflection) {
		t.Errorf("its own certificate: %v, want %v", err, ratls.ErrReflection)
	}
	// The two forms do not stand for each other.
	ours := transport(t, w.attested("ours"))
	if _, err := ours.Check(tls.ConnectionState{PeerCertificates: chainOf(certificate)}, time.Now()); !errors.Is(err, ratls.ErrIdentity) {
		t.Errorf("at both gates: %v, want %v", err, ratls.ErrIdentity)
	}
	full, err := ours.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Check(tls.ConnectionState{PeerCertificates: chainOf(full)}, time.Now()); !errors.Is(err, attest.ErrReportData) {
		t.Errorf("at gate A alone: %v, want %v", err, attest.ErrReportData)
	}
}

// upstreamCertificate is put together as the Cocoon network does it.
func upstreamCertificate(t *testing.T, vm attest.Provider, bound func(ed25519.PublicKey) [64]byte) *tls.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(23 * time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 12345, 1}, Critical: true, Value: report(t, vm, bound(public))}},
	}
	leaf := sign(t, template, public, private)
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: private, Leaf: leaf}
}

func TestCompatiblePeers(t *testing.T) {
	w := newWorld(t)
	node := compatible(t, w.attested("node"))
	right := func(k ed25519.PublicKey) [64]byte { return sha512.Sum512(k) }
	for _, c := range []struct {
		name string
		m    mallory
		want error
	}{
		{"good", mallory{certificate: upstreamCertificate(t, w.vm("upstream"), right)}, nil},
		{"another key's quote", mallory{certificate: upstreamCertificate(t, w.vm("upstream"), func(ed25519.PublicKey) [64]byte { return [64]byte{1} })}, attest.ErrReportData},
		{"foreign root", mallory{certificate: upstreamCertificate(t, newWorld(t).vm("upstream"), right)}, attest.ErrRoot},
	} {
		for _, dials := range []bool{true, false} {
			if err := meet(t, node, dials, "", c.m, func(*evil) {}); !errors.Is(err, c.want) {
				t.Errorf("%s, node dials %v: got %v, want %v", c.name, dials, err, c.want)
			}
		}
	}
}

func TestCompatibleNeedsEd25519(t *testing.T) {
	key, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ratls.NewCompatible(ratls.CompatibleID, key, nil, ratls.Options{}); err == nil {
		t.Error("made with another key")
	}
}

// Two hosts with the mode on still take both gates; only a peer that knows no
// other gets in by gate A, and is told apart.
func TestCompatibleHosts(t *testing.T) {
	w := newWorld(t)
	on := func(id string) ratls.Options {
		o := w.attested(id)
		o.Compatible = true
		return o
	}
	alice, bob, strict := listen(t, ratls.Option(on("alice"))), listen(t, ratls.Option(on("bob"))), listen(t, ratls.Option(w.attested("strict")))
	for _, to := range []struct {
		name string
		host interface{ ID() peer.ID }
		err  error
	}{{"bob", bob, dial(t, alice, bob)}, {"strict", strict, dial(t, alice, strict)}} {
		if to.err != nil {
			t.Fatal(to.err)
		}
		c := alice.Network().ConnsToPeer(to.host.ID())[0]
		if p, _ := ratls.FromConn(c); p.Gated.IsZero() || c.ConnState().Security != ratls.ID {
			t.Errorf("%s: %s, gated %v", to.name, c.ConnState().Security, p.Gated)
		}
	}
	only := listen(t, ratls.OnlyCompatible(w.attested("only")))
	if err := dial(t, only, strict); err == nil {
		t.Error("a host with the mode off was dialled by gate A")
	}
	if err := dial(t, strict, only); err == nil {
		t.Error("a host with the mode off dialled by gate A")
	}
	if err := dial(t, only, bob); err != nil {
		t.Fatal(err)
	}
	p := peerAt(t, bob, only)
	if !p.Gated.IsZero() || p.Claims != (ratls.Claims{}) || p.Appraisal == nil {
		t.Errorf("a peer of gate A alone: gated %v, claims %+v, appraisal %v", p.Gated, p.Claims, p.Appraisal)
	}
}

// Who passed gate A alone is not asked for what it cannot do, and has to come
// again when its appraisal ends.
func TestKeeperDropsCompatible(t *testing.T) {
	w := newWorld(t)
	bob := w.keep(t, "bob", keptOptions{every: time.Millisecond, edit: func(o *ratls.Options) { o.Compatible = true }})
	only := listen(t, ratls.OnlyCompatible(w.attested("only")))
	asked := make(chan struct{}, 100)
	only.SetStreamHandler(ratls.KeepProtocol, func(st network.Stream) { asked <- struct{}{}; st.Reset() })
	if err := dial(t, only, bob.Host); err != nil {
		t.Fatal(err)
	}
	peerAt(t, bob.Host, only)
	time.Sleep(50 * time.Millisecond)
	if len(bob.Network().ConnsToPeer(only.ID())) != 1 || len(asked) != 0 {
		t.Fatalf("dropped or asked, %d times", len(asked))
	}
	st, err := only.NewStream(t.Context(), bob.ID(), echo)
	if err != nil {
		t.Fatal(err)
	}
	st.Write([]byte{1})
	st.Read(make([]byte, 1))
	bob.epoch.Store(1)
	if got, remote := code(st); !remote || got != ratls.ConnErrors+network.ConnErrorCode(ratls.ErrExpired.Code()) {
		t.Errorf("closed with %#x (by the other end: %v)", got, remote)
	}
}
