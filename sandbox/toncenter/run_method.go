package toncenter

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// exitNoContract is the exit code for an account without code, as tonlib has
// it.
const exitNoContract = -13

type runResult struct {
	Type  string         `json:"@type"`
	Gas   uint64         `json:"gas_used"`
	Stack []any          `json:"stack"`
	Exit  int            `json:"exit_code"`
	Block *blockID       `json:"block_id,omitempty"`
	Last  *transactionID `json:"last_transaction_id,omitempty"`
}

func runGetMethod(_ context.Context, chain Source, p *params) (any, error) {
	m, a, r, err := runFor(chain, p, false)
	if err != nil {
		return nil, err
	}
	block, last := viewBlockID(m.block), viewTransactionID(a.LastLT, a.Last)
	out := runResult{Type: "smc.runResult", Gas: r.Gas, Stack: []any{}, Exit: int(r.Exit), Block: &block, Last: &last}
	w := newStackWriter()
	for i := range r.Len() {
		entry, err := w.pair(r.Stack, i)
		if err != nil {
			return nil, err
		}
		out.Stack = append(out.Stack, entry)
	}
	return out, nil
}

func runGetMethodStd(_ context.Context, chain Source, p *params) (any, error) {
	_, _, r, err := runFor(chain, p, true)
	if err != nil {
		return nil, err
	}
	out := runResult{Type: "smc.runResult", Gas: r.Gas, Stack: []any{}, Exit: int(r.Exit)}
	w := newStackWriter()
	for i := range r.Len() {
		entry, err := w.typed(r.Stack, i, 0)
		if err != nil {
			return nil, err
		}
		out.Stack = append(out.Stack, entry)
	}
	return out, nil
}

// runFor runs the get method of a call.
func runFor(chain Source, p *params, std bool) (*moment, *account, get.Result, error) {
	method := p.method("method")
	args, err := readStack(p, std)
	if p.err != nil {
		err = p.err
	}
	if err != nil {
		return nil, nil, get.Result{}, err
	}
	m, a, err := readAt(chain, p)
	if err != nil {
		return nil, nil, get.Result{}, err
	}
	r, err := m.run(a, method, args...)
	return m, a, r, err
}

// run runs a get method of an account at its moment.
func (m *moment) run(a *account, method uint64, args ...any) (get.Result, error) {
	if a.code() == nil {
		return get.Result{Exit: exitNoContract}, nil
	}
	balance := a.State.Balance.Nano()
	if !balance.IsUint64() {
		return get.Result{}, fmt.Errorf("balance of %s", balance)
	}
	public, err := m.libraries()
	if err != nil {
		return get.Result{}, err
	}
	state := get.State{
		Address: a.Address, Code: a.code(), Data: a.data(), Balance: tlb.Nano(balance.Uint64()),
		Config: m.config, Now: time.Unix(int64(a.Time), 0), LT: a.LT,
	}
	if !public.IsEmpty() {
		state.Libraries = []*cell.Cell{public.AsCell()}
	}
	if state.Previous, err = m.previous(); err != nil {
		return get.Result{}, err
	}
	return get.RunID(state, method, args...)
}

// method is the id of a get method, given by number or by name.
func (p *params) method(name string) uint64 {
	v, ok := p.value(name)
	if !ok {
		p.fail(name, "field required")
		return 0
	}
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	default:
		p.fail(name, "expected a string or an integer")
		return 0
	}
	id, err := strconv.ParseUint(text, 0, 64)
	if _, isNumber := v.(json.Number); err != nil && !isNumber {
		return tontlb.MethodNameHash(text)
	}
	if err != nil || id > math.MaxInt32 {
		p.fail(name, "%s is no id of a method", clip(text))
	}
	return id
}
