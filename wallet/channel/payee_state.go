package channel

import (
	"fmt"
	"maps"
	"time"

	"github.com/tussah-network/tussah/tlb"
)

// PayeeState is the payee's end of a channel. Authorised is on disk and may be
// delivered against; Spent + Reserved never passes it, unless the payer changed
// its key: then nothing more is delivered until the new one signed for all of it.
//
// It is a value: [PayeeState.Step] leaves the old one as it was.
type PayeeState struct {
	Terms Terms
	Phase Phase

	// From the chain.
	Deposit, Settled tlb.Nano
	Epoch            uint32
	SessionKey       [32]byte
	CloseAt          uint32

	// Of the journal.
	Held  tlb.SignedVoucher // the highest voucher; Channel is nil while there is none
	Spent tlb.Nano          // of finished requests; never lowered

	// Authorised is Held's cumulative amount once Held is on disk, and at least
	// Settled. A voucher of an epoch that is over authorises nothing: it dies.
	Authorised tlb.Nano

	// Of this run; a restart counts what was charged as spent.
	Requests map[Request]Running
	Reserved tlb.Nano // Σ Requests' Reserved
	Charged  tlb.Nano // Σ Requests' Charged
}

// Running is one request being delivered. Charged ≤ Reserved.
type Running struct{ Reserved, Charged tlb.Nano }

// Holds tells whether the payee has any voucher.
func (s PayeeState) Holds() bool { return s.Held.Voucher.Channel != nil }

// Step is the machine: what follows from an event at the time now. On an error
// nothing happened.
func (s PayeeState) Step(e Event, now time.Time) (PayeeState, []Effect, error) {
	if _, ok := payeeTransitions[s.Phase][e.kind()]; !ok {
		return s, nil, s.Phase.refusal()
	}
	next, effects, err := s.apply(e, now)
	if err != nil {
		return s, nil, err
	}
	if !payeeTransitions.allows(s.Phase, e.kind(), next.Phase) {
		panic(fmt.Sprintf("channel: internal error: payee moved from %v to %v on %v", s.Phase, next.Phase, e.kind()))
	}
	return next, effects, nil
}

func (s PayeeState) apply(e Event, now time.Time) (PayeeState, []Effect, error) {
	switch e := e.(type) {
	case Observe:
		return s.observe(e)
	case Gone:
		s.Phase = Closed
		return s, []Effect{Wake{}, Persist{}}, nil
	case PayeeAccept:
		return s.accept(e)
	case PayeePersisted:
		if e.Epoch == s.Epoch { // else the key was replaced during the write
			s.Authorised = max(s.Authorised, e.Cumulative)
		}
		return s, []Effect{Wake{}}, nil
	case PayeeBegin:
		return s.begin(e)
	case PayeeCharge:
		return s.charge(e, now)
	case PayeeFinish:
		return s.finish(e)
	case PayeeConsent:
		return s.consent()
	case PayeeStatus: // the payer counts with it from now on, so no crash may take it back
		return s, []Effect{Persist{}, SendStatus{State: s}}, nil
	default:
		return s, nil, ErrIllegal
	}
}

func (s PayeeState) observe(e Observe) (PayeeState, []Effect, error) {
	if tlb.WeakKey(e.SessionKey[:]) {
		return s, nil, ErrWeakKey
	}
	if e.Epoch < s.Epoch || e.Settled < s.Settled || (s.CloseAt != 0 && e.CloseAt == 0) {
		return s, nil, ErrStaleView
	}
	s.Deposit, s.Settled, s.Epoch, s.SessionKey, s.CloseAt = e.Deposit, e.Settled, e.Epoch, e.SessionKey, e.CloseAt
	if s.Held.Voucher.Epoch < s.Epoch {
		s.Authorised = 0
	}
	s.Authorised = max(s.Authorised, s.Settled) // what was settled was authorised, and is safe on chain
	switch {
	case s.Phase == Draining:
	case e.CloseAt != 0:
		s.Phase = Closing
	default:
		s.Phase = Open
	}
	return s, []Effect{Wake{}}, nil
}

// check is all of accept but the signature; it is cheap.
func (s PayeeState) check(v tlb.Voucher) error {
	if _, ok := payeeTransitions[s.Phase][KindAccept]; !ok {
		return s.Phase.refusal()
	}
	held := s.Held.Voucher
	switch {
	case v.Network != s.Terms.Network:
		return fmt.Errorf("%w: %d, not %d", ErrVoucherNetwork, v.Network, s.Terms.Network)
	case v.Channel == nil || !v.Channel.Equals(s.Terms.Channel):
		return fmt.Errorf("%w: %v, not %v", ErrVoucherChannel, v.Channel, s.Terms.Channel)
	case v.Epoch != s.Epoch:
		return fmt.Errorf("%w: %d, not %d", ErrVoucherEpoch, v.Epoch, s.Epoch)
	case v.Cumulative > s.Deposit:
		return fmt.Errorf("%w: %v of %v", ErrOverDeposit, v.Cumulative, s.Deposit)
	case v.Cumulative < s.Settled, v.Cumulative < held.Cumulative,
		s.Holds() && v.Cumulative == held.Cumulative && v.Epoch == held.Epoch: // the same amount under a new key is worth having: the old key's vouchers die
		return fmt.Errorf("%w: %v, held %v, settled %v", ErrVoucherLow, v.Cumulative, held.Cumulative, s.Settled)
	}
	return nil
}

