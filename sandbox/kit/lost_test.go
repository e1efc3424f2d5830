package kit_test

import (
	"strings"
	"testing"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// TestKeptAccount: a message of mode 128+32 before an action that fails destroys
// nothing.
func TestKeptAccount(t *testing.T) {
	s := newScene(t, t)
	all := internal(s.alice.Address, 0, false, nil)
	res := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, send(128+32, all), send(0, internal(s.alice.Address, tlb.TON, false, nil)))})
	res.Expect(kit.Tx{To: s.counter, Action: sandbox.ActionNotEnoughTON, Destroyed: false})
	if got := s.counter.Get("count").Uint64(0); got != 7 {
		t.Errorf("its data is %d", got)
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
