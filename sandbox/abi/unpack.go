package abi

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

const (
	// MaxValues bounds the values read from one cell tree. A small tree can
	// stand for endless ones, since cells may be shared.
	MaxValues = 20_000
	// MaxDepth bounds how deep types may nest in a value.
	MaxDepth = 200
)

// Unpack reads a value of a type from a cell, to its end.
func Unpack(t Type, c *cell.Cell) (any, error) {
	return new(unpacker).cell(t, c)
}

// unpacker reads one value, and counts the values within.
type unpacker struct{ values, depth int }

// value reads a value of any type from where a slice is.
func (u *unpacker) value(t Type, s *cell.Slice) (any, error) {
	if t == nil {
		return nil, fmt.Errorf("type is missing: %w", ErrNoBytes)
	}
	u.values++
	u.depth++
	defer func() { u.depth-- }()
	if u.values > MaxValues || u.depth > MaxDepth {
		return nil, fmt.Errorf("more than %d values, or deeper than %d: %w", MaxValues, MaxDepth, ErrTooLarge)
	}
	return t.unpack(u, s)
}

// cell reads a value that has a cell for itself.
func (u *unpacker) cell(t Type, c *cell.Cell) (any, error) {
	s, err := open(c)
	if err != nil {
		return nil, err
	}
	v, err := u.value(t, s)
	if err != nil {
		return nil, err
	}
	return v, atEnd(s)
}

func atEnd(s *cell.Slice) error {
	if s.BitsLeft() != 0 || s.RefsNum() != 0 {
		return fmt.Errorf("%d bits and %d references: %w", s.BitsLeft(), s.RefsNum(), ErrTrailing)
	}
	return nil
}

// open begins to read an ordinary cell.
func open(c *cell.Cell) (*cell.Slice, error) {
	if c == nil || c.IsSpecial() {
		return nil, fmt.Errorf("a special cell: %w", ErrMalformed)
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err) // the library's text only
	}
	return s, nil
}

func number(s *cell.Slice, n uint) (uint64, error) {
	if s.BitsLeft() < n {
		return 0, ErrTruncated
	}
	return s.LoadUInt(n)
}

func bigNumber(s *cell.Slice, n uint, signed bool) (*big.Int, error) {
	switch {
	case n > 257 || n == 257 && !signed:
		return nil, fmt.Errorf("integer of %d bits: %w", n, ErrNoBytes)
	case s.BitsLeft() < n:
		return nil, ErrTruncated
	case signed:
		return s.LoadBigInt(n)
	}
	return s.LoadBigUInt(n)
}

func reference(s *cell.Slice) (*cell.Cell, error) {
	if s.RefsNum() == 0 {
		return nil, ErrTruncated
	}
	return s.LoadRefCell()
}

// remaining takes all that is left.
func remaining(s *cell.Slice) (*cell.Cell, error) {
	c, err := s.ToCell()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err) // as in open
	}
	return c, s.SkipBitsAndRefs(s.BitsLeft(), s.RefsNum())
}

func (t Simple) unpack(_ *unpacker, s *cell.Slice) (any, error) {
	switch t {
	case Coins:
		return VarUint(16).unpack(nil, s)
	case Bool:
		n, err := number(s, 1)
		return n == 1, err
	case Cell:
		return present(reference(s))
	case Remaining:
		return present(remaining(s))
	case String:
		c, err := reference(s)
		if err != nil {
			return nil, err
		}
		return text(c)
	case Address:
		return present(loadAddress(s, 0b10))
	case AddressExt:
		return present(loadAddress(s, 0b01))
	case AddressAny:
		return present(loadAddress(s, 0b00, 0b01, 0b10))
	case AddressOpt:
		a, err := loadAddress(s, 0b00, 0b10)
		if err != nil || a.IsAddrNone() {
			return nil, err
		}
		return a, nil
	case Null:
		return nil, nil
	}
	return nil, fmt.Errorf("%s: %w", t, ErrNoBytes)
}

