package control

import (
	"fmt"
	"strings"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb/get"
)

// Trace is a transaction with all it set off.
type Trace struct {
	Account  Address `json:"account"`
	LT       uint64  `json:"lt,string"`
	Hash     Hash    `json:"hash"`
	Time     Time    `json:"time"`
	From     Address `json:"from,omitzero"` // absent: from outside
	Value    Amount  `json:"value"`
	Op       string  `json:"op"` // "0x%08x"
	Body     Cell    `json:"body,omitzero"`
	Bounce   bool    `json:"bounce"`
	Bounced  bool    `json:"bounced"`
	Exit     int     `json:"exit"`
	ExitText string  `json:"exit_text"`
	Skipped  string  `json:"skipped,omitempty"` // why the compute phase did not run
	Action   int     `json:"action"`
	ActText  string  `json:"action_text,omitempty"`
	Aborted  bool    `json:"aborted"`
	Gas      uint64  `json:"gas"`
	Fees     Amount  `json:"fees"`
	Balance  Amount  `json:"balance"`
	Status   string  `json:"status"`
	// Warning says that the contract did not run, as the executor broke down.
	Warning string  `json:"warning,omitempty"`
	Emitted []Cell  `json:"emitted,omitempty"`
	Caused  []Trace `json:"caused,omitempty"`
	// Hidden is how many transactions below were left out.
	Hidden int `json:"hidden,omitempty"`
}

func newTrace(t *sandbox.Trace) *Trace {
	if t == nil {
		return nil
	}
	left := maxTrace
	out := convert(t, &left, maxTraceDepth)
	return &out
}

// convert copies a tree as long as transactions are left.
func convert(t *sandbox.Trace, left *int, depth int) Trace {
	*left--
	m := t.Message
	out := Trace{
		Account: Address{t.Tx.Account}, LT: t.Tx.LT, Hash: t.Tx.Hash, Time: Time{t.Tx.Time},
		From: Address{m.From}, Value: Amount(m.Value), Op: fmt.Sprintf("%#08x", m.Op()), Body: Cell{m.Body}, Bounce: m.Bounce, Bounced: m.Bounced,
		Exit: int(t.Exit), ExitText: t.Exit.String(), Skipped: t.Skipped, Action: int(t.Action), Aborted: t.Aborted,
		Gas: t.Gas, Fees: Amount(t.Fees), Balance: Amount(t.Balance), Status: t.Status.String(),
	}
	if t.Action != sandbox.ActionOK {
		out.ActText = t.Action.String()
	}
	if t.Fault != nil {
		out.Warning = t.Fault.Error()
	}
	for _, c := range t.Emitted {
		out.Emitted = append(out.Emitted, Cell{c})
	}
	for _, child := range t.Caused {
		if *left <= 0 || depth <= 1 {
			for range child.All() {
				out.Hidden++
			}
			continue
		}
		out.Caused = append(out.Caused, convert(child, left, depth-1))
	}
	return out
}

// String draws the tree, one transaction a line.
func (t Trace) String() string {
	var b strings.Builder
	t.draw(&b, "")
	return strings.TrimSuffix(b.String(), "\n")
}

func (t Trace) draw(b *strings.Builder, indent string) {
	from := "outside"
	if t.From.Address != nil {
		from = t.From.String()
	}
	fmt.Fprintf(b, "%s%s -> %s  %s  op %s", indent, from, t.Account, t.Value, t.Op)
	if t.Bounced {
		b.WriteString("  bounced")
	}
	if t.Skipped != "" {
		fmt.Fprintf(b, "  not run: %s", t.Skipped)
	} else {
		fmt.Fprintf(b, "  %s, gas %d", get.Exit(t.Exit), t.Gas)
	}
	if t.ActText != "" {
		fmt.Fprintf(b, ", %s", t.ActText)
	}
	if t.Aborted {
		b.WriteString(", aborted")
	}
	fmt.Fprintf(b, ", fees %s\n", t.Fees)
	if t.Warning != "" {
		fmt.Fprintf(b, "%s  warning: %s\n", indent, t.Warning)
	}
	for _, child := range t.Caused {
		child.draw(b, indent+"  ")
	}
	if t.Hidden > 0 {
		fmt.Fprintf(b, "%s  … and %d more\n", indent, t.Hidden)
	}
}
