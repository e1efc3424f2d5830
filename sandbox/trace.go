package sandbox

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// Trace is a transaction with everything it set off.
type Trace struct {
	Tx      tlb.Tx
	Message Message // what the account received
	// Execution is what the transaction follows from, After the account
	// afterwards, a ShardAccount.
	Execution Execution
	After     *cell.Cell

	// Exit is how the compute phase ended. Skipped says why it did not run,
	// and is empty when it did.
	Exit    get.Exit
	Skipped string
	// Fault is an [ErrExecutor] if the executor broke down, so that the contract
	// did not run though it should have.
	Fault error
	// Action is the result code of the action phase, 0 if there was none.
	Action ActionCode
	// Aborted: the message was not carried out; if it could bounce, it did.
	Aborted bool
	Gas     uint64
	// Fees are those of this transaction: storage, gas, import, and the first
	// part of the forward fees. The rest of a forward fee travels with the
	// message and is collected where it is delivered.
	Fees tlb.Nano
	// Balance and Status of the account afterwards.
	Balance tlb.Nano
	Status  tlb.AccountStatus

	// Emitted are the messages it sent to the world outside.
	Emitted []*cell.Cell
	// Caused are the transactions its messages led to, in order of delivery.
	Caused []*Trace
}

// Message is what an account received.
type Message struct {
	Cell     *cell.Cell
	External bool
	From     *address.Address // nil if External
	To       *address.Address
	Value    tlb.Nano
	Bounce   bool
	Bounced  bool
	Body     *cell.Cell
}

// Op is the operation code in front of the body; 0 when there is none.
func (m Message) Op() uint32 {
	if m.Body == nil {
		return 0
	}
	s, err := m.Body.BeginParse()
	if err != nil {
		return 0
	}
	op, err := s.LoadUInt(32)
	if err != nil {
		return 0
	}
	return uint32(op)
}

// signed tells whether a message seems to begin with a signature, as those to
// wallets do: it comes from outside and is long enough. Wallets of version 5 have
// theirs at the end, behind an operation.
func (m Message) signed() bool {
	const bits, signedRequest = 512, 0x7369676e
	return m.External && m.Body != nil && m.Body.BitsSize() >= bits && m.Op() != signedRequest
}

// All yields the transaction and all it set off, parents first.
func (t *Trace) All() iter.Seq[*Trace] {
	return func(yield func(*Trace) bool) { t.walk(yield) }
}

func (t *Trace) walk(yield func(*Trace) bool) bool {
	if !yield(t) {
		return false
	}
	for _, child := range t.Caused {
		if !child.walk(yield) {
			return false
		}
	}
	return true
}

// Of returns the transactions of one account in the tree.
func (t *Trace) Of(account *address.Address) (out []*Trace) {
	for each := range t.All() {
		if each.Message.To.Equals(account) {
			out = append(out, each)
		}
	}
	return out
}

// Failed returns the first transaction in the tree that was aborted, or nil.
func (t *Trace) Failed() *Trace {
	for each := range t.All() {
		if each.Aborted {
			return each
		}
	}
	return nil
}

// String draws the tree, one transaction a line.
func (t *Trace) String() string {
	var b strings.Builder
	t.draw(&b, "")
	return b.String()
}

func (t *Trace) draw(b *strings.Builder, indent string) {
	from := "outside"
	if t.Message.From != nil {
		from = t.Message.From.String()
	}
	fmt.Fprintf(b, "%s%s -> %s  %s", indent, from, t.Message.To, t.Message.Value)
	if !t.Message.signed() {
		fmt.Fprintf(b, "  op %#08x", t.Message.Op())
	}
	if t.Message.Bounced {
		b.WriteString("  bounced")
	}
	switch {
	case t.Skipped != "":
		fmt.Fprintf(b, "  not run: %s", t.Skipped)
	default:
		fmt.Fprintf(b, "  %s, gas %d", t.Exit, t.Gas)
	}
	if t.Action != 0 {
		fmt.Fprintf(b, ", %s", t.Action)
	}
	if t.Aborted {
		b.WriteString(", aborted")
	}
	fmt.Fprintf(b, ", fees %s\n", t.Fees)
	if t.Fault != nil {
		fmt.Fprintf(b, "%s  %v\n", indent, t.Fault)
	}
	for _, child := range t.Caused {
		child.draw(b, indent+"  ")
	}
}

