package kit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tontlb "github.com/xssnick/tonutils-go/tlb"

	"github.com/tussah-network/tussah/tlb"
)

// Explain says all there is to say: the tree, then each transaction, see
// [Transaction.Explain], but for treasuries that did what they were told; or
// why an external message was not accepted.
func (r *Result) Explain() string {
	var about []*Transaction
	for _, t := range r.All {
		if !t.Success() || !r.world.isTreasury(t.Message.To) {
			about = append(about, t)
		}
	}
	return r.report(about...)
}

// maxExplained is how many transactions the report of a failure explains, and
// maxCandidates how many it compares with what was wanted.
const (
	maxExplained  = 3
	maxCandidates = 8
)

// report is the tree and what is to be said of some transactions.
func (r *Result) report(about ...*Transaction) string {
	if r.Refused != nil {
		return "\n" + r.explainRefusal()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s", r.Tree())
	for _, t := range about {
		fmt.Fprintf(&b, "\n%s", t.Explain())
	}
	return b.String()
}

// missing explains why no transaction matches: what the nearest ones are
// instead, and what went wrong.
func (r *Result) missing(m matcher) string {
	if r.Refused != nil {
		return r.report()
	}
	type candidate struct {
		t     *Transaction
		diffs []difference
	}
	var all []candidate
	for _, t := range r.All {
		all = append(all, candidate{t, m.differences(t)})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(distance(a.diffs), distance(b.diffs)) })
	var b strings.Builder
	b.WriteByte('\n')
	for i, c := range all {
		if i == maxCandidates {
			fmt.Fprintf(&b, "and %d more\n", len(all)-i)
			break
		}
		fmt.Fprintln(&b, c.t.compared(c.diffs))
	}
	about := []*Transaction{all[0].t}
	for _, t := range r.All {
		if t.Trace.Aborted && t != all[0].t && len(about) < maxExplained {
			about = append(about, t)
		}
	}
	slices.SortFunc(about, func(a, b *Transaction) int { return cmp.Compare(a.Index, b.Index) })
	return b.String() + r.report(about...)
}

// distance is how unlike a transaction is to what was wanted. Who and what
// matter more than how it went, which is what a test is about.
func distance(diffs []difference) (n int) {
	for _, d := range diffs {
		switch d.field {
		case "from", "to", "on":
			n += 4
		case "op":
			n += 2
		default:
			n++
		}
	}
	return n
}

// compared says how a transaction differs from what was wanted.
func (t *Transaction) compared(diffs []difference) string {
	words := make([]string, len(diffs))
	for i, d := range diffs {
		words[i] = fmt.Sprintf("%s is %s, not %s", d.field, d.got, d.want)
	}
	return fmt.Sprintf("#%d: %s", t.Index, strings.Join(words, "; "))
}

// Explain tells what happened in a transaction, phase by phase. For one that
// failed it is executed once more, to see the last instructions and the stack.
func (t *Transaction) Explain() string {
	p := t.result.people
	list := []section{{"account", t.account()}}
	if failed := t.failure(); failed != "" {
		list = append(list, section{"failed", failed})
	}
	if fields := t.body(); len(fields) > 0 {
		list = append(list, section{"body", showFields(fields) + "\n"})
	} else if t.Message.Body != nil && t.Message.Body.BitsSize() > 0 {
		list = append(list, section{"body", showCell(t.Message.Body) + "\n"})
	}
	if compute := t.compute(); compute != nil {
		action := t.phases.ActionPhase
		failed := !compute.Success
		if failed || action != nil && (!action.Success || action.SkippedActions > 0) {
			again := again(t.Execution)
			switch {
			case again.err != nil:
				list = append(list, section{"repeated", again.err.Error() + "\n"})
			case failed:
				list = append(list, again.trail(p)...)
			default:
				list = append(list, section{"actions", t.actions(again)})
			}
		}
		list = append(list, section{"gas", gas(compute.Details)})
	}
	list = append(list, section{"fees", t.fees()}, section{"balance", t.flow().String()}, section{"storage", t.storage()})
	return fmt.Sprintf("#%d %s\n%s", t.Index, t.arrow(), sections(list))
}

