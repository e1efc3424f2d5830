package kit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// Tx says what a transaction should be like. A field that is nil does not
// matter. The others hold a value, or a function of it that returns a bool, and
// those of numbers also a [Range]. Anything else in a field, fields that cannot
// be true together, and a Tx that asks for nothing at all fail the test.
type Tx struct {
	// From is who sent the message: an account or treasury, an
	// *address.Address, the name of an account, or [Outside]. To and On are
	// who received it; they are the same.
	From, To, On any
	// Op is the operation code in front of the body, a number; or the name of
	// the message, for contracts that are described.
	Op any
	// Value is what the message brought, a tlb.Nano or a plain number of
	// nanoTON. A message from outside has none.
	Value any
	// Body is the message's body, a *cell.Cell.
	Body any
	// Exit is the exit code of the compute phase, and Action the result code
	// of the action phase. A phase that did not take place has none.
	Exit, Action any
	// The following are bools. Success: the contract ran, did not throw, and
	// its actions were carried out. Aborted: what the chain says, for an
	// ordinary transaction the opposite. Bounced: the message is one that came
	// back. Bounceable: it would come back. Deployed: the message brought the
	// code, and the account became active. Destroyed: the account is gone.
	Success, Aborted, Bounced, Bounceable, Deployed, Destroyed any
	// OutMessages is how many messages it sent.
	OutMessages any
	// TotalFees is what the transaction paid, a tlb.Nano.
	TotalFees any
	// OldStatus and EndStatus are the tlb.AccountStatus of the account before
	// and afterwards.
	OldStatus, EndStatus any
}

// Outside is where external messages come from.
var Outside = outside{}

type outside struct{}

func (outside) where() *address.Address { return nil }

// matcher is a [Tx] that makes sense.
type matcher []check

// check is what a Tx says about one field.
type check struct {
	field string
	want  string // in print
	ok    func(*Transaction) bool
	got   func(*Transaction) string // in print
}

func (m matcher) String() string {
	words := make([]string, len(m))
	for i, c := range m {
		words[i] = c.field + " " + c.want
	}
	return strings.Join(words, ", ")
}

// asFunction is what a function wants, in print.
const asFunction = "as the function says"

// difference is a field that is not as wanted.
type difference struct{ field, got, want string }

func (m matcher) matches(t *Transaction) bool {
	for _, c := range m {
		if !c.ok(t) {
			return false
		}
	}
	return true
}

// differences returns the fields in which a transaction is not as wanted.
func (m matcher) differences(t *Transaction) (out []difference) {
	for _, c := range m {
		if !c.ok(t) {
			out = append(out, difference{c.field, c.got(t), c.want})
		}
	}
	return out
}

