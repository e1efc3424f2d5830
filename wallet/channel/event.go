package channel

import (
	"github.com/tussah-network/tussah/tlb"
)

// Kind names an event in the transition tables.
type Kind uint8

// The kinds of events.
const (
	KindObserve Kind = iota
	KindGone
	KindAsk
	KindReconcile
	KindBegin
	KindExtend
	KindCharge
	KindFinish
	KindAbandon
	KindAccept
	KindPersisted
	KindConsent
	KindStatus
)

var kindNames = [...]string{"Observe", "Gone", "Ask", "Reconcile", "Begin", "Extend", "Charge", "Finish", "Abandon", "Accept", "Persisted", "Consent", "Status"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "Kind(?)"
}

// Request names one paid request; both ends use the same.
type Request = [32]byte

// Event is what happens to a channel's end: one of the types below.
type Event interface{ kind() Kind }

type (
	// Observe is the channel's contract as proven on chain (both ends).
	Observe struct {
		Deposit, Settled tlb.Nano
		Epoch            uint32
		SessionKey       [32]byte
		CloseAt          uint32 // unix time from which anyone may finish the close; 0: no close was requested
	}
	// Gone says that the contract existed and is destroyed (both ends).
	Gone struct{}

	// PayerBegin allots Need to a new request that may cost at most Limit.
	PayerBegin struct {
		Request     Request
		Need, Limit tlb.Nano
	}
	// PayerExtend is the payee's statement of what a request has cost so far.
	PayerExtend struct {
		Request Request
		Spent   tlb.Nano
	}
	// PayerFinish ends a request with the payee's receipt.
	PayerFinish struct {
		Request Request
		Receipt VerifiedReceipt
	}
	// PayerAbandon ends a request without a receipt.
	PayerAbandon struct{ Request Request }
	// PayerAsk says that the payee is asked now where the channel stands.
	PayerAsk struct{}
	// PayerReconcile is its answer: the highest of our vouchers it holds (nil:
	// none) and its spent. Requests may have ended since [PayerAsk].
	PayerReconcile struct {
		Highest *VerifiedVoucher
		Spent   tlb.Nano
	}

	// PayeeAccept is a voucher from the payer.
	PayeeAccept struct{ Voucher VerifiedVoucher }
	// PayeePersisted says that a voucher of this epoch and cumulative amount is on disk.
	PayeePersisted struct {
		Epoch      uint32
		Cumulative tlb.Nano
	}
	// PayeeBegin reserves Need for a new request.
	PayeeBegin struct {
		Request Request
		Need    tlb.Nano
	}
	// PayeeCharge raises what a request has cost so far to Total.
	PayeeCharge struct {
		Request Request
		Total   tlb.Nano
	}
	// PayeeFinish ends a request at its final cost.
	PayeeFinish struct {
		Request Request
		Cost    tlb.Nano
	}
	// PayeeConsent asks to agree to close the channel at once.
	PayeeConsent struct{}
	// PayeeStatus asks where the channel stands.
	PayeeStatus struct{}
)

func (Observe) kind() Kind        { return KindObserve }
func (Gone) kind() Kind           { return KindGone }
func (PayerBegin) kind() Kind     { return KindBegin }
func (PayerExtend) kind() Kind    { return KindExtend }
func (PayerFinish) kind() Kind    { return KindFinish }
func (PayerAbandon) kind() Kind   { return KindAbandon }
func (PayerAsk) kind() Kind       { return KindAsk }
func (PayerReconcile) kind() Kind { return KindReconcile }
func (PayeeAccept) kind() Kind    { return KindAccept }
func (PayeePersisted) kind() Kind { return KindPersisted }
func (PayeeBegin) kind() Kind     { return KindBegin }
func (PayeeCharge) kind() Kind    { return KindCharge }
func (PayeeFinish) kind() Kind    { return KindFinish }
func (PayeeConsent) kind() Kind   { return KindConsent }
func (PayeeStatus) kind() Kind    { return KindStatus }

// Effect is something to do after a step, one of the types below. Effects are
// done in their order: what follows [Persist] waits until the state is on disk.
type Effect interface{ effect() }

type (
	// Persist writes the state, synced.
	Persist struct{}
	// PersistSoon writes the state within [Options.SaveEvery]; nothing waits for it.
	PersistSoon struct{}
	// SendVoucher signs the voucher and hands it to the payee.
	SendVoucher struct{ Voucher tlb.Voucher }
	// SendReceipt releases the receipt of a finished request, in which the payee's spent is Spent.
	SendReceipt struct{ Spent tlb.Nano }
	// SendConsent signs the agreement to close and hands it to the payer.
	SendConsent struct{ Close tlb.CoopClose }
	// SendStatus tells the payer where the channel stands.
	SendStatus struct{ State PayeeState }
	// Confirm feeds the event back.
	Confirm struct{ Event Event }
	// Wake lets waiting requests look again.
	Wake struct{}
)

func (Persist) effect()     {}
func (PersistSoon) effect() {}
func (SendVoucher) effect() {}
func (SendReceipt) effect() {}
func (SendConsent) effect() {}
func (SendStatus) effect()  {}
func (Confirm) effect()     {}
func (Wake) effect()        {}
