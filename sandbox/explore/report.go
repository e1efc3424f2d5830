package explore

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb/get"
)

// Account is an account with its name and, if known, what its messages mean.
type Account struct {
	Address *address.Address
	Name    string
	// Contract names messages and exit codes; an abi.Contract does.
	Contract Names
}

// Names names what a contract's numbers mean.
type Names interface {
	Message(op uint32) (string, bool)
	Exit(code int32) (string, bool)
}

// directory finds accounts by their address.
type directory []Account

func (d directory) find(a *address.Address) Account {
	for _, known := range d {
		if a != nil && known.Address.Equals(a) {
			return known
		}
	}
	return Account{Address: a}
}

func (d directory) name(a *address.Address) string {
	switch known := d.find(a); {
	case a == nil:
		return "outside"
	case known.Name != "":
		return known.Name
	}
	return a.String()
}

// message names an operation by what its receiver, or else its sender, calls
// it.
func (d directory) message(from, to *address.Address, op uint32) string {
	for _, a := range []*address.Address{to, from} {
		if names := d.find(a).Contract; names != nil {
			if name, ok := names.Message(op); ok {
				return name
			}
		}
	}
	if op == 0 {
		return "no op"
	}
	return fmt.Sprintf("op %#08x", op)
}

// exit says how a contract ended.
func (d directory) exit(account *address.Address, code get.Exit) string {
	if names := d.find(account).Contract; names != nil {
		if name, ok := names.Exit(int32(code)); ok {
			return fmt.Sprintf("exit %d (%s)", int(code), name)
		}
	}
	return code.String()
}

// report says what failed, under which order, and how to have it again.
func (r *run) report(n Number) string {
	var b strings.Builder
	if r.err != nil {
		fmt.Fprintf(&b, "order %s, run %d: %v\n", n, r.explorer.result.Runs, r.err)
	} else {
		fmt.Fprintf(&b, "order %s fails, in run %d:\n", n, r.explorer.result.Runs)
	}
	for line := range strings.Lines(r.t.logs.String()) {
		b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
	}
	b.WriteString("deliveries:\n")
	depth := map[hash]int{}
	for i, s := range r.steps {
		d := 0
		if cause, ok := depth[s.choice.Cause]; ok {
			d = cause + 1
		}
		depth[s.choice.Message] = d
		fmt.Fprintf(&b, "%4d  %s%s\n", i+1, strings.Repeat("  ", min(d, 20)), r.line(s))
	}
	fmt.Fprintf(&b, "again: TUSSAH_ORDER=%s go test -run '%s'", n, pattern(r.explorer.t.Name()))
	return b.String()
}

func (r *run) line(s step) string {
	d := directory(r.explorer.o.Accounts)
	c := s.choice
	bounced := ""
	op := c.Op
	if s.executed {
		if inner, ok := bouncedOp(s.execution.Message); ok {
			bounced, op = "bounced ", inner
		}
	}
	from, to := c.From, c.To
	if bounced != "" {
		from, to = to, from // who named it
	}
	text := fmt.Sprintf("%s -> %s  %s%s", d.name(c.From), d.name(c.To), bounced, d.message(from, to, op))
	switch {
	case !s.executed:
		return text
	case s.outcome.Transaction == nil:
		return text + "  not accepted: " + d.exit(c.To, s.outcome.Exit)
	}
	return text + "  " + d.exit(c.To, s.outcome.Exit)
}

// bouncedOp is the operation of the message that came back in this one.
func bouncedOp(message *cell.Cell) (uint32, bool) {
	var m tontlb.Message
	if tontlb.Parse(&m, message) != nil || m.MsgType != tontlb.MsgTypeInternal || !m.AsInternal().Bounced {
		return 0, false
	}
	s, err := m.AsInternal().Body.BeginParse()
	if err != nil || s.SkipBits(32) != nil {
		return 0, true
	}
	op, err := s.LoadUInt(32)
	if err != nil {
		return 0, true
	}
	return uint32(op), true
}

// pattern is what go test -run takes to run a test alone.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}
