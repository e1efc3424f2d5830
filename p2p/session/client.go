package session

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/tussah-network/tussah/tlb"
)

// Client speaks to peers that the host is connected to. It never dials: who dials
// whom is decided above, and a proxy reaches its workers over their connections.
//
// A refusal by the peer is an [*Error].
type Client struct {
	host  host.Host
	opts  Options
	times timeouts
}

// NewClient makes a client of the host.
func NewClient(h host.Host, o Options) *Client {
	return &Client{host: h, opts: o.withDefaults(), times: defaultTimeouts}
}

// Hello introduces this end and returns who the other is.
func (c *Client) Hello(ctx context.Context, id peer.ID, h Hello) (Hello, Peer, error) {
	h.Version = Version
	answer, p, err := call[Hello](ctx, c, id, h)
	if err == nil && answer.Version != Version {
		return Hello{}, p, fmt.Errorf("hello: %w: peer speaks %d, this end %d", ErrVersion, answer.Version, Version)
	}
	if err == nil {
		err = p.bears(answer)
	}
	return answer, p, err
}

// Announce shows a channel that pays the peer, proves with its session key that it
// is ours, and returns how it stands there. The status is a claim: vouchers in it
// are to be verified.
func (c *Client) Announce(ctx context.Context, id peer.ID, cfg tlb.ChannelConfig, key ed25519.PrivateKey) (ChannelStatus, error) {
	proof, err := signAnnouncement(c.host.ID(), id, cfg, key)
	if err != nil {
		return ChannelStatus{}, fmt.Errorf("announce: %w", err)
	}
	answer, _, err := call[ChannelStatus](ctx, c, id, announce{cfg, proof})
	return answer, err
}

// CloseChannel asks the peer for its consent to close a channel now.
func (c *Client) CloseChannel(ctx context.Context, id peer.ID, channel string) (tlb.SignedCoopClose, error) {
	answer, _, err := call[closeConsent](ctx, c, id, closeChannel{channel})
	return answer.Consent, err
}

// Offers lists what the peer serves.
func (c *Client) Offers(ctx context.Context, id peer.ID) ([]Offer, error) {
	answer, _, err := call[offerList](ctx, c, id, offersRequest{})
	return answer.Offers, err
}

// Ping measures the time to the peer and back.
func (c *Client) Ping(ctx context.Context, id peer.ID) (time.Duration, error) {
	start := time.Now()
	_, _, err := call[pong](ctx, c, id, ping{})
	return time.Since(start), err
}

// call asks one question on a stream of its own and expects an A.
func call[A message](ctx context.Context, c *Client, id peer.ID, question message) (answer A, p Peer, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", question.kind(), err)
		}
	}()
	ctx, stop := context.WithTimeout(ctx, c.times.call)
	defer stop()
	st, p, err := c.open(ctx, id, ControlProtocol)
	if err != nil {
		return answer, p, err
	}
	reset := context.AfterFunc(ctx, func() { st.Reset() })
	defer reset()
	m, err := ask(st, question, c.times)
	if err == nil {
		switch m := m.(type) {
		case A:
			st.Close()
			return m, p, nil
		case refused:
			st.Close()
			return answer, p, m.err()
		}
		err = violation(fmt.Errorf("%w: %s", ErrOrder, m.kind()))
	}
	hangUp(st, err, c.opts.Log)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return answer, p, err
}

func ask(st network.Stream, question message, times timeouts) (message, error) {
	w := &frameWriter{w: st, timeout: times.write}
	if err := w.write(question); err != nil {
		return nil, err
	}
	st.CloseWrite()
	m, err := newFrameReader(st, times.frame).next(time.Now().Add(times.call))
	if err == io.EOF {
		return nil, fmt.Errorf("%w: no answer", ErrBroken)
	}
	return m, err
}

// open makes a stream to a connected peer that is admitted.
func (c *Client) open(ctx context.Context, id peer.ID, proto protocol.ID) (network.Stream, Peer, error) {
	st, err := c.host.NewStream(network.WithNoDial(ctx, "session"), id, proto)
	if err != nil && c.host.Network().Connectedness(id) != network.Connected {
		return nil, Peer{ID: id}, fmt.Errorf("%w %s", ErrNotConnected, id)
	}
	if err != nil {
		return nil, Peer{ID: id}, fmt.Errorf("open stream to %s: %w", id, err)
	}
	p, err := c.opts.admit(st.Conn())
	if err != nil {
		st.Reset()
		return nil, p, err
	}
	return st, p, nil
}
