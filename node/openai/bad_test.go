package openai

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/node/engine"
)

// chat puts members into an otherwise good chat request.
func chat(members string) string {
	return `{"model":"m","messages":[{"role":"user","content":"hi"}],` + members + `}`
}

// TestBadRequests: whatever a client sends, it gets a 4xx in OpenAI's schema that names the fault, and the backend, which
// costs money, is not asked.
func TestBadRequests(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	const path = engine.PathChat
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		param                    string
	}{
		{"empty body", "POST", path, ``, 400, ""},
		{"white space", "POST", path, "  \n", 400, ""},
		{"no JSON", "POST", path, `hello`, 400, ""},
		{"null", "POST", path, `null`, 400, ""},
		{"number", "POST", path, `1`, 400, ""},
		{"text", "POST", path, `"{}"`, 400, ""},
		{"array", "POST", path, `[{}]`, 400, ""},
		{"cut short", "POST", path, askWhole[:30], 400, ""},
		{"two objects", "POST", path, askWhole + askWhole, 400, ""},
		{"trailing comma", "POST", path, `{"model":"m",}`, 400, ""},
		{"comment", "POST", path, `{"model":"m"/**/}`, 400, ""},
		{"single quotes", "POST", path, `{'model':'m'}`, 400, ""},
		{"NaN", "POST", path, chat(`"temperature":NaN`), 400, ""},
		{"bad escape", "POST", path, chat(`"x":"\q"`), 400, ""},
		{"raw control character", "POST", path, chat("\"x\":\"\x01\""), 400, ""},
		{"not UTF-8", "POST", path, chat("\"x\":\"\xff\""), 400, ""},
		{"byte order mark", "POST", path, "\uFEFF" + askWhole, 400, ""},
		{"UTF-16", "POST", path, "{\x00}\x00", 400, ""},
		{"too deep", "POST", path, chat(`"x":` + deep(64)), 400, ""},
		{"far too deep", "POST", path, deep(1 << 20), 400, ""},
		{"open brackets", "POST", path, strings.Repeat(`{"a":`, 100000), 400, ""},
		{"too large", "POST", path, chat(`"x":"` + strings.Repeat("x", maxBody) + `"`), 413, ""},
		{"no model", "POST", path, `{"messages":[{"role":"user","content":"hi"}]}`, 400, "model"},
		{"model null", "POST", path, `{"model":null}`, 400, "model"},
		{"model empty", "POST", path, `{"model":""}`, 400, "model"},
		{"model array", "POST", path, `{"model":["m"]}`, 400, "model"},
		{"model with line break", "POST", path, `{"model":"m\nn"}`, 400, "model"},
		{"model too long", "POST", path, `{"model":"` + strings.Repeat("m", 300) + `"}`, 400, "model"},
		{"model twice", "POST", path, chat(`"model":"cheap"`), 400, "model"},
		{"model in other case", "POST", path, chat(`"Model":"cheap"`), 400, "model"},
		{"no messages", "POST", path, `{"model":"m"}`, 400, "messages"},
		{"messages empty", "POST", path, `{"model":"m","messages":[]}`, 400, "messages"},
		{"messages null", "POST", path, `{"model":"m","messages":null}`, 400, "messages"},
		{"messages text", "POST", path, `{"model":"m","messages":"hi"}`, 400, "messages"},
		{"messages object", "POST", path, `{"model":"m","messages":{"role":"user"}}`, 400, "messages"},
		{"message text", "POST", path, `{"model":"m","messages":["hi"]}`, 400, "messages"},
		{"messages twice", "POST", path, chat(`"messages":[]`), 400, "messages"},
		{"stream text", "POST", path, chat(`"stream":"yes"`), 400, "stream"},
		{"stream number", "POST", path, chat(`"stream":1`), 400, "stream"},
		{"stream twice", "POST", path, chat(`"stream":true,"stream":false`), 400, "stream"},
		{"stream_options text", "POST", path, chat(`"stream_options":"usage"`), 400, "stream_options"},
		{"include_usage number", "POST", path, chat(`"stream_options":{"include_usage":1}`), 400, "stream_options.include_usage"},
		{"max_tokens negative", "POST", path, chat(`"max_tokens":-5`), 400, "max_tokens"},
		{"max_tokens zero", "POST", path, chat(`"max_tokens":0`), 400, "max_tokens"},
		{"max_tokens fraction", "POST", path, chat(`"max_tokens":1.5`), 400, "max_tokens"},
		{"max_tokens wraps 32 bits", "POST", path, chat(`"max_tokens":4294867296`), 400, "max_tokens"},
		{"max_tokens wraps 64 bits", "POST", path, chat(`"max_tokens":18446744073709551617`), 400, "max_tokens"},
		{"max_tokens text", "POST", path, chat(`"max_tokens":"5"`), 400, "max_tokens"},
		{"max_tokens twice", "POST", path, chat(`"max_tokens":5,"max_tokens":5000`), 400, "max_tokens"},
		{"caps disagree", "POST", path, chat(`"max_tokens":5,"max_completion_tokens":5000`), 400, "max_completion_tokens"},
		{"n zero", "POST", path, chat(`"n":0`), 400, "n"},
		{"n large", "POST", path, chat(`"n":100000`), 400, "n"},
		{"best_of negative", "POST", path, chat(`"best_of":-1`), 400, "best_of"},
		{"no prompt", "POST", engine.PathCompletions, `{"model":"m"}`, 400, "prompt"},
		{"prompt empty", "POST", engine.PathCompletions, `{"model":"m","prompt":[]}`, 400, "prompt"},
		{"prompt object", "POST", engine.PathCompletions, `{"model":"m","prompt":{}}`, 400, "prompt"},
		{"prompt mixed", "POST", engine.PathCompletions, `{"model":"m","prompt":["a",1]}`, 400, "prompt"},
		{"chat for completions", "POST", engine.PathCompletions, askWhole, 400, "prompt"},
		{"GET", "GET", path, ``, 405, ""},
		{"PUT", "PUT", path, askWhole, 405, ""},
		{"OPTIONS", "OPTIONS", path, ``, 405, ""},
		{"unknown method", "BREW", path, askWhole, 405, ""},
		{"DELETE a model", "DELETE", "/v1/models/m", ``, 405, ""},
		{"root", "GET", "/", ``, 404, ""},
		{"trailing slash", "POST", path + "/", askWhole, 404, ""},
		{"double slash", "POST", "/" + path, askWhole, 404, ""},
		{"dots", "POST", "/v1/x/../chat/completions", askWhole, 404, ""},
		{"capitals", "POST", "/v1/Chat/Completions", askWhole, 404, ""},
		{"other API", "POST", "/v1/embeddings", askWhole, 404, ""},
		{"file", "GET", "/v1/../../etc/passwd", ``, 404, ""},
		{"no such model", "GET", "/v1/models/x", ``, 404, "model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := fakeBackend{complete: func(context.Context, Request) (Answer, error) {
				t.Error("the backend was asked")
				return nil, ErrUnavailable
			}}
			w := httptest.NewRecorder()
			q := httptest.NewRequest(c.method, "http://localhost"+c.path, strings.NewReader(c.body))
			q.Header.Set("Content-Type", "application/json")
			NewHandler(b, Options{}).ServeHTTP(w, q)
			e := readError(t, w.Body.String())
			param := ""
			if e.Param != nil {
				param = *e.Param
			}
			if w.Code != c.status || param != c.param || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("status %d about %q: %s", w.Code, param, e.Message)
			}
			if w.Code == 405 && w.Header().Get("Allow") == "" {
				t.Error("no Allow header")
			}
		})
	}
}

