package abi

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Record is a value of a struct.
type Record struct {
	Struct string
	Fields []FieldValue // in order of the struct
}

// FieldValue is the value of one field.
type FieldValue struct {
	Name  string
	Value any
}

// Field returns the value of a field, and whether there is such a field.
func (r Record) Field(name string) (any, bool) {
	for _, f := range r.Fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return nil, false
}

// Values are fields by name, for those who write them by hand. An integer may
// be any integer of Go's or a *big.Int; an enum may be a member's name.
type Values map[string]any

// Entry is an entry of a dictionary.
type Entry struct{ Key, Value any }

// Member is a value of an enum. Writing one, the name is enough.
type Member struct {
	Name  string
	Value *big.Int
}

// Variant is a value of a union that is no struct. Type is the name of its
// type.
type Variant struct {
	Type  string
	Value any
}

// Bits is a string of bits. Those after Len in the last byte of Data are zero.
type Bits struct {
	Len  uint
	Data []byte
}

func (b Bits) String() string { return fmt.Sprintf("%d bits %s", b.Len, hex.EncodeToString(b.Data)) }

// String writes the record as Increment{by: 5}.
func (r Record) String() string { return Text(r) }

// maxText bounds what [Text] writes.
const maxText = 4_000

// Text writes a value for people to read. It is cut at some 4,000 characters.
func Text(v any) string {
	var b strings.Builder
	writeText(&b, v)
	if b.Len() > maxText {
		return strings.ToValidUTF8(b.String()[:maxText], "") + "…"
	}
	return b.String()
}

func writeText(b *strings.Builder, v any) {
	if b.Len() > maxText {
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case Record:
		b.WriteString(v.Struct)
		writeFields(b, v.Fields)
	case Values:
		fields := make([]FieldValue, 0, len(v))
		for name, value := range v {
			fields = append(fields, FieldValue{name, value})
		}
		slices.SortFunc(fields, func(a, b FieldValue) int { return cmp.Compare(a.Name, b.Name) })
		writeFields(b, fields)
	case Variant:
		b.WriteString(v.Type)
		b.WriteByte('(')
		writeText(b, v.Value)
		b.WriteByte(')')
	case Member:
		b.WriteString(v.Name)
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeText(b, item)
		}
		b.WriteByte(']')
	case []Entry:
		b.WriteString("map{")
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeText(b, e.Key)
			b.WriteString(": ")
			writeText(b, e.Value)
		}
		b.WriteByte('}')
	case string:
		fmt.Fprintf(b, "%q", v)
	case *cell.Cell:
		writeCell(b, v)
	case *address.Address:
		b.WriteString(v.String())
	default:
		fmt.Fprint(b, v)
	}
}

func writeFields(b *strings.Builder, fields []FieldValue) {
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteString(", ")
		}
		if f.Name != "" {
			b.WriteString(f.Name)
			b.WriteString(": ")
		}
		writeText(b, f.Value)
	}
	b.WriteByte('}')
}

// writeCell shows a small cell whole and a large one by its hash.
func writeCell(b *strings.Builder, c *cell.Cell) {
	const small = 256 // bits
	switch {
	case c == nil:
		b.WriteString("null")
	case c.BitsSize() == 0 && c.RefsNum() == 0:
		b.WriteString("cell{}")
	case c.RefsNum() == 0 && c.BitsSize() <= small && !c.IsSpecial():
		s, err := c.BeginParse()
		if err != nil {
			b.WriteString("cell{?}")
			return
		}
		n, data, err := s.RestBits()
		if err != nil {
			b.WriteString("cell{?}")
			return
		}
		fmt.Fprintf(b, "cell{%s}", Bits{n, data})
	default:
		hash := c.HashKey()
		fmt.Fprintf(b, "cell{%d bits, %d refs, hash %x…}", c.BitsSize(), c.RefsNum(), hash[:4])
	}
}
