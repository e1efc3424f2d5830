package engine

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzMembers holds the walkers against encoding/json: same keys, same values, in the same order.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, ` { "a" : [ 1 , {"b":"]}"} ] , "\"\\":null } `, `{"a":"\\","b":-1.5e+3}`, `{"a":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for range members(text) { // also when it is no JSON: no panic, no endless loop
		}
		for range elements(text) {
		}
		if !json.Valid(text) || text[skipSpace(text, 0)] != '{' {
			return
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
		for key, at := range members(text) {
			token, err := dec.Token()
			if err != nil || token != string(key) {
				t.Fatalf("key %q, want %v (%v)", key, token, err)
			}
			var want json.RawMessage
			if err := dec.Decode(&want); err != nil {
				t.Fatal(err)
			}
			if got := text[at.from:at.to]; !bytes.Equal(got, want) {
				t.Fatalf("value %s, want %s", got, want)
			}
		}
		if dec.More() {
			t.Fatal("members are missing")
		}
	})
}

func TestTooDeep(t *testing.T) {
	for text, want := range map[string]bool{`[[1]]`: false, `[[[1]]]`: true, `{"a":{"b":{}}}`: true, `["[[[[", "\"[[["]`: false, `[[],[],[]]`: false} {
		if got := tooDeep([]byte(text), 2); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