// present keeps a nil pointer from becoming an any that is not nil.
func present[T any](v *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// maxString bounds a string.
const maxString = 64 << 10

// text reads a string: whole bytes, going on in the only reference.
func text(c *cell.Cell) (string, error) {
	var out []byte
	for {
		s, err := open(c)
		if err != nil {
			return "", err
		}
		if s.BitsLeft()%8 != 0 || s.RefsNum() > 1 {
			return "", fmt.Errorf("string of %d bits and %d references: %w", s.BitsLeft(), s.RefsNum(), ErrMalformed)
		}
		_, data, err := s.RestBits()
		if err != nil {
			return "", err
		}
		if out = append(out, data...); len(out) > maxString {
			return "", fmt.Errorf("string of more than %d bytes: %w", maxString, ErrTooLarge)
		}
		if s.RefsNum() == 0 {
			return string(out), nil
		}
		if c, err = reference(s); err != nil {
			return "", err
		}
	}
}

// loadAddress reads an address whose two first bits are among the tags.
// Anycast and variable addresses are refused, as the network does.
func loadAddress(s *cell.Slice, tags ...uint64) (*address.Address, error) {
	if s.BitsLeft() < 2 {
		return nil, ErrTruncated
	}
	got, err := s.PreloadUInt(2)
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if tag != got {
			continue
		}
		if err := roomForAddress(s, tag); err != nil {
			return nil, err
		}
		return s.LoadAddr()
	}
	return nil, fmt.Errorf("address begins with %02b: %w", got, ErrMalformed)
}

func roomForAddress(s *cell.Slice, tag uint64) error {
	need := uint(2)
	switch tag {
	case 0b01:
		if s.BitsLeft() < 11 {
			return ErrTruncated
		}
		n, err := s.PreloadUInt(11)
		if err != nil {
			return err
		}
		need = 11 + uint(n&0x1ff)
	case 0b10:
		if s.BitsLeft() >= 3 {
			if n, err := s.PreloadUInt(3); err != nil || n&1 != 0 {
				return fmt.Errorf("anycast address: %w", ErrMalformed)
			}
		}
		need = 267
	}
	if s.BitsLeft() < need {
		return ErrTruncated
	}
	return nil
}

func (t Int) unpack(_ *unpacker, s *cell.Slice) (any, error) {
	return present(bigNumber(s, uint(t), true))
}

func (t Uint) unpack(_ *unpacker, s *cell.Slice) (any, error) {
	return present(bigNumber(s, uint(t), false))
}

func (t VarInt) unpack(_ *unpacker, s *cell.Slice) (any, error) {
	return present(varNumber(s, uint8(t), true))
}

func (t VarUint) unpack(_ *unpacker, s *cell.Slice) (any, error) {
	return present(varNumber(s, uint8(t), false))
}

// lengthBits is how many bits hold a number less than n.
func lengthBits(n uint8) uint { return uint(bits.Len8(max(n, 1) - 1)) }

func varNumber(s *cell.Slice, n uint8, signed bool) (*big.Int, error) {
	length, err := number(s, lengthBits(n))
	if err != nil {
		return nil, err
	}
	if length >= uint64(n) {
		return nil, fmt.Errorf("%d bytes of less than %d: %w", length, n, ErrMalformed)
	}
	return bigNumber(s, uint(length)*8, signed)
}

func (t BitString) unpack(_ *unpacker, s *cell.Slice) (any, error) {
	if s.BitsLeft() < uint(t) {
		return nil, ErrTruncated
	}
	data, err := s.LoadSlice(uint(t))
	return Bits{Len: uint(t), Data: data}, err
}

func (t Optional) unpack(u *unpacker, s *cell.Slice) (any, error) {
	set, err := number(s, 1)
	if err != nil || set == 0 {
		return nil, err
	}
	return u.value(t.Of, s)
}

func (t Ref) unpack(u *unpacker, s *cell.Slice) (any, error) {
	c, err := reference(s)
	if err != nil {
		return nil, err
	}
	return u.cell(t.Of, c)
}

// unpack of an array reads its length, and cells that hold some of the values
// each. The first says where the second is, and so on.
func (t Array) unpack(u *unpacker, s *cell.Slice) (any, error) {
	length, err := number(s, 8)
	if err != nil {
		return nil, err
	}
	items := make([]any, 0, length)
	for from := s; ; {
		more, err := number(from, 1)
		if err != nil {
			return nil, err
		}
		var next *cell.Cell
		if more == 1 {
			if next, err = reference(from); err != nil {
				return nil, err
			}
		}
		for from != s && (from.BitsLeft() > 0 || from.RefsNum() > 0) {
			v, err := u.value(t.Of, from)
			if err != nil {
				return nil, fmt.Errorf("item %d: %w", len(items), err)
			}
			items = append(items, v)
		}
		if next == nil {
			break
		}
		if from, err = open(next); err != nil {
			return nil, err
		}
	}
	if uint64(len(items)) != length {
		return nil, fmt.Errorf("%d items instead of %d: %w", len(items), length, ErrMalformed)
	}
	return items, nil
}

