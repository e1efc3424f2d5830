package ratls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"

	"github.com/tussah-network/tussah/p2p/attest"
)

// ID is the protocol that peers negotiate.
const ID protocol.ID = "/tussah/ratls/2"

// Options say what we show and what we accept. Zero Options show nothing and
// accept nobody.
type Options struct {
	// Provider obtains our evidence. Default: we show none.
	Provider attest.Provider
	// Appraise judges a peer's evidence, which must be bound to reportData. It
	// must not fetch anything. Default: evidence is refused.
	Appraise func(e attest.Evidence, reportData [64]byte) (attest.Appraisal, error)
	// UnattestedInbound accepts peers who dial us and show no evidence, as
	// clients of a proxy. What they may do is for protocols to decide.
	UnattestedInbound bool
	// UnattestedOutbound accepts peers we dial that show no evidence.
	UnattestedOutbound bool
	// Log gets refusals of inbound peers, which libp2p does not report.
	// Default: none.
	Log *slog.Logger
}

// Option makes a libp2p host use this security protocol and no other, with the
// muxer that [FromConn] needs.
func Option(o Options) libp2p.Option {
	// libp2p's injection tells the parameters apart by type and needs the
	// protocol id first.
	construct := func(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer) (*Transport, error) {
		return New(id, key, muxers, o)
	}
	return libp2p.ChainOptions(
		libp2p.Security(string(ID), construct),
		libp2p.Muxer(yamux.ID, muxer{yamux.DefaultTransport}),
	)
}

var _ sec.SecureTransport = (*Transport)(nil)

// Transport secures connections of one libp2p key. Most readers want [Option].
type Transport struct {
	id       protocol.ID
	local    peer.ID
	muxers   []string
	options  Options
	log      *slog.Logger
	identity *identity
	inbound  chan struct{} // a token per inbound handshake in progress
}

// New makes a transport. Its certificate is issued at the first handshake.
func New(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer, o Options) (*Transport, error) {
	local, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("ratls: peer id of our key: %w", err)
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Transport{
		id:       id,
		local:    local,
		options:  o,
		log:      log,
		identity: &identity{key: key, provider: o.Provider, log: log},
		inbound:  make(chan struct{}, maxInbound),
	}
	for _, m := range muxers {
		t.muxers = append(t.muxers, string(m.ID))
	}
	return t, nil
}

// ID is the protocol this transport is negotiated as.
func (t *Transport) ID() protocol.ID { return t.id }

// SecureInbound accepts a connection. want is usually empty: any peer.
func (t *Transport) SecureInbound(ctx context.Context, insecure net.Conn, want peer.ID) (sec.SecureConn, error) {
	select {
	case t.inbound <- struct{}{}:
		defer func() { <-t.inbound }()
	default:
		insecure.Close()
		return nil, ErrBusy
	}
	return t.secure(ctx, insecure, func(ctx context.Context, config *tls.Config) (*conn, error) {
		return t.accept(ctx, tls.Server(insecure, config), want)
	})
}

// SecureOutbound dials over a connection. It returns once the acceptor has said
// that it accepts us.
func (t *Transport) SecureOutbound(ctx context.Context, insecure net.Conn, want peer.ID) (sec.SecureConn, error) {
	return t.secure(ctx, insecure, func(ctx context.Context, config *tls.Config) (*conn, error) {
		return t.dial(ctx, insecure, config, want)
	})
}

// secure runs a handshake within its time. The connection is closed unless it succeeds.
func (t *Transport) secure(ctx context.Context, insecure net.Conn, handshake func(context.Context, *tls.Config) (*conn, error)) (sec.SecureConn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { insecure.Close() })
	defer stop()

	config, err := t.config(time.Now())
	if err != nil {
		insecure.Close()
		return nil, err
	}
	c, err := handshake(ctx, config)
	if err == nil && !stop() {
		err = ctx.Err()
	}
	if err != nil {
		insecure.Close()
		return nil, err
	}
	return c, nil
}

func (t *Transport) config(now time.Time) (*tls.Config, error) {
	certificate, err := t.identity.certificate(now)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{*certificate},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // there is no authority: check decides
		SessionTicketsDisabled: true, // a resumed session would not be checked
		NextProtos:             t.muxers,
	}, nil
}

// dial checks the acceptor inside the handshake, before our own certificate is
// sent, and then waits for its verdict on us.
func (t *Transport) dial(ctx context.Context, insecure net.Conn, config *tls.Config, want peer.ID) (*conn, error) {
	var remote *Peer
	config.VerifyConnection = func(state tls.ConnectionState) (err error) {
		remote, err = t.check(state, want, t.options.UnattestedOutbound, time.Now())
		return err
	}
	c := tls.Client(insecure, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("ratls handshake: %w", err)
	}
	var answer [verdictSize]byte
	switch _, err := io.ReadFull(c, answer[:]); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("ratls handshake: %w", errNoVerdict)
	case err != nil:
		return nil, fmt.Errorf("ratls handshake: read verdict: %w", err)
	}
	if err := decodeVerdict(answer).err(); err != nil {
		return nil, err
	}
	return t.conn(c, remote), nil
}

// accept checks the dialer after the handshake: only then is there a channel
// that carries a reason.
func (t *Transport) accept(ctx context.Context, c *tls.Conn, want peer.ID) (*conn, error) {
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("ratls handshake: %w", err)
	}
	remote, refusal := t.check(c.ConnectionState(), want, t.options.UnattestedInbound, time.Now())
	_, err := c.Write(verdictOf(refusal).encode())
	if refusal != nil {
		t.log.Info("peer refused", "remote", c.RemoteAddr().String(), "err", refusal)
		c.Close() // tells the peer that the verdict was all
		return nil, refusal
	}
	if err != nil {
		return nil, fmt.Errorf("ratls handshake: write verdict: %w", err)
	}
	return t.conn(c, remote), nil
}

var _ sec.SecureConn = (*conn)(nil)

// conn is a secured connection.
type conn struct {
	*tls.Conn
	local peer.ID
	peer  *Peer
	state network.ConnectionState
}

func (t *Transport) conn(c *tls.Conn, remote *Peer) *conn {
	state := c.ConnectionState()
	state.PeerCertificates = nil // large, with a quote in it, and not needed any more
	remote.export = state.ExportKeyingMaterial
	// TLS negotiated the muxer as well, which saves libp2p a round trip.
	chosen := protocol.ID(state.NegotiatedProtocol)
	return &conn{Conn: c, local: t.local, peer: remote, state: network.ConnectionState{
		StreamMultiplexer:         chosen,
		UsedEarlyMuxerNegotiation: chosen != "",
	}}
}

func (c *conn) LocalPeer() peer.ID                 { return c.local }
func (c *conn) RemotePeer() peer.ID                { return c.peer.ID }
func (c *conn) RemotePublicKey() crypto.PubKey     { return c.peer.key }
func (c *conn) ConnState() network.ConnectionState { return c.state }