func TestContentType(t *testing.T) {
	for kind, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200,
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "multipart/form-data; boundary=x": 415, "application/jsonp": 415, ";;": 415,
	} {
		w := httptest.NewRecorder()
		q := httptest.NewRequest("POST", "http://localhost"+engine.PathChat, strings.NewReader(askWhole))
		q.Header.Set("Content-Type", kind)
		NewHandler(answering(fakeAnswer{parts: []string{"{}"}}), Options{}).ServeHTTP(w, q)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", kind, w.Code, want)
		}
	}
}

// FuzzComplete: no body makes a 5xx or a panic.
func FuzzComplete(f *testing.F) {
	for _, seed := range []string{askWhole, askStream, chat(`"n":2`), chat(`"max_tokens":1e9`), `{"model":"m","prompt":"x"}`, `[`, `{"model":{}}`} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	h := NewHandler(answering(fakeAnswer{parts: []string{"{}"}}), Options{})
	f.Fuzz(func(t *testing.T, body []byte, plain bool) {
		path := engine.PathChat
		if plain {
			path = engine.PathCompletions
		}
		q := httptest.NewRequest("POST", "http://localhost"+path, strings.NewReader(string(body)))
		q.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Fatalf("status %d", w.Code)
		}
		if w.Code != http.StatusOK {
			readError(t, w.Body.String())
		}
	})
}
