package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/tussah-network/tussah/p2p/ratls"
)

// ErrPrivateAddress says that a candidate has no address that may be dialled.
var ErrPrivateAddress = errors.New("p2p: peer has only loopback or private addresses, which this node does not dial")

// Options of a [Host]. With the zero value it listens nowhere and, since its attested
// TLS accepts nobody, talks to nobody.
type Options struct {
	// RATLS says what evidence this node shows and which peers it accepts.
	RATLS ratls.Options

	// Listen are the multiaddrs to listen at, such as /ip4/0.0.0.0/tcp/11000.
	// Default: none, the node only dials.
	Listen []string

	// AllowPrivate lets the node dial loopback and private addresses. It is for
	// sandboxes and for networks that live inside one site.
	AllowPrivate bool

	// Connections bounds inbound connections. Default DefaultConnections.
	Connections int
	// Memory bounds what libp2p holds, in bytes. Default DefaultMemory.
	Memory int64

	// Log gets addresses that were refused. Default none.
	Log *slog.Logger
}

// Host is a libp2p host with this network's transport, security and limits.
type Host struct {
	host.Host

	gater *gater
}

// Open makes a host and starts to listen. The caller closes it.
func Open(id Identity, o Options) (*Host, error) {
	if o.Connections == 0 {
		o.Connections = DefaultConnections
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var listen []ma.Multiaddr
	for _, text := range o.Listen {
		addr, err := parseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("p2p: listen at %q: %w", text, err)
		}
		listen = append(listen, addr)
	}
	priv, err := id.libp2p()
	if err != nil {
		return nil, err
	}
	limiter := rcmgr.NewFixedLimiter(resourceLimits(o.Connections, o.Memory))
	manager, err := rcmgr.NewResourceManager(limiter, subnetLimits()...)
	if err != nil {
		return nil, fmt.Errorf("p2p: limits: %w", err)
	}
	g := &gater{allowPrivate: o.AllowPrivate, log: o.Log}
	h, err := libp2p.New(
		libp2p.Identity(priv),
		libp2p.Transport(tcp.NewTCPTransport),
		ratls.Option(o.RATLS),
		libp2p.NoListenAddrs, // below: libp2p leaves goroutines behind when it fails to listen
		libp2p.ResourceManager(manager),
		libp2p.ConnectionGater(g),
		libp2p.WithDialTimeout(dialTimeout),
		libp2p.UserAgent("tussah"),
		libp2p.ProtocolVersion("tussah/1"),
		// Nothing runs that this network does not use.
		libp2p.DisableRelay(),
		libp2p.Ping(false),
		libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ForceReachabilityPublic(),
	)
	if err != nil {
		manager.Close()
		return nil, fmt.Errorf("p2p: %w", err)
	}
	for _, addr := range listen {
		if err := h.Network().Listen(addr); err != nil {
			h.Close()
			return nil, fmt.Errorf("p2p: listen at %s: %w", addr, err)
		}
	}
	return &Host{Host: h, gater: g}, nil
}

// Addresses are the addresses at which the host listens, each with its peer id.
func (h *Host) Addresses() []string {
	var out []string
	for _, addr := range h.Addrs() {
		out = append(out, addr.String()+"/p2p/"+h.ID().String())
	}
	return out
}

// Dial connects to a candidate, unless there is a connection already. The handshake
// makes sure that the peer has the candidate's id.
func (h *Host) Dial(ctx context.Context, c Candidate) error {
	info := peer.AddrInfo{ID: c.ID}
	dialable := false
	for _, text := range c.Addrs {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			return fmt.Errorf("dial %s: %w", c.ID, err)
		}
		info.Addrs = append(info.Addrs, addr)
		dialable = dialable || h.gater.allowPrivate || !isIP(addr) || publicAddress(addr)
	}
	if len(info.Addrs) > 0 && !dialable {
		return fmt.Errorf("dial %s: %w", c.ID, ErrPrivateAddress)
	}
	if err := h.Connect(ctx, info); err != nil {
		return fmt.Errorf("dial %s: %w", c.ID, err)
	}
	return nil
}
