package p2p

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Strangers that connect and say nothing do not keep peers out.
func TestSilentStrangers(t *testing.T) {
	h, c := listening(t)
	addr, err := manet.ToNetAddr(h.Network().ListenAddresses()[0])
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		conn, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	time.Sleep(100 * time.Millisecond) // until they are accepted
	if err := open(t, Options{RATLS: attested(t), AllowPrivate: true}).Dial(t.Context(), c); err != nil {
		t.Error(err)
	}
}

// No source gets more than its share: of connections, and of new ones in a while.
func TestSourcesAreBounded(t *testing.T) {
	const attempts = 300
	site := func(i int) string { return fmt.Sprintf("/ip6/2a00:1:1:%02x01::1/tcp/1", i%256) } // of one /48
	for name, c := range map[string]struct {
		from       func(i int) string
		hold, many int // connections at once, and one after the other
	}{
		"an IPv4 address":   {func(int) string { return "/ip4/8.8.8.8/tcp/1" }, perIPv4, burstFromOne},
		"an IPv6 site":      {func(i int) string { return fmt.Sprintf("/ip6/2a00:1:1:7701::%x/tcp/1", i+1) }, perIPv6Site, burstFromOne},
		"an IPv6 net":       {site, perIPv6Net, burstFromNet},
		"everywhere, IPv4":  {func(i int) string { return fmt.Sprintf("/ip4/8.8.%d.%d/tcp/1", i/256, i%256) }, burstFromAll, burstFromAll},
		"everywhere, IPv6":  {func(i int) string { return fmt.Sprintf("/ip6/2a00:1:%x::1/tcp/1", i+1) }, burstFromAll, burstFromAll},
		"this machine IPv4": {func(int) string { return "/ip4/127.0.0.1/tcp/1" }, DefaultConnections / 2, attempts},
		"this machine IPv6": {func(int) string { return "/ip6/::1/tcp/1" }, DefaultConnections / 2, attempts},
	} {
		t.Run(name, func(t *testing.T) {
			for _, hold := range []bool{true, false} {
				m, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(resourceLimits(DefaultConnections, DefaultMemory)), subnetLimits()...)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				got, want := 0, c.many
				if hold {
					want = c.hold
				}
				start := time.Now()
				for i := range attempts {
					scope, err := m.OpenConnection(network.DirInbound, true, ma.StringCast(c.from(i)))
					if err != nil {
						continue
					}
					got++
					if !hold {
						scope.Done()
					}
				}
				// The buckets fill while the test runs.
				more := int(rateFromAll*time.Since(start).Seconds()) + 1
				if got < want || got > want+more {
					t.Errorf("held %v: %d connections, want %d", hold, got, want)
				}
			}
		})
	}
	// What fills a source's share leaves room for all others.
	if share := max(perIPv4, perIPv6Net); share > DefaultConnections/2/8 {
		t.Errorf("one source may take %d of %d handshakes", share, DefaultConnections/2)
	}
}
