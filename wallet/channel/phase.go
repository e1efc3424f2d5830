package channel

import "slices"

// Phase is what a channel's end may do now. channel.md draws how phases follow
// each other.
type Phase uint8

// The phases of both ends. Only Draining and Closed outlive a restart: whatever
// else was known of the chain is asked for again, and until it is, the phase is
// Unconfirmed and no money moves.
const (
	Unconfirmed Phase = iota // nothing seen on chain since the start
	Open                     // deposit seen; requests run
	Draining                 // payee only: consent to close given or about to be; no new requests
	Closing                  // the payer asked the contract to close; no new requests
	Closed                   // the contract is gone
)

var phaseNames = [...]string{"Unconfirmed", "Open", "Draining", "Closing", "Closed"}

func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return "Phase(?)"
}

// refusal is the error for an event that the phase does not take.
func (p Phase) refusal() error {
	switch p {
	case Unconfirmed:
		return ErrUnconfirmed
	case Open:
		return ErrIllegal
	case Draining, Closing:
		return ErrClosing
	default:
		return ErrClosed
	}
}

// transitions says, for each phase and event, which phases may follow. An event
// without an entry is refused.
type transitions map[Phase]map[Kind][]Phase

func (t transitions) allows(from Phase, event Kind, to Phase) bool {
	return slices.Contains(t[from][event], to)
}

// payerTransitions and payeeTransitions are the drawing of channel.md; a test
// compares them.
var payerTransitions = transitions{
	Unconfirmed: {
		KindObserve:   {Open, Closing},
		KindGone:      {Closed},
		KindAsk:       {Unconfirmed},
		KindReconcile: {Unconfirmed},
	},
	Open: {
		KindObserve:   {Open, Closing},
		KindGone:      {Closed},
		KindAsk:       {Open},
		KindReconcile: {Open},
		KindBegin:     {Open},
		KindExtend:    {Open},
		KindFinish:    {Open},
		KindAbandon:   {Open},
	},
	Closing: {
		KindObserve:   {Closing},
		KindGone:      {Closed},
		KindAsk:       {Closing},
		KindReconcile: {Closing},
		KindFinish:    {Closing},
		KindAbandon:   {Closing},
	},
	Closed: {
		KindGone:    {Closed},
		KindFinish:  {Closed},
		KindAbandon: {Closed},
	},
}

var payeeTransitions = transitions{
	Unconfirmed: {
		KindObserve: {Open, Closing},
		KindGone:    {Closed},
		KindStatus:  {Unconfirmed},
	},
	Open: {
		KindObserve:   {Open, Closing},
		KindGone:      {Closed},
		KindAccept:    {Open},
		KindPersisted: {Open},
		KindBegin:     {Open},
		KindCharge:    {Open},
		KindFinish:    {Open},
		KindConsent:   {Draining},
		KindStatus:    {Open},
	},
	Draining: {
		KindObserve:   {Draining},
		KindGone:      {Closed},
		KindAccept:    {Draining},
		KindPersisted: {Draining},
		KindCharge:    {Draining},
		KindFinish:    {Draining},
		KindConsent:   {Draining},
		KindStatus:    {Draining},
	},
	Closing: {
		KindObserve:   {Closing},
		KindGone:      {Closed},
		KindAccept:    {Closing},
		KindPersisted: {Closing},
		KindCharge:    {Closing},
		KindFinish:    {Closing},
		KindConsent:   {Draining},
		KindStatus:    {Closing},
	},
	Closed: {
		KindGone:      {Closed},
		KindPersisted: {Closed},
		KindFinish:    {Closed},
		KindStatus:    {Closed},
	},
}
