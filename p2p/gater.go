package p2p

import (
	"log/slog"
	"net/netip"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/tussah-network/tussah/p2p/ratls"
)

// gater decides what is dialled and which connections stay. Addresses come from the
// registry, from mDNS and from peers themselves, who may name any host inside our
// network; libp2p asks about each address after names were resolved.
type gater struct {
	allowPrivate bool
	log          *slog.Logger
}

func (g *gater) InterceptPeerDial(peer.ID) bool { return true }

func (g *gater) InterceptAddrDial(id peer.ID, addr ma.Multiaddr) bool {
	if g.allowPrivate || publicAddress(addr) {
		return true
	}
	g.log.Debug("address not dialled", slog.String("peer", id.String()), slog.String("address", addr.String()))
	return false
}

func (g *gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

func (g *gater) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool {
	return true
}

// InterceptUpgraded closes what did not come through the attested handshake. The
// host offers no other; this holds should that ever change.
func (g *gater) InterceptUpgraded(conn network.Conn) (bool, control.DisconnectReason) {
	_, ok := ratls.FromConn(conn)
	return ok, 0
}

// notPublic are the address ranges that are not the internet's (IANA special purpose
// registries), and those that embed an IPv4 address and could hide one of them.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("224.0.0.0/3"), // multicast, reserved, broadcast
	netip.MustParsePrefix("::/8"),        // unspecified, loopback, IPv4-compatible
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), // Teredo among others
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fc00::/7"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("ff00::/8"),
}

// publicAddress reports whether addr is an IP address of the internet with a port.
func publicAddress(addr ma.Multiaddr) bool {
	ip, err := manet.ToIP(addr)
	if err != nil {
		return false // a name, a relay, a socket file
	}
	a, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	a = a.Unmap()
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
