package abi_test

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/abi"
)

var counter = abi.Contract{
	Name: "Counter",
	Incoming: []abi.Message{
		{Body: record("Increment", abi.Op(0x7e8764ef), "by", abi.Uint(32), "note", abi.Optional{Of: abi.String})},
		{Body: record("Reset", abi.Op(0x3a752f06))},
	},
	Errors: []abi.ThrownError{{Code: 103, Name: "NotOwner"}, {Code: 7}},
}

func Example() {
	body, err := counter.Encode("Increment", abi.Values{"by": 5, "note": "thanks"})
	if err != nil {
		panic(err)
	}
	got, err := counter.Decode(body)
	fmt.Println(got, err)
	fmt.Println(counter.Message(0x3a752f06))
	fmt.Println(counter.Exit(103))
	// Output:
	// Increment{by: 5, note: "thanks"} <nil>
	// Reset true
	// NotOwner true
}

func TestDecodeRefuses(t *testing.T) {
	op := func() *cell.Builder { return cell.BeginCell().MustStoreUInt(0x7e8764ef, 32) }
	for _, test := range []struct {
		name string
		body *cell.Cell
		want error
	}{
		{"nothing", nil, abi.ErrMalformed},
		{"empty", cell.BeginCell().EndCell(), abi.ErrUnknownMessage},
		{"another", cellOf(1, 32), abi.ErrUnknownMessage},
		{"short", op().EndCell(), abi.ErrTruncated},
		{"long", op().MustStoreUInt(0, 34).EndCell(), abi.ErrTrailing},
		{"string of bits", op().MustStoreUInt(1, 33).MustStoreRef(cellOf(1, 3)).EndCell(), abi.ErrMalformed},
	} {
		if got, err := counter.Decode(test.body); !errors.Is(err, test.want) {
			t.Errorf("%s: %v (%v), want %v", test.name, err, got, test.want)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	special, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(make([]byte, 32), 256).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	// Twice the same below, thirty times: a billion values in thirty cells.
	tree := record("Tree", nil)
	tree.Fields = []abi.Field{{Name: "a", Type: abi.Optional{Of: abi.Ref{Of: tree}}}, {Name: "b", Type: abi.Optional{Of: abi.Ref{Of: tree}}}}
	bomb := cellOf(0, 2)
	for range 30 {
		bomb = cell.BeginCell().MustStoreUInt(3, 2).MustStoreRef(bomb).MustStoreRef(bomb).EndCell()
	}
	for _, test := range []struct {
		name string
		of   abi.Type
		in   *cell.Cell
		want error
	}{
		{"no type", nil, cellOf(0, 8), abi.ErrNoBytes},
		{"stack", abi.Stack{Name: "int"}, cellOf(0, 8), abi.ErrNoBytes},
		{"special", abi.Int(8), special, abi.ErrMalformed},
		{"special within", abi.Ref{Of: abi.Int(8)}, cell.BeginCell().MustStoreRef(special).EndCell(), abi.ErrMalformed},
		{"enum", color, cellOf(3, 2), abi.ErrMalformed},
		{"union", &abi.Union{Variants: []abi.Option{{Type: left, Prefix: *left.Prefix}}}, cellOf(1, 8), abi.ErrPrefix},
		{"coins", abi.Coins, cellOf(0xf, 4), abi.ErrTruncated},
		{"varint", abi.VarInt(20), cellOf(31, 5), abi.ErrMalformed},
		{"anycast", abi.Address, zeros(267, 0b101, 3), abi.ErrMalformed},
		{"no address", abi.Address, zeros(267, 0, 2), abi.ErrMalformed},
		{"variable address", abi.AddressAny, cellOf(0b11<<60, 62), abi.ErrMalformed},
		{"array", abi.Array{Of: abi.Bool}, cellOf(2, 9), abi.ErrMalformed},
		{"map key", abi.Map{Key: abi.Coins, Value: abi.Bool}, cellOf(0, 1), abi.ErrNoBytes},
		{"map", abi.Map{Key: abi.Uint(8), Value: abi.Bool}, cell.BeginCell().MustStoreUInt(1, 1).MustStoreRef(cellOf(0, 1)).EndCell(), abi.ErrMalformed},
		{"bomb", tree, bomb, abi.ErrTooLarge},
	} {
		if got, err := abi.Unpack(test.of, test.in); !errors.Is(err, test.want) {
			t.Errorf("%s: %v (%s), want %v", test.name, err, abi.Text(got), test.want)
		}
	}
	endless := record("Endless", nil)
	endless.Fields = []abi.Field{{Name: "again", Type: endless}}
	if _, err := abi.Unpack(endless, cellOf(0, 1)); !errors.Is(err, abi.ErrTooLarge) {
		t.Errorf("a struct that is nothing but itself: %v", err)
	}
}

func TestPackRefuses(t *testing.T) {
	ext := address.NewAddressExt(0, 8, []byte{1})
	for _, test := range []struct {
		name string
		of   abi.Type
		in   any
		want error
	}{
		{"no type", nil, 1, abi.ErrNoBytes},
		{"stack", abi.Stack{Name: "int"}, 1, abi.ErrNoBytes},
		{"text", abi.Int(8), "1", abi.ErrValue},
		{"too large", abi.Int(8), 128, abi.ErrValue},
		{"too small", abi.Int(8), -129, abi.ErrValue},
		{"negative", abi.Uint(8), -1, abi.ErrValue},
		{"coins", abi.Coins, power(120, 0), abi.ErrValue},
		{"varint", abi.VarInt(16), power(119, 0), abi.ErrValue},
		{"address", abi.Address, ext, abi.ErrValue},
		{"no address", abi.Address, nil, abi.ErrValue},
		{"external", abi.AddressOpt, ext, abi.ErrValue},
		{"bits", abi.BitString(9), abi.Bits{Len: 8, Data: []byte{1}}, abi.ErrValue},
		{"cell", abi.Cell, nil, abi.ErrValue},
		{"not null", abi.Null, 0, abi.ErrValue},
		{"member", color, "Pink", abi.ErrValue},
		{"missing", inner, abi.Values{"a": 1}, abi.ErrMissing},
		{"field", inner, abi.Values{"a": 1, "b": 2, "c": 3}, abi.ErrUnknownField},
		{"another struct", inner, abi.Record{Struct: "Outer"}, abi.ErrValue},
		{"variant", &abi.Union{Variants: []abi.Option{implicit(abi.Bool, 0, 1)}}, abi.Variant{Type: "int8", Value: 1}, abi.ErrValue},
		{"long array", abi.Array{Of: abi.Bool}, make([]any, 256), abi.ErrValue},
		{"short tuple", abi.Tuple{Items: []abi.Type{abi.Bool}}, []any{}, abi.ErrValue},
		{"key twice", abi.Map{Key: abi.Uint(8), Value: abi.Bool}, []abi.Entry{{Key: 1, Value: true}, {Key: 1, Value: true}}, abi.ErrValue},
		{"full", abi.Tuple{Items: []abi.Type{abi.BitString(800), abi.BitString(800)}},
			[]any{make([]byte, 100), make([]byte, 100)}, abi.ErrValue},
	} {
		if _, err := abi.Pack(test.of, test.in); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if _, err := counter.Encode("Decrement", nil); !errors.Is(err, abi.ErrUnknownMessage) {
		t.Errorf("unknown message: %v", err)
	}
}

func TestText(t *testing.T) {
	v := abi.Values{"map": []abi.Entry{{Key: big.NewInt(1), Value: true}}, "list": []any{nil, "a\nb"}, "bits": abi.Bits{Len: 9, Data: []byte{1, 0x80}},
		"cell": cellOf(5, 8), "variant": abi.Variant{Type: "int8", Value: 1}}
	const want = `{bits: 9 bits 0180, cell: cell{8 bits 05}, list: [null, "a\nb"], map: map{1: true}, variant: int8(1)}`
	if got := abi.Text(v); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	long := make([]any, 100_000)
	if got := len(abi.Text(long)); got > 5_000 {
		t.Errorf("a long value has %d characters", got)
	}
	twice := abi.Type(abi.Bool)
	for range 60 {
		twice = abi.Tuple{Items: []abi.Type{twice, twice}}
	}
	if got := len(twice.String()); got > 300 {
		t.Errorf("a type of types has a name of %d characters", got)
	}
}

// FuzzDecode: what can be decoded can be encoded, and is the same then.
func FuzzDecode(f *testing.F) {
	for _, rich := range []bool{false, true} {
		for _, length := range []int{0, 3, 40} {
			body, err := everythingContract.Encode("Everything", example(length, rich))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(body.ToBOC())
		}
	}
	f.Fuzz(func(t *testing.T, boc []byte) {
		body, err := cell.FromBOC(boc)
		if err != nil {
			return
		}
		for _, of := range []abi.Type{everything, parts, lists, maps, addresses, chains, numbers, abi.List{Of: abi.Int(32)}} {
			first, err := abi.Unpack(of, body)
			if err != nil {
				continue
			}
			again, err := abi.Pack(of, first)
			if err != nil {
				t.Fatalf("%s: %v", abi.Text(first), err)
			}
			second, err := abi.Unpack(of, again)
			if err != nil || !abi.Equal(first, second) {
				t.Fatalf("%s became %s (%v)", abi.Text(first), abi.Text(second), err)
			}
		}
	})
}
