package abi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonkeeper/tongo/tolk/parser"

	"github.com/tussah-network/tussah/sandbox/abi"
)

// shipped are the ABIs that come with tongo, by file name.
func shipped(t testing.TB) map[string][]byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tonkeeper/tongo").Output()
	if err != nil {
		skip(t, "the source of tongo is not there: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "abi-tolk", "schemas", "*", "*.json"))
	if err != nil || len(files) < 20 {
		skip(t, "%d ABIs with tongo, expected 24 (%v)", len(files), err)
	}
	out := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)] = data
	}
	return out
}

// skip skips a test for want of something, unless this is where all has to run.
func skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("TUSSAH_CI") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf("SKIPPED: "+format, args...)
}

// TestShippedSchemas reads every ABI that tongo ships, and compares with what
// tongo's own parser makes of it.
func TestShippedSchemas(t *testing.T) {
	messages, errs := 0, 0
	for file, data := range shipped(t) {
		c, err := abi.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		var theirs parser.ContractABI
		if err := json.Unmarshal(data, &theirs); err != nil {
			t.Fatal(err)
		}
		index := parser.NewABIIndex(theirs)
		if got, want := len(c.Incoming), len(theirs.IncomingMessages); got != want {
			t.Errorf("%s: %d incoming messages, want %d", file, got, want)
		}
		for i, m := range theirs.IncomingMessages {
			messages++
			want, err := index.MsgName(m.BodyTyIdx)
			if err != nil {
				t.Fatal(err)
			}
			body := index.Structs[want]
			if got := c.Incoming[i].Called(); got != want && body.TypeParams == nil {
				t.Errorf("%s: message %d is %s, want %s", file, i, got, want)
			}
			if body.Prefix == nil || body.Prefix.PrefixLen != 32 {
				continue
			}
			if got, ok := c.Message(uint32(body.Prefix.PrefixNum)); !ok || got != c.Incoming[i].Called() {
				t.Errorf("%s: %#x is %q, want %s", file, body.Prefix.PrefixNum, got, want)
			}
			fields := c.Incoming[i].Body.(*abi.Struct).Fields
			if len(fields) != len(body.Fields) {
				t.Errorf("%s: %s has %d fields, want %d", file, want, len(fields), len(body.Fields))
			}
		}
		for _, e := range theirs.ThrownErrors {
			errs++
			if got, ok := c.Exit(int32(e.ErrCode)); ok != (e.Name != "") || ok && !strings.Contains(string(data), fmt.Sprintf("%q", got)) {
				t.Errorf("%s: exit %d is %q", file, e.ErrCode, got)
			}
		}
		if c.Code == nil && strings.Contains(string(data), "code_boc64") {
			t.Errorf("%s: the code is lost", file)
		}
	}
	t.Logf("%d messages, %d errors", messages, errs)
}

// schema makes an ABI of types and declarations.
func schema(types, declarations, more string) []byte {
	return fmt.Appendf(nil, `{"abi_schema_version":"1.0","contract_name":"T","unique_types":[%s],"declarations":[%s]%s}`, types, declarations, more)
}

