package explore

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/sandbox/abi"
	"github.com/tussah-network/tussah/tlb"
)

// Call is a message with its name and the values in it.
type Call struct {
	Name   string
	Type   abi.Type
	Values abi.Record
	Body   *cell.Cell
}

// maxNesting is how deep values may nest; deeper, what may be left out is.
const maxNesting = 6

// Value generates values of a type, as abi.Unpack gives them. Addresses are
// mostly those given, and numbers mostly small or at the edge of what fits.
func Value(t abi.Type, addresses ...*address.Address) *rapid.Generator[any] {
	return rapid.Custom(func(rt *rapid.T) any {
		rapid.Bool().Draw(rt, "something") // rapid wants it, and a struct may have no fields
		return generator{rt, addresses}.value(t, 0)
	})
}

// Calls generates messages.
func Calls(messages []abi.Message, addresses ...*address.Address) *rapid.Generator[Call] {
	return rapid.Custom(func(rt *rapid.T) Call {
		m := rapid.SampledFrom(messages).Draw(rt, "message")
		// Now and then a struct is too large for its cell.
		fits := func(v any) bool {
			_, err := abi.Pack(m.Body, v)
			return err == nil
		}
		v := Value(m.Body, addresses...).Filter(fits).Draw(rt, m.Called())
		record, ok := v.(abi.Record)
		if !ok {
			record = abi.Record{Struct: m.Called(), Fields: []abi.FieldValue{{Value: v}}}
		}
		body, err := abi.Pack(m.Body, v)
		if err != nil {
			rt.Fatalf("pack %s: %v", record, err)
		}
		return Call{Name: m.Called(), Type: m.Body, Values: record, Body: body}
	})
}

// Cells generates small cells, as a stranger may send.
func Cells() *rapid.Generator[*cell.Cell] {
	return rapid.Custom(func(rt *rapid.T) *cell.Cell { return generator{rt, nil}.cell(0) })
}

type generator struct {
	t         *rapid.T
	addresses []*address.Address
}

func (g generator) value(t abi.Type, depth int) any {
	depth++
	switch t := t.(type) {
	case abi.Simple:
		return g.simple(t, depth)
	case abi.Int:
		return g.signed(uint(t) - 1)
	case abi.Uint:
		return g.unsigned(uint(t))
	case abi.VarInt:
		return g.signed(8*(uint(t)-1) - 1)
	case abi.VarUint:
		return g.unsigned(8 * (uint(t) - 1))
	case abi.BitString:
		return g.bits(uint(t))
	case abi.Optional:
		if depth > maxNesting || !rapid.Bool().Draw(g.t, "is there") {
			return nil
		}
		return g.value(t.Of, depth)
	case abi.Ref:
		return g.value(t.Of, depth)
	case abi.Array:
		return g.several(t.Of, depth)
	case abi.List:
		return g.several(t.Of, depth)
	case abi.Tuple:
		out := make([]any, len(t.Items))
		for i, item := range t.Items {
			out[i] = g.value(item, depth)
		}
		return out
	case abi.Map:
		return g.entries(t, depth)
	case *abi.Enum:
		return rapid.SampledFrom(t.Members).Draw(g.t, t.Name)
	case *abi.Struct:
		r := abi.Record{Struct: t.Name, Fields: make([]abi.FieldValue, len(t.Fields))}
		for i, f := range t.Fields {
			r.Fields[i] = abi.FieldValue{Name: f.Name, Value: g.value(f.Type, depth)}
		}
		return r
	case *abi.Union:
		of := rapid.SampledFrom(t.Variants).Draw(g.t, "which").Type
		v := g.value(of, depth)
		if r, ok := v.(abi.Record); ok {
			return r
		}
		return abi.Variant{Type: of.String(), Value: v}
	case abi.Opaque:
		return g.cell(depth)
	}
	g.t.Fatalf("a value of %s cannot be in a message", t)
	return nil
}

func (g generator) simple(t abi.Simple, depth int) any {
	switch t {
	case abi.Coins:
		return g.coins()
	case abi.Bool:
		return rapid.Bool().Draw(g.t, "bool")
	case abi.Cell, abi.Remaining:
		return g.cell(depth)
	case abi.String:
		return rapid.String().Draw(g.t, "string")
	case abi.Address:
		return g.address()
	case abi.AddressOpt:
		if !rapid.Bool().Draw(g.t, "is there") {
			return nil
		}
		return g.address()
	case abi.AddressExt:
		return g.external()
	case abi.AddressAny:
		switch rapid.IntRange(0, 2).Draw(g.t, "kind of address") {
		case 0:
			return g.address()
		case 1:
			return address.NewAddressNone()
		}
		return g.external()
	case abi.Null:
		return nil
	}
	panic(fmt.Sprintf("explore: internal error: no generator for %s", t))
}