func (x Tx) compile(w *World) (matcher, error) {
	var m matcher
	var faults []error
	add := func(want any, c func() (check, error)) {
		if want == nil {
			return
		}
		made, err := c()
		m, faults = append(m, made), append(faults, err)
	}
	for _, f := range []struct {
		name string
		want any
		get  func(*Transaction) *address.Address
	}{
		{"from", x.From, func(t *Transaction) *address.Address { return t.Message.From }},
		{"to", x.To, func(t *Transaction) *address.Address { return t.Message.To }},
		{"on", x.On, func(t *Transaction) *address.Address { return t.Message.To }},
	} {
		add(f.want, func() (check, error) { return party(w, f.name, f.want, f.get) })
	}
	add(x.Op, func() (check, error) {
		if name, ok := x.Op.(string); ok {
			return messageNamed(name), nil
		}
		return number("op", x.Op, showOp, func(t *Transaction) (uint32, bool) { return t.Message.Op(), true }, gotOp)
	})
	add(x.Value, func() (check, error) {
		return number("value", x.Value, tlb.Nano.String, func(t *Transaction) (tlb.Nano, bool) {
			return t.Message.Value, !t.Message.External
		}, func(t *Transaction) string {
			if t.Message.External {
				return "none (from outside)"
			}
			return t.Message.Value.String()
		})
	})
	add(x.Body, func() (check, error) { return body(x.Body) })
	add(x.Exit, func() (check, error) {
		return number("exit", x.Exit, showExit, func(t *Transaction) (get.Exit, bool) {
			return t.Trace.Exit, t.compute() != nil
		}, func(t *Transaction) string {
			if t.compute() == nil {
				return fmt.Sprintf("none (%s)", t.skipped())
			}
			return t.exitText()
		})
	})
	add(x.Action, func() (check, error) {
		return number("action", x.Action, showAction, func(t *Transaction) (sandbox.ActionCode, bool) {
			return t.Trace.Action, t.phases.ActionPhase != nil
		}, func(t *Transaction) string {
			if t.phases.ActionPhase == nil {
				return "none (no action phase)"
			}
			return strings.TrimPrefix(t.Trace.Action.String(), "action ")
		})
	})
	for _, f := range []struct {
		name string
		want any
		get  func(*Transaction) bool
	}{
		{"success", x.Success, (*Transaction).Success},
		{"aborted", x.Aborted, func(t *Transaction) bool { return t.Trace.Aborted }},
		{"bounced", x.Bounced, func(t *Transaction) bool { return t.Message.Bounced }},
		{"bounceable", x.Bounceable, func(t *Transaction) bool { return t.Message.Bounce }},
		{"deployed", x.Deployed, (*Transaction).Deployed},
		{"destroyed", x.Destroyed, (*Transaction).Destroyed},
	} {
		add(f.want, func() (check, error) { return truth(f.name, f.want, f.get) })
	}
	add(x.OutMessages, func() (check, error) {
		return number("out messages", x.OutMessages, strconv.Itoa, func(t *Transaction) (int, bool) { return t.OutMessages(), true }, nil)
	})
	add(x.TotalFees, func() (check, error) {
		return number("total fees", x.TotalFees, tlb.Nano.String, func(t *Transaction) (tlb.Nano, bool) { return t.Trace.Fees, true }, nil)
	})
	for _, f := range []struct {
		name string
		want any
		get  func(*Transaction) tlb.AccountStatus
	}{
		{"old status", x.OldStatus, (*Transaction).OldStatus},
		{"end status", x.EndStatus, (*Transaction).EndStatus},
	} {
		add(f.want, func() (check, error) { return status(f.name, f.want, f.get) })
	}
	if len(m) == 0 {
		return nil, errors.New("the matcher asks for nothing")
	}
	return m, errors.Join(append(faults, x.contradictions(w)...)...)
}

// contradictions are the pairs of fields no transaction can satisfy.
func (x Tx) contradictions(w *World) (out []error) {
	is := func(got any, want bool) bool { b, ok := got.(bool); return ok && b == want }
	number := func(got any) (int64, bool) { return integer(got) }
	exit, hasExit := number(x.Exit)
	action, hasAction := number(x.Action)
	value := x.Value != nil || is(x.Bounced, true) || is(x.Bounceable, true)
	to, on := "", ""
	if x.To != nil && x.On != nil {
		to, on = place(w, x.To), place(w, x.On)
	}
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{to != on, "to and on are different accounts"},
		{is(x.Success, true) && is(x.Aborted, true), "success and aborted"},
		{is(x.Success, false) && is(x.Aborted, false), "neither success nor aborted"},
		{is(x.Success, true) && hasExit && !get.Exit(exit).OK(), "success with an exit code that is a failure"},
		{is(x.Success, true) && hasAction && action != 0, "success with an action code that is a failure"},
		{hasExit && !get.Exit(exit).OK() && hasAction, "an action code after an exit code that is a failure: there is no action phase"},
		{x.From == Outside && value, "a message from outside has no value and does not bounce"},
		{is(x.Deployed, true) && x.OldStatus == tlb.AccountActive, "deployed, but was active before"},
		{is(x.Deployed, true) && x.EndStatus != nil && isOther(x.EndStatus, tlb.AccountActive), "deployed, but is not active afterwards"},
		{is(x.Destroyed, true) && x.EndStatus != nil && isOther(x.EndStatus, tlb.AccountAbsent), "destroyed, but is there afterwards"},
		{is(x.Destroyed, true) && is(x.Deployed, true), "destroyed and deployed"},
	} {
		if rule.broken {
			out = append(out, fmt.Errorf("the matcher contradicts itself: %s", rule.text))
		}
	}
	return out
}

