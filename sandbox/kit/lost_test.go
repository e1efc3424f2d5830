package kit_test

import (
	"strings"
	"testing"

	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// TestLostAccount: a network would keep this account, so a test that meets it
// fails, whatever it expects.
func TestLostAccount(t *testing.T) {
	got := failure(t, func(tb kit.TB) {
		s := newScene(t, tb)
		all := internal(s.alice.Address, 0, false, nil)
		s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, send(128+32, all), send(0, internal(s.alice.Address, tlb.TON, false, nil)))})
	})
	if !strings.Contains(got, "a real network keeps both") {
		t.Errorf("got %q", got)
	}
}

// TestWrongPrefix: what Tolk throws has a name, unless the contract has another.
func TestWrongPrefix(t *testing.T) {
	s := newScene(t, t)
	res := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, throw(63))})
	if tree := res.Tree(); !strings.Contains(tree, "exit 63 (wrong prefix, by Tolk's convention)") {
		t.Error(tree)
	}
}