// holds tells whether v is, bit for bit, the highest voucher held, and its key's
// epoch not over.
func (s PayeeState) holds(v tlb.SignedVoucher) bool {
	a, b := s.Held.Voucher, v.Voucher
	return s.Holds() && b.Channel != nil && b.Epoch == s.Epoch && s.Held.Signature == v.Signature && a.Channel.Equals(b.Channel) &&
		a.Network == b.Network && a.Epoch == b.Epoch && a.Seq == b.Seq && a.Cumulative == b.Cumulative && a.Receipt == b.Receipt
}

func (s PayeeState) accept(e PayeeAccept) (PayeeState, []Effect, error) {
	v := e.Voucher.signed
	if !s.holds(v) {
		if err := s.check(v.Voucher); err != nil {
			return s, nil, err
		}
		if e.Voucher.key != s.SessionKey {
			return s, nil, ErrVoucherSignature
		}
		s.Held = v
	} else if s.Authorised >= v.Voucher.Cumulative {
		return s, nil, nil
	}
	return s, []Effect{Persist{}, Confirm{PayeePersisted{Epoch: v.Voucher.Epoch, Cumulative: v.Voucher.Cumulative}}}, nil
}

func (s PayeeState) begin(e PayeeBegin) (PayeeState, []Effect, error) {
	if _, ok := s.Requests[e.Request]; ok {
		return s, nil, ErrRequestExists
	}
	if len(s.Requests) >= s.Terms.MaxRequests {
		return s, nil, ErrTooManyRequests
	}
	if err := s.fits(e.Need, s.Reserved); err != nil {
		return s, nil, err
	}
	return s.with(e.Request, Running{Reserved: e.Need}), nil, nil
}

func (s PayeeState) charge(e PayeeCharge, now time.Time) (PayeeState, []Effect, error) {
	r, ok := s.Requests[e.Request]
	switch {
	case !ok:
		return s, nil, ErrUnknownRequest
	case s.CloseAt != 0 && now.Unix() >= int64(s.CloseAt)-int64(s.Terms.ClaimMargin):
		return s, nil, fmt.Errorf("too little is left of the close delay to claim more: %w", ErrClosing)
	case e.Total < r.Charged:
		return s, nil, fmt.Errorf("%w: from %v to %v", ErrChargeLow, r.Charged, e.Total)
	case e.Total == r.Charged:
		return s, nil, nil
	}
	others := s.Reserved - r.Reserved
	r.Charged, r.Reserved = e.Total, max(e.Total, r.Reserved)
	if err := s.fits(r.Reserved, others); err != nil { // what was reserved before the key changed may fit no more
		return s, nil, err
	}
	return s.with(e.Request, r), []Effect{PersistSoon{}}, nil
}

// fits checks that need may be delivered beside what other requests reserved.
func (s PayeeState) fits(need, others tlb.Nano) error {
	total, err := sum(s.Spent, others, need)
	if err != nil || total > s.Authorised {
		return ErrUnderauthorised{Spent: s.Spent, Running: others, Need: need, Authorised: s.Authorised}
	}
	return nil
}

func (s PayeeState) finish(e PayeeFinish) (PayeeState, []Effect, error) {
	r, ok := s.Requests[e.Request]
	if !ok {
		return s, nil, ErrUnknownRequest
	}
	if e.Cost > r.Reserved {
		return s, nil, fmt.Errorf("%w: %v of %v", ErrCostAboveCharge, e.Cost, r.Reserved)
	}
	spent, err := s.Spent.Add(e.Cost)
	if err != nil {
		return s, nil, err
	}
	s = s.without(e.Request)
	s.Spent = spent
	return s, []Effect{Wake{}, Persist{}, SendReceipt{Spent: spent}}, nil
}

// consent stops new requests for good, and agrees to close once none is running:
// from then on spent cannot rise any more, so that the agreement gives up nothing.
func (s PayeeState) consent() (PayeeState, []Effect, error) {
	s.Phase = Draining
	effects := []Effect{Persist{}}
	if len(s.Requests) == 0 {
		effects = append(effects, SendConsent{Close: tlb.CoopClose{
			Network: s.Terms.Network, Channel: s.Terms.Channel, Final: max(s.Spent, s.Settled),
		}})
	}
	return s, effects, nil
}

// with returns s with the request set, without s in another copy noticing.
func (s PayeeState) with(id Request, r Running) PayeeState {
	old := s.Requests[id]
	s.Reserved += r.Reserved - old.Reserved
	s.Charged += r.Charged - old.Charged
	if s.Requests = maps.Clone(s.Requests); s.Requests == nil {
		s.Requests = map[Request]Running{}
	}
	s.Requests[id] = r
	return s
}

func (s PayeeState) without(id Request) PayeeState {
	old := s.Requests[id]
	s.Reserved -= old.Reserved
	s.Charged -= old.Charged
	s.Requests = maps.Clone(s.Requests)
	delete(s.Requests, id)
	return s
}
