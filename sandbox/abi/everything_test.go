package abi_test

import (
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/abi"
	"github.com/tussah-network/tussah/tlb/get"
)

// The types of testdata/everything.tolk.
var (
	color = &abi.Enum{Name: "Color", As: abi.Uint(2), Members: members("Red", 0, "Green", 1, "Blue", 2)}
	level = &abi.Enum{Name: "Level", As: abi.Int(8), Members: members("Low", -1, "High", 100)}
	inner = record("Inner", nil, "a", abi.Uint(8), "b", abi.Coins)
	left  = record("Left", &abi.Prefix{Num: 0x0f, Bits: 8}, "x", abi.Int(8))
	right = record("Right", &abi.Prefix{Num: 1, Bits: 1}, "y", abi.Ref{Of: inner})

	numbers = record("Numbers", nil, "i1", abi.Int(1), "i8", abi.Int(8), "i257", abi.Int(257), "u1", abi.Uint(1), "u256", abi.Uint(256),
		"vi16", abi.VarInt(16), "vi32", abi.VarInt(32), "vu16", abi.VarUint(16), "vu32", abi.VarUint(32))
	cells = record("Cells", nil, "c", abi.Cell, "oc", abi.Optional{Of: abi.Cell}, "tc", abi.Ref{Of: inner},
		"otc", abi.Optional{Of: abi.Ref{Of: inner}})
	addresses = record("Addresses", nil, "std", abi.Address, "opt", abi.AddressOpt, "any", abi.AddressAny)
	parts     = record("Parts", nil, "b", abi.Bool, "bits", abi.BitString(9), "nothing", abi.Null, "color", color, "level", level,
		"maybe", abi.Optional{Of: abi.Int(16)}, "maybeInner", abi.Optional{Of: inner},
		"two", &abi.Union{Variants: []abi.Option{implicit(abi.Int(8), 0, 1), implicit(abi.Int(16), 1, 1)}},
		"three", &abi.Union{Variants: []abi.Option{implicit(abi.Int(8), 0b10, 2), implicit(abi.Int(16), 0b11, 2), implicit(abi.Null, 0, 1)}},
		"both", &abi.Union{Variants: []abi.Option{{Type: left, Prefix: *left.Prefix}, {Type: right, Prefix: *right.Prefix}}},
		"pair", abi.Tuple{Items: []abi.Type{abi.Uint(4), abi.Bool}}, "shaped", abi.Tuple{Items: []abi.Type{abi.Uint(4), abi.Bool}},
		"rest", abi.Remaining)
	lists = record("Lists", nil, "numbers", abi.Array{Of: abi.Int(32)}, "coinList", abi.Array{Of: abi.Coins},
		"cells", abi.Array{Of: abi.Cell}, "nested", abi.Array{Of: abi.Array{Of: abi.Bool}})
	chains = record("Chains", nil, "s", abi.String, "os", abi.Optional{Of: abi.String}, "l", abi.Ref{Of: lists})
	maps   = record("Maps", nil, "n", abi.Map{Key: abi.Int(32), Value: inner}, "a", abi.Map{Key: abi.Address, Value: abi.Bool},
		"b", abi.Map{Key: abi.BitString(9), Value: abi.Cell}, "s", abi.Map{Key: abi.Uint(8), Value: abi.Remaining})
	more = record("More", nil, "addresses", abi.Ref{Of: addresses}, "chains", abi.Ref{Of: chains},
		"lists", abi.Ref{Of: abi.List{Of: abi.Int(32)}}, "maps", abi.Ref{Of: maps})
	everything = record("Everything", abi.Op(0x45564552), "numbers", abi.Ref{Of: numbers}, "parts", abi.Ref{Of: parts},
		"cells", abi.Ref{Of: cells}, "more", abi.Ref{Of: more})

	everythingContract = abi.Contract{Name: "Everything", Incoming: []abi.Message{{Body: everything}}}
)

