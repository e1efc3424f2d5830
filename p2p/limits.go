package p2p

import (
	"net/netip"
	"time"

	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
)

// Limits of a node with 2 cores and 4 GiB; [Options] raise the first two.
const (
	// DefaultConnections is how many peers may be connected to us.
	DefaultConnections = 512

	// DefaultMemory is what libp2p may hold in buffers, windows and request bodies.
	DefaultMemory = 1 << 30

	// leastHandshakes is how many connections may be in their handshake, or half of
	// the connections if that is more. A handshake costs a millisecond, but a stranger
	// that says nothing keeps its place for the 15 s that libp2p waits. With 256 places
	// and the limits per source below it takes 32 IPv4 addresses to fill them once, and
	// 86 to keep them full; a place costs us a file and some KiB. Not more than half,
	// because they count as connections too.
	leastHandshakes = 64

	// A peer needs one connection; the others cover a dial from both ends and one
	// that died unnoticed.
	connectionsPerPeer = 4

	// streamsPerPeer is above the session's own limit of 64 requests per peer, so
	// that a busy peer gets an answer and not a reset.
	streamsPerPeer            = 256
	streamsPerProtocolPerPeer = 128
	streamsTotal              = 8192

	// memoryPerPeer: a stream's first window is 256 KiB, so 64 requests take 16 MiB
	// and as much again for bodies. Larger windows give way when it is used up.
	memoryPerPeer            = 64 << 20
	memoryPerProtocolPerPeer = 32 << 20
	memoryPerStream          = 16 << 20

	// Connections per source address: a household or a small office, for IPv6 a site
	// (/56). A /48 is an office with many sites, or anybody's for the asking: it may
	// not have more than two sites do.
	perIPv4, perIPv6Site, perIPv6Net = 8, 8, 16

	// New connections per second: from one address or site, from a /48, and from
	// everywhere.
	rateFromOne, burstFromOne = 0.2, 16
	rateFromNet, burstFromNet = 0.4, 32
	rateFromAll, burstFromAll = 50, 200

	dialTimeout = 15 * time.Second
)

// Loopback addresses have no limits per source: everybody there is the same source.
var loopback4, loopback6 = netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")

func resourceLimits(connections int, memory int64) rcmgr.ConcreteLimitConfig {
	limit := func(n int) rcmgr.LimitVal { return rcmgr.LimitVal(n) }
	conns := limit(2 * connections) // as many again may be dialled
	handshakes := max(leastHandshakes, connections/2)
	return rcmgr.PartialLimitConfig{
		System: rcmgr.ResourceLimits{
			Conns: conns, ConnsInbound: limit(connections), ConnsOutbound: limit(connections), FD: conns,
			Streams: limit(streamsTotal), StreamsInbound: limit(streamsTotal), StreamsOutbound: limit(streamsTotal),
			Memory: rcmgr.LimitVal64(memory),
		},
		Transient: rcmgr.ResourceLimits{
			Conns: limit(2 * handshakes), ConnsInbound: limit(handshakes), ConnsOutbound: limit(handshakes), FD: limit(2 * handshakes),
			Streams: limit(1024), StreamsInbound: limit(1024), StreamsOutbound: limit(1024),
			Memory: rcmgr.LimitVal64(memory / 4),
		},
		PeerDefault: rcmgr.ResourceLimits{
			Conns: limit(connectionsPerPeer), ConnsInbound: limit(connectionsPerPeer), ConnsOutbound: limit(connectionsPerPeer), FD: limit(connectionsPerPeer),
			Streams: limit(streamsPerPeer), StreamsInbound: limit(streamsPerPeer), StreamsOutbound: limit(streamsPerPeer),
			Memory: memoryPerPeer,
		},
		ProtocolDefault: rcmgr.ResourceLimits{
			Streams: limit(streamsTotal), StreamsInbound: limit(streamsTotal), StreamsOutbound: limit(streamsTotal),
			Memory: rcmgr.LimitVal64(memory),
		},
		ProtocolPeerDefault: rcmgr.ResourceLimits{
			Streams: limit(streamsPerProtocolPerPeer), StreamsInbound: limit(streamsPerProtocolPerPeer), StreamsOutbound: limit(streamsPerProtocolPerPeer),
			Memory: memoryPerProtocolPerPeer,
		},
		Conn:   rcmgr.ResourceLimits{Memory: memoryPerPeer},
		Stream: rcmgr.ResourceLimits{Memory: memoryPerStream},
	}.Build(rcmgr.DefaultLimits.Scale(memory, 2*connections))
}

func subnetLimits() []rcmgr.Option {
	return []rcmgr.Option{
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: perIPv4}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: perIPv6Site}, {PrefixLength: 48, ConnCount: perIPv6Net}},
		),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: loopback4}, {Prefix: loopback6}},
			GlobalLimit:         rate.Limit{RPS: rateFromAll, Burst: burstFromAll},
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: rate.Limit{RPS: rateFromOne, Burst: burstFromOne}}},
				IPv6SubnetLimits: []rate.SubnetLimit{
					{PrefixLength: 56, Limit: rate.Limit{RPS: rateFromOne, Burst: burstFromOne}},
					{PrefixLength: 48, Limit: rate.Limit{RPS: rateFromNet, Burst: burstFromNet}},
				},
				GracePeriod: time.Minute,
			},
		}),
	}
}