func isOther(got any, than tlb.AccountStatus) bool {
	s, ok := got.(tlb.AccountStatus)
	return ok && s != than
}

// place is where an account lives, "" if that depends.
func place(w *World, want any) string {
	if a, _, err := resolve(w, want); err == nil && a != nil {
		return a.StringRaw()
	}
	return ""
}

// resolve finds the account a field of [Tx] means, and its name. The address
// is nil for [Outside].
func resolve(w *World, want any) (*address.Address, string, error) {
	p := people{world: w}
	switch v := want.(type) {
	case string:
		a, err := w.addressNamed(v)
		return a, v, err
	case addressed:
		return v.where(), p.name(v.where()), nil
	case *address.Address:
		if _, ok := keyOf(v); !ok {
			return nil, "", fmt.Errorf("%v is not the address of an account", v)
		}
		return v, p.name(v), nil
	}
	return nil, "", fmt.Errorf("%T, want an account, an address, a name, or a function of an address", want)
}

func party(w *World, field string, want any, of func(*Transaction) *address.Address) (check, error) {
	got := func(t *Transaction) string { return t.result.people.name(of(t)) }
	if f, ok := want.(func(*address.Address) bool); ok {
		return check{field, asFunction, func(t *Transaction) bool { return of(t) != nil && f(of(t)) }, got}, nil
	}
	a, name, err := resolve(w, want)
	if err != nil {
		return check{}, fmt.Errorf("matcher %s: %w", field, err)
	}
	return check{field, name, func(t *Transaction) bool {
		if a == nil || of(t) == nil {
			return a == nil && of(t) == nil
		}
		return of(t).Equals(a)
	}, got}, nil
}

func messageNamed(name string) check {
	return check{"op", name, func(t *Transaction) bool {
		got, ok := t.named()
		return ok && got == name
	}, gotOp}
}

func gotOp(t *Transaction) string { return strings.TrimPrefix(t.messageName(), "op ") }

func truth(field string, want any, of func(*Transaction) bool) (check, error) {
	v, ok := want.(bool)
	if !ok {
		return check{}, fmt.Errorf("matcher %s: %T, want a bool", field, want)
	}
	return check{field, fmt.Sprint(v), func(t *Transaction) bool { return of(t) == v }, func(t *Transaction) string { return fmt.Sprint(of(t)) }}, nil
}

func status(field string, want any, of func(*Transaction) tlb.AccountStatus) (check, error) {
	got := func(t *Transaction) string { return of(t).String() }
	switch v := want.(type) {
	case tlb.AccountStatus:
		return check{field, v.String(), func(t *Transaction) bool { return of(t) == v }, got}, nil
	case func(tlb.AccountStatus) bool:
		return check{field, asFunction, func(t *Transaction) bool { return v(of(t)) }, got}, nil
	}
	return check{}, fmt.Errorf("matcher %s: %T, want an account status or a function of one", field, want)
}

func body(want any) (check, error) {
	of := func(t *Transaction) *cell.Cell {
		if t.Message.Body == nil {
			return cell.BeginCell().EndCell()
		}
		return t.Message.Body
	}
	got := func(t *Transaction) string { return showCell(of(t)) }
	switch v := want.(type) {
	case *cell.Cell:
		if v == nil {
			break
		}
		return check{"body", showCell(v), func(t *Transaction) bool { return of(t).HashKey() == v.HashKey() }, got}, nil
	case func(*cell.Cell) bool:
		return check{"body", asFunction, func(t *Transaction) bool { return v(of(t)) }, got}, nil
	}
	return check{}, fmt.Errorf("matcher body: %T, want a cell that is not nil, or a function of one", want)
}
