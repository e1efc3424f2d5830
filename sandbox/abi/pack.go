package abi

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Pack writes a value of a type into a cell.
func Pack(t Type, v any) (*cell.Cell, error) {
	return new(packer).cell(t, v)
}

// packer writes one value.
type packer struct{ depth int }

func (p *packer) value(t Type, b *cell.Builder, v any) error {
	if t == nil {
		return fmt.Errorf("type is missing: %w", ErrNoBytes)
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxDepth {
		return fmt.Errorf("deeper than %d: %w", MaxDepth, ErrTooLarge)
	}
	return t.pack(p, b, v)
}

func (p *packer) cell(t Type, v any) (*cell.Cell, error) {
	b := cell.BeginCell()
	if err := p.value(t, b, v); err != nil {
		return nil, err
	}
	return b.EndCell(), nil
}

// wrong is the error for a value of a Go type that cannot stand for t.
func wrong(t Type, v any) error {
	return fmt.Errorf("%T for %s: %w", v, name(t), ErrValue)
}

// stored makes an error of the library's one of ours.
func stored(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %v", ErrValue, err) // the library's text only
}

// integer takes any integer of Go's.
func integer(t Type, v any) (*big.Int, error) {
	if n, ok := v.(*big.Int); ok && n != nil {
		return n, nil
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return big.NewInt(r.Int()), nil
	case r.CanUint():
		return new(big.Int).SetUint64(r.Uint()), nil
	}
	return nil, wrong(t, v)
}

func (t Simple) pack(p *packer, b *cell.Builder, v any) error {
	switch t {
	case Coins:
		return VarUint(16).pack(p, b, v)
	case Bool:
		set, ok := v.(bool)
		if !ok {
			return wrong(t, v)
		}
		return stored(b.StoreBoolBit(set))
	case Cell:
		c, ok := v.(*cell.Cell)
		if !ok || c == nil {
			return wrong(t, v)
		}
		return stored(b.StoreRef(c))
	case Remaining:
		return packRest(t, b, v)
	case String:
		s, ok := v.(string)
		if !ok || len(s) > maxString {
			return wrong(t, v)
		}
		return stored(b.StoreRef(chain(s)))
	case Address:
		return packAddress(t, b, v, address.StdAddress)
	case AddressExt:
		return packAddress(t, b, v, address.ExtAddress)
	case AddressAny:
		return packAddress(t, b, v, address.NoneAddress, address.ExtAddress, address.StdAddress)
	case AddressOpt:
		if a, ok := v.(*address.Address); v == nil || ok && a == nil {
			return stored(b.StoreUInt(0, 2))
		}
		return packAddress(t, b, v, address.StdAddress)
	case Null:
		if v != nil {
			return wrong(t, v)
		}
		return nil
	}
	return fmt.Errorf("%s: %w", t, ErrNoBytes)
}

// packRest writes the bits and references of a cell where the builder is.
func packRest(t Type, b *cell.Builder, v any) error {
	c, ok := v.(*cell.Cell)
	if !ok || c == nil || c.IsSpecial() {
		return wrong(t, v)
	}
	return stored(b.StoreBuilder(c.ToBuilder()))
}

// chain writes a string into cells of 127 bytes.
func chain(s string) *cell.Cell {
	const most = 127
	var tail *cell.Cell
	for from := (max(len(s), 1) - 1) / most * most; from >= 0; from -= most {
		b := cell.BeginCell().MustStoreSlice([]byte(s[from:min(from+most, len(s))]), uint(min(most, len(s)-from))*8)
		if tail != nil {
			b.MustStoreRef(tail)
		}
		tail = b.EndCell()
	}
	return tail
}

func packAddress(t Type, b *cell.Builder, v any, kinds ...address.AddrType) error {
	a, ok := v.(*address.Address)
	if !ok || a == nil || a.Anycast() != nil {
		return wrong(t, v)
	}
	for _, kind := range kinds {
		if a.Type() == kind {
			return stored(b.StoreAddr(a))
		}
	}
	return wrong(t, v)
}

func (t Int) pack(_ *packer, b *cell.Builder, v any) error {
	n, err := integer(t, v)
	if err != nil {
		return err
	}
	// The library takes the sign bit for one more digit.
	if n.Sign() >= 0 && n.BitLen() >= int(t) {
		return fmt.Errorf("%s for %s: %w", n, t, ErrValue)
	}
	return stored(b.StoreBigInt(n, uint(t)))
}

func (t Uint) pack(_ *packer, b *cell.Builder, v any) error {
	n, err := integer(t, v)
	if err != nil {
		return err
	}
	return stored(b.StoreBigUInt(n, uint(t)))
}

func (t VarInt) pack(_ *packer, b *cell.Builder, v any) error {
	n, err := integer(t, v)
	if err != nil {
		return err
	}
	return stored(b.StoreBigVarInt(n, uint(t)))
}

func (t VarUint) pack(_ *packer, b *cell.Builder, v any) error {
	n, err := integer(t, v)
	if err != nil {
		return err
	}
	return stored(b.StoreBigVarUInt(n, uint(t)))
}

// pack of bits takes [Bits], or bytes if the length is whole.
func (t BitString) pack(_ *packer, b *cell.Builder, v any) error {
	bits, ok := v.(Bits)
	if data, isBytes := v.([]byte); isBytes {
		bits, ok = Bits{Len: uint(len(data)) * 8, Data: data}, true
	}
	if !ok || bits.Len != uint(t) || uint(len(bits.Data))*8 < bits.Len {
		return wrong(t, v)
	}
	return stored(b.StoreSlice(bits.Data, bits.Len))
}

func (t Optional) pack(p *packer, b *cell.Builder, v any) error {
	if v == nil {
		return stored(b.StoreBoolBit(false))
	}
	if err := b.StoreBoolBit(true); err != nil {
		return stored(err)
	}
	return p.value(t.Of, b, v)
}

func (t Ref) pack(p *packer, b *cell.Builder, v any) error {
	c, err := p.cell(t.Of, v)
	if err != nil {
		return err
	}
	return stored(b.StoreRef(c))
}

// pack of an array fills cells from the end, so that the first is the one
// that is not full.
func (t Array) pack(p *packer, b *cell.Builder, v any) error {
	items, ok := v.([]any)
	if !ok || len(items) > 255 {
		return wrong(t, v)
	}
	var next *cell.Cell
	for end, most := len(items), perCell(t.Of); end > 0; {
		from := max(end-most, 0)
		chunk := cell.BeginCell()
		if err := chunk.StoreMaybeRef(next); err != nil {
			return stored(err)
		}
		for i := from; i < end; i++ {
			if err := p.value(t.Of, chunk, items[i]); err != nil {
				return fmt.Errorf("item %d: %w", i, err)
			}
		}
		next, end = chunk.EndCell(), from
	}
	if err := b.StoreUInt(uint64(len(items)), 8); err != nil {
		return stored(err)
	}
	return stored(b.StoreMaybeRef(next))
}

func (t List) pack(p *packer, b *cell.Builder, v any) error {
	items, ok := v.([]any)
	if !ok || len(items) > MaxValues {
		return wrong(t, v)
	}
	tail := cell.BeginCell().EndCell()
	for i, item := range items {
		one := cell.BeginCell()
		if err := one.StoreRef(tail); err != nil {
			return stored(err)
		}
		if err := p.value(t.Of, one, item); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
		tail = one.EndCell()
	}
	return stored(b.StoreRef(tail))
}

func (t Tuple) pack(p *packer, b *cell.Builder, v any) error {
	items, ok := v.([]any)
	if !ok || len(items) != len(t.Items) {
		return wrong(t, v)
	}
	for i, item := range items {
		if err := p.value(t.Items[i], b, item); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	return nil
}

func (t Map) pack(p *packer, b *cell.Builder, v any) error {
	entries, ok := v.([]Entry)
	if !ok || len(entries) > MaxValues {
		return wrong(t, v)
	}
	size, ok := measure(t.Key).fixed()
	if !ok {
		return fmt.Errorf("key %s: %w", name(t.Key), ErrNoBytes)
	}
	dict := cell.NewDict(size)
	for _, e := range entries {
		key, err := p.cell(t.Key, e.Key)
		if err != nil {
			return fmt.Errorf("key: %w", err)
		}
		value := cell.BeginCell()
		if err := p.value(t.Value, value, e.Value); err != nil {
			return fmt.Errorf("value of %s: %w", Text(e.Key), err)
		}
		isNew, err := dict.SetBuilderWithMode(key, value, cell.DictSetModeAdd)
		if err != nil {
			return stored(err)
		}
		if !isNew {
			return fmt.Errorf("key %s twice: %w", Text(e.Key), ErrValue)
		}
	}
	return stored(b.StoreDict(dict))
}

func (t *Enum) pack(p *packer, b *cell.Builder, v any) error {
	for _, m := range t.Members {
		switch v := v.(type) {
		case string:
			if v == m.Name {
				return p.value(t.As, b, m.Value)
			}
		case Member:
			if v.Name == m.Name {
				return p.value(t.As, b, m.Value)
			}
		}
	}
	return fmt.Errorf("%s is no member of %s: %w", Text(v), t.Name, ErrValue)
}

func (t *Struct) pack(p *packer, b *cell.Builder, v any) error {
	given, err := t.given(v)
	if err != nil {
		return err
	}
	if t.Prefix != nil {
		if err := t.Prefix.store(b); err != nil {
			return err
		}
	}
	for _, f := range t.Fields {
		value, ok := given[f.Name]
		if !ok {
			return fmt.Errorf("%s.%s: %w", t.Name, f.Name, ErrMissing)
		}
		if err := p.value(f.Type, b, value); err != nil {
			return fmt.Errorf("%s.%s: %w", t.Name, f.Name, err)
		}
	}
	return nil
}

// given are the values of the fields by name; names that are no fields are
// refused.
func (t *Struct) given(v any) (Values, error) {
	given := Values{}
	switch v := v.(type) {
	case nil:
	case Values:
		given = v
	case map[string]any:
		given = v
	case Record:
		if v.Struct != "" && v.Struct != t.Name {
			return nil, fmt.Errorf("a %s for %s: %w", v.Struct, t.Name, ErrValue)
		}
		for _, f := range v.Fields {
			given[f.Name] = f.Value
		}
	default:
		return nil, wrong(t, v)
	}
	known := map[string]bool{}
	for _, f := range t.Fields {
		known[f.Name] = true
	}
	for name := range given {
		if !known[name] {
			return nil, fmt.Errorf("%s.%s: %w", t.Name, name, ErrUnknownField)
		}
	}
	return given, nil
}

func (p Prefix) store(b *cell.Builder) error {
	if p.Bits > 64 || p.Bits < 64 && p.Num>>p.Bits != 0 {
		return fmt.Errorf("prefix %d of %d bits: %w", p.Num, p.Bits, ErrNoBytes)
	}
	return stored(b.StoreUInt(p.Num, uint(p.Bits)))
}

func (t *Union) pack(p *packer, b *cell.Builder, v any) error {
	which, value := "", v
	switch v := v.(type) {
	case Record:
		which = v.Struct
	case Variant:
		which, value = v.Type, v.Value
	default:
		return wrong(t, v)
	}
	for _, o := range t.Variants {
		if o.Type == nil || o.Type.String() != which {
			continue
		}
		if o.Implicit {
			if err := o.Prefix.store(b); err != nil {
				return err
			}
		}
		return p.value(o.Type, b, value)
	}
	return fmt.Errorf("%s is none of %s: %w", which, t, ErrValue)
}

func (t Opaque) pack(_ *packer, b *cell.Builder, v any) error { return packRest(t, b, v) }

func (t Stack) pack(*packer, *cell.Builder, any) error {
	return fmt.Errorf("%s: %w", t.Name, ErrNoBytes)
}