func record(name string, prefix *abi.Prefix, fields ...any) *abi.Struct {
	s := &abi.Struct{Name: name, Prefix: prefix}
	for f := range slices.Chunk(fields, 2) {
		s.Fields = append(s.Fields, abi.Field{Name: f[0].(string), Type: f[1].(abi.Type)})
	}
	return s
}

func members(of ...any) (out []abi.Member) {
	for m := range slices.Chunk(of, 2) {
		out = append(out, abi.Member{Name: m[0].(string), Value: big.NewInt(int64(m[1].(int)))})
	}
	return out
}

func implicit(t abi.Type, num uint64, bits uint8) abi.Option {
	return abi.Option{Type: t, Prefix: abi.Prefix{Num: num, Bits: bits}, Implicit: true}
}

func cellOf(n uint64, bits uint) *cell.Cell {
	return cell.BeginCell().MustStoreUInt(n, bits).EndCell()
}

// zeros is a cell of n bits that begins with some others.
func zeros(n, begin, bits uint) *cell.Cell {
	b := cell.BeginCell().MustStoreUInt(uint64(begin), bits)
	return b.MustStoreSlice(make([]byte, 128), n-bits).EndCell()
}

func ints(n int, each func(i int) any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = each(i)
	}
	return out
}

func power(n uint, minus int64) *big.Int {
	return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(minus))
}

// example is a value of everything. Length is that of its lists.
func example(length int, rich bool) abi.Values {
	std := address.NewAddress(0, 0xff, cellOf(7, 256).Hash())
	opt := func(v any) any {
		if rich {
			return v
		}
		return nil
	}
	either := func(a, b any) any {
		if rich {
			return a
		}
		return b
	}
	in := abi.Values{"a": 200, "b": power(120, 1)}
	return abi.Values{
		"numbers": abi.Values{
			"i1": either(-1, 0), "i8": either(-128, 127), "i257": either(new(big.Int).Neg(power(256, 0)), power(256, 1)), "u1": 1,
			"u256": either(power(256, 1), 0), "vi16": either(-129, 128), "vi32": either(0, -1), "vu16": either(1<<40, 0), "vu32": 255,
		},
		"parts": abi.Values{
			"b": rich, "bits": abi.Bits{Len: 9, Data: []byte{0xaa, 0x80}}, "nothing": nil, "color": either("Blue", "Red"), "level": "Low",
			"maybe": opt(-5), "maybeInner": opt(in), "two": abi.Variant{Type: "int16", Value: -3},
			"three": either(abi.Variant{Type: "int8", Value: 1}, abi.Variant{Type: "null"}),
			"both": either(abi.Record{Struct: "Left", Fields: []abi.FieldValue{{Name: "x", Value: 1}}},
				abi.Record{Struct: "Right", Fields: []abi.FieldValue{{Name: "y", Value: in}}}),
			"pair": []any{9, true}, "shaped": []any{1, false}, "rest": cellOf(5, 3),
		},
		"cells": abi.Values{"c": cellOf(1, 1), "oc": opt(cellOf(2, 2)), "tc": in, "otc": opt(in)},
		"more": abi.Values{
			"addresses": abi.Values{"std": std, "opt": opt(std),
				"any": either(address.NewAddressExt(0, 9, []byte{0xaa, 0x80}), address.NewAddressNone())},
			"chains": abi.Values{
				"s": strings.Repeat("strings go on ", length), "os": opt(""),
				"l": abi.Values{
					"numbers":  ints(length, func(i int) any { return -i }),
					"coinList": ints(length, func(i int) any { return i * 1_000_000_007 }),
					"cells":    ints(length, func(i int) any { return cellOf(uint64(i), 32) }),
					"nested": ints(min(length, 7), func(i int) any {
						return ints(length, func(j int) any { return j%2 == i%2 })
					}),
				},
			},
			"lists": ints(length, func(i int) any { return i }),
			"maps": abi.Values{
				"n": []abi.Entry{{Key: -1, Value: in}, {Key: 5, Value: in}},
				"a": []abi.Entry{{Key: std, Value: true}},
				"b": []abi.Entry{{Key: abi.Bits{Len: 9, Data: []byte{1, 0}}, Value: cellOf(3, 3)}},
				"s": []abi.Entry{{Key: 7, Value: cellOf(3, 3)}},
			},
		},
	}
}

