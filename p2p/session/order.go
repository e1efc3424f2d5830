package session

import (
	"fmt"

	"github.com/tussah-network/tussah/tlb"
)

// order is what the payee has said about one request so far. The payee keeps one
// over what it says and the payer one over what it hears.
//
//	start ──Accepted──▶ accepted ──Head──▶ answering ──Part──▶ answering ──Done──▶ ended
//	  any state before ended: NeedVoucher keeps it, Failed ends it
type order struct {
	phase phase
	spent tlb.Nano
}

type phase uint8

const (
	phaseStart phase = iota
	phaseAccepted
	phaseAnswering
	phaseEnded
)

func (p phase) String() string { return [...]string{"start", "accepted", "answering", "ended"}[p] }

// step returns the order after e, or [ErrEnded] or [ErrOrder].
func (o order) step(e Event) (order, error) {
	if o.phase == phaseEnded {
		return o, ErrEnded
	}
	legal, before := true, o.phase
	spent := o.spent
	switch e := e.(type) {
	case Accepted:
		legal = o.phase == phaseStart
		o.phase = phaseAccepted
	case Head:
		legal = o.phase == phaseAccepted
		o.phase = phaseAnswering
	case Part:
		legal = o.phase == phaseAnswering
		spent = e.Spent
	case NeedVoucher:
		spent = e.Spent
	case Done:
		legal = o.phase == phaseAnswering
		o.phase = phaseEnded
	case Failed:
		o.phase = phaseEnded
	}
	if !legal {
		return o, fmt.Errorf("%w: %s when %s", ErrOrder, e.kind(), before)
	}
	if spent < o.spent {
		return o, fmt.Errorf("%w: spent fell", ErrOrder)
	}
	o.spent = spent
	return o, nil
}
