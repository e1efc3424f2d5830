package ratls_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/multiformats/go-multiaddr"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// runs is how often each attack is tried.
func runs(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("TUSSAH_ATTACKS")); err == nil && n > 0 {
		return n
	}
	if testing.Short() {
		return 10
	}
	return 100
}

// evil is an end of a connection that speaks TLS with a certificate whose key it
// has, and then says what the test wants.
type evil struct {
	*tls.Conn
	dialed bool // by it
}

// mallory gets hold of certificates and plays with them.
type mallory struct {
	certificate *tls.Certificate
	tune        func(*tls.Config)
}

// stolen is what mallory knows who got hold of the TLS key of an honest node.
func stolen(t testing.TB, from *ratls.Transport) mallory {
	t.Helper()
	c, err := from.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return mallory{certificate: c}
}

func (m mallory) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{*m.certificate}, InsecureSkipVerify: true, ClientAuth: tls.RequireAnyClientCert}
	if m.tune != nil {
		m.tune(c)
	}
	return c
}

// accept ends with mallory's word that the dialer passed gate A.
func (m mallory) accept(c net.Conn) (*evil, error) {
	e := &evil{Conn: tls.Server(c, m.config())}
	err := ratls.CollectToll(c)
	if err == nil {
		err = e.Handshake()
	}
	if err == nil {
		err = e.verdict(ratls.Accepted)
	}
	return e, err
}

// dial ends with the honest acceptor's word about gate A.
func (m mallory) dial(c net.Conn) (*evil, error) {
	e := &evil{Conn: tls.Client(c, m.config()), dialed: true}
	err := ratls.PayToll(c, nil)
	if err == nil {
		err = e.Handshake()
	}
	if err != nil {
		return e, err
	}
	return e, e.heard()
}

func (e *evil) verdict(v uint16) error {
	_, err := e.Write(binary.BigEndian.AppendUint16(nil, v))
	return err
}

var errHeard = errors.New("refused by the honest end")

func (e *evil) heard() error {
	var v [2]byte
	if _, err := io.ReadFull(e, v[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint16(v[:]) != ratls.Accepted {
		return errHeard
	}
	return nil
}

// challenges says a challenge and hears one.
func (e *evil) challenges(ours ratls.Challenge) (ratls.Challenge, error) {
	if err := ratls.WriteFrame(e, ours); err != nil {
		return ratls.Challenge{}, err
	}
	return ratls.ReadChallenge(e)
}

// ends says a proof, hears one, accepts it and hears the honest end's verdict.
func (e *evil) ends(ours ratls.Proof) error {
	if err := ratls.WriteFrame(e, ours); err != nil {
		return err
	}
	if _, err := ratls.ReadProof(e); err != nil {
		return err
	}
	if err := e.verdict(ratls.Accepted); err != nil {
		return err
	}
	return e.heard()
}

// preimage is what honest evidence of this end would be bound to.
func (e *evil) preimage(t testing.TB, own *x509.Certificate, ours, theirs ratls.Challenge) ratls.Preimage {
	t.Helper()
	state := e.ConnectionState()
	nonces := append(append([]byte(nil), ours.Nonce[:]...), theirs.Nonce[:]...)
	if !e.dialed {
		nonces = append(append([]byte(nil), theirs.Nonce[:]...), ours.Nonce[:]...)
	}
	secret, err := state.ExportKeyingMaterial(ratls.ExporterLabel, nonces, 32)
	if err != nil {
		t.Fatal(err)
	}
	return ratls.Preimage{
		TEE: attest.TDX, Claims: ratls.Claims{Role: ours.Role, Contract: ours.Contract},
		Network: ours.Network, Registry: ours.Registry, Epoch: theirs.Epoch,
		OwnKey: sha256.Sum256(own.RawSubjectPublicKeyInfo), PeerKey: sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo),
		PeerNonce: theirs.Nonce, OwnNonce: ours.Nonce, Exporter: [32]byte(secret),
	}
}

// shows is a machine's evidence for a preimage.
func shows(t testing.TB, vm attest.Provider, p ratls.Preimage) ratls.Proof {
	t.Helper()
	e, err := vm.Evidence(t.Context(), p.ReportData())
	if err != nil {
		t.Fatal(err)
	}
	return ratls.ProofOf(e, p.GPU)
}

// meet has mallory and an honest node meet on a TCP connection. The honest end
// dials or is dialled; what it concludes is returned.
func meet(t testing.TB, honest *ratls.Transport, dials bool, want peer.ID, m mallory, play func(*evil)) error {
	t.Helper()
	out, in := pair(t)
	theirs, ours := out, in
	if dials {
		theirs, ours = in, out
	}
	played := make(chan struct{})
	go func() {
		defer close(played)
		defer theirs.Close()
		act := m.dial
		if dials {
			act = m.accept
		}
		// An honest end that refused at gate A ends the play: its reason is what counts.
		if e, err := act(theirs); err == nil {
			play(e)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := secure(ctx, honest, dials)(ours, want)
	if conn != nil {
		conn.Close()
	}
	ours.Close()
	<-played
	return err
}

func secure(ctx context.Context, tr *ratls.Transport, dials bool) func(net.Conn, peer.ID) (sec.SecureConn, error) {
	return func(c net.Conn, want peer.ID) (sec.SecureConn, error) {
		if dials {
			return tr.SecureOutbound(ctx, c, want)
		}
		return tr.SecureInbound(ctx, c, want)
	}
}

// refuses says that an honest end was attacked in vain: it refused by itself, and
// for that reason.
func refuses(t *testing.T, run int, got, want error) {
	t.Helper()
	switch {
	case got == nil:
		t.Fatalf("run %d: accepted", run)
	case errors.Is(got, ratls.ErrRefused):
		t.Fatalf("run %d: left to the other end: %v", run, got)
	case !errors.Is(got, want):
		t.Fatalf("run %d: refused for %v, want %v", run, got, want)
	}
}

// challenge is an honest one of a node in the attacked network.
func challengeOf(o ratls.Options) ratls.Challenge {
	c := ratls.Challenge{Role: ratls.RoleClient, Network: o.Network, Registry: o.Registry}
	if o.Self != nil {
		self := o.Self()
		c.Role, c.Contract = self.Role, self.Contract
	}
	rand.Read(c.Nonce[:])
	return c
}

// node is an attested node with a machine of its own.
type honestNode struct {
	*ratls.Transport
	options ratls.Options
	vm      attest.Provider
}

const (
	testNetwork  = -217
	testRegistry = "0:registry"
)

func (w *world) node(t testing.TB, id string, role ratls.Role) honestNode {
	t.Helper()
	o := w.attested(id)
	o.Network, o.Registry = testNetwork, testRegistry
	o.Self = func() ratls.Claims { return ratls.Claims{Role: role, Contract: "0:" + id} }
	return honestNode{transport(t, o), o, o.Provider}
}

// image is another machine's provider with the same image.
func (w *world) vm(id string) *sim.VM { return w.ca.Platform(id).VM(w.image) }

func chainOf(c *tls.Certificate) []*x509.Certificate { return []*x509.Certificate{c.Leaf} }

// tcpAddr is where a host listens.
func tcpAddr(t *testing.T, h host.Host) string {
	t.Helper()
	port, err := h.Addrs()[0].ValueForProtocol(multiaddr.P_TCP)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", port)
}