// unsigned is a number of at most so many bits, mostly of few or of all.
func (g generator) unsigned(most uint) *big.Int {
	bits := rapid.OneOf(rapid.UintRange(0, min(most, 4)), rapid.UintRange(0, most), rapid.Just(most)).Draw(g.t, "bits")
	n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), int(bits+7)/8, int(bits+7)/8).Draw(g.t, "number"))
	return n.And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1)))
}

func (g generator) signed(most uint) *big.Int {
	n := g.unsigned(most)
	if rapid.Bool().Draw(g.t, "negative") {
		n.Not(n) // from -1 on
	}
	return n
}

// coins are mostly amounts that somebody may have sent.
func (g generator) coins() *big.Int {
	switch rapid.IntRange(0, 9).Draw(g.t, "how much") {
	case 9:
		return g.unsigned(120)
	case 8, 7, 6:
		return g.unsigned(36)
	}
	some := rapid.SampledFrom([]uint64{uint64(tlb.TON) / 10, uint64(tlb.TON) / 100, uint64(tlb.TON) / 2, uint64(tlb.TON)}).Draw(g.t, "coins")
	return new(big.Int).SetUint64(some + rapid.Uint64Range(0, some/10).Draw(g.t, "and some"))
}

func (g generator) bits(n uint) abi.Bits {
	data := rapid.SliceOfN(rapid.Byte(), int(n+7)/8, int(n+7)/8).Draw(g.t, "bits")
	if n%8 != 0 {
		data[len(data)-1] &= 0xff << (8 - n%8)
	}
	return abi.Bits{Len: n, Data: data}
}

func (g generator) cell(depth int) *cell.Cell {
	bits := g.bits(rapid.UintRange(0, 72).Draw(g.t, "size of a cell"))
	b := cell.BeginCell().MustStoreSlice(bits.Data, bits.Len)
	if depth < maxNesting && rapid.IntRange(0, 3).Draw(g.t, "a reference") == 3 {
		b.MustStoreRef(g.cell(depth + 2))
	}
	return b.EndCell()
}

func (g generator) address() *address.Address {
	if len(g.addresses) > 0 && rapid.IntRange(0, 9).Draw(g.t, "stranger") < 9 {
		return rapid.SampledFrom(g.addresses).Draw(g.t, "address")
	}
	workchain := rapid.SampledFrom([]byte{0, 0xff}).Draw(g.t, "workchain")
	return address.NewAddress(0, workchain, g.bits(256).Data)
}

func (g generator) external() *address.Address {
	bits := g.bits(rapid.UintRange(0, 64).Draw(g.t, "size of an address"))
	return address.NewAddressExt(0, bits.Len, bits.Data)
}

func (g generator) several(of abi.Type, depth int) []any {
	most := 5
	if depth > maxNesting {
		most = 0
	}
	n := rapid.IntRange(0, most).Draw(g.t, "length")
	if n == 5 {
		n = rapid.IntRange(5, 50).Draw(g.t, "long")
	}
	out := make([]any, n)
	for i := range out {
		out[i] = g.value(of, depth)
	}
	return out
}

// entries are in the order of their keys, each once, as they are unpacked.
func (g generator) entries(t abi.Map, depth int) []abi.Entry {
	type sortable struct {
		key   []byte
		entry abi.Entry
	}
	var all []sortable
	n := 0
	if depth <= maxNesting {
		n = rapid.IntRange(0, 4).Draw(g.t, "entries")
	}
	for range n {
		e := abi.Entry{Key: g.value(t.Key, depth), Value: g.value(t.Value, depth)}
		packed, err := abi.Pack(t.Key, e.Key)
		if err != nil {
			g.t.Fatalf("key %s: %v", abi.Text(e.Key), err)
		}
		s, err := packed.BeginParse()
		if err != nil {
			g.t.Fatalf("key: %v", err)
		}
		_, key, err := s.RestBits()
		if err != nil {
			g.t.Fatalf("key: %v", err)
		}
		all = append(all, sortable{key, e})
	}
	slices.SortStableFunc(all, func(a, b sortable) int { return bytes.Compare(a.key, b.key) })
	all = slices.CompactFunc(all, func(a, b sortable) bool { return bytes.Equal(a.key, b.key) })
	out := make([]abi.Entry, len(all))
	for i, s := range all {
		out[i] = s.entry
	}
	return out
}
