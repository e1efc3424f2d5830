package session

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// The protocols. The number rises when a frame or its order changes.
const (
	ControlProtocol protocol.ID = "/tussah/control/1"
	RequestProtocol protocol.ID = "/tussah/request/1"
)

// Version is what [Hello] states. A peer of another version is refused.
const Version = 1

// Peer is who stands at the other end of a stream.
type Peer struct {
	ID peer.ID
	// Appraisal is what the gates concluded about the peer; nil if it showed no
	// evidence, as a client may.
	Appraisal *attest.Appraisal
	// Claims are what an attested peer's evidence is bound to. Zero for a peer that
	// passed gate A alone.
	Claims ratls.Claims
	// Shown identifies the evidence that this end showed the peer: the peer's
	// appraisal of this end names the same.
	Shown [32]byte
}

// bears tells whether a peer's evidence bears out what it says: the role it plays
// and where it is paid. Without evidence bound to claims there is nothing to compare.
func (p Peer) bears(h Hello) error {
	switch {
	case p.Appraisal == nil || p.Claims == ratls.Claims{}:
		return nil
	case h.Role != p.Claims.Role:
		return fmt.Errorf("%w: it attested as a %s and says it is a %s", ErrUnauthorised, p.Claims.Role, h.Role)
	case h.Payout != p.Claims.Contract:
		return fmt.Errorf("%w: it attested for the contract %q and wants to be paid to %q", ErrUnauthorised, p.Claims.Contract, h.Payout)
	}
	return nil
}

// Options are shared by [NewClient] and [Serve]. The zero value works between
// attested peers.
type Options struct {
	// Admit judges the peer of every stream before a byte of it is written or read.
	// nil admits peers with an appraisal only.
	Admit func(Peer) error

	// RequestsPerPeer bounds the requests of one peer in progress. Default 64.
	RequestsPerPeer int
	// Requests bounds the requests of all peers in progress. Default 1024.
	Requests int

	// Log gets one line per violation, refusal of a peer and panic. Default none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Admit == nil {
		o.Admit = attestedOnly
	}
	if o.RequestsPerPeer == 0 {
		o.RequestsPerPeer = 64
	}
	if o.Requests == 0 {
		o.Requests = 1024
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func attestedOnly(p Peer) error {
	if p.Appraisal == nil {
		return ErrUnauthorised
	}
	return nil
}

// admit tells who is at the other end of a connection, if it may use it now.
func (o Options) admit(conn network.Conn) (Peer, error) {
	p := Peer{ID: conn.RemotePeer()}
	attested, ok := ratls.FromConn(conn)
	if !ok {
		return p, fmt.Errorf("%w: %w", ErrNotAdmitted, ErrUnattested)
	}
	p.Appraisal, p.Claims, p.Shown = attested.Appraisal, attested.Claims, attested.Shown
	if p.Appraisal != nil && time.Now().After(p.Appraisal.Expiry) {
		return p, fmt.Errorf("%w: %w", ErrNotAdmitted, ErrExpired)
	}
	if err := o.Admit(p); err != nil {
		return p, fmt.Errorf("%w: %w", ErrNotAdmitted, err)
	}
	return p, nil
}

// timeouts are constants of limits.go, gathered so that tests can shorten them.
type timeouts struct {
	call, header, body, frame, write, cancel, grace time.Duration
}

var defaultTimeouts = timeouts{
	call:   callTimeout,
	header: headerTimeout,
	body:   bodyTimeout,
	frame:  frameTimeout,
	write:  writeTimeout,
	cancel: cancelTimeout,
	grace:  deadlineGrace,
}
