package engine

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadFields(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       Fields
	}{
		{"smallest", `{"model":"m"}`, Fields{Model: "m", Choices: 1}},
		{"chat", `{"model":"org/m@c:h","messages":[{"role":"user","content":"hi"}],"stream":true,"max_tokens":7,"n":3}`,
			Fields{Model: "org/m@c:h", Stream: true, MaxTokens: 7, Choices: 3, Messages: 1}},
		{"new cap name", `{"model":"m","max_completion_tokens":9}`, Fields{Model: "m", MaxTokens: 9, Choices: 1}},
		{"both caps agree", `{"model":"m","max_tokens":9,"max_completion_tokens":9}`, Fields{Model: "m", MaxTokens: 9, Choices: 1}},
		{"llama.cpp cap", `{"model":"m","n_predict":9}`, Fields{Model: "m", MaxTokens: 9, Choices: 1}},
		{"usage asked", `{"model":"m","stream":true,"stream_options":{"x":1,"include_usage":true}}`,
			Fields{Model: "m", Stream: true, IncludeUsage: true, Choices: 1}},
		{"nulls are absent", `{"model":"m","stream":null,"stream_options":null,"max_tokens":null,"n":null,"messages":null,"prompt":null}`,
			Fields{Model: "m", Choices: 1}},
		{"escaped key and value", "{\"mod\\u0065l\":\"m\\u006d\"}", Fields{Model: "mm", Choices: 1}},
		{"white space", " {\n\t\"model\" : \"m\" ,\r\n \"stream\" : false } ", Fields{Model: "m", Choices: 1}},
		{"nested name is no field", `{"model":"m","metadata":{"model":"x","Model":"y","stream":1}}`, Fields{Model: "m", Choices: 1}},
		{"prompt", `{"model":"m","prompt":"a","best_of":2}`, Fields{Model: "m", Choices: 2, Prompts: 1}},
		{"prompts", `{"model":"m","prompt":["a","b"],"n":2}`, Fields{Model: "m", Choices: 4, Prompts: 2}},
		{"token ids", `{"model":"m","prompt":[1,2,3]}`, Fields{Model: "m", Choices: 1, Prompts: 1}},
		{"lists of token ids", `{"model":"m","prompt":[[1,2],[3]]}`, Fields{Model: "m", Choices: 2, Prompts: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadFields([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadFieldsRefuses(t *testing.T) {
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	for _, c := range []struct {
		name, body, field string
		want              error
	}{
		{"empty", ``, "", ErrNotJSON},
		{"array", `[]`, "", ErrNotJSON},
		{"number", `1`, "", ErrNotJSON},
		{"cut short", `{"model":"m"`, "", ErrNotJSON},
		{"two values", `{"model":"m"}{}`, "", ErrNotJSON},
		{"not UTF-8", "{\"model\":\"m\xff\"}", "", ErrNotJSON},
		{"deep", `{"model":"m","x":` + deep + `}`, "", ErrTooDeep},
		{"no model", `{}`, "model", ErrFieldValue},
		{"model null", `{"model":null}`, "model", ErrFieldValue},
		{"model empty", `{"model":""}`, "model", ErrFieldValue},
		{"model number", `{"model":1}`, "model", ErrFieldValue},
		{"model with control character", `{"model":"a\nb"}`, "model", ErrFieldValue},
		{"model too long", `{"model":"` + strings.Repeat("m", maxModelName+1) + `"}`, "model", ErrFieldValue},
		{"model twice", `{"model":"a","model":"b"}`, "model", ErrDuplicateField},
		{"model twice, once escaped", "{\"model\":\"a\",\"mod\\u0065l\":\"b\"}", "model", ErrDuplicateField},
		{"model in capitals", `{"MODEL":"a"}`, "model", ErrFieldCase},
		{"model and Model", `{"model":"a","Model":"b"}`, "model", ErrFieldCase},
		{"long s folds to s", `{"model":"a","ſtream":true}`, "stream", ErrFieldCase},
		{"stream text", `{"model":"m","stream":"true"}`, "stream", ErrFieldValue},
		{"stream number", `{"model":"m","stream":1}`, "stream", ErrFieldValue},
		{"stream twice", `{"model":"m","stream":false,"stream":true}`, "stream", ErrDuplicateField},
		{"options no object", `{"model":"m","stream_options":true}`, "stream_options", ErrFieldValue},
		{"usage no bool", `{"model":"m","stream_options":{"include_usage":1}}`, "stream_options.include_usage", ErrFieldValue},
		{"usage twice", `{"model":"m","stream_options":{"include_usage":true,"include_usage":false}}`, "stream_options.include_usage", ErrDuplicateField},
		{"usage in capitals", `{"model":"m","stream_options":{"Include_Usage":true}}`, "stream_options.include_usage", ErrFieldCase},
		{"cap zero", `{"model":"m","max_tokens":0}`, "max_tokens", ErrFieldValue},
		{"cap negative", `{"model":"m","max_tokens":-1}`, "max_tokens", ErrFieldValue},
		{"cap fraction", `{"model":"m","max_tokens":1.5}`, "max_tokens", ErrFieldValue},
		{"cap exponent", `{"model":"m","max_tokens":1e3}`, "max_tokens", ErrFieldValue},
		{"cap text", `{"model":"m","max_tokens":"10"}`, "max_tokens", ErrFieldValue},
		{"cap beyond 64 bits", `{"model":"m","max_tokens":18446744073709551626}`, "max_tokens", ErrFieldValue},
		{"cap beyond reason", `{"model":"m","max_completion_tokens":4294867296}`, "max_completion_tokens", ErrFieldValue},
		{"caps disagree", `{"model":"m","max_tokens":1,"max_completion_tokens":2}`, "max_completion_tokens", ErrFieldValue},
		{"llama.cpp cap around the other", `{"model":"m","max_tokens":1,"n_predict":-1}`, "n_predict", ErrFieldValue},
		{"n zero", `{"model":"m","n":0}`, "n", ErrFieldValue},
		{"n large", `{"model":"m","n":129}`, "n", ErrFieldValue},
		{"best_of text", `{"model":"m","best_of":"2"}`, "best_of", ErrFieldValue},
		{"messages text", `{"model":"m","messages":"hi"}`, "messages", ErrFieldValue},
		{"message text", `{"model":"m","messages":["hi"]}`, "messages", ErrFieldValue},
		{"messages twice", `{"model":"m","messages":[],"messages":[]}`, "messages", ErrDuplicateField},
		{"prompt number", `{"model":"m","prompt":3}`, "prompt", ErrFieldValue},
		{"prompt mixed", `{"model":"m","prompt":["a",1]}`, "prompt", ErrFieldValue},
		{"prompt of objects", `{"model":"m","prompt":[{}]}`, "prompt", ErrFieldValue},
		{"too many prompts", `{"model":"m","prompt":["` + strings.Repeat(`","`, maxPrompts) + `"]}`, "prompt", ErrFieldValue},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadFields([]byte(c.body))
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			field, ok := errors.AsType[*FieldError](err)
			if !ok || field.Field != c.field {
				t.Errorf("error %#v, want one about %q", err, c.field)
			}
			if (got != Fields{}) {
				t.Errorf("fields %+v beside an error", got)
			}
		})
	}
}

func TestSetMaxTokens(t *testing.T) {
	for _, c := range []struct {
		body, want string
		err        error
	}{
		{`{"model":"m"}`, `{"max_tokens":5,"model":"m"}`, nil},
		{" { \"model\":\"m\"}", ` {"max_tokens":5, "model":"m"}`, nil},
		{`{"model":"m","max_tokens":null}`, `{"model":"m","max_tokens":5}`, nil},
		{`{"model":"m","max_completion_tokens":5}`, `{"model":"m","max_completion_tokens":5}`, nil},
		{`{"model":"m","max_tokens":4}`, `{"model":"m","max_tokens":4}`, nil},
		{`{"model":"m","max_tokens":6}`, ``, ErrOverCap},
		{`{"model":"m","n_predict":6}`, ``, ErrOverCap},
		{`{"model":"m"`, ``, ErrNotJSON},
	} {
		before := c.body
		got, err := SetMaxTokens([]byte(c.body), 5)
		if !errors.Is(err, c.err) || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s, %v", c.body, got, err, c.want, c.err)
		}
		if c.body != before {
			t.Errorf("%s: the caller's body was changed", before)
		}
	}
	if _, err := SetMaxTokens([]byte(`{"model":"m"}`), 0); !errors.Is(err, ErrFieldValue) {
		t.Errorf("cap 0: %v", err)
	}
}

func TestWithUsage(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"model":"m"}`, `{"stream_options":{"include_usage":true},"model":"m"}`},
		{`{"model":"m","stream_options":null}`, `{"model":"m","stream_options":{"include_usage":true}}`},
		{`{"model":"m","stream_options":{ }}`, `{"model":"m","stream_options":{"include_usage":true }}`},
		{`{"model":"m","stream_options":{"x":1}}`, `{"model":"m","stream_options":{"include_usage":true,"x":1}}`},
		{`{"model":"m","stream_options":{"include_usage": false}}`, `{"model":"m","stream_options":{"include_usage": true}}`},
		{`{"model":"m","stream_options":{"include_usage":null,"x":1}}`, `{"model":"m","stream_options":{"include_usage":true,"x":1}}`},
	} {
		r, err := readRequest([]byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(r.withUsage()); got != c.want {
			t.Errorf("%s: %s, want %s", c.body, got, c.want)
		}
	}
}

func TestPromptBound(t *testing.T) {
	text := `{"model":"m","messages":[{"role":"user","content":"hello"}]}`
	image := `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"http://x"}}]}]}`
	if got, want := PromptBound([]byte(text)), uint64(len(text)+templateAllowance); got != want {
		t.Errorf("text: bound %d, want %d", got, want)
	}
	if got, want := PromptBound([]byte(image)), uint64(len(image)+templateAllowance+attachmentAllowance); got != want {
		t.Errorf("image: bound %d, want %d", got, want)
	}
	if got, want := PromptEstimate([]byte(text)), uint64(len(`{"role":"user","content":"hello"}`)+3)/4; got != want {
		t.Errorf("text: estimate %d, want %d", got, want)
	}
	if got := PromptEstimate([]byte(image)); got < attachmentEstimate || got > PromptBound([]byte(image)) {
		t.Errorf("image: estimate %d", got)
	}
}

// FuzzReadFields holds the strict reader against encoding/json, and the edits against the reader.
func FuzzReadFields(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m"}`, `{"model":"m","stream":true,"stream_options":{"include_usage":false}}`,
		"{\"mod\\u0065l\":\"m\",\"max_tokens\":null,\"prompt\":[\"a\",\"\\\"\"]}",
		`{"model":"m","messages":[{"content":[{"type":"image_url"}]}],"n":2,"tools":[{}]}`,
		`{"model":"a","Model":"b"}`, `{"":{"a":[1,-2.5e3,null,true]},"model":"x"} `, `{"model":"m","max_tokens":`, `[[[[`, `{"a" "b"`, "{\"a\\",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		PromptBound(body)
		if PromptEstimate(body) > PromptBound(body) {
			t.Error("estimate above bound")
		}
		fields, err := ReadFields(body)
		if err != nil {
			if _, ok := errors.AsType[*FieldError](err); !ok || (fields != Fields{}) {
				t.Fatalf("fields %+v, error %v", fields, err)
			}
			return
		}
		var std map[string]json.RawMessage
		if err := json.Unmarshal(body, &std); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		var model string
		if err := json.Unmarshal(std["model"], &model); err != nil || model != fields.Model {
			t.Fatalf("model %q, encoding/json reads %q (%v)", fields.Model, model, err)
		}
		capped, err := SetMaxTokens(body, maxTokensLimit)
		if err != nil {
			t.Fatal(err)
		}
		want := fields
		if want.MaxTokens == 0 {
			want.MaxTokens = maxTokensLimit
		}
		if got, err := ReadFields(capped); err != nil || got != want {
			t.Fatalf("%s: %+v, %v; want %+v", capped, got, err, want)
		}
		r, _ := readRequest(body)
		want = fields
		want.IncludeUsage = true
		if got, err := ReadFields(r.withUsage()); err != nil || got != want {
			t.Fatalf("%s: %+v, %v; want %+v", r.withUsage(), got, err, want)
		}
	})
}

func TestSetModel(t *testing.T) {
	got, err := SetModel([]byte(`{ "messages":[{"role":"user","content":"model"}], "model" : "ours" ,"n":1}`), `their "own"`)
	want := `{ "messages":[{"role":"user","content":"model"}], "model" : "their \"own\"" ,"n":1}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if _, err := SetModel([]byte(`{}`), "x"); err == nil {
		t.Error("a body without a model was accepted")
	}
}