func (t *Transaction) account() string {
	text := t.Message.To.String() + ", " + t.OldStatus().String()
	if t.OldStatus() != t.EndStatus() {
		text += " -> " + t.EndStatus().String()
	}
	return text + "\n"
}

// body decodes the message with the help of its receiver, else of its sender.
func (t *Transaction) body() []Field {
	if t.Message.Body == nil || t.Message.Bounced {
		return nil
	}
	p := t.result.people
	if fields := p.of(t.Message.To).Body(t.Message.Body); fields != nil {
		return fields
	}
	return p.of(t.Message.From).Body(t.Message.Body)
}

// whySkipped explains why a contract did not run at all.
var whySkipped = map[tontlb.ComputeSkipReasonType]string{
	tontlb.ComputeSkipReasonNoState:   "the account has no code, and the message brought none",
	tontlb.ComputeSkipReasonBadState:  "the code and data the message brought do not make this address",
	tontlb.ComputeSkipReasonNoGas:     "the message brought too little to pay for any gas",
	tontlb.ComputeSkipReasonSuspended: "the address is suspended by the configuration",
}

// failure names the phases that failed, and why.
func (t *Transaction) failure() string {
	var b strings.Builder
	if s := t.phases.StoragePhase; s != nil {
		if due := s.StorageFeesDue; due != nil {
			fmt.Fprintf(&b, "storage phase: the account owes %s\n", nano(*due))
		}
		if s.StatusChange.Type == tontlb.AccStatusChangeFrozen || s.StatusChange.Type == tontlb.AccStatusChangeDeleted {
			fmt.Fprintf(&b, "storage phase: the account is %s for its debt\n", strings.ToLower(string(s.StatusChange.Type)))
		}
	}
	switch phase := t.phases.ComputePhase.Phase.(type) {
	case tontlb.ComputePhaseSkipped:
		fmt.Fprintf(&b, "compute phase: %s: %s\n", t.Trace.Skipped, whySkipped[phase.Reason.Type])
	case tontlb.ComputePhaseVM:
		if !phase.Success {
			fmt.Fprintf(&b, "compute phase: %s", t.result.people.exitText(t.Message.To, t.Trace.Exit))
			if arg := phase.Details.ExitArg; arg != nil {
				fmt.Fprintf(&b, ", argument %d", *arg)
			}
			b.WriteByte('\n')
		}
	}
	if a := t.phases.ActionPhase; a != nil && !a.Success {
		fmt.Fprintf(&b, "action phase: %s", t.Trace.Action)
		if a.ResultArg != nil {
			fmt.Fprintf(&b, ", action %d", *a.ResultArg)
		}
		fmt.Fprintf(&b, " of %d\n", a.TotalActions)
	}
	if t.phases.BouncePhase != nil {
		switch phase := t.phases.BouncePhase.Phase.(type) {
		case tontlb.BouncePhaseNoFunds:
			fmt.Fprintf(&b, "bounce phase: too little is left to bounce, which takes %s\n", nano(phase.ReqFwdFees))
		case tontlb.BouncePhaseNegFunds:
			b.WriteString("bounce phase: nothing is left to bounce\n")
		}
	}
	return b.String()
}

// actions lists what the contract wanted to do, and marks what failed.
func (t *Transaction) actions(again run) string {
	phase := t.phases.ActionPhase
	var lines []string
	for i, s := range actionList(again.outcome.Actions) {
		line := fmt.Sprintf("%d\t%s", i, t.result.people.action(s))
		if !phase.Success && phase.ResultArg != nil && int(*phase.ResultArg) == i {
			line += "  <- failed"
		}
		lines = append(lines, line)
	}
	if n := phase.SkippedActions; n > 0 {
		lines = append(lines, fmt.Sprintf("\t%s skipped, as the mode allows", plural(int(n), "action")))
	}
	if len(lines) == 0 {
		return "no list of actions: " + showCell(again.outcome.Actions) + "\n"
	}
	return table(lines)
}

