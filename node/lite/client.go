package lite

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tussah-network/tussah/tlb"
)

// Server is a liteserver: where it listens and the Ed25519 key it must have.
type Server struct {
	Addr string // host:port
	Key  []byte
}

// Options configure a [Client].
type Options struct {
	// Servers are tried in this order. At least one is needed.
	Servers []Server
	// Global is the id of the network that every block must carry, such as -239
	// for TON's main network.
	Global int32
	// Trusted is the key block that everything is proven from. If it is zero, the
	// client trusts on first use; see the package comment.
	Trusted KeyBlock
	// OnTrust, if set, is told of every key block that is trusted from now on: the
	// one pinned on first use, then each later one that the chain has led to. It
	// must not call the client. Keep the last one for Trusted.
	OnTrust func(KeyBlock)
	// Timeout bounds how long one server may take over one answer, connecting
	// included; over all answers of a call it may take four times that. Default 5 s.
	Timeout time.Duration
	// Log hears of servers that were dropped. Default: discarded.
	Log *slog.Logger
}

// Client reads the network. It is safe for concurrent use; make it with [Open] and
// end it with Close. Head, Account and Transactions are what most readers want.
type Client struct {
	o         Options
	servers   []*server
	preferred atomic.Int64  // index of the server that answered last
	turn      atomic.Uint32 // whose turn it is to be asked beside it
	closed    atomic.Bool

	mu struct {
		sync.Mutex
		key    KeyBlock  // the newest one proven
		head   tlb.Block // the newest one proven; zero before the first
		config config
	}
}

// Open connects to the first server that answers, and reads the newest block from
// it: an error here means a wrong address, key, network or trusted block, or that
// nobody is there ([ErrNoServer]). From a trusted block that is years old, the way
// may be too long for one call ([ErrTimeout]); OnTrust has heard how far it came.
func Open(ctx context.Context, o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{o: o}
	c.mu.key = o.Trusted
	if len(o.Servers) == 0 {
		return nil, fmt.Errorf("%w: none given", ErrServer)
	}
	for _, s := range o.Servers {
		if len(s.Key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: key of %s has %d bytes, want %d", ErrServer, s.Addr, len(s.Key), ed25519.PublicKeySize)
		}
		if _, _, err := net.SplitHostPort(s.Addr); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrServer, err)
		}
		c.servers = append(c.servers, newServer(s))
	}
	if _, err := c.Head(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends all connections, and with them the calls under way.
func (c *Client) Close() error {
	c.closed.Store(true)
	for _, s := range c.servers {
		s.close()
	}
	return nil
}
