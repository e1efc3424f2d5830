package ratls

import (
	"context"
	"crypto/sha256"
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
)

// ID is the protocol that peers negotiate: both gates.
const ID protocol.ID = "/tussah/ratls/2"

// Option makes a libp2p host use this security protocol and no other, with the
// muxer that [FromConn] needs.
func Option(o Options) libp2p.Option {
	// libp2p's injection tells the parameters apart by type and needs the
	// protocol id first.
	construct := func(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer) (*Transport, error) {
		return New(id, key, muxers, o)
	}
	options := []libp2p.Option{libp2p.Security(string(ID), construct), libp2p.Muxer(yamux.ID, muxer{yamux.DefaultTransport})}
	if o.Compatible {
		options = append(options, libp2p.Security(string(CompatibleID), func(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer) (*Transport, error) {
			return NewCompatible(id, key, muxers, o)
		}))
	}
	return libp2p.ChainOptions(options...)
}

var _ sec.SecureTransport = (*Transport)(nil)

// Transport secures connections of one libp2p key. Most readers want [Option].
type Transport struct {
	id       protocol.ID
	local    peer.ID
	muxers   []string
	options  Options
	log      *slog.Logger
	gateB    bool // false: see [Options.Compatible]
	identity *identity
	inbound  chan struct{} // a token per inbound handshake in progress
	toll     toll
}

// New makes a transport. Its certificate is issued at the first handshake.
func New(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer, o Options) (*Transport, error) {
	local, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("ratls: peer id of our key: %w", err)
	}
	t := &Transport{
		id:       id,
		local:    local,
		options:  o,
		log:      o.log(),
		gateB:    true,
		identity: &identity{key: key, provider: o.Provider, log: o.log()},
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
	if err := t.collect(insecure); err != nil {
		insecure.Close()
		return nil, fmt.Errorf("ratls handshake: %w", err)
	}
	select {
	case t.inbound <- struct{}{}:
		defer func() { <-t.inbound }()
	default:
		insecure.Close()
		return nil, ErrBusy
	}
	return t.secure(ctx, insecure, func(ctx context.Context, config *tls.Config) (*conn, error) {
		return t.accept(ctx, insecure, config, want)
	})
}

// collect has the dialer pay, in time.
func (t *Transport) collect(insecure net.Conn) error {
	if err := insecure.SetDeadline(time.Now().Add(tollTimeout)); err != nil {
		return fmt.Errorf("toll: %w", err)
	}
	if err := t.toll.collect(insecure, time.Now()); err != nil {
		return err
	}
	return insecure.SetDeadline(time.Time{})
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
// sent, waits for its verdict on us, and takes both through gate B.
func (t *Transport) dial(ctx context.Context, insecure net.Conn, config *tls.Config, want peer.ID) (*conn, error) {
	if err := pay(insecure, ctx.Done()); err != nil {
		return nil, fmt.Errorf("ratls handshake: %w", err)
	}
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
	remote.dialed = true
	return t.conn(ctx, c, config, remote)
}

// accept checks the dialer after the handshake: only then is there a channel
// that carries a reason.
func (t *Transport) accept(ctx context.Context, insecure net.Conn, config *tls.Config, want peer.ID) (*conn, error) {
	c := tls.Server(insecure, config)
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
	secured, err := t.conn(ctx, c, config, remote)
	if err != nil {
		t.log.Info("peer refused", "remote", c.RemoteAddr().String(), "err", err)
		c.Close()
	}
	return secured, err
}

var _ sec.SecureConn = (*conn)(nil)

// conn is a secured connection.
type conn struct {
	*tls.Conn
	local peer.ID
	peer  *Peer
	state network.ConnectionState
}

// conn takes a peer that passed gate A through gate B, and is the connection to it.
func (t *Transport) conn(ctx context.Context, c *tls.Conn, config *tls.Config, remote *Peer) (*conn, error) {
	state := c.ConnectionState()
	remote.spki = sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
	remote.ownSPKI = sha256.Sum256(config.Certificates[0].Leaf.RawSubjectPublicKeyInfo)
	state.PeerCertificates = nil // large, with a quote in it, and not needed any more
	remote.export = state.ExportKeyingMaterial
	if t.gateB {
		var err error
		if remote, err = (gate{t.options}).pass(ctx, c, remote); err != nil {
			return nil, err
		}
	}
	// TLS negotiated the muxer as well, which saves libp2p a round trip.
	chosen := protocol.ID(state.NegotiatedProtocol)
	return &conn{Conn: c, local: t.local, peer: remote, state: network.ConnectionState{
		StreamMultiplexer:         chosen,
		UsedEarlyMuxerNegotiation: chosen != "",
	}}, nil
}

func (c *conn) LocalPeer() peer.ID                 { return c.local }
func (c *conn) RemotePeer() peer.ID                { return c.peer.ID }
func (c *conn) RemotePublicKey() crypto.PubKey     { return c.peer.key }
func (c *conn) ConnState() network.ConnectionState { return c.state }
