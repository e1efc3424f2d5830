package kit

import (
	"fmt"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Result is all that a message set off.
type Result struct {
	// All are the transactions, each before those it led to. None if Refused.
	All []*Transaction
	// Refused is set when an external message was not accepted.
	Refused *sandbox.NotAcceptedError

	world  *World
	people people
}

// Transaction is one transaction of a result.
type Transaction struct {
	*sandbox.Trace
	// Index is its place in Result.All and the number it has in print, from 1.
	Index int

	depth  int // how many messages after the first
	parsed tontlb.Transaction
	phases tontlb.TransactionDescriptionOrdinary
	result *Result
	// before and after are the account's code and data.
	before, after state
}

type state struct {
	status     tlb.AccountStatus
	balance    tlb.Nano
	code, data *cell.Cell // nil unless active
}

func newResult(w *World, trace *sandbox.Trace, refused *sandbox.NotAcceptedError) *Result {
	r := &Result{Refused: refused, world: w, people: people{world: w, codes: map[key]cell.Hash{}}}
	r.add(trace, 0)
	for _, t := range r.All {
		if t.Fault != nil {
			w.t.Errorf("kit: #%d: %s did not run, as it would on a real network: %v", t.Index, r.people.name(t.Message.To), t.Fault)
		}
		r.people.learn(t.Message.To, t.before.code)
		r.people.learn(t.Message.To, t.after.code)
	}
	if refused != nil && refused.Execution != nil {
		r.people.learn(refused.Account, stateOf(refused.Execution.Before).code)
	}
	return r
}

func (r *Result) add(trace *sandbox.Trace, depth int) {
	if trace == nil {
		return
	}
	t := &Transaction{Trace: trace, Index: len(r.All) + 1, depth: depth, result: r}
	// The chain made these cells, so that they parse is not the test's concern.
	if err := tontlb.Parse(&t.parsed, trace.Tx.Root); err != nil {
		panic(fmt.Sprintf("kit: internal error: transaction of %s: %v", trace.Tx.Account, err))
	}
	t.phases, _ = t.parsed.Description.(tontlb.TransactionDescriptionOrdinary)
	t.before, t.after = stateOf(trace.Execution.Before), stateOf(trace.After)
	r.All = append(r.All, t)
	for _, caused := range trace.Caused {
		r.add(caused, depth+1)
	}
}

// stateOf reads a ShardAccount.
func stateOf(shardAccount *cell.Cell) state {
	var outer tontlb.ShardAccount
	var inner tontlb.AccountState
	if shardAccount == nil || tontlb.Parse(&outer, shardAccount) != nil || tontlb.Parse(&inner, outer.Account) != nil || !inner.IsValid {
		return state{}
	}
	s := state{status: statusOf(inner.Status), balance: nano(inner.Balance)}
	if inner.StateInit != nil {
		s.code, s.data = inner.StateInit.Code, inner.StateInit.Data
	}
	return s
}

func statusOf(s tontlb.AccountStatus) tlb.AccountStatus {
	switch s {
	case tontlb.AccountStatusActive:
		return tlb.AccountActive
	case tontlb.AccountStatusFrozen:
		return tlb.AccountFrozen
	case tontlb.AccountStatusUninit:
		return tlb.AccountUninit
	}
	return tlb.AccountAbsent
}

func nano(c tontlb.Coins) tlb.Nano { return tlb.Nano(c.Nano().Uint64()) }

// compute is the compute phase; nil if it was skipped.
func (t *Transaction) compute() *tontlb.ComputePhaseVM {
	if phase, ok := t.phases.ComputePhase.Phase.(tontlb.ComputePhaseVM); ok {
		return &phase
	}
	return nil
}

// Success: the contract ran, did not throw, and its actions were carried out.
func (t *Transaction) Success() bool {
	compute := t.compute()
	return compute != nil && compute.Success && t.phases.ActionPhase != nil && t.phases.ActionPhase.Success
}

// Deployed: the message brought a StateInit and made the account active.
func (t *Transaction) Deployed() bool {
	in := t.parsed.IO.In
	if in == nil || t.OldStatus() == tlb.AccountActive || t.EndStatus() != tlb.AccountActive {
		return false
	}
	if in.MsgType == tontlb.MsgTypeExternalIn {
		return in.AsExternalIn().StateInit != nil
	}
	return in.AsInternal().StateInit != nil
}

// Destroyed: the account is gone with this transaction.
func (t *Transaction) Destroyed() bool { return t.phases.Destroyed }

// OutMessages is how many messages it sent, those to the world outside and a
// bounce included.
func (t *Transaction) OutMessages() int { return int(t.parsed.OutMsgCount) }

// OldStatus and EndStatus are the status of the account before and afterwards.
func (t *Transaction) OldStatus() tlb.AccountStatus { return statusOf(t.parsed.OrigStatus) }
func (t *Transaction) EndStatus() tlb.AccountStatus { return statusOf(t.parsed.EndStatus) }

// Find returns the first transaction that is as asked.
func (r *Result) Find(want Tx) (*Transaction, bool) {
	r.world.t.Helper()
	if found := r.Filter(want); len(found) > 0 {
		return found[0], true
	}
	return nil, false
}

// Filter returns the transactions that are as asked.
func (r *Result) Filter(want Tx) []*Transaction {
	r.world.t.Helper()
	m, ok := r.compile(want)
	if !ok {
		return nil
	}
	var found []*Transaction
	for _, t := range r.All {
		if m.matches(t) {
			found = append(found, t)
		}
	}
	return found
}

// compile fails the test if the matcher makes no sense.
func (r *Result) compile(want Tx) (matcher, bool) {
	r.world.t.Helper()
	m, err := want.compile(r.world)
	if err != nil {
		r.world.t.Fatalf("kit: %v", err)
		return matcher{}, false
	}
	return m, true
}

// Expect returns the first transaction that is as asked. If there is none, the
// test fails, and prints what there was and what of it was different.
func (r *Result) Expect(want Tx) *Transaction {
	r.world.t.Helper()
	m, ok := r.compile(want)
	if !ok {
		return nil
	}
	for _, t := range r.All {
		if m.matches(t) {
			return t
		}
	}
	r.world.t.Fatalf("kit: no transaction has %s\n%s", m, r.missing(m))
	return nil
}

// ExpectNone fails the test if there is a transaction as asked.
func (r *Result) ExpectNone(want Tx) {
	r.world.t.Helper()
	m, ok := r.compile(want)
	if !ok {
		return
	}
	for _, t := range r.All {
		if m.matches(t) {
			r.world.t.Fatalf("kit: #%d has %s, and none should\n%s", t.Index, m, r.report(t))
			return
		}
	}
}

// ExpectAll fails the test unless every transaction is as asked.
func (r *Result) ExpectAll(want Tx) {
	r.world.t.Helper()
	m, ok := r.compile(want)
	if !ok {
		return
	}
	if r.Refused != nil {
		r.world.t.Fatalf("kit: there is no transaction at all\n%s", r.Explain())
		return
	}
	for _, t := range r.All {
		if !m.matches(t) {
			r.world.t.Fatalf("kit: not every transaction has %s\n\n%s\n%s", m, t.compared(m.differences(t)), r.report(t))
			return
		}
	}
}

// ExpectRefused fails the test unless the external message was not accepted,
// with this exit code: a number, a range or a predicate, as in [Tx]. Exit 0 is
// a contract that ended without accepting. A contract that did not even run has
// no exit code and is refused by any, if exit is nil.
func (r *Result) ExpectRefused(exit any) {
	r.world.t.Helper()
	if r.Refused == nil {
		r.world.t.Fatalf("kit: the message was accepted\n%s", r.Explain())
		return
	}
	if exit == nil {
		return
	}
	wanted, err := wantNumber(exit, showExit)
	if err != nil {
		r.world.t.Fatalf("kit: refused with: %v", err)
		return
	}
	if r.Refused.Reason != "" || !wanted.test(r.Refused.Exit) {
		r.world.t.Fatalf("kit: the message was refused, but not with exit %s\n%s", wanted.text, r.Explain())
	}
}
