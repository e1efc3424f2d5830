package control

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// read decodes JSON into a value and returns how the value writes itself.
func read[T any](data string) (string, error) {
	var v T
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		return "", err
	}
	out, err := json.Marshal(v)
	return string(out), err
}

// Each row is what may be written for one value, and how it is answered. An
// answer is itself among what may be written.
func TestValues(t *testing.T) {
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	for _, test := range []struct {
		name  string
		read  func(string) (string, error)
		forms []string
		want  string
	}{
		{"address", read[Address], []string{
			`"-1:` + zeros + `"`, `"Ef8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADAU"`,
		}, `{"friendly":"Ef8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADAU","raw":"-1:` + zeros + `"}`},
		{"address, base64", read[Address], []string{
			`"EQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2N"`, `"0:83dfd552e63729b472fcbcc8c45ebcc6691702558b68ec7527e1ba403a0f31a8"`,
			`"0:83DFD552E63729B472FCBCC8C45EBCC6691702558B68EC7527E1BA403A0F31A8"`,
		}, `{"friendly":"EQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2N","raw":"0:83dfd552e63729b472fcbcc8c45ebcc6691702558b68ec7527e1ba403a0f31a8"}`},
		{"amount", read[Amount], []string{`"1.5 TON"`, `"1.5"`, `"1.500000000"`, `"1500000000 nano"`, `{"nano":"1500000000"}`},
			`{"nano":"1500000000","text":"1.5 TON"}`},
		{"cell", read[Cell], []string{
			`"b5ee9c724101010100060000080000002a05a6f044"`, `"B5EE9C724101010100060000080000002A05A6F044"`,
			`"te6cckEBAQEABgAACAAAACoFpvBE"`, `"te6ccgEBAQEABgAACAAAACo="`, `"te6ccgEBAQEABgAACAAAACo"`,
		}, `"te6cckEBAQEABgAACAAAACoFpvBE"`},
		{"hash", read[Hash], []string{
			`"FF00000000000000000000000000000000000000000000000000000000000000"`,
			`"/wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="`, `"_wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`,
		}, `"ff00000000000000000000000000000000000000000000000000000000000000"`},
		{"time", read[Time], []string{`"2030-01-01T00:00:00Z"`, `"2030-01-01T01:00:00+01:00"`, `"1893456000"`, `1893456000`}, `"2030-01-01T00:00:00Z"`},
		{"duration", read[Duration], []string{`"90m"`, `"1h30m"`, `"5400s"`}, `"1h30m0s"`},
		{"mode", read[Mode], []string{`"manual"`}, `"manual"`},
	} {
		for _, form := range append(test.forms, test.want) {
			if got, err := test.read(form); err != nil || got != test.want {
				t.Errorf("%s %s: got %s, %v, want %s", test.name, form, got, err, test.want)
			}
		}
	}
}

func TestValuesRefused(t *testing.T) {
	for _, test := range []struct {
		name  string
		read  func(string) (string, error)
		forms []string
	}{
		{"address", read[Address], []string{
			`""`, `5`, `"x"`, `"0:00"`, `"300:` + strings.Repeat("00", 32) + `"`, `{}`, `{"raw":"x","more":1}`,
			`"EQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2O"`, // checksum
			`"AQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2N"`, // tag
		}},
		{"amount", read[Amount], []string{`""`, `5`, `1.5`, `"-1"`, `"1e9"`, `"1.0000000001"`, `"9999999999999"`, `{}`, `{"nano":"1.5"}`}},
		{"cell", read[Cell], []string{`""`, `5`, `"x"`, `"00"`, `"te6cckEBAQEABgAACAAAACoFpvBF"`}},
		{"hash", read[Hash], []string{`""`, `5`, `"00"`, `"` + strings.Repeat("00", 33) + `"`}},
		{"time", read[Time], []string{`""`, `"now"`, `-1`, `1.5`, `"1960-01-01T00:00:00Z"`, `"2200-01-01T00:00:00Z"`, `4294967296`}},
		{"duration", read[Duration], []string{`""`, `5`, `"5"`, `"1 day"`}},
		{"mode", read[Mode], []string{`""`, `1`, `"Manual"`}},
		{"argument", read[Argument], []string{`""`, `1.5`, `true`, `[]`, `"cell:"`, `"0b"`, `"1_0"`}},
	} {
		for _, form := range test.forms {
			if got, err := test.read(form); err == nil {
				t.Errorf("%s %s: got %s, want an error", test.name, form, got)
			}
		}
	}
	if err := new(Amount).UnmarshalText([]byte("x")); !errors.Is(err, ErrValue) {
		t.Errorf("got %v", err)
	}
}

func TestParseFile(t *testing.T) {
	root := cell.BeginCell().MustStoreUInt(42, 32).EndCell()
	for name, data := range map[string][]byte{
		"binary": root.ToBOC(), "base64": []byte(Cell{root}.String() + "\n"), "hex": []byte(" b5ee9c724101010100060000080000002a05a6f044\r\n"),
	} {
		if got, err := ParseFile(data); err != nil || got.HashKey() != root.HashKey() {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, data := range map[string][]byte{"empty": nil, "words": []byte("words"), "cut": root.ToBOC()[:12]} {
		if _, err := ParseFile(data); !errors.Is(err, ErrValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzValue decodes anything as each kind of value. What is accepted comes out
// in a form that is accepted as the same.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{
		`"0:83dfd552e63729b472fcbcc8c45ebcc6691702558b68ec7527e1ba403a0f31a8"`, `"EQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2N"`,
		`"1.5 TON"`, `{"nano":"1500000000"}`, `"te6cckEBAQEABgAACAAAACoFpvBE"`, `"2030-01-01T00:00:00Z"`, `1893456000`, `"1h30m"`, `"manual"`,
	} {
		f.Add(seed)
	}
	all := []func(string) (string, error){read[Address], read[Amount], read[Cell], read[Hash], read[Time], read[Duration], read[Mode]}
	f.Fuzz(func(t *testing.T, data string) {
		for _, read := range all {
			once, err := read(data)
			if err != nil {
				continue
			}
			if twice, err := read(once); err != nil || once != twice {
				t.Errorf("%s -> %s -> %s, %v", data, once, twice, err)
			}
		}
		_, _ = read[Argument](data)
		_, _ = ParseFile([]byte(data))
	})
}
