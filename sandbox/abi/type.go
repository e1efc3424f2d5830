package abi

import (
	"fmt"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Type is the type of a value: one of those in this file. What a value of it
// is in Go stands at each.
type Type interface {
	fmt.Stringer

	unpack(u *unpacker, s *cell.Slice) (any, error)
	pack(p *packer, b *cell.Builder, v any) error
	// measure is the least and the most room a value takes.
	measure(m *measurer) extent
}

// Types without parameters.
const (
	Coins      Simple = iota // *big.Int, nanotons or whatever the coin is
	Bool                     // bool
	Cell                     // *cell.Cell, in a reference
	Remaining                // *cell.Cell of the bits and references that are left
	String                   // string, in a chain of references
	Address                  // *address.Address, standard
	AddressOpt               // *address.Address, standard, or nil
	AddressExt               // *address.Address, external
	AddressAny               // *address.Address, standard, external or none
	Null                     // nil, without bytes
)

// Simple is a type without parameters.
type Simple uint8

var simpleNames = [...]string{
	Coins: "coins", Bool: "bool", Cell: "cell", Remaining: "remaining", String: "string", Address: "address",
	AddressOpt: "address?", AddressExt: "ext_address", AddressAny: "any_address", Null: "null",
}

func (t Simple) String() string {
	if int(t) < len(simpleNames) {
		return simpleNames[t]
	}
	return fmt.Sprintf("simple(%d)", uint8(t))
}

type (
	// Int is a signed integer of so many bits, 1 to 257: *big.Int.
	Int uint16
	// Uint is an unsigned integer of so many bits, 1 to 256: *big.Int.
	Uint uint16
	// VarInt is a signed integer that takes less than so many bytes, 16 or
	// 32, and says how many: *big.Int.
	VarInt uint8
	// VarUint is VarInt unsigned: *big.Int.
	VarUint uint8
	// BitString is so many bits: [Bits].
	BitString uint16
)

func (t Int) String() string       { return fmt.Sprintf("int%d", uint16(t)) }
func (t Uint) String() string      { return fmt.Sprintf("uint%d", uint16(t)) }
func (t VarInt) String() string    { return fmt.Sprintf("varint%d", uint8(t)) }
func (t VarUint) String() string   { return fmt.Sprintf("varuint%d", uint8(t)) }
func (t BitString) String() string { return fmt.Sprintf("bits%d", uint16(t)) }

// Optional is a bit, and a value if it is set: the value or nil.
type Optional struct{ Of Type }

// Ref is a value in a cell of its own: the value.
type Ref struct{ Of Type }

// Array is up to 255 values in a chain of cells: []any.
type Array struct{ Of Type }

// List is a chain of cells with a value each, the last in front: []any.
type List struct{ Of Type }

// Tuple is one value after another: []any.
type Tuple struct{ Items []Type }

// Map is a dictionary: []Entry, in order of the keys' bits.
type Map struct{ Key, Value Type }

// Enum is an integer of which some values have names: [Member]. Another value
// is refused, as contracts do.
type Enum struct {
	Name    string
	As      Type
	Members []Member
}

// Struct is a prefix, if it has one, and fields: [Record]. Types refer to a
// struct by pointer, so that one may contain itself, in a reference.
type Struct struct {
	Name        string
	Prefix      *Prefix
	Fields      []Field
	Description string
}

// Field is one field of a struct, or a parameter of a getter.
type Field struct {
	Name        string
	Type        Type
	Description string
}

// Union is one of several types, told by a prefix: a [Record] for a struct,
// a [Variant] otherwise.
type Union struct{ Variants []Option }

// Option is one type of a union.
type Option struct {
	Type   Type
	Prefix Prefix
	// Implicit: the prefix belongs to the union, not to the struct within.
	Implicit bool
}

// Opaque is a type that Tolk code of the contract reads and writes: the
// *cell.Cell of all that is left.
type Opaque struct{ Name string }

// Stack is a type that only get methods use. It has no bytes.
type Stack struct{ Name string }

func (t Optional) String() string { return name(t) }
func (t Ref) String() string      { return name(t) }
func (t Array) String() string    { return name(t) }
func (t List) String() string     { return name(t) }
func (t Tuple) String() string    { return name(t) }
func (t Map) String() string      { return name(t) }
func (t *Enum) String() string    { return t.Name }
func (t *Struct) String() string  { return t.Name }
func (t *Union) String() string   { return name(t) }
func (t Opaque) String() string   { return t.Name }
func (t Stack) String() string    { return t.Name }

// maxName bounds the text of a type's name: a type that uses another twice,
// which does the same, and so on, would have an endless one.
const maxName = 200

func name(t Type) string {
	var b strings.Builder
	writeName(&b, t)
	if b.Len() > maxName {
		return strings.ToValidUTF8(b.String()[:maxName], "") + "…"
	}
	return b.String()
}

func writeName(b *strings.Builder, t Type) {
	if b.Len() > maxName {
		return
	}
	around := func(before string, t Type, after string) {
		b.WriteString(before)
		writeName(b, t)
		b.WriteString(after)
	}
	switch t := t.(type) {
	case nil:
		b.WriteString("?")
	case Optional:
		around("", t.Of, "?")
	case Ref:
		around("Cell<", t.Of, ">")
	case Array:
		around("array<", t.Of, ">")
	case List:
		around("lisp_list<", t.Of, ">")
	case Map:
		around("map<", t.Key, "")
		around(", ", t.Value, ">")
	case Tuple:
		for i, item := range t.Items {
			around([]string{"[", ", "}[min(i, 1)], item, "")
		}
		b.WriteString("]")
	case *Union:
		for i, v := range t.Variants {
			around([]string{"", " | "}[min(i, 1)], v.Type, "")
		}
	default:
		b.WriteString(t.String())
	}
}

// Prefix is the first bits of a struct, 1 to 64 of them.
type Prefix struct {
	Num  uint64
	Bits uint8
}

// Op is the prefix of a message: 32 bits.
func Op(code uint32) *Prefix { return &Prefix{Num: uint64(code), Bits: 32} }

func (p Prefix) String() string {
	if p.Bits%4 == 0 {
		return fmt.Sprintf("0x%0*x", p.Bits/4, p.Num)
	}
	return fmt.Sprintf("0b%0*b", p.Bits, p.Num)
}

// match tells whether a slice begins with the prefix, and changes nothing.
func (p Prefix) match(s *cell.Slice) bool {
	if uint(p.Bits) > s.BitsLeft() || p.Bits > 64 {
		return false
	}
	got, err := s.PreloadUInt(uint(p.Bits))
	return err == nil && got == p.Num
}
