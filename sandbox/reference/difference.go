package reference

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A Difference is one field in which an executor did not make what it should.
type Difference struct {
	Field string `json:"field"`
	Want  string `json:"want"`
	Got   string `json:"got"`
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: want %s, got %s", d.Field, d.Want, d.Got)
}

// Differences takes two transactions apart and names the fields that differ.
// The hash comes first. It is the only field of a transaction that cannot be
// read.
func Differences(got, want *cell.Cell) []Difference {
	g, w := fields(got), fields(want)
	names := map[string]bool{}
	for name := range g {
		names[name] = true
	}
	for name := range w {
		names[name] = true
	}
	out := []Difference{{Field: "hash", Want: hash(want), Got: hash(got)}}
	if hash(want) == hash(got) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, inGot := g[name]
		b, inWant := w[name]
		if !inGot {
			a = "nothing"
		}
		if !inWant {
			b = "nothing"
		}
		if a != b {
			out = append(out, Difference{Field: name, Want: b, Got: a})
		}
	}
	return out
}

// fields flattens a transaction to its leaves, by a dotted name.
func fields(transaction *cell.Cell) map[string]string {
	out := make(map[string]string)
	var tx tontlb.Transaction
	if err := tontlb.Parse(&tx, transaction); err != nil {
		return out
	}
	if tx.IO.Out != nil {
		messages, err := tx.IO.Out.ToSlice()
		out["out messages"] = fmt.Sprint(len(messages))
		for i, m := range messages {
			if err == nil {
				flatten(out, fmt.Sprintf("out %d", i), reflect.ValueOf(m.Msg))
			}
		}
	}
	tx.IO.Out, tx.Hash = nil, nil
	flatten(out, "", reflect.ValueOf(tx))
	return out
}

func flatten(out map[string]string, name string, v reflect.Value) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		if text, ok := leaf(v); ok {
			out[name] = text
			return
		}
		v = v.Elem()
	}
	if text, ok := leaf(v); ok {
		out[name] = text
		return
	}
	if v.Kind() != reflect.Struct {
		out[name] = fmt.Sprint(v)
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Name == "_" {
			continue
		}
		flatten(out, strings.TrimPrefix(name+"."+words(field.Name), "."), v.Field(i))
	}
}

// leaf writes what is not taken further apart.
func leaf(v reflect.Value) (string, bool) {
	if !v.CanInterface() {
		return "", false
	}
	switch x := v.Interface().(type) {
	case *cell.Cell:
		return "cell " + hash(x), true
	case *cell.Dictionary:
		return "dictionary " + hash(x.AsCell()), true
	case *address.Address:
		return x.StringRaw(), true
	case tontlb.Coins:
		return x.Nano().String(), true
	case *big.Int:
		return x.String(), true
	case []byte:
		return hex.EncodeToString(x), true
	case tontlb.ComputeSkipReason:
		return string(x.Type), true
	}
	return "", false
}

// words makes "GasUsed" of Go "gas used".
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && name[i-1] >= 'a' && name[i-1] <= 'z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
