package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// Every error with a name comes out of the client as it went into the server.
func TestErrorsCrossTheWire(t *testing.T) {
	names := map[string]bool{}
	for _, w := range wireErrors {
		if names[w.name] {
			t.Errorf("%s is there twice", w.name)
		}
		names[w.name] = true
		data, err := json.Marshal(newError(fmt.Errorf("try: %w", w.err)))
		if err != nil {
			t.Fatal(err)
		}
		err = unmarshalError(data)
		e, ok := errors.AsType[*Error](err)
		if !ok || !errors.Is(err, w.err) || e.Code != w.code || e.Error() != "try: "+w.err.Error() {
			t.Errorf("%s: %v", w.name, err)
		}
	}
	if e := newError(errors.New("x")); e.Data.Name != "failed" || e.Unwrap() != nil {
		t.Errorf("without a name: %+v", e)
	}
	if err := unmarshalError([]byte(`5`)); !errors.Is(err, ErrNoServer) {
		t.Errorf("no error: %v", err)
	}
}

// The table says enough for help, and for both surfaces to find each verb.
func TestVerbs(t *testing.T) {
	names := map[string]bool{}
	for _, v := range Verbs() {
		if names[v.Name] || v.Command == "" || v.Doc == "" || strings.HasSuffix(v.Doc, ".") || strings.Contains(v.Doc, "\n") {
			t.Errorf("verb %+v", v)
		}
		names[v.Name] = true
		optional := false
		for i, p := range v.Params {
			switch {
			case p.Flag:
			case optional && !p.Optional:
				t.Errorf("%s: %s is required after an optional argument", v.Name, p.Name)
			case p.Kind == KindArguments && i != len(v.Params)-1:
				t.Errorf("%s: %s is not the last", v.Name, p.Name)
			default:
				optional = p.Optional
			}
		}
	}
}

func TestParamJSON(t *testing.T) {
	for _, test := range []struct {
		kind       Kind
		text, want string
	}{{KindNumber, "-5", "-5"}, {KindSwitch, "true", "true"}, {KindText, `a"b`, `"a\"b"`}, {KindAmount, "5", `"5"`}} {
		if got, err := (Param{Kind: test.kind}).JSON(test.text); err != nil || string(got) != test.want {
			t.Errorf("%s %s: %s, %v", test.kind, test.text, got, err)
		}
	}
	for kind, text := range map[Kind]string{KindNumber: "1.5", KindSwitch: "maybe"} {
		if _, err := (Param{Kind: kind}).JSON(text); !errors.Is(err, ErrValue) {
			t.Errorf("%s %s: %v", kind, text, err)
		}
	}
}

// A trace that is too deep or too wide is cut, and says by how much.
func TestTraceIsCut(t *testing.T) {
	at := address.MustParseRawAddr("0:" + strings.Repeat("00", 32))
	one := func() *sandbox.Trace {
		t := &sandbox.Trace{Message: sandbox.Message{To: at, Body: cell.BeginCell().EndCell()}}
		t.Tx.Account = at
		return t
	}
	deep, wide := one(), one()
	for now, i := deep, 1; i < maxTraceDepth+50; i++ {
		now.Caused = []*sandbox.Trace{one()}
		now = now.Caused[0]
	}
	for range maxTrace + 49 {
		wide.Caused = append(wide.Caused, one())
	}
	for name, trace := range map[string]*sandbox.Trace{"deep": deep, "wide": wide} {
		shown := newTrace(trace).String()
		if !strings.HasSuffix(shown, "… and 50 more") {
			t.Errorf("%s: ends in %q", name, shown[max(0, len(shown)-100):])
		}
		if _, err := json.Marshal(newTrace(trace)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