// TestCompilerAgrees lets code that the Tolk compiler made read what is packed
// here, and write it again.
func TestCompilerAgrees(t *testing.T) {
	boc, err := os.ReadFile("testdata/everything.boc")
	if err != nil {
		t.Fatal(err)
	}
	code, err := cell.FromBOC(boc)
	if err != nil {
		t.Fatal(err)
	}
	state := get.State{Address: address.NewAddress(0, 0, make([]byte, 32)), Code: code, Now: time.Unix(1_700_000_000, 0)}
	for _, length := range []int{0, 1, 2, 3, 4, 8, 9, 31, 32, 100, 150} {
		for _, rich := range []bool{false, true} {
			want, err := everythingContract.Encode("Everything", example(length, rich))
			if err != nil {
				t.Fatal(err)
			}
			result, err := get.Run(state, "echo", want)
			if err != nil {
				t.Fatal(err)
			}
			if !result.Exit.OK() {
				t.Errorf("length %d, rich %t: the contract says %s", length, rich, result.Exit)
				continue
			}
			got, err := result.Stack.Cell(0)
			if err != nil {
				t.Fatal(err)
			}
			if got.HashKey() != want.HashKey() {
				t.Errorf("length %d, rich %t: the contract wrote another cell:\n%s\nnot\n%s", length, rich, got.Dump(), want.Dump())
			}
			decoded, err := everythingContract.Decode(want)
			if err != nil {
				t.Fatalf("length %d, rich %t: %v", length, rich, err)
			}
			again, err := everythingContract.Encode("Everything", decoded)
			if err != nil {
				t.Fatal(err)
			}
			if again.HashKey() != want.HashKey() {
				t.Errorf("length %d, rich %t: decoded and encoded again it is another cell", length, rich)
			}
		}
	}
}

// TestChunksAsCompiled: how many values an array has per cell follows from
// what the compiler estimates of their size. The numbers are those in the code
// that Tolk 1.3.0 makes.
func TestChunksAsCompiled(t *testing.T) {
	wide := record("T2", nil, "a", abi.Int(256), "b", abi.Coins, "c", abi.Optional{Of: abi.Cell})
	for _, test := range []struct {
		of   abi.Type
		want int
	}{
		{abi.Int(32), 31}, {abi.Bool, 255}, {abi.Int(8), 127}, {abi.Coins, 8}, {abi.Cell, 3}, {abi.Optional{Of: abi.Int(32)}, 30},
		{wide, 2}, {abi.Address, 3}, {abi.AddressOpt, 3}, {abi.AddressAny, 1}, {abi.VarUint(32), 4}, {abi.Array{Of: abi.Int(8)}, 3},
		{abi.String, 3}, {abi.BitString(1000), 1}, {abi.BitString(341), 2}, {abi.BitString(512), 1}, {abi.Uint(256), 3},
		{&abi.Union{Variants: []abi.Option{implicit(abi.Int(8), 0, 2), implicit(abi.Int(16), 1, 2), implicit(abi.Cell, 2, 2)}}, 3},
		{record("U", nil, "a", abi.Int(8), "r", abi.Remaining), 1}, {abi.Map{Key: abi.Int(32), Value: abi.Int(8)}, 3},
	} {
		if got := abi.PerCell(test.of); got != test.want {
			t.Errorf("%s: %d in a cell, want %d", test.of, got, test.want)
		}
	}
}
