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

// Differences takes two transactions apart and names the fields that differ,
// the hash first.
func Differences(got, want *cell.Cell) []Difference {
	return differences("hash", got, want, func(c *cell.Cell, out map[string]string) {
		var tx tontlb.Transaction
		if tontlb.Parse(&tx, c) != nil {
			return
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
	})
}

// accountDifferences is the same for two states of an account (ShardAccount).
func accountDifferences(got, want *cell.Cell) []Difference {
	return differences("account after", got, want, func(c *cell.Cell, out map[string]string) {
		var shard tontlb.ShardAccount
		var state tontlb.AccountState
		if tontlb.Parse(&shard, c) != nil || tontlb.Parse(&state, shard.Account) != nil {
			return
		}
		out["account after: last hash"] = hex.EncodeToString(shard.LastTransHash)
		flatten(out, "account after", reflect.ValueOf(state))
	})
}

// differences compares two cells, and if they differ, the fields in them. A
// cell that read cannot read has none.
func differences(name string, got, want *cell.Cell, read func(*cell.Cell, map[string]string)) []Difference {
	if hash(got) == hash(want) {
		return nil
	}
	out := []Difference{{Field: name, Want: hash(want), Got: hash(got)}}
	if got == nil || want == nil {
		return out
	}
	g, w := make(map[string]string), make(map[string]string)
	read(got, g)
	read(want, w)
	names := maps.Clone(g)
	maps.Copy(names, w)
	for _, field := range slices.Sorted(maps.Keys(names)) {
		a, inGot := g[field]
		b, inWant := w[field]
		if !inGot {
			a = "nothing"
		}
		if !inWant {
			b = "nothing"
		}
		if a != b {
			out = append(out, Difference{Field: field, Want: b, Got: a})
		}
	}
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
