package ratls

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Peer is the far end of a connection, as established by the handshake.
type Peer struct {
	ID peer.ID
	// Appraisal is what its evidence is worth; nil if it showed none. Shared by
	// all who ask: do not modify.
	Appraisal *attest.Appraisal
	// Claims are what its evidence at gate B is bound to; without evidence they
	// are only words, of a client. Zero for a peer that passed gate A alone.
	Claims Claims
	// Shown identifies the evidence that we showed the peer at gate B, as it does:
	// its appraisal of us names the same. Zero if we showed none.
	Shown [32]byte
	// Gated is when it last passed gate B; zero: gate A alone, see [Options.Compatible].
	Gated time.Time

	epoch         uint64 // of our policy when it was appraised
	key           crypto.PubKey
	dialed        bool     // by us
	spki, ownSPKI [32]byte // SHA-256 of both TLS keys
	export        func(label string, context []byte, length int) ([]byte, error)
}

// Export derives bytes that both ends of this connection, and nobody else, can
// derive (RFC 8446, section 7.5).
func (p Peer) Export(label string, context []byte, length int) ([]byte, error) {
	return p.export(label, context, length)
}

// FromConn tells who is at the far end of a connection. It is false for a
// connection that was not secured by this package: refuse it.
func FromConn(c network.Conn) (Peer, bool) {
	m, ok := muxedOf(c)
	if !ok {
		return Peer{}, false
	}
	return *m.peer.Load(), true
}

func muxedOf(c network.Conn) (m *muxed, ok bool) {
	ok = c.As(&m)
	return m, ok
}

// muxer passes the peer from the secured connection, which libp2p hides from
// stream handlers, to the muxed one, which they can reach.
type muxer struct{ network.Multiplexer }

func (m muxer) NewConn(c net.Conn, server bool, scope network.PeerScope) (network.MuxedConn, error) {
	inner, err := m.Multiplexer.NewConn(c, server, scope)
	if err != nil {
		return nil, err
	}
	if secured, ok := c.(*conn); ok {
		m := &muxed{MuxedConn: inner}
		m.peer.Store(secured.peer)
		return m, nil
	}
	return inner, nil
}

type muxed struct {
	network.MuxedConn
	peer atomic.Pointer[Peer] // replaced when it passes gate B again
	due  atomic.Int64         // since when it is to pass again, Unix nanoseconds; 0: it is not
	last atomic.Int64         // when it last asked us, Unix nanoseconds
}

func (m *muxed) As(target any) bool {
	if t, ok := target.(**muxed); ok {
		*t = m
		return true
	}
	return m.MuxedConn.As(target)
}

// dueSince is how long the peer has been due, from the first time somebody asked.
func (m *muxed) dueSince(now time.Time) time.Duration {
	m.due.CompareAndSwap(0, now.UnixNano())
	return now.Sub(time.Unix(0, m.due.Load()))
}

// mayAsk tells whether the peer may have us make evidence, and counts it if so.
func (m *muxed) mayAsk(now time.Time, least time.Duration) bool {
	last := m.last.Load()
	return now.Sub(time.Unix(0, last)) >= least && m.last.CompareAndSwap(last, now.UnixNano())
}