func (t *Trace) emitted(message *cell.Cell) {
	if t != nil {
		t.Emitted = append(t.Emitted, message)
	}
}

// flight follows one message from outside, and all it sets off, until nothing
// of it is under way any more.
type flight struct {
	open   int // messages not yet delivered
	trace  *Trace
	err    error
	landed chan struct{} // closed when open reaches zero
	over   bool
}

func newFlight() *flight { return &flight{open: 1, landed: make(chan struct{})} }

func (f *flight) fail(err error) {
	f.err = err
	f.close()
}

func (f *flight) close() {
	if f.open--; f.open == 0 {
		f.land()
	}
}

// abandon ends the wait for messages that are not followed any further.
func (f *flight) abandon(err error) {
	if !f.over {
		f.err = err
		f.land()
	}
}

func (f *flight) land() {
	if !f.over {
		f.over = true
		close(f.landed)
	}
}

// executed is told of the transaction its message led to.
func (o *origin) executed(msg *tvm.PreparedMessage, tx *tontlb.Transaction, e executed) *Trace {
	if o == nil {
		return nil
	}
	t := newTrace(msg, tx, e)
	if o.parent == nil {
		o.flight.trace = t
	} else {
		o.parent.Caused = append(o.parent.Caused, t)
	}
	return t
}

// sent is told of a message its transaction sent.
func (o *origin) sent(by *Trace) *origin {
	if o == nil {
		return nil
	}
	o.flight.open++
	return &origin{flight: o.flight, parent: by}
}

// settled is told that the message was dealt with, and what it sent counted.
func (o *origin) settled() {
	if o != nil {
		o.flight.close()
	}
}

func newTrace(msg *tvm.PreparedMessage, tx *tontlb.Transaction, e executed) *Trace {
	r := e.result
	state := r.NextAccount.State()
	t := &Trace{
		Tx: tlb.Tx{
			Account: r.NextAccount.Address(), LT: tx.LT, Hash: r.TransactionCell.HashKey(),
			PrevLT: tx.PrevTxLT, PrevHash: [32]byte(tx.PrevTxHash),
			Time: time.Unix(int64(tx.Now), 0), Root: r.TransactionCell,
		},
		Message: describe(msg), Execution: e.execution, After: e.outcome.After,
		Gas:     uint64(max(r.GasUsed, 0)),
		Fees:    nano(tx.TotalFees.Coins),
		Balance: nano(state.Balance),
		Status:  statusOf(state),
		Fault:   e.fault,
	}
	ordinary, ok := tx.Description.(tontlb.TransactionDescriptionOrdinary)
	if !ok {
		return t
	}
	t.Aborted = ordinary.Aborted
	switch phase := ordinary.ComputePhase.Phase.(type) {
	case tontlb.ComputePhaseVM:
		t.Exit = get.Exit(phase.Details.ExitCode)
	case tontlb.ComputePhaseSkipped:
		t.Skipped = skipNames[phase.Reason.Type]
	}
	if ordinary.ActionPhase != nil {
		t.Action = ActionCode(ordinary.ActionPhase.ResultCode)
	}
	return t
}

var skipNames = map[tontlb.ComputeSkipReasonType]string{
	tontlb.ComputeSkipReasonNoState:   "no state",
	tontlb.ComputeSkipReasonBadState:  "bad state",
	tontlb.ComputeSkipReasonNoGas:     "no gas",
	tontlb.ComputeSkipReasonSuspended: "suspended",
}

func describe(prepared *tvm.PreparedMessage) Message {
	parsed := prepared.Message()
	if parsed.MsgType == tontlb.MsgTypeExternalIn {
		in := parsed.AsExternalIn()
		return Message{Cell: prepared.Cell(), External: true, To: in.DstAddr, Body: in.Body}
	}
	in := parsed.AsInternal()
	return Message{
		Cell: prepared.Cell(), From: in.SrcAddr, To: in.DstAddr, Value: nano(in.Amount),
		Bounce: in.Bounce, Bounced: in.Bounced, Body: in.Body,
	}
}
