package channel

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
)

// Terms is what never changes on a channel.
type Terms struct {
	Channel     *address.Address
	Network     int32
	PayeeKey    [32]byte
	Window      tlb.Nano // credit step W of a payer; 0: [DefaultWindow] of the deposit
	MaxRequests int      // running at once
	// ClaimMargin is how many seconds before the close a payee stops charging: a
	// voucher is worth what can still be claimed with it.
	ClaimMargin uint32
}

// Bounds of the credit window: what a payer risks per running request, against
// how often it must sign.
const (
	MinWindow tlb.Nano = 500_000    // 0.0005 TON
	MaxWindow tlb.Nano = 50_000_000 // 0.05 TON
)

// DefaultWindow is 0.002 TON, but at most 5 % of the deposit, and never below [MinWindow].
func DefaultWindow(deposit tlb.Nano) tlb.Nano {
	return max(MinWindow, min(2_000_000, deposit/20))
}

// PayerState is the payer's end of a channel. Three numbers are never mixed:
// Authorised was signed by us, Spent is owed for finished requests, Settled was
// paid on chain.
//
// It is a value: [PayerState.Step] leaves the old one as it was.
type PayerState struct {
	Terms Terms
	Phase Phase

	// From the chain.
	Deposit, Settled tlb.Nano
	Epoch            uint32
	SessionKey       [32]byte // ours; the chain must name the same
	CloseAt          uint32

	// Of the journal.
	Authorised tlb.Nano // highest cumulative amount ever signed; never lowered
	Spent      tlb.Nano // receipts accepted, or what the payee stated at the last reconnect
	Stated     tlb.Nano // the payee's spent at the last reconnect: receipts up to it are in Spent already
	// Doubtful is what abandoned requests may have cost: allotted, without a
	// receipt. It stays covered until [PayerReconcile] tells how much it really was.
	Doubtful tlb.Nano
	Receipt  [32]byte // hash of the last receipt accepted; goes into the next voucher
	Last     Signed   // the last voucher signed

	// Of this run; a restart turns all into Doubtful.
	Requests map[Request]Allotment
	Allotted tlb.Nano // Σ Requests' Allotted
	Asked    *Asked   // the payee is asked where the channel stands; nil: not now
}

// Asked is what we knew when the payee was asked, and what came since.
type Asked struct {
	Spent, Doubtful tlb.Nano
	Receipts        []Taken
}

// Taken is what counts of a receipt.
type Taken struct {
	Spent tlb.Nano // the payee's, with this receipt's cost
	Cost  tlb.Nano
}

// maxTaken bounds what is kept for an answer that does not come.
const maxTaken = 4096

func (a *Asked) with(r Taken) *Asked {
	if a == nil || len(a.Receipts) == maxTaken {
		return nil
	}
	next := *a
	next.Receipts = append(slices.Clip(a.Receipts), r)
	return &next
}

// Signed is the part of a voucher that differs from one to the next; Seq 0 stands for none.
type Signed struct {
	Epoch      uint32
	Seq        uint64
	Cumulative tlb.Nano
	Receipt    [32]byte
}

// Allotment is a running request's share of what is authorised.
type Allotment struct {
	Limit    tlb.Nano // it may never cost more
	Allotted tlb.Nano
	Stated   tlb.Nano // what the payee says it cost so far
	Floor    tlb.Nano // Spent when it began: its receipt must state at least that plus its cost
}

// Step is the machine: what follows from an event at the time now. On an error
// nothing happened. A step allocates only what changed, and never blocks.
func (s PayerState) Step(e Event, now time.Time) (PayerState, []Effect, error) {
	if _, ok := payerTransitions[s.Phase][e.kind()]; !ok {
		return s, nil, s.Phase.refusal()
	}
	next, effects, err := s.apply(e)
	if err != nil {
		return s, nil, err
	}
	if !payerTransitions.allows(s.Phase, e.kind(), next.Phase) {
		panic(fmt.Sprintf("channel: internal error: payer moved from %v to %v on %v", s.Phase, next.Phase, e.kind()))
	}
	return next, effects, nil
}

func (s PayerState) apply(e Event) (PayerState, []Effect, error) {
	switch e := e.(type) {
	case Observe:
		return s.observe(e)
	case Gone:
		s.Phase = Closed
		return s, []Effect{Persist{}}, nil
	case PayerBegin:
		return s.begin(e)
	case PayerExtend:
		return s.extend(e)
	case PayerFinish:
		return s.finish(e)
	case PayerAbandon:
		return s.abandon(e)
	case PayerAsk:
		s.Asked = &Asked{Spent: s.Spent, Doubtful: s.Doubtful}
		return s, nil, nil
	case PayerReconcile:
		return s.reconcile(e)
	default:
		return s, nil, ErrIllegal
	}
}

