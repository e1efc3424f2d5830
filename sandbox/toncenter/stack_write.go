package toncenter

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb/get"
)

// stackWriter writes what a get method returned, in either notation of
// [stackReader].
type stackWriter struct {
	left    int // values
	objects int // cells still to be written out as objects
}

func newStackWriter() *stackWriter { return &stackWriter{left: maxStack, objects: maxCellObjects} }

// Entries of a stack in the typed notation.
type (
	entryNumber struct {
		Type   string       `json:"@type"`
		Number numberObject `json:"number"`
	}
	numberObject struct {
		Type   string  `json:"@type"`
		Number integer `json:"number"`
	}
	entryCell struct {
		Type string  `json:"@type"`
		Cell tvmCell `json:"cell"`
	}
	entrySlice struct {
		Type  string  `json:"@type"`
		Slice tvmCell `json:"slice"`
	}
	entryTuple struct {
		Type  string   `json:"@type"`
		Tuple elements `json:"tuple"`
	}
	entryList struct {
		Type string   `json:"@type"`
		List elements `json:"list"`
	}
	elements struct {
		Type     string `json:"@type"`
		Elements []any  `json:"elements"`
	}
	entryUnsupported struct {
		Type string `json:"@type"`
	}
)

// cellEntry is a cell in the other notation.
type cellEntry struct {
	Bytes  boc         `json:"bytes"`
	Object *cellObject `json:"object,omitempty"`
}

type cellObject struct {
	Data    cellData      `json:"data"`
	Refs    []*cellObject `json:"refs"`
	Special bool          `json:"special"`
}

type cellData struct {
	B64 hash `json:"b64"`
	Len uint `json:"len"`
}

// pair writes value i as ["type", value]. Slices are cells here: toncenter
// never told them apart.
func (w *stackWriter) pair(s get.Stack, i int) (any, error) {
	v, err := w.typed(s, i, 0)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case entryNumber:
		return [2]any{"num", hexText(v.Number.Number.Int)}, nil
	case entryCell:
		return [2]any{"cell", w.cell(v.Cell.Bytes.cell)}, nil
	case entrySlice:
		return [2]any{"cell", w.cell(v.Slice.Bytes.cell)}, nil
	case entryTuple:
		return [2]any{"tuple", v.Tuple}, nil
	case entryList:
		return [2]any{"list", v.List}, nil
	}
	return [2]any{"unsupported", ""}, nil
}

func hexText(n *big.Int) string {
	if n.Sign() < 0 {
		return "-0x" + new(big.Int).Neg(n).Text(16)
	}
	return "0x" + n.Text(16)
}

// typed writes value i as {"@type": …}.
func (w *stackWriter) typed(s get.Stack, i, depth int) (any, error) {
	if w.left--; w.left < 0 {
		return nil, ErrStackSize
	}
	if depth >= maxStackDepth {
		return nil, fmt.Errorf("%w: %d or more", ErrStackDepth, maxStackDepth)
	}
	v, err := s.Value(i)
	if errors.Is(err, get.ErrType) {
		return entryUnsupported{Type: "tvm.stackEntryUnsupported"}, nil // a continuation, or not a number
	}
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *big.Int:
		return entryNumber{Type: "tvm.stackEntryNumber", Number: numberObject{Type: "tvm.numberDecimal", Number: integer{v}}}, nil
	case *cell.Cell:
		return entryCell{Type: "tvm.stackEntryCell", Cell: viewCell(v)}, nil
	case *cell.Slice:
		c, err := v.ToCell()
		if err != nil {
			return nil, err
		}
		return entrySlice{Type: "tvm.stackEntrySlice", Slice: tvmCell{Type: "tvm.slice", Bytes: boc{c}}}, nil
	case nil, get.Stack:
		return w.tuple(v, depth)
	}
	return entryUnsupported{Type: "tvm.stackEntryUnsupported"}, nil // a builder
}

// tuple writes a tuple, as a list if it can be read as one: null is the empty
// list, and a pair of anything and a list is a list.
func (w *stackWriter) tuple(v any, depth int) (any, error) {
	if heads, ok := listOf(v); ok {
		list := elements{Type: "tvm.list", Elements: []any{}}
		for _, head := range heads {
			element, err := w.typed(head, 0, depth+1)
			if err != nil {
				return nil, err
			}
			list.Elements = append(list.Elements, element)
		}
		return entryList{Type: "tvm.stackEntryList", List: list}, nil
	}
	t := v.(get.Stack)
	out := elements{Type: "tvm.tuple", Elements: []any{}}
	for i := range t.Len() {
		element, err := w.typed(t, i, depth+1)
		if err != nil {
			return nil, err
		}
		out.Elements = append(out.Elements, element)
	}
	return entryTuple{Type: "tvm.stackEntryTuple", Tuple: out}, nil
}

// listOf follows the pairs of a list to its end, and returns them. It stops
// where there are more than an answer may have.
func listOf(v any) (pairs []get.Stack, ok bool) {
	for v != nil && len(pairs) <= maxStack {
		pair, isTuple := v.(get.Stack)
		if !isTuple || pair.Len() != 2 {
			return nil, false
		}
		pairs = append(pairs, pair)
		var err error
		if v, err = pair.Value(1); err != nil {
			return nil, false
		}
	}
	return pairs, true
}

// cell writes a cell, with its tree as objects unless that is too large.
func (w *stackWriter) cell(c *cell.Cell) cellEntry {
	out := cellEntry{Bytes: boc{c}}
	budget := w.objects
	if object, ok := writeObject(c, &budget); ok {
		w.objects, out.Object = budget, object
	}
	return out
}

func writeObject(c *cell.Cell, budget *int) (*cellObject, bool) {
	if *budget--; *budget < 0 {
		return nil, false
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, false // a special cell, which has no content of its own
	}
	bits := s.BitsLeft()
	data, err := s.LoadSlice(bits)
	if err != nil {
		return nil, false
	}
	out := &cellObject{Data: cellData{B64: data, Len: bits}, Refs: []*cellObject{}}
	for s.RefsNum() > 0 {
		ref, err := s.LoadRefCell()
		if err != nil {
			return nil, false
		}
		object, ok := writeObject(ref, budget)
		if !ok {
			return nil, false
		}
		out.Refs = append(out.Refs, object)
	}
	return out, true
}
