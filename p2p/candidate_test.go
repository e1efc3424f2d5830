package p2p

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
)

func TestParseCandidate(t *testing.T) {
	id, other := newIdentity(t).ID(), newIdentity(t).ID()
	raw := []byte(id)
	for name, c := range map[string]struct {
		id    []byte
		addrs []string
		want  error
	}{
		"one address":       {raw, []string{"/ip4/203.0.113.5/tcp/11000"}, nil},
		"with its id":       {raw, []string{"/ip6/2001:db8::1/tcp/1/p2p/" + id.String(), "/dns4/proxy.example/tcp/2"}, nil},
		"most addresses":    {raw, slices.Repeat([]string{"/dns/a/tcp/1"}, maxAddresses), nil},
		"no id":             {nil, []string{"/ip4/1.2.3.4/tcp/1"}, ErrPeerID},
		"id as text":        {[]byte(id.String()), []string{"/ip4/1.2.3.4/tcp/1"}, ErrPeerID},
		"id cut":            {raw[:20], []string{"/ip4/1.2.3.4/tcp/1"}, ErrPeerID},
		"no address":        {raw, nil, ErrNoAddress},
		"many addresses":    {raw, slices.Repeat([]string{"/dns/a/tcp/1"}, maxAddresses+1), ErrNoAddress},
		"another's id":      {raw, []string{"/ip4/1.2.3.4/tcp/1/p2p/" + other.String()}, ErrPeerMismatch},
		"no multiaddr":      {raw, []string{"1.2.3.4:1"}, ErrAddress},
		"empty":             {raw, []string{""}, ErrAddress},
		"no port":           {raw, []string{"/ip4/1.2.3.4"}, ErrAddress},
		"UDP":               {raw, []string{"/ip4/1.2.3.4/udp/1"}, ErrAddress},
		"QUIC":              {raw, []string{"/ip4/1.2.3.4/udp/1/quic-v1"}, ErrAddress},
		"websocket":         {raw, []string{"/ip4/1.2.3.4/tcp/1/ws"}, ErrAddress},
		"socket file":       {raw, []string{"/unix/tmp/a"}, ErrAddress},
		"relay":             {raw, []string{"/ip4/1.2.3.4/tcp/1/p2p/" + other.String() + "/p2p-circuit"}, ErrAddress},
		"text record":       {raw, []string{"/dnsaddr/a.example/tcp/1"}, ErrAddress},
		"zone":              {raw, []string{"/ip6zone/eth0/ip6/fe80::1/tcp/1"}, ErrAddress},
		"one bad among":     {raw, []string{"/ip4/1.2.3.4/tcp/1", "x"}, ErrAddress},
		"very long":         {raw, []string{"/dns4/" + strings.Repeat("a", 400) + "/tcp/1"}, ErrAddress},
		"port out of range": {raw, []string{"/ip4/1.2.3.4/tcp/65536"}, ErrAddress},
	} {
		got, err := ParseCandidate(c.id, c.addrs, FromRegistry)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if err != nil {
			if got.ID != "" || got.Addrs != nil {
				t.Errorf("%s: something came with the error", name)
			}
			continue
		}
		if got.ID != id || len(got.Addrs) != len(c.addrs) || strings.Contains(strings.Join(got.Addrs, ""), "p2p") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestParseCandidateAddr(t *testing.T) {
	id := newIdentity(t).ID()
	got, err := ParseCandidateAddr("/ip4/127.0.0.1/tcp/7/p2p/"+id.String(), FromConfig)
	want := Candidate{ID: id, Addrs: []string{"/ip4/127.0.0.1/tcp/7"}, Source: FromConfig}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	hashed := "/ip4/127.0.0.1/tcp/7/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"
	if _, err := ParseCandidateAddr(hashed, FromConfig); !errors.Is(err, ErrPeerID) {
		t.Errorf("id of an RSA key: got %v", err)
	}
	if _, err := ParseCandidateAddr("/ip4/127.0.0.1/tcp/7", FromConfig); !errors.Is(err, ErrPeerID) {
		t.Errorf("without an id: got %v", err)
	}
	if _, err := ParseCandidateAddr("127.0.0.1:7", FromConfig); !errors.Is(err, ErrAddress) {
		t.Errorf("not a multiaddr: got %v", err)
	}
}

func FuzzParseCandidate(f *testing.F) {
	id := newIdentity(f).ID()
	f.Add([]byte(id), "/ip4/1.2.3.4/tcp/1/p2p/"+id.String())
	f.Add([]byte(id), "/dns4/proxy.example/tcp/11000")
	f.Add([]byte(id), "/ip6/::1/tcp/0")
	f.Fuzz(func(t *testing.T, raw []byte, addr string) {
		c, err := ParseCandidate(raw, []string{addr}, FromRegistry)
		if err != nil {
			return
		}
		again, err := ParseCandidate([]byte(c.ID), c.Addrs, FromRegistry)
		if err != nil || !cmp.Equal(c, again) {
			t.Fatalf("%+v is read again as %+v, %v", c, again, err)
		}
		if _, err := peer.Decode(c.ID.String()); err != nil {
			t.Fatal(err)
		}
	})
}
