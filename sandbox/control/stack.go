package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// Argument of a get method: a number as JSON or text ("12", "-0x1f"), null, an
// address as a slice, "cell:" or "slice:" with a BoC.
type Argument struct{ value any }

// UnmarshalJSON reads an argument.
func (a *Argument) UnmarshalJSON(data []byte) error {
	switch {
	case string(data) == "null":
		a.value = nil
		return nil
	case len(data) > 0 && data[0] == '"':
		return unmarshalString(data, a)
	case isObject(data):
		var address Address
		err := address.UnmarshalJSON(data)
		a.value = address.Address
		return err
	}
	return a.UnmarshalText(data)
}

// UnmarshalText reads an argument as a command line has it.
func (a *Argument) UnmarshalText(data []byte) error {
	text := string(data)
	if kind, boc, ok := strings.Cut(text, ":"); ok && (kind == "cell" || kind == "slice") {
		var c Cell
		if err := c.UnmarshalText([]byte(boc)); err != nil {
			return err
		}
		if a.value = c.Cell; kind == "cell" {
			return nil
		}
		s, err := c.BeginParse()
		if err != nil {
			return fmt.Errorf("%w: %v", ErrValue, err)
		}
		a.value = s
		return nil
	}
	if text == "null" {
		a.value = nil
		return nil
	}
	// 80 digits hold any integer of the virtual machine; base 0 takes 0x and 0b,
	// but also underscores, and 0 for octal.
	if n, ok := new(big.Int).SetString(text, 0); ok && len(text) <= 80 && !strings.Contains(text, "_") {
		a.value = n
		return nil
	}
	var address Address
	if err := address.UnmarshalText(data); err != nil {
		return fmt.Errorf("%w: %q is no number, null, address, cell:BOC or slice:BOC", ErrValue, text)
	}
	a.value = address.Address
	return nil
}

// GetResult is what a get method left behind.
type GetResult struct {
	Exit  int     `json:"exit"`
	Text  string  `json:"exit_text"`
	Gas   uint64  `json:"gas"`
	Stack []Value `json:"stack"`
}

// Value on a stack.
type Value struct {
	Type  string  `json:"type"`            // int, cell, slice, builder, tuple, null
	Value string  `json:"value,omitempty"` // decimal, or BoC in base64
	Items []Value `json:"items,omitempty"` // of a tuple
	// Address is set for a slice that is one.
	Address Address `json:"address,omitzero"`
}

// ErrThrew: a get method ended with an exit code that is a failure.
var ErrThrew = errors.New("get method failed")

// Failure is an error if the method did not end well.
func (r GetResult) Failure() error {
	if get.Exit(r.Exit).OK() {
		return nil
	}
	return fmt.Errorf("%w: %s, gas %d", ErrThrew, r.Text, r.Gas)
}

func (r GetResult) String() string {
	if !get.Exit(r.Exit).OK() {
		return fmt.Sprintf("%s, gas %d", r.Text, r.Gas)
	}
	lines := make([]string, len(r.Stack))
	for i, v := range r.Stack {
		lines[i] = v.String()
	}
	return strings.Join(lines, "\n")
}

// String is the form in which the value can be an argument, if it can be one.
func (v Value) String() string {
	switch v.Type {
	case "null":
		return "null"
	case "int":
		return v.Value
	case "tuple":
		items := make([]string, len(v.Items))
		for i, item := range v.Items {
			items[i] = item.String()
		}
		return "[" + strings.Join(items, " ") + "]"
	}
	if v.Address.Address != nil {
		return v.Address.String()
	}
	return v.Type + ":" + v.Value
}

func newGetResult(r get.Result) (GetResult, error) {
	out := GetResult{Exit: int(r.Exit), Text: r.Exit.String(), Gas: r.Gas, Stack: []Value{}}
	if !r.Exit.OK() {
		return out, nil
	}
	left := maxStack
	var err error
	out.Stack, err = values(r.Stack, &left, maxStackDepth)
	return out, err
}

// values converts a stack, as long as values are left.
func values(s get.Stack, left *int, depth int) ([]Value, error) {
	if *left -= s.Len(); *left < 0 || depth == 0 {
		return nil, fmt.Errorf("%w: stack of more than %d values or %d levels", ErrTooLarge, maxStack, maxStackDepth)
	}
	out := make([]Value, s.Len())
	for i := range out {
		v, err := s.Value(i)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case nil:
			out[i] = Value{Type: "null"}
		case *big.Int:
			out[i] = Value{Type: "int", Value: v.String()}
		case *cell.Cell:
			out[i] = Value{Type: "cell", Value: Cell{v}.String()}
		case *cell.Slice:
			out[i] = Value{Type: "slice", Value: Cell{v.MustToCell()}.String()}
			if a, err := tlb.LoadAddress(v.Copy()); err == nil && v.BitsLeft() == 267 && v.RefsNum() == 0 {
				out[i].Address = Address{a}
			}
		case *cell.Builder:
			out[i] = Value{Type: "builder", Value: Cell{v.EndCell()}.String()}
		case get.Stack:
			items, err := values(v, left, depth-1)
			if err != nil {
				return nil, err
			}
			out[i] = Value{Type: "tuple", Items: items}
		default:
			return nil, fmt.Errorf("%w: value %d is a %T", ErrValue, i, v)
		}
	}
	return out, nil
}

var _ json.Unmarshaler = (*Argument)(nil)
