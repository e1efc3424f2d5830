package p2p

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
)

func candidate(id string, source Source) Candidate {
	return Candidate{ID: peer.ID(id), Addrs: []string{"/ip4/1.2.3.4/tcp/1"}, Source: source}
}

func TestBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBook()
		alice, bob, carol := candidate("alice", FromRegistry), candidate("bob", FromRegistry), candidate("carol", FromMDNS)
		check := func(when string, want ...Candidate) {
			t.Helper()
			if diff := cmp.Diff(want, b.Candidates()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("empty")
		b.Replace(FromRegistry, []Candidate{bob, alice})
		b.Add(carol)
		check("two sources", carol, alice, bob)

		// A neighbour that claims alice's id does not displace what the registry says.
		fake := candidate("alice", FromMDNS)
		b.Add(fake)
		check("one peer from two sources", fake, carol, alice, bob)
		if diff := cmp.Diff([]Candidate{fake, alice}, b.Find(alice.ID)); diff != "" {
			t.Errorf("find (-want +got):\n%s", diff)
		}

		b.Replace(FromRegistry, []Candidate{bob})
		check("registry changed", fake, carol, bob)

		time.Sleep(candidateTTL - time.Second)
		b.Add(carol)
		time.Sleep(2 * time.Second)
		check("what was not renewed is forgotten", carol, bob)
		time.Sleep(24 * time.Hour)
		check("the registry's stay", bob)
	})
}

func TestBookIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBook()
		var many []Candidate
		for i := range maxCandidates + 1 {
			c := candidate(fmt.Sprint(i), FromMDNS)
			many = append(many, c)
			if got, want := b.Add(c), i < maxCandidates; got != want {
				t.Fatalf("candidate %d added: %v", i, got)
			}
		}
		if !b.Add(many[0]) {
			t.Error("a known candidate is not renewed in a full book")
		}
		b.Replace(FromRegistry, many)
		if n := len(b.Candidates()); n != 2*maxCandidates {
			t.Errorf("%d candidates", n)
		}
		time.Sleep(candidateTTL + time.Second)
		if !b.Add(many[maxCandidates]) {
			t.Error("expired candidates keep their places")
		}
	})
}
