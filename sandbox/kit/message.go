package kit

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Message is an internal message to send.
type Message struct {
	To    *address.Address
	Value tlb.Nano
	Body  *cell.Cell // nil: empty
	Init  *cell.Cell // StateInit to deploy with, or nil
	// NoBounce leaves the coins there even if the message fails. Default: they
	// come back.
	NoBounce bool
	// Mode is the send mode. Default: 1, the sender pays the fees on top of the
	// value. Only treasuries have one.
	Mode uint8
}

func (m Message) mode() uint8 {
	if m.Mode == 0 {
		return 1
	}
	return m.Mode
}

func (m Message) build(from *address.Address) (*cell.Cell, error) {
	if err := tlb.CheckAddress(m.To); err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	internal := &tontlb.InternalMessage{
		IHRDisabled: true, Bounce: !m.NoBounce, SrcAddr: from, DstAddr: m.To, Amount: coins(m.Value), Body: m.Body,
	}
	if m.Body == nil {
		internal.Body = cell.BeginCell().EndCell()
	}
	if m.Init != nil {
		internal.StateInit = new(tontlb.StateInit)
		if err := tontlb.Parse(internal.StateInit, m.Init); err != nil {
			return nil, fmt.Errorf("state init: %w", err)
		}
	}
	return tontlb.ToCell(internal)
}

// SendAs delivers a message in the name of any address, which need not exist.
// Its value comes from nowhere.
func (w *World) SendAs(from *address.Address, m Message) *Result {
	w.t.Helper()
	return w.result(w.chain.SendInternal(w.t.Context(), sandbox.Internal{
		From: from, To: m.To, Amount: m.Value, Body: m.Body, Init: m.Init, Bounce: !m.NoBounce,
	}))
}

// External is a message from outside.
type External struct {
	To   *address.Address
	Body *cell.Cell // nil: empty
	Init *cell.Cell // StateInit to deploy with, or nil
}

// SendExternal sends a message from outside. A contract that does not accept it
// is a result too: see [Result.ExpectRefused].
func (w *World) SendExternal(m External) *Result {
	w.t.Helper()
	message, err := external(m.To, m.Init, m.Body)
	if err != nil {
		w.t.Fatalf("kit: external message: %v", err)
		return nil
	}
	return w.result(w.chain.Execute(w.t.Context(), message))
}

// result makes a result of what the chain returned. An error that says more
// about the test than about a contract fails it.
func (w *World) result(trace *sandbox.Trace, err error) *Result {
	w.t.Helper()
	if refused, ok := errors.AsType[*sandbox.NotAcceptedError](err); ok {
		return newResult(w, nil, refused)
	}
	if err != nil {
		w.t.Fatalf("kit: send: %v", err)
		return nil
	}
	return newResult(w, trace, nil)
}