func TestParseRefuses(t *testing.T) {
	point := `{"kind":"struct","name":"P","ty_idx":0,"fields":[{"name":"x","ty_idx":1}]}`
	for _, test := range []struct {
		name string
		abi  []byte
		want error
	}{
		{"nothing", nil, abi.ErrSchema},
		{"too much", make([]byte, abi.MaxSchema+1), abi.ErrTooLarge},
		{"version", []byte(`{"abi_schema_version":"2.0"}`), abi.ErrSchema},
		{"two", append(schema("", "", ""), '{'), abi.ErrSchema},
		{"unknown key", schema("", "", `,"future":1`), abi.ErrSchema},
		{"unknown kind", schema(`{"kind":"quantum"}`, "", ""), abi.ErrSchema},
		{"no such type", schema(`{"kind":"cellOf","inner_ty_idx":9}`, "", ""), abi.ErrSchema},
		{"missing type", schema(`{"kind":"cellOf"}`, "", ""), abi.ErrSchema},
		{"contains itself", schema(`{"kind":"cellOf","inner_ty_idx":0}`, "", ""), abi.ErrSchema},
		{"wide", schema(`{"kind":"uintN","n":257}`, "", ""), abi.ErrSchema},
		{"null twice", schema(`{"kind":"nullable","inner_ty_idx":1},{"kind":"nullable","inner_ty_idx":2},{"kind":"bool"}`, "", ""), abi.ErrSchema},
		{"undeclared", schema(`{"kind":"StructRef","struct_name":"Q"},{"kind":"bool"}`, point, ""), abi.ErrSchema},
		{"declared twice", schema(`{"kind":"bool"},{"kind":"bool"}`, point+","+point, ""), abi.ErrSchema},
		{"alias for a struct", schema(`{"kind":"AliasRef","alias_name":"P"},{"kind":"bool"}`, point, ""), abi.ErrSchema},
		{"union of one", schema(`{"kind":"union","variants":[{"variant_ty_idx":1}]},{"kind":"bool"}`, "", ""), abi.ErrSchema},
		{"union twice", schema(`{"kind":"union","variants":[{"variant_ty_idx":1},{"variant_ty_idx":1}]},{"kind":"bool"}`, "", ""), abi.ErrSchema},
		{"long prefix", schema(`{"kind":"StructRef","struct_name":"L"}`,
			`{"kind":"struct","name":"L","prefix":{"prefix_num":5,"prefix_len":2},"fields":[]}`, ""), abi.ErrSchema},
		{"empty enum", schema(`{"kind":"EnumRef","enum_name":"E"},{"kind":"uintN","n":1}`,
			`{"kind":"enum","name":"E","encoded_as_ty_idx":1,"members":[]}`, ""), abi.ErrSchema},
		{"field twice", schema(`{"kind":"StructRef","struct_name":"F"},{"kind":"bool"}`,
			`{"kind":"struct","name":"F","fields":[{"name":"x","ty_idx":1},{"name":"x","ty_idx":1}]}`, ""), abi.ErrSchema},
		{"generic of other size", schema(`{"kind":"StructRef","struct_name":"P"},{"kind":"bool"}`, point,
			`,"struct_instantiations":[{"ty_idx":0,"struct_name":"P<bool>","monomorphic_fields_ty_idx":[1,1]}]`), abi.ErrSchema},
		{"code", schema("", "", `,"code_boc64":"AAAA"`), abi.ErrSchema},
	} {
		if _, err := abi.Parse(test.abi); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

// TestStructWithinItself: a chain of cells is a legal type.
func TestStructWithinItself(t *testing.T) {
	c, err := abi.Parse(schema(`{"kind":"StructRef","struct_name":"Node"},{"kind":"uintN","n":8},{"kind":"cellOf","inner_ty_idx":0},{"kind":"nullable","inner_ty_idx":2}`,
		`{"kind":"struct","name":"Node","prefix":{"prefix_num":1,"prefix_len":32},"fields":[{"name":"v","ty_idx":1},{"name":"next","ty_idx":3}]}`,
		`,"incoming_messages":[{"body_ty_idx":0}]`))
	if err != nil {
		t.Fatal(err)
	}
	var chain any
	for i := range 50 {
		chain = abi.Values{"v": i, "next": chain}
	}
	body, err := c.Encode("Node", chain)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Encode("Node", got); err != nil || again.HashKey() != body.HashKey() {
		t.Errorf("encoded again it is another cell (%v)", err)
	}
}

func FuzzParse(f *testing.F) {
	seeds := 0
	for _, data := range shipped(f) {
		f.Add(data)
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := abi.Parse(data)
		if err != nil {
			return
		}
		// Whatever was taken can be used: no panic, and an end.
		empty := cellOf(0, 1)
		for _, m := range c.Incoming {
			_ = m.Called()
			_, _ = abi.Unpack(m.Body, empty)
			_, _ = abi.Pack(m.Body, abi.Values{})
		}
	})
}
