package abi

import (
	"bytes"
	"math/big"
	"reflect"
	"slices"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Equal compares two values as Unpack gives them.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case *big.Int:
		b, ok := b.(*big.Int)
		return ok && a.Cmp(b) == 0
	case *address.Address:
		b, ok := b.(*address.Address)
		return ok && a.Equals(b)
	case *cell.Cell:
		b, ok := b.(*cell.Cell)
		return ok && a.HashKey() == b.HashKey()
	case Bits:
		b, ok := b.(Bits)
		return ok && a.Len == b.Len && bytes.Equal(a.Data, b.Data)
	case Member:
		b, ok := b.(Member)
		return ok && a.Name == b.Name
	case Variant:
		b, ok := b.(Variant)
		return ok && a.Type == b.Type && Equal(a.Value, b.Value)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case []Entry:
		b, ok := b.([]Entry)
		return ok && slices.EqualFunc(a, b, func(x, y Entry) bool { return Equal(x.Key, y.Key) && Equal(x.Value, y.Value) })
	case Record:
		b, ok := b.(Record)
		return ok && a.Struct == b.Struct && slices.EqualFunc(a.Fields, b.Fields, func(x, y FieldValue) bool {
			return x.Name == y.Name && Equal(x.Value, y.Value)
		})
	}
	return reflect.DeepEqual(a, b)
}