func (t List) unpack(u *unpacker, s *cell.Slice) (any, error) {
	var items []any
	c, err := reference(s)
	if err != nil {
		return nil, err
	}
	for {
		head, err := open(c)
		if err != nil {
			return nil, err
		}
		if head.BitsLeft() == 0 && head.RefsNum() == 0 {
			break
		}
		if c, err = reference(head); err != nil {
			return nil, err
		}
		v, err := u.value(t.Of, head)
		if err != nil {
			return nil, fmt.Errorf("item %d from the end: %w", len(items), err)
		}
		if err := atEnd(head); err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	out := make([]any, len(items))
	for i, v := range items {
		out[len(items)-1-i] = v
	}
	return out, nil
}

func (t Tuple) unpack(u *unpacker, s *cell.Slice) (any, error) {
	out := make([]any, 0, min(len(t.Items), MaxValues))
	for i, item := range t.Items {
		v, err := u.value(item, s)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		out = append(out, v)
	}
	return out, nil
}

func (t Map) unpack(u *unpacker, s *cell.Slice) (any, error) {
	size, ok := measure(t.Key).fixed()
	if !ok {
		return nil, fmt.Errorf("key %s: %w", name(t.Key), ErrNoBytes)
	}
	out := []Entry{}
	has, err := number(s, 1)
	if err != nil || has == 0 {
		return out, err
	}
	root, err := reference(s)
	if err != nil {
		return nil, err
	}
	top, err := open(root)
	if err != nil {
		return nil, err
	}
	dict, err := top.ToDict(size)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err) // as in open
	}
	each, err := dict.Iterator(false, false)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	for each.Next() {
		item := each.Item()
		key, err := u.cell(t.Key, item.Key)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		value, err := u.value(t.Value, item.Value)
		if err == nil {
			err = atEnd(item.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("value of %s: %w", Text(key), err)
		}
		out = append(out, Entry{key, value})
	}
	if err := each.Err(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return out, nil
}

func (t *Enum) unpack(u *unpacker, s *cell.Slice) (any, error) {
	v, err := u.value(t.As, s)
	if err != nil {
		return nil, err
	}
	n, ok := v.(*big.Int)
	if !ok {
		return nil, fmt.Errorf("enum %s of %s: %w", t.Name, name(t.As), ErrNoBytes)
	}
	for _, m := range t.Members {
		if m.Value != nil && m.Value.Cmp(n) == 0 {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s has no member of value %s: %w", t.Name, n, ErrMalformed)
}

func (t *Struct) unpack(u *unpacker, s *cell.Slice) (any, error) {
	if t.Prefix != nil {
		if err := t.Prefix.skip(s); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	r := Record{Struct: t.Name, Fields: make([]FieldValue, 0, len(t.Fields))}
	for _, f := range t.Fields {
		v, err := u.value(f.Type, s)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t.Name, f.Name, err)
		}
		r.Fields = append(r.Fields, FieldValue{f.Name, v})
	}
	return r, nil
}

func (p Prefix) skip(s *cell.Slice) error {
	if !p.match(s) {
		return fmt.Errorf("not %s: %w", p, ErrPrefix)
	}
	return s.SkipBits(uint(p.Bits))
}

func (t *Union) unpack(u *unpacker, s *cell.Slice) (any, error) {
	for _, o := range t.Variants {
		if !o.Prefix.match(s) {
			continue
		}
		if o.Implicit {
			if err := o.Prefix.skip(s); err != nil {
				return nil, err
			}
		}
		v, err := u.value(o.Type, s)
		if err != nil {
			return nil, err
		}
		if r, ok := v.(Record); ok {
			return r, nil
		}
		return Variant{Type: o.Type.String(), Value: v}, nil
	}
	return nil, fmt.Errorf("none of %s: %w", t, ErrPrefix)
}

func (t Opaque) unpack(_ *unpacker, s *cell.Slice) (any, error) { return present(remaining(s)) }

func (t Stack) unpack(*unpacker, *cell.Slice) (any, error) {
	return nil, fmt.Errorf("%s: %w", t.Name, ErrNoBytes)
}
