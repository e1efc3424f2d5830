package control

import (
	"context"
	"fmt"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

var messageVerbs = []Verb{
	verb("send", "send", "Send an external message", send),
	verb("impersonate", "impersonate", "Send an internal message in the name of any address", impersonate),
	verb("runGet", "run", "Run a get method on the newest state; what it returns comes in the order in which it returns it", runGet),
}

// SendParams are an external message.
type SendParams struct {
	Message Cell `json:"message" doc:"BoC of the message"`
	Wait    bool `json:"wait,omitzero" doc:"wait for all it sets off, if blocks are not made at once" cli:"flag"`
}

// Delivery is what became of a message.
type Delivery struct {
	// Hash of an external message: it waits under this name.
	Hash Hash `json:"hash,omitzero"`
	// Waits: it is in no block yet, so there is no trace.
	Waits bool `json:"waits,omitzero"`
	// Trace is all it set off.
	Trace *Trace `json:"trace,omitempty"`
}

func (d Delivery) String() string {
	switch {
	case d.Trace != nil:
		return d.Trace.String()
	case d.Hash.IsZero():
		return "waits for the next block"
	}
	return d.Hash.String() + " waits for the next block"
}

func send(ctx context.Context, w *world, p SendParams) (Delivery, error) {
	d, err := w.deliver(ctx, p.Wait, func(ctx context.Context) (*sandbox.Trace, error) { return w.Execute(ctx, p.Message.Cell) })
	d.Hash = hashOf(p.Message.Cell)
	return d, err
}

// ImpersonateParams are an internal message that nobody sent.
type ImpersonateParams struct {
	From   Address `json:"from" doc:"who it comes from; need not exist" cli:"flag"`
	To     Address `json:"to" doc:"who receives it" cli:"flag"`
	Amount Amount  `json:"amount" doc:"coins it brings; they come from nowhere" cli:"flag"`
	Body   Cell    `json:"body,omitzero" doc:"BoC of the body (default: empty)" cli:"flag"`
	Init   Cell    `json:"init,omitzero" doc:"BoC of a StateInit to deploy with" cli:"flag"`
	Bounce bool    `json:"bounce,omitzero" doc:"bounce if it fails" cli:"flag"`
	Wait   bool    `json:"wait,omitzero" doc:"wait for all it sets off, if blocks are not made at once" cli:"flag"`
}

func impersonate(ctx context.Context, w *world, p ImpersonateParams) (Delivery, error) {
	return w.deliver(ctx, p.Wait, func(ctx context.Context) (*sandbox.Trace, error) {
		return w.SendInternal(ctx, sandbox.Internal{
			From: p.From.Address, To: p.To.Address, Amount: tlb.Nano(p.Amount), Body: p.Body.Cell, Init: p.Init.Cell, Bounce: p.Bounce,
		})
	})
}

// GetParams are a call of a get method.
type GetParams struct {
	Address   Address    `json:"address" doc:"of the contract"`
	Method    string     `json:"method" doc:"its name"`
	Arguments []Argument `json:"arguments,omitzero" doc:"12, -0x1f, null, an address, cell:BOC or slice:BOC"`
}

func runGet(ctx context.Context, w *world, p GetParams) (GetResult, error) {
	if len(p.Arguments) > maxArguments {
		return GetResult{}, fmt.Errorf("%w: more than %d arguments", ErrParams, maxArguments)
	}
	args := make([]any, len(p.Arguments))
	for i, a := range p.Arguments {
		args[i] = a.value
	}
	r, err := w.RunGet(ctx, p.Address.Address, p.Method, args...)
	if err != nil {
		return GetResult{}, err
	}
	return newGetResult(r)
}
