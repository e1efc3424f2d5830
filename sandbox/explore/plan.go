package explore

import (
	"math/rand/v2"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/abi"
	"github.com/tussah-network/tussah/tlb"
)

// planned is a step that was drawn and not done yet.
type planned struct {
	id int // its place in the plan as it was drawn
	do func(w *World)
	// simpler are steps that do less of the same, to be tried in its place.
	simpler func() []planned
}

// drafter draws a plan. What is drawn does not depend on what happens. Values
// come from rapid, which prefers small and special ones; what is done, and by
// whom, is drawn evenly.
type drafter struct {
	Model
	t        *rapid.T
	even     *rand.Rand
	regulars []Account // who mostly act in this plan
	steps    []planned
}

// one draws one of several evenly.
func one[T any](d *drafter, of []T) T { return of[d.even.IntN(len(of))] }

// draft draws the plan of a seed.
func (m Model) draft(seed int) []planned {
	return rapid.Custom(func(rt *rapid.T) []planned {
		d := &drafter{Model: m, t: rt, even: rand.New(rand.NewPCG(uint64(seed), 0))}
		d.draw()
		return d.steps
	}).Example(seed)
}

func (d *drafter) draw() {
	kinds := []func() (planned, bool){d.again, d.wait}
	if len(d.Targets) > 0 {
		// Most steps are messages that the contracts understand.
		kinds = append(kinds, d.junk, d.external, d.message, d.message, d.message, d.message, d.message)
	}
	for _, a := range d.Actions {
		kinds = append(kinds, func() (planned, bool) { return planned{do: a.Draw(d.t)}, true })
	}
	// Few act at a time, or they would hardly ever meet what they did before.
	d.regulars = []Account{one(d, d.Senders), one(d, d.Senders)}
	for id := range d.MaxSteps/2 + d.even.IntN(d.MaxSteps/2+1) {
		if s, ok := one(d, kinds)(); ok {
			s.id = id
			d.steps = append(d.steps, s)
		}
	}
}

func (d *drafter) wait() (planned, bool) {
	long := time.Duration(rapid.Int64Range(1, max(int64(d.MaxJump/time.Second), 1)).Draw(d.t, "seconds")) * time.Second
	return planned{do: func(w *World) { w.Wait(long) }}, true
}

// again sends what a step before sent once more, to the bit.
func (d *drafter) again() (planned, bool) {
	if len(d.steps) == 0 {
		return planned{}, false
	}
	which := one(d, d.steps).id
	return planned{do: func(w *World) {
		if again, sent := w.sent[which]; sent {
			again()
		}
	}}, true
}

// sending is a message that a step sends.
type sending struct {
	sandbox.Internal
	values abi.Record // of the body, if it is one of the contract's
	body   abi.Type
	usual  tlb.Nano
}

func (s sending) planned(id int) planned {
	called := s.values.String()
	if s.body == nil {
		called = "junk " + abi.Text(s.Body)
	}
	return planned{
		id: id,
		do: func(w *World) { w.Send(s.Internal, called) },
		simpler: func() (out []planned) {
			for _, o := range s.simpler() {
				out = append(out, o.planned(id))
			}
			return out
		},
	}
}

// message sends a contract one of the messages it takes.
func (d *drafter) message() (planned, bool) {
	to := one(d, d.Targets)
	if len(to.ABI.Incoming) == 0 {
		return planned{}, false
	}
	s := d.envelope(to)
	call := d.call(to.ABI.Incoming)
	s.Body, s.values, s.body = call.Body, call.Values, call.Type
	return s.planned(0), true
}

// junk sends a contract something else: any cell, nothing, or a message that
// stops before its end.
func (d *drafter) junk() (planned, bool) {
	to := one(d, d.Targets)
	s := d.envelope(to)
	s.Body = d.anything(to.ABI.Incoming)
	return s.planned(0), true
}

// external sends a contract a message from outside: one of those it describes,
// or anything.
func (d *drafter) external() (planned, bool) {
	to := one(d, d.Targets)
	var body *cell.Cell
	called := ""
	if len(to.ABI.External) > 0 && d.even.IntN(2) == 0 {
		call := d.call(to.ABI.External)
		body, called = call.Body, call.Values.String()
	} else {
		body = d.anything(to.ABI.External)
		called = "junk " + abi.Text(body)
	}
	return planned{do: func(w *World) { w.SendExternal(to.Address, body, called) }}, true
}

func (d *drafter) envelope(to Target) sending {
	senders, usual := d.regulars, d.MaxValue/10
	if d.even.IntN(5) == 0 {
		senders = d.Senders
	}
	amount := usual
	if d.even.IntN(2) == 0 {
		amount = tlb.Nano(rapid.Uint64Range(0, uint64(d.MaxValue)).Draw(d.t, "value"))
	}
	return sending{usual: usual, Internal: sandbox.Internal{
		From: one(d, senders).Address, To: to.Address, Amount: amount, Bounce: d.even.IntN(2) == 0,
	}}
}

func (d *drafter) call(messages []abi.Message) Call {
	return Calls([]abi.Message{one(d, messages)}, d.addresses()...).Draw(d.t, "call")
}

// addresses are those that messages are about.
func (m Model) addresses() (out []*address.Address) {
	for _, a := range m.Senders {
		out = append(out, a.Address)
	}
	for _, t := range m.Targets {
		out = append(out, t.Address)
	}
	return out
}

// anything is a body that is none of the messages: any cell, or a message that
// stops before its end.
func (d *drafter) anything(messages []abi.Message) *cell.Cell {
	if len(messages) == 0 || d.even.IntN(2) == 0 {
		return Cells().Draw(d.t, "body")
	}
	s, err := d.call(messages).Body.BeginParse()
	if err != nil {
		d.t.Fatalf("body: %v", err)
	}
	bits, err := s.LoadSlice(uint(d.even.IntN(int(s.BitsLeft())+1)) / 8 * 8)
	if err != nil {
		d.t.Fatalf("body: %v", err)
	}
	return cell.BeginCell().MustStoreSlice(bits, uint(len(bits))*8).EndCell()
}
