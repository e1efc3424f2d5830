package explore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/abi"
	"github.com/tussah-network/tussah/tlb"
)

// Model is a system of contracts, what may be done to it, and what always
// holds, see [Check].
type Model struct {
	// Chain are the options of the chain each sequence begins with; its genesis
	// accounts are the contracts. Its clock stands still by default, but for
	// the steps that move it.
	Chain sandbox.Options
	// Targets are sent messages: those of their ABI, and others.
	Targets []Target
	// Senders are who sends them, beside those every model has: alice and bob,
	// who take what they get, mallory, who throws it back, and nobody, who has
	// no account.
	Senders []Account
	// MaxValue is the most that comes with a message. Default 10 TON.
	MaxValue tlb.Nano
	// MaxJump is how far time moves at most in a step. Default a year.
	MaxJump time.Duration
	// Actions are further steps.
	Actions []Action
	// Checks is how many sequences are tried. Default 100.
	Checks int
	// Seed is that of the first sequence. Default: another each time. The
	// environment variable TUSSAH_SEED has a single sequence tried.
	Seed int
	// MaxSteps is how many steps there are at most in a sequence. Default 40.
	MaxSteps int
	// Invariants are checked at the beginning and after each step.
	Invariants []Invariant
}

// Target is a contract under test.
type Target struct {
	Name    string
	Address *address.Address
	ABI     abi.Contract
}

// Action is a step of a kind that only the model knows, such as an order that
// its owner signed. Draw draws what is random about it, and returns what does
// it, by the methods of the world.
type Action struct {
	Name string
	Draw func(t *rapid.T) func(w *World)
}

// Invariant is something that always holds.
type Invariant struct {
	Name  string
	Holds func(w *World) error
}

// World is a chain with all that was done to it.
type World struct {
	Chain *sandbox.Chain
	Steps []Step

	ctx context.Context
	who directory
	// sent are the messages of the plan's steps, to send them again.
	sent map[int]func()
	now  int // the plan's step that is done
}

// Step is something that was done, and what came of it.
type Step struct {
	Text string
	// Trace is what a message set off; nil if it was none, or not accepted.
	Trace *sandbox.Trace
	// Err says why an external message was not accepted.
	Err error
}

// Context is the context of the test.
func (w *World) Context() context.Context { return w.ctx }

// Send delivers an internal message in anybody's name. What it is called may be
// empty for the name of its operation.
func (w *World) Send(m sandbox.Internal, called string) Step {
	w.sent[w.now] = func() { w.Send(m, called) }
	trace, err := w.Chain.SendInternal(w.ctx, m)
	if called == "" {
		called = w.who.message(m.From, m.To, sandbox.Message{Body: m.Body}.Op())
	}
	s := Step{Text: fmt.Sprintf("%s -> %s  %s with %s", w.who.name(m.From), w.who.name(m.To), called, m.Amount)}
	if m.Bounce {
		s.Text += ", bounces"
	}
	return w.did(s, trace, err)
}

// SendExternal delivers a message from outside.
func (w *World) SendExternal(to *address.Address, body *cell.Cell, called string) Step {
	w.sent[w.now] = func() { w.SendExternal(to, body, called) }
	msg, err := tontlb.ToCell(&tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: to, Body: body})
	var trace *sandbox.Trace
	if err == nil {
		trace, err = w.Chain.Execute(w.ctx, msg)
	}
	return w.did(Step{Text: fmt.Sprintf("outside -> %s  %s", w.who.name(to), called)}, trace, err)
}

// Wait moves time on.
func (w *World) Wait(d time.Duration) Step {
	return w.did(Step{Text: fmt.Sprintf("%s go by", d)}, nil, w.Chain.AdvanceTime(w.ctx, d))
}

func (w *World) did(s Step, trace *sandbox.Trace, err error) Step {
	s.Trace, s.Err = trace, err
	switch {
	case errors.Is(err, sandbox.ErrNotAccepted):
		s.Text += ": not accepted"
	case err != nil:
		s.Text += ": " + err.Error()
	case trace != nil:
		var b strings.Builder
		w.tell(&b, trace, 0)
		s.Text += b.String()
	}
	w.Steps = append(w.Steps, s)
	return s
}

// maxTold is how many transactions of a step are told of.
const maxTold = 20

// tell writes what came of a message, and of those it set off.
func (w *World) tell(b *strings.Builder, t *sandbox.Trace, depth int) {
	if strings.Count(b.String(), "\n") > maxTold {
		return
	}
	if depth > 0 {
		from, to, op := t.Message.From, t.Message.To, t.Message.Op()
		bounced := ""
		if t.Message.Bounced {
			bounced, from, to = "bounced ", to, from
			op, _ = bouncedOp(t.Message.Cell)
		}
		fmt.Fprintf(b, "\n%s%s -> %s  %s%s with %s", strings.Repeat("  ", depth+1), w.who.name(t.Message.From), w.who.name(t.Message.To),
			bounced, w.who.message(from, to, op), t.Message.Value)
	}
	switch {
	case t.Skipped != "":
		fmt.Fprintf(b, ": not run, %s", t.Skipped)
	default:
		fmt.Fprintf(b, ": %s", w.who.exit(t.Message.To, t.Exit))
	}
	if t.Action != 0 {
		fmt.Fprintf(b, ", %s", t.Action)
	}
	for _, child := range t.Caused {
		w.tell(b, child, depth+1)
	}
}

// Number reads a number that a get method of a contract returns.
func (w *World) Number(a *address.Address, method string, i int) (uint64, error) {
	r, err := w.Chain.RunGet(w.ctx, a, method)
	if err != nil {
		return 0, err
	}
	if !r.Exit.OK() {
		return 0, fmt.Errorf("get method %s of %s: %s", method, w.who.name(a), r.Exit)
	}
	return r.Stack.Uint64(i)
}
