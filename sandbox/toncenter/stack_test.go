package toncenter_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/toncenter"
	"github.com/tussah-network/tussah/tlb"
)

// describe writes a stack value so that two can be compared.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case *big.Int:
		return v.String()
	case *cell.Cell:
		return fmt.Sprintf("cell %x", v.Hash()[:4])
	case *cell.Slice:
		return fmt.Sprintf("slice %x", v.MustToCell().Hash()[:4])
	case tuple.Tuple:
		var list []string
		for i := range v.Len() {
			element, err := v.Index(i)
			if err != nil {
				return err.Error()
			}
			list = append(list, describe(element))
		}
		return "(" + strings.Join(list, " ") + ")"
	}
	return fmt.Sprintf("a %T", v)
}

func TestReadStack(t *testing.T) {
	c := count(7)
	boc, short := encodeBOC(c), fmt.Sprintf("%x", c.Hash()[:4])
	number := func(n int) string {
		return fmt.Sprintf(`{"@type":"tvm.stackEntryNumber","number":{"@type":"tvm.numberDecimal","number":"%d"}}`, n)
	}
	one, two := number(1), number(2)
	for _, test := range []struct{ legacy, std, want string }{
		{legacy: `["num","0x1f"]`, want: "31"},
		{legacy: `["num","-0x1F"]`, want: "-31"},
		{legacy: `["int","-15"]`, std: number(-15), want: "-15"},
		{legacy: `["number",15]`, want: "15"},
		{legacy: `["integer",123456789012345678901234567890]`, want: "123456789012345678901234567890"},
		{legacy: `["null",null]`, want: "null"},
		{legacy: `["tvm.Cell","` + boc + `"]`, std: `{"@type":"tvm.stackEntryCell","cell":{"@type":"tvm.cell","bytes":"` + boc + `"}}`, want: "cell " + short},
		{legacy: `["cell",{"bytes":"` + boc + `"}]`, want: "cell " + short},
		{legacy: `["tvm.Slice","` + boc + `"]`, std: `{"@type":"tvm.stackEntrySlice","slice":{"bytes":"` + boc + `"}}`, want: "slice " + short},
		{legacy: `["slice",{"bytes":"` + boc + `"}]`, want: "slice " + short},
		{legacy: `["tuple",{"@type":"tvm.tuple","elements":[` + one + `,` + two + `]}]`,
			std: `{"@type":"tvm.stackEntryTuple","tuple":{"elements":[` + one + `,` + two + `]}}`, want: "(1 2)"},
		{legacy: `["list",{"@type":"tvm.list","elements":[` + one + `,` + two + `]}]`,
			std: `{"@type":"tvm.stackEntryList","list":{"elements":[` + one + `,` + two + `]}}`, want: "(1 (2 null))"},
		{legacy: `["list",{"elements":[]}]`, want: "null"},
		{legacy: `["tuple",{"elements":[]}]`, want: "()"},
	} {
		for i, stack := range []string{test.legacy, test.std} {
			if stack == "" {
				continue
			}
			args, err := toncenter.ReadStack([]byte("["+stack+"]"), i == 1)
			if err != nil || len(args) != 1 || describe(args[0]) != test.want {
				t.Errorf("%s: %v, %v; want %s", stack, args, err, test.want)
			}
		}
	}
}