func (s PayerState) observe(e Observe) (PayerState, []Effect, error) {
	if e.SessionKey != s.SessionKey {
		return s, nil, ErrSessionKey
	}
	if e.Epoch < s.Epoch || e.Settled < s.Settled || (s.CloseAt != 0 && e.CloseAt == 0) {
		return s, nil, ErrStaleView
	}
	s.Deposit, s.Settled, s.Epoch, s.CloseAt = e.Deposit, e.Settled, e.Epoch, e.CloseAt
	s.Phase = Open
	if e.CloseAt != 0 {
		s.Phase = Closing
	}
	if s.Authorised >= s.Settled {
		return s, nil, nil
	}
	// The chain saw a voucher that our journal does not know: an old copy of it
	// was restored. What was settled was authorised.
	s.Authorised = s.Settled
	return s, []Effect{Persist{}}, nil
}

// committed is what must stay covered besides a new allotment.
func (s PayerState) committed() (tlb.Nano, error) { return sum(s.Spent, s.Doubtful, s.Allotted) }

func (s PayerState) window() tlb.Nano {
	if s.Terms.Window != 0 {
		return s.Terms.Window
	}
	return DefaultWindow(s.Deposit)
}

func (s PayerState) begin(e PayerBegin) (PayerState, []Effect, error) {
	if _, ok := s.Requests[e.Request]; ok {
		return s, nil, ErrRequestExists
	}
	if len(s.Requests) >= s.Terms.MaxRequests {
		return s, nil, ErrTooManyRequests
	}
	if e.Limit > tlb.MaxNano {
		return s, nil, fmt.Errorf("limit: %w", tlb.ErrOverflow)
	}
	if e.Need > e.Limit {
		return s, nil, fmt.Errorf("%w: it needs %v to begin, its limit is %v", ErrOverLimit, e.Need, e.Limit)
	}
	s = s.with(e.Request, Allotment{Limit: e.Limit, Allotted: e.Need, Floor: s.Spent})
	return s.voucher()
}

// extend keeps what is allotted to a request between half a window and a whole
// one above what it cost, so that the payer risks one window and signs twice per window.
func (s PayerState) extend(e PayerExtend) (PayerState, []Effect, error) {
	a, ok := s.Requests[e.Request]
	if !ok {
		return s, nil, ErrUnknownRequest
	}
	if e.Spent > a.Limit {
		return s, nil, fmt.Errorf("%w: the payee states %v, the limit is %v", ErrOverLimit, e.Spent, a.Limit)
	}
	a.Stated = max(a.Stated, e.Spent)
	window := s.window()
	left := tlb.Nano(0)
	if a.Allotted > a.Stated {
		left = a.Allotted - a.Stated
	}
	if left >= window/2 || a.Allotted >= a.Limit {
		return s.with(e.Request, a), nil, nil
	}
	want, err := a.Stated.Add(window)
	if err != nil {
		return s, nil, err
	}
	committed, err := s.committed()
	if err != nil {
		return s, nil, err
	}
	room := a.Allotted
	if s.Deposit > committed {
		if room, err = a.Allotted.Add(s.Deposit - committed); err != nil {
			return s, nil, err
		}
	}
	raised := min(want, a.Limit, room)
	if raised <= a.Allotted {
		if left > 0 {
			return s.with(e.Request, a), nil, nil
		}
		return s, nil, fmt.Errorf("%w: %v of %v are committed", ErrDepositExhausted, committed, s.Deposit)
	}
	a.Allotted = raised
	return s.with(e.Request, a).voucher()
}

func (s PayerState) finish(e PayerFinish) (PayerState, []Effect, error) {
	a, ok := s.Requests[e.Request]
	if !ok {
		return s, nil, ErrUnknownRequest
	}
	r := e.Receipt.receipt
	switch {
	case e.Receipt.key != s.Terms.PayeeKey:
		return s, nil, ErrReceiptSignature
	case r.Network != s.Terms.Network:
		return s, nil, fmt.Errorf("%w: %d", ErrReceiptNetwork, r.Network)
	case !r.Channel.Equals(s.Terms.Channel):
		return s, nil, fmt.Errorf("%w: %v", ErrReceiptChannel, r.Channel)
	case r.Work.Request != e.Request:
		return s, nil, fmt.Errorf("%w: %x", ErrReceiptRequest, r.Work.Request)
	case r.Cost > a.Limit:
		return s, nil, fmt.Errorf("%w: the receipt says %v, the limit is %v", ErrOverLimit, r.Cost, a.Limit)
	}
	least, err := a.Floor.Add(r.Cost)
	if err != nil {
		return s, nil, err
	}
	if r.Spent < least || r.Spent > s.Authorised {
		return s, nil, fmt.Errorf("%w: it states %v; at least %v was spent and %v authorised", ErrReceiptSpent, r.Spent, least, s.Authorised)
	}
	if r.Spent > s.Stated { // else the statement at the reconnect came after it, and holds its cost
		spent, err := s.Spent.Add(r.Cost)
		if err != nil {
			return s, nil, err
		}
		if spent > s.Authorised {
			return s, nil, fmt.Errorf("%w: its cost %v makes %v, %v authorised", ErrReceiptSpent, r.Cost, spent, s.Authorised)
		}
		s.Spent = spent
	}
	s.Asked = s.Asked.with(Taken{Spent: r.Spent, Cost: r.Cost})
	s = s.without(e.Request)
	s.Receipt = e.Receipt.hash
	return s, []Effect{Persist{}}, nil
}

