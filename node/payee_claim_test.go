package node

import (
	"errors"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
)

// A payer that changes its key makes the vouchers of the old one die. They are
// claimed before, and what runs stops until the new key signs.
func TestRotation(t *testing.T) {
	e := newEarningEnd(t)
	c := e.confirmed()
	if err := c.payee.Accept(t.Context(), *e.voucher(testEpoch, 1, 1000)); err != nil {
		t.Fatal(err)
	}
	b, err := e.begin(t.Context(), testPayer, e.asking(1, nil), testPrice, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer b.cancel()
	pending := func(want int) {
		t.Helper()
		if got := e.queue.Pending(); got != want {
			t.Errorf("%d messages are to be sent, want %d", got, want)
		}
	}
	see := func(state tlb.ChannelState) {
		t.Helper()
		if err := e.seen(t.Context(), c, state); err != nil {
			t.Fatal(err)
		}
	}
	see(e.opened())
	pending(0)

	newKey := seeded("payer's next")
	rotated := e.opened()
	rotated.Rotation = &tlb.ChannelRotation{SessionKey: rotated.SessionKey, DiesAt: uint32(time.Now().Unix()) - 1}
	rotated.Epoch, rotated.SessionKey = testEpoch+1, public(newKey)
	see(rotated)
	pending(0) // seen too late: the contract would refuse it
	rotated.Rotation.DiesAt += 3600
	see(rotated)
	pending(1)
	see(rotated)
	pending(1) // once

	if ok, err := c.payee.Charge(t.Context(), b.in.Header.ID, 1); ok || err != nil {
		t.Errorf("charged against a voucher that dies: %v, %v", ok, err)
	}
	if _, err := e.begin(t.Context(), testPayer, e.asking(2, nil), testPrice, time.Second); !errors.Is(err, session.ErrUnderauthorised) {
		t.Errorf("began against a voucher that dies: %v", err)
	}
	e.key = newKey
	if err := c.payee.Accept(t.Context(), *e.voucher(testEpoch+1, 2, 1000)); err != nil {
		t.Fatal(err)
	}
	if ok, err := c.payee.Charge(t.Context(), b.in.Header.ID, 1); !ok || err != nil {
		t.Errorf("the new key signed, and the request does not go on: %v, %v", ok, err)
	}
	see(rotated)
	pending(1)
	// The claim of the old key's voucher may fail; that of the new key's is another one.
	rotated.CloseAt = uint32(time.Now().Unix()) + 3600
	see(rotated)
	pending(2)
}
