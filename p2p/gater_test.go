package p2p

import (
	"testing"

	ma "github.com/multiformats/go-multiaddr"
)

func TestPublicAddress(t *testing.T) {
	for addr, want := range map[string]bool{
		"/ip4/8.8.8.8/tcp/1":              true,
		"/ip4/100.63.255.255/tcp/1":       true,
		"/ip4/172.15.0.1/tcp/1":           true,
		"/ip4/172.32.0.1/tcp/1":           true,
		"/ip6/2600::1/tcp/1":              true,
		"/ip6/::ffff:8.8.8.8/tcp/1":       true,
		"/ip4/0.0.0.0/tcp/1":              false,
		"/ip4/0.1.2.3/tcp/1":              false,
		"/ip4/10.0.0.1/tcp/1":             false,
		"/ip4/100.64.0.1/tcp/1":           false,
		"/ip4/127.0.0.1/tcp/1":            false,
		"/ip4/127.255.255.255/tcp/1":      false,
		"/ip4/169.254.169.254/tcp/80":     false, // cloud metadata
		"/ip4/172.16.0.1/tcp/1":           false,
		"/ip4/172.31.255.255/tcp/1":       false,
		"/ip4/192.168.1.1/tcp/1":          false,
		"/ip4/198.18.0.1/tcp/1":           false,
		"/ip4/224.0.0.1/tcp/1":            false,
		"/ip4/255.255.255.255/tcp/1":      false,
		"/ip6/::/tcp/1":                   false,
		"/ip6/::1/tcp/1":                  false,
		"/ip6/::ffff:127.0.0.1/tcp/1":     false,
		"/ip6/::ffff:10.0.0.1/tcp/1":      false,
		"/ip6/::7f00:1/tcp/1":             false, // IPv4-compatible
		"/ip6/64:ff9b::7f00:1/tcp/1":      false, // NAT64
		"/ip6/2002:7f00:1::/tcp/1":        false, // 6to4
		"/ip6/2001:0:7f00:1::/tcp/1":      false, // Teredo
		"/ip6/fe80::1/tcp/1":              false,
		"/ip6/fd00::1/tcp/1":              false,
		"/ip6/ff02::1/tcp/1":              false,
		"/ip6zone/eth0/ip6/fe80::1/tcp/1": false,
		"/dns4/localhost/tcp/1":           false, // names are judged after they are resolved
		"/unix/tmp/socket":                false,
		"/ip4/8.8.8.8/tcp/1/p2p/12D3KooWMVxi55Qqt2d9fc58gUjqQizboMB9jPh7ru4TaNedzHaT": true,
	} {
		m, err := ma.NewMultiaddr(addr)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		if got := publicAddress(m); got != want {
			t.Errorf("%s: public is %v, want %v", addr, got, want)
		}
	}
}