func TestReadStackRefuses(t *testing.T) {
	nested := strings.Repeat(`{"@type":"tvm.stackEntryTuple","tuple":{"elements":[`, toncenter.MaxStackDepth+2) + strings.Repeat(`]}}`, toncenter.MaxStackDepth+2)
	many := `["tuple",{"elements":[` + strings.TrimSuffix(strings.Repeat(`{"@type":"tvm.stackEntryTuple","tuple":{"elements":[]}},`, 256), ",") + `]}]`
	for name, stack := range map[string]string{
		"no array":           `"num"`,
		"one element":        `[["num"]]`,
		"three":              `[["num","1","2"]]`,
		"kind is no string":  `[[1,"1"]]`,
		"unknown kind":       `[["float","1"]]`,
		"builder":            `[["tvm.Builder","te6cckEBAQEAAgAAAEysuc0="]]`,
		"fraction":           `[["num",1.5]]`,
		"exponent":           `[["num",1e3]]`,
		"empty number":       `[["num",""]]`,
		"two signs":          `[["num","--1"]]`,
		"underscore":         `[["num","1_0"]]`,
		"only a prefix":      `[["num","0x"]]`,
		"number is a bool":   `[["num",true]]`,
		"endless number":     `[["num","` + strings.Repeat("9", 500) + `"]]`,
		"no base64":          `[["tvm.Cell","%%%"]]`,
		"no cell":            `[["tvm.Cell","AAAA"]]`,
		"empty cell":         `[["tvm.Cell",""]]`,
		"cell is a number":   `[["cell",{"bytes":1}]]`,
		"no elements":        `[["tuple",{}]]`,
		"tuple of 256":       "[" + many + "]",
		"nested too deep":    `[["tuple",{"elements":[` + nested + `]}]]`,
		"more than the most": "[" + strings.TrimSuffix(strings.Repeat(`["num",1],`, toncenter.MaxStack+1), ",") + "]",
	} {
		if args, err := toncenter.ReadStack([]byte(stack), false); err == nil || args != nil {
			t.Errorf("%s: %v, %v", name, args, err)
		} else if !errors.Is(err, toncenter.ErrRequest) && !errors.Is(err, toncenter.ErrBOC) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRunGetMethod looks at what comes out, in both notations.
func TestRunGetMethod(t *testing.T) {
	w := newWorld(t)
	pair := `{"@type":"tvm.tuple","elements":[` +
		`{"@type":"tvm.stackEntryNumber","number":{"@type":"tvm.numberDecimal","number":"1"}},` +
		`{"@type":"tvm.stackEntryNumber","number":{"@type":"tvm.numberDecimal","number":"2"}}]}`
	list := strings.Replace(pair, "tvm.tuple", "tvm.list", 1)
	for _, test := range []struct {
		method any
		stack  string
		exit   int
	}{
		{method: "shapes", stack: `[["tuple",` + pair + `],["list",` + list + `],["list",{"@type":"tvm.list","elements":[]}],["num","-0x1"]]`},
		{method: "counter", stack: `[["num","0x9"]]`},
		{method: 104984, stack: `[["num","0x9"]]`}, // the id of "counter"
		{method: "104984", stack: `[["num","0x9"]]`},
		{method: "fails", stack: `[]`, exit: 42},
		{method: "nothing_such", stack: `[]`, exit: 11},
	} {
		var got struct {
			Gas   int `json:"gas_used"`
			Stack json.RawMessage
			Exit  int `json:"exit_code"`
		}
		w.post("runGetMethod", object{"address": w.counter.String(), "method": test.method, "stack": []any{}}).into(t, &got)
		if string(got.Stack) != test.stack || got.Exit != test.exit || got.Gas == 0 {
			t.Errorf("%v: exit %d, gas %d, stack\n%s, want\n%s", test.method, got.Exit, got.Gas, got.Stack, test.stack)
		}
	}
	// Three values that are hard to write.
	var odd struct{ Stack [][2]any }
	w.post("runGetMethod", object{"address": w.counter.String(), "method": "odd"}).into(t, &odd)
	if len(odd.Stack) != 3 || odd.Stack[0][0] != "tuple" || odd.Stack[1][0] != "unsupported" || odd.Stack[2][0] != "unsupported" {
		t.Errorf("odd values: %v", odd.Stack)
	}
	var std struct {
		Stack []struct {
			Type string `json:"@type"`
		}
	}
	w.post("runGetMethodStd", object{"address": w.counter.String(), "method": "odd", "stack": []any{}}).into(t, &std)
	if len(std.Stack) != 3 || std.Stack[0].Type != "tvm.stackEntryTuple" || std.Stack[1].Type != "tvm.stackEntryUnsupported" {
		t.Errorf("odd values: %v", std.Stack)
	}
	// An account without code.
	var none struct {
		Exit int `json:"exit_code"`
	}
	w.post("runGetMethod", object{"address": tokens[0].String(), "method": "seqno", "stack": []any{}}).into(t, &none)
	if none.Exit != -13 {
		t.Errorf("no code: exit %d", none.Exit)
	}
}

// TestCellObjects compares the two ways a cell is written.
func TestCellObjects(t *testing.T) {
	w := newWorld(t)
	inner := cell.BeginCell().MustStoreUInt(5, 3).EndCell()
	c := cell.BeginCell().MustStoreUInt(0xab, 8).MustStoreRef(inner).EndCell()
	var got struct{ Stack json.RawMessage }
	w.post("runGetMethod", object{"address": w.counter.String(), "method": "echo", "stack": [][]string{{"tvm.Cell", encodeBOC(c)}}}).into(t, &got)
	want := `[["cell",{"bytes":"` + encodeBOC(c) + `","object":{"data":{"b64":"qw==","len":8},"refs":[` +
		`{"data":{"b64":"oA==","len":3},"refs":[],"special":false}],"special":false}}]]`
	if string(got.Stack) != want {
		t.Errorf("got %s, want %s", got.Stack, want)
	}
	// Each cell refers twice to the next: few cells, and a tree without end.
	for range 200 {
		c = cell.BeginCell().MustStoreRef(c).MustStoreRef(c).EndCell()
	}
	var bomb struct{ Stack [][2]any }
	w.post("runGetMethod", object{"address": w.counter.String(), "method": "echo", "stack": [][]string{{"tvm.Cell", encodeBOC(c)}}}).into(t, &bomb)
	entry, ok := bomb.Stack[0][1].(map[string]any)
	if !ok || entry["bytes"] != encodeBOC(c) || entry["object"] != nil {
		t.Errorf("a cell with a huge tree: %.200v", bomb.Stack)
	}
}

// TestTupleBomb runs a method that returns a tuple which holds itself 2^3000
// times over, and one nested 3000 deep.
func TestTupleBomb(t *testing.T) {
	for name, test := range map[string]struct {
		code []byte
		want int
	}{
		"wide": {b(0x30, 0x6D, 0x81, 0x0B, 0xB8, 0x93, 0x20, 0x6F, 0x02, 0xE4), 533},             // NULL; 3000; { DUP; PAIR } REPEAT
		"deep": {b(0x30, 0x71, 0x81, 0x0B, 0xB8, 0x92, 0x6F, 0x01, 0xE4), 533},                   // 1; 3000; { SINGLE } REPEAT
		"long": {b(0x30, 0x6D, 0x81, 0x27, 0x10, 0x94, 0x71, 0x01, 0x6F, 0x02, 0xE4), 500},       // a list of 10000
		"fits": {b(0x30, 0x6D, 0x81, 0x03, 0xE8, 0x94, 0x71, 0x01, 0x6F, 0x02, 0xE4), 200},       // a list of 1000
		"deal": {b(0x30, 0x71, 0x71, 0x6F, 0x02, 0x80, 0x0C, 0x93, 0x20, 0x6F, 0x02, 0xE4), 500}, // 2^12 pairs, not deep
	} {
		a := address.NewAddress(0, 0, make([]byte, 32))
		c := serve(t, newChain(t, sandbox.GenesisAccount{Address: a, Balance: tlb.TON, Code: code(test.code...)}))
		if r := c.post("runGetMethod", object{"address": a.String(), "method": "any", "stack": []any{}}); r.Status != test.want {
			t.Errorf("%s: %d %s %.100s", name, r.Status, r.Error, r.Result)
		}
	}
}

// FuzzStack reads arguments, runs a method that returns them, and reads what it
// returned: they have to be the same.
func FuzzStack(f *testing.F) {
	for _, seed := range []string{
		`[["num","0x1"],["num",-5],["null",0]]`,
		`[["tvm.Cell","` + encodeBOC(count(1)) + `"],["tvm.Slice","` + encodeBOC(count(2)) + `"]]`,
		`[["list",{"elements":[]}],["tuple",{"elements":[{"@type":"tvm.stackEntryList","list":{"elements":[]}}]}]]`,
		`[["num","` + strings.Repeat("9", 77) + `"]]`,
		`[{"@type":"tvm.stackEntryNumber","number":{"number":"1"}},{"@type":"tvm.stackEntryCell","cell":{"bytes":""}}]`,
	} {
		f.Add([]byte(seed), strings.HasPrefix(seed, `[{`))
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, stack []byte, std bool) {
		args, err := toncenter.ReadStack(stack, std)
		if err != nil {
			return
		}
		result, err := w.RunGet(t.Context(), w.counter, "echo", args...)
		if err != nil {
			return // an argument that is no value of the TVM's, or a tuple
		}
		written, err := toncenter.WriteStack(result.Stack)
		if err != nil {
			if !errors.Is(err, toncenter.ErrStackSize) && !errors.Is(err, toncenter.ErrStackDepth) {
				t.Fatal(err)
			}
			return
		}
		again, err := toncenter.ReadStack(written, true)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if len(again) != len(args) {
			t.Fatalf("%d arguments became %d", len(args), len(again))
		}
		for i := range args {
			if got, want := describe(again[i]), describe(args[i]); got != want {
				t.Fatalf("argument %d became %s, was %s", i, got, want)
			}
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{
		"EQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2N", "UQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqEBI",
		"0:83dfd552e63729b472fcbcc8c45ebcc6691702558b68ec7527e1ba403a0f31a8", "-1:" + strings.Repeat("3", 64), "128:" + strings.Repeat("3", 64),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := toncenter.ParseAddress(text)
		if err != nil {
			return
		}
		again, err := toncenter.ParseAddress(toncenter.Friendly(a))
		if err != nil || again.Workchain() != a.Workchain() || !bytes.Equal(again.Data(), a.Data()) {
			t.Fatalf("%q is %s, which is %v, %v", text, toncenter.Friendly(a), again, err)
		}
	})
}