func gas(d tontlb.ComputePhaseVMDetails) string {
	text := fmt.Sprintf("%d used, limit %d", d.GasUsed, d.GasLimit)
	if d.GasCredit != nil {
		text += fmt.Sprintf(", credit %d", d.GasCredit)
	}
	return text + fmt.Sprintf(", %s\n", plural(int(d.VMSteps), "step"))
}

// bill is what a transaction cost, by phase.
type bill struct {
	storage, gas tlb.Nano
	// forward is what its messages cost: first collected here, rest where they
	// are delivered.
	forward tlb.Nano
	// first is the part of forward that is among the transaction's own fees.
	first tlb.Nano
	// imported is what an external message cost to get here.
	imported tlb.Nano
}

func (t *Transaction) bill() bill {
	var b bill
	if s := t.phases.StoragePhase; s != nil {
		b.storage = nano(s.StorageFeesCollected)
	}
	if c := t.compute(); c != nil {
		b.gas = nano(c.GasFees)
	}
	if a := t.phases.ActionPhase; a != nil {
		if a.TotalActionFees != nil {
			b.first = nano(*a.TotalActionFees)
		}
		// Of actions that failed, only what was collected is gone.
		if b.forward = b.first; a.Success && a.TotalFwdFees != nil {
			b.forward = nano(*a.TotalFwdFees)
		}
	}
	if t.phases.BouncePhase != nil {
		if ok, is := t.phases.BouncePhase.Phase.(tontlb.BouncePhaseOk); is {
			b.first += nano(ok.MsgFees)
			b.forward += nano(ok.MsgFees) + nano(ok.FwdFees)
		}
	}
	if rest := b.storage + b.gas + b.first; t.Message.External && rest < t.Trace.Fees {
		b.imported = t.Trace.Fees - rest
	}
	return b
}

func (t *Transaction) fees() string {
	b := t.bill()
	var words []string
	for _, part := range []struct {
		name string
		n    tlb.Nano
	}{{"storage", b.storage}, {"import", b.imported}, {"gas", b.gas}, {"messages", b.forward}} {
		if part.n > 0 {
			words = append(words, part.name+" "+part.n.String())
		}
	}
	if rest := b.forward - b.first; b.forward > b.first { // the table has what this transaction collected
		words = append(words, fmt.Sprintf("of which %s where the messages arrive", rest))
	}
	if len(words) == 0 {
		return "none\n"
	}
	return strings.Join(words, ", ") + "\n"
}

// flow is where an account's coins came from and went to.
type flow struct{ before, received, sent, fees, after tlb.Nano }

func (t *Transaction) flow() flow {
	b := t.bill()
	f := flow{before: t.before.balance, received: t.Message.Value, fees: b.storage + b.imported + b.gas + b.forward, after: t.after.balance}
	for _, m := range t.out() {
		if m.MsgType == tontlb.MsgTypeInternal {
			f.sent += nano(m.AsInternal().Amount)
		}
	}
	return f
}

func (f flow) String() string {
	text := fmt.Sprintf("%s -> %s:", f.before, f.after)
	for _, part := range []struct {
		text string
		n    tlb.Nano
	}{{" + %s received", f.received}, {" - %s sent", f.sent}, {" - %s fees", f.fees}} {
		if part.n > 0 {
			text += fmt.Sprintf(part.text, part.n)
		}
	}
	return text + "\n"
}

// out are the messages the transaction sent.
func (t *Transaction) out() []tontlb.Message {
	if t.parsed.IO.Out == nil {
		return nil
	}
	list, err := t.parsed.IO.Out.ToSlice()
	if err != nil {
		panic(fmt.Sprintf("kit: internal error: messages of %s: %v", t.Tx.Account, err))
	}
	return list
}