// abandon needs no write: what was allotted is in the journal as doubtful since
// the voucher that covered it.
func (s PayerState) abandon(e PayerAbandon) (PayerState, []Effect, error) {
	a, ok := s.Requests[e.Request]
	if !ok {
		return s, nil, ErrUnknownRequest
	}
	doubtful, err := s.Doubtful.Add(a.Allotted)
	if err != nil {
		return s, nil, err
	}
	s = s.without(e.Request)
	s.Doubtful = doubtful
	return s, nil, nil
}

func (s PayerState) reconcile(e PayerReconcile) (PayerState, []Effect, error) {
	if s.Asked == nil {
		return s, nil, ErrNotAsked
	}
	if e.Highest != nil {
		v := e.Highest.signed.Voucher
		switch {
		case e.Highest.key != s.SessionKey:
			return s, nil, ErrVoucherSignature
		case v.Network != s.Terms.Network:
			return s, nil, fmt.Errorf("%w: %d", ErrVoucherNetwork, v.Network)
		case !v.Channel.Equals(s.Terms.Channel):
			return s, nil, fmt.Errorf("%w: %v", ErrVoucherChannel, v.Channel)
		}
		s.Authorised = max(s.Authorised, v.Cumulative)
		if v.Seq > s.Last.Seq { // an old copy of our journal was restored; a seq is never used twice
			s.Last = Signed{Epoch: v.Epoch, Seq: v.Seq, Cumulative: v.Cumulative, Receipt: v.Receipt}
		}
	}
	if e.Spent > s.Authorised {
		return s, nil, fmt.Errorf("%w: %v of %v", ErrSpentAboveAuthorised, e.Spent, s.Authorised)
	}
	if e.Spent < s.Asked.Spent {
		return s, nil, ErrSpentBehind{Recorded: s.Asked.Spent, Stated: e.Spent}
	}
	spent := e.Spent
	for _, r := range s.Asked.Receipts {
		if r.Spent <= e.Spent {
			continue // what it states holds this one
		}
		var err error
		if spent, err = spent.Add(r.Cost); err != nil {
			return s, nil, err
		}
	}
	if spent > s.Authorised {
		return s, nil, fmt.Errorf("%w: %v with the receipts since it was asked, of %v", ErrSpentAboveAuthorised, spent, s.Authorised)
	}
	// What came to be in doubt since it was asked stays so.
	s.Spent, s.Stated, s.Doubtful = spent, e.Spent, s.Doubtful-s.Asked.Doubtful
	s.Asked = nil
	return s, []Effect{Persist{}}, nil
}

// voucher authorises all that is committed: a new voucher if that is more than
// the last one says, else the last one again.
func (s PayerState) voucher() (PayerState, []Effect, error) {
	committed, err := s.committed()
	if err != nil {
		return s, nil, fmt.Errorf("%w: %w", ErrDepositExhausted, err)
	}
	cumulative := max(s.Authorised, committed)
	if cumulative > s.Deposit {
		return s, nil, fmt.Errorf("%w: %v would be committed of %v", ErrDepositExhausted, cumulative, s.Deposit)
	}
	if s.Last.Seq == 0 || s.Last.Epoch != s.Epoch || s.Last.Cumulative != cumulative {
		s.Authorised = cumulative
		s.Last = Signed{Epoch: s.Epoch, Seq: s.Last.Seq + 1, Cumulative: cumulative, Receipt: s.Receipt}
	}
	// Even a voucher signed before may still be on its way to disk.
	return s, []Effect{Persist{}, SendVoucher{Voucher: s.Voucher()}}, nil
}

// Voucher is the last voucher, without its signature.
func (s PayerState) Voucher() tlb.Voucher {
	return tlb.Voucher{
		Network: s.Terms.Network, Channel: s.Terms.Channel,
		Epoch: s.Last.Epoch, Seq: s.Last.Seq, Cumulative: s.Last.Cumulative, Receipt: s.Last.Receipt,
	}
}

// with returns s with the request's allotment set, without s in another copy noticing.
func (s PayerState) with(id Request, a Allotment) PayerState {
	s.Allotted += a.Allotted - s.Requests[id].Allotted // cannot wrap: the sum so far is within the deposit, a.Allotted within MaxNano
	if s.Requests = maps.Clone(s.Requests); s.Requests == nil {
		s.Requests = map[Request]Allotment{}
	}
	s.Requests[id] = a
	return s
}

func (s PayerState) without(id Request) PayerState {
	s.Allotted -= s.Requests[id].Allotted
	s.Requests = maps.Clone(s.Requests)
	delete(s.Requests, id)
	return s
}

// sum adds, checked.
func sum(amounts ...tlb.Nano) (total tlb.Nano, err error) {
	for _, n := range amounts {
		if total, err = total.Add(n); err != nil {
			return 0, err
		}
	}
	return total, nil
}
