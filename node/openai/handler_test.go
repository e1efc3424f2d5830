package openai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/tlb"
)

const (
	askWhole  = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	askStream = `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}`
	event1    = "data: {\"a\": 1.50}\n\n"
	event2    = ": note\r\n\r\n"
	done      = "data: [DONE]\n\n"
)

var finalSeven = Final{
	Usage: tlb.Usage{Prompt: 5, Completion: 2}, Cost: 7,
	Receipt: [32]byte{0xaa}, WorkerImage: [32]byte{0xbb},
}

// post sends a completion request and reads the whole answer.
func post(t *testing.T, url, body string) (*http.Response, string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// wireError is OpenAI's error schema, read strictly.
type wireError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func readError(t *testing.T, text string) wireError {
	t.Helper()
	var e struct {
		Error wireError `json:"error"`
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil || e.Error.Message == "" || e.Error.Type == "" {
		t.Fatalf("not OpenAI's error schema (%v): %q", err, text)
	}
	return e.Error
}

func TestRequestReachesBackend(t *testing.T) {
	var got Request
	b := fakeBackend{complete: func(_ context.Context, q Request) (Answer, error) {
		got = q
		return nil, ErrBusy
	}}
	server := serve(t, b, Options{MaxTokens: 77})
	for _, c := range []struct {
		path, body string
		want       Request
	}{
		{engine.PathChat, askWhole, Request{Model: "m", MaxTokens: 77, Choices: 1}},
		{engine.PathChat, askStream, Request{Model: "m", Stream: true, MaxTokens: 77, Choices: 1}},
		{engine.PathCompletions, "{\"model\":\"m\",\n\"prompt\":[\"a\",\"b\"],\"n\":2,\"max_tokens\":5, \"unknown\":1}", Request{Model: "m", MaxTokens: 5, Choices: 4}},
	} {
		post(t, server.URL+c.path, c.body)
		c.want.Path, c.want.Body, c.want.PromptBound = c.path, []byte(c.body), engine.PromptBound([]byte(c.body))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhole(t *testing.T) {
	server := serve(t, answering(fakeAnswer{parts: []string{"{\"a\": ", "1.50}\n"}, final: finalSeven}), Options{})
	answer, text := post(t, server.URL+engine.PathChat, askWhole)
	if answer.StatusCode != 200 || text != "{\"a\": 1.50}\n" || answer.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %q %v", answer.StatusCode, text, answer.Header)
	}
	checkAccount(t, answer.Header)
}

func checkAccount(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Tussah-Cost": "7 nano", "Tussah-Receipt": fmt.Sprintf("%064x", finalSeven.Receipt), "Tussah-Worker-Image": fmt.Sprintf("%064x", finalSeven.WorkerImage),
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if cost, err := tlb.ParseNano(h.Get("Tussah-Cost")); err != nil || cost != 7 {
		t.Errorf("cost reads as %v, %v", cost, err)
	}
}

// TestStream holds the second part back until the first has arrived.
func TestStream(t *testing.T) {
	arrived := make(chan struct{})
	server := serve(t, answering(fakeAnswer{parts: []string{event1, "", event2, done}, wait: arrived, final: finalSeven}), Options{})
	answer, err := http.Post(server.URL+engine.PathChat, "application/json", strings.NewReader(askStream))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, len(event1))
	if _, err := io.ReadFull(answer.Body, first); err != nil {
		t.Fatal(err)
	}
	close(arrived)
	rest, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(first) + string(rest); got != event1+event2+done {
		t.Errorf("got %q", got)
	}
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		t.Errorf("%d %s", answer.StatusCode, kind)
	}
	checkAccount(t, answer.Trailer)
}

func TestNoReceipt(t *testing.T) {
	server := serve(t, answering(fakeAnswer{parts: []string{"{}"}, noRcp: true}), Options{})
	for _, ask := range []string{askWhole, askStream} {
		answer, text := post(t, server.URL+engine.PathChat, ask)
		if answer.StatusCode != 200 || text != "{}" || answer.Header.Get("Tussah-Cost")+answer.Trailer.Get("Tussah-Cost") != "" {
			t.Errorf("%d %q %v %v", answer.StatusCode, text, answer.Header, answer.Trailer)
		}
	}
}

func TestBackendErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		want   wireError
	}{
		{fmt.Errorf("%w: nobody serves m", ErrModelNotFound), 404, wireError{"model not found: nobody serves m", "invalid_request_error", new("model"), new("model_not_found")}},
		{fmt.Errorf("%w: deposit too small", ErrFunds), 402, wireError{"not enough funds: deposit too small", "insufficient_quota", nil, new("insufficient_funds")}},
		{ErrBusy, 429, wireError{"too many requests", "rate_limit_error", nil, new("rate_limit_exceeded")}},
		{ErrEngine, 502, wireError{"the engine failed", "server_error", nil, new("engine_error")}},
		{ErrUnavailable, 503, wireError{"no proxy or worker serves", "server_error", nil, new("no_worker")}},
		{ErrDeadline, 504, wireError{"the request took too long", "server_error", nil, new("deadline_exceeded")}},
		{context.DeadlineExceeded, 504, wireError{"the request took too long", "server_error", nil, new("deadline_exceeded")}},
		{&engine.StatusError{Status: 400, Message: "too long", Type: "t", Param: "messages", Code: "c"}, 400, wireError{"too long", "t", new("messages"), new("c")}},
		{&engine.FieldError{Field: "max_tokens", Err: engine.ErrOverCap}, 400, wireError{"max_tokens: asks for more tokens than authorised", "invalid_request_error", new("max_tokens"), nil}},
		{errors.New("secret: disk on fire"), 500, wireError{"internal error; the node's log says more", "server_error", nil, new("internal_error")}},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			check := func(b Backend, name string) {
				t.Helper()
				server := serve(t, b, Options{})
				for _, ask := range []string{askWhole, askStream} {
					answer, text := post(t, server.URL+engine.PathChat, ask)
					if diff := cmp.Diff(c.want, readError(t, text)); diff != "" || answer.StatusCode != c.status {
						t.Errorf("%s: status %d, want %d; %s", name, answer.StatusCode, c.status, diff)
					}
				}
			}
			check(fakeBackend{complete: func(context.Context, Request) (Answer, error) { return nil, c.err }}, "at the start")
			check(answering(fakeAnswer{end: c.err}), "before the first part")
		})
	}
}

func TestErrorInMidStream(t *testing.T) {
	const event = `data: {"error":{"message":"the engine failed","type":"server_error","param":null,"code":"engine_error"}}` + "\n\n"
	for _, c := range []struct {
		name, want string
		parts      []string
	}{
		{"after an event", event1 + event, []string{event1}},
		{"after an event with CRLF", event2 + event, []string{event2}},
		{"after an event in small pieces", event1 + event, []string{event1[:len(event1)-1], "\n"}},
		{"within a line", "data: {\"a\n\n" + event, []string{"data: {\"a"}},
		{"after a line", "data: {}\n\n" + event, []string{"data: {}\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := serve(t, answering(fakeAnswer{parts: c.parts, end: ErrEngine, final: finalSeven}), Options{})
			answer, text := post(t, server.URL+engine.PathChat, askStream)
			if answer.StatusCode != 200 || text != c.want {
				t.Errorf("%d %q, want %q", answer.StatusCode, text, c.want)
			}
			checkAccount(t, answer.Trailer)
		})
	}
}

func TestErrorInMidAnswer(t *testing.T) {
	server := serve(t, answering(fakeAnswer{parts: []string{"{"}, end: ErrEngine}), Options{})
	answer, text := post(t, server.URL+engine.PathChat, askWhole)
	if readError(t, text); answer.StatusCode != 502 {
		t.Errorf("%d %s", answer.StatusCode, text)
	}
}

func TestEngineRefusal(t *testing.T) {
	for _, c := range []struct{ part, message string }{
		{`{"error":{"message":"too long","type":"x","param":null,"code":"y"}}`, "too long"},
		{`<script>`, "the engine answered: Bad Request"},
	} {
		server := serve(t, answering(fakeAnswer{head: Head{Status: 400}, parts: []string{c.part}, final: finalSeven}), Options{})
		answer, text := post(t, server.URL+engine.PathChat, askStream)
		if e := readError(t, text); answer.StatusCode != 400 || e.Message != c.message || answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%d %s", answer.StatusCode, text)
		}
		checkAccount(t, answer.Header)
	}
}

func TestAnswerOfAnotherKind(t *testing.T) {
	for _, head := range []Head{{Status: 200, Stream: true}, {Status: 302}, {Status: 1000}} {
		server := serve(t, answering(fakeAnswer{head: head, parts: []string{"x"}}), Options{})
		answer, text := post(t, server.URL+engine.PathChat, askWhole)
		if readError(t, text); answer.StatusCode != 502 {
			t.Errorf("%+v: %d %s", head, answer.StatusCode, text)
		}
	}
	server := serve(t, answering(fakeAnswer{}), Options{})
	if answer, text := post(t, server.URL+engine.PathChat, askStream); answer.StatusCode != 502 {
		t.Errorf("empty stream: %d %s", answer.StatusCode, text)
	}
	server = serve(t, answering(fakeAnswer{parts: []string{strings.Repeat("x", maxAnswer), "x"}}), Options{})
	if answer, text := post(t, server.URL+engine.PathChat, askWhole); answer.StatusCode != 502 {
		t.Errorf("large answer: %d %.100s", answer.StatusCode, text)
	}
}

func TestDeadline(t *testing.T) {
	never := make(chan struct{})
	server := serve(t, answering(fakeAnswer{parts: []string{event1, event2}, wait: never}), Options{Timeout: 50 * time.Millisecond})
	answer, text := post(t, server.URL+engine.PathChat, askWhole)
	if e := readError(t, text); answer.StatusCode != 504 || *e.Code != "deadline_exceeded" {
		t.Errorf("whole: %d %s", answer.StatusCode, text)
	}
	answer, text = post(t, server.URL+engine.PathChat, askStream)
	if !strings.HasPrefix(text, event1+`data: {"error":`) || !strings.Contains(text, "deadline_exceeded") || answer.StatusCode != 200 {
		t.Errorf("stream: %d %q", answer.StatusCode, text)
	}
}

func TestClientGone(t *testing.T) {
	cancelled := make(chan struct{})
	b := fakeBackend{complete: func(ctx context.Context, q Request) (Answer, error) {
		context.AfterFunc(ctx, func() { close(cancelled) })
		return &fakeAnswer{ctx: ctx, head: Head{Status: 200, Stream: true}, parts: []string{event1, event2}, wait: make(chan struct{})}, nil
	}}
	server := serve(t, b, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	q, _ := http.NewRequestWithContext(ctx, "POST", server.URL+engine.PathChat, strings.NewReader(askStream))
	q.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	left := time.Now()
	cancel()
	select {
	case <-cancelled:
		t.Logf("the backend knew after %s", time.Since(left))
	case <-time.After(5 * time.Second):
		t.Fatal("the backend works on")
	}
}

func TestModels(t *testing.T) {
	server := serve(t, fakeBackend{}, Options{})
	const model = `{"id":"m","object":"model","created":0,"owned_by":"tussah","tussah":{"context":512,"workers":2,"price_per_million_tokens":{"prompt":"0.02 TON","cached":"0 TON","completion":"0.16 TON","reasoning":"0 TON"}}}`
	for path, want := range map[string]string{
		"/v1/models":   `{"data":[` + model + `],"object":"list"}`,
		"/v1/models/m": model,
		"/healthz":     `{"models":1,"status":"ok"}`,
	} {
		answer, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 200 || strings.TrimSpace(string(text)) != want || answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, answer.StatusCode, text)
		}
		head, err := http.Head(server.URL + path)
		if err != nil || head.StatusCode != 200 || head.ContentLength != int64(len(text)) {
			t.Errorf("HEAD %s: %v, %v", path, head, err)
		}
	}
	for _, c := range []struct {
		path   string
		b      fakeBackend
		status int
	}{
		{"/v1/models/org/other", fakeBackend{}, 404},
		{"/v1/models", fakeBackend{models: func(context.Context) ([]Model, error) { return nil, ErrUnavailable }}, 503},
		{"/v1/models/m", fakeBackend{models: func(context.Context) ([]Model, error) { return nil, ErrUnavailable }}, 503},
	} {
		w := httptest.NewRecorder()
		NewHandler(c.b, Options{}).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+c.path, nil))
		if readError(t, w.Body.String()); w.Code != c.status {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
}

func TestHealth(t *testing.T) {
	for want, b := range map[string]fakeBackend{
		`{"status":"unavailable"}`: {models: func(context.Context) ([]Model, error) { return nil, errors.New("secret") }},
		`{"status":"no models"}`:   {models: func(context.Context) ([]Model, error) { return nil, nil }},
	} {
		w := httptest.NewRecorder()
		NewHandler(b, Options{RequireKey: true}).ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
		if w.Code != 503 || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%d %s, want %s", w.Code, w.Body, want)
		}
	}
	w := httptest.NewRecorder()
	NewHandler(fakeBackend{}, Options{}).ServeHTTP(w, httptest.NewRequest("POST", "/healthz", nil))
	if w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestHugeHeader: the server turns it away before the handler.
func TestHugeHeader(t *testing.T) {
	server := serve(t, fakeBackend{}, Options{})
	q, _ := http.NewRequest("GET", server.URL+"/v1/models", nil)
	q.Header.Set("X-Long", strings.Repeat("x", maxHeader+8<<10))
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 431 {
		t.Errorf("status %d", answer.StatusCode)
	}
}

// TestBodyCutShort: a client announces more than it sends.
func TestBodyCutShort(t *testing.T) {
	server := serve(t, fakeBackend{}, Options{})
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", engine.PathChat)
	conn.(*net.TCPConn).CloseWrite()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 400 {
		t.Errorf("status %d", answer.StatusCode)
	}
}

// TestNothingPrivateIsLogged sends a mark through every field and every way to fail, and looks for it in the log.
func TestNothingPrivateIsLogged(t *testing.T) {
	const mark = "canary7431"
	var logged bytes.Buffer
	o := Options{Keys: hashed("key-" + mark), Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	ask := func(b Backend, body string) {
		w := httptest.NewRecorder()
		q := httptest.NewRequest("POST", engine.PathChat, strings.NewReader(body))
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", "Bearer key-"+mark)
		q.Header.Set("X-Mark", mark)
		NewHandler(b, o).ServeHTTP(w, q)
	}
	private := `{"model":"m","messages":[{"role":"user","content":"` + mark + `"}],"stream":true,"` + mark + `":1}`
	refusal := &engine.StatusError{Status: 400, Message: mark, Type: mark, Param: mark, Code: mark}
	ask(answering(fakeAnswer{parts: []string{"data: " + mark + "\n\n"}}), private)
	ask(answering(fakeAnswer{parts: []string{"data: " + mark + "\n\n"}, end: refusal}), private)
	ask(answering(fakeAnswer{end: refusal}), private)
	ask(answering(fakeAnswer{head: Head{Status: 400}, parts: []string{string(refusal.Body())}}), private)
	ask(fakeBackend{}, private[:40]+mark)
	ask(fakeBackend{}, `{"model":"m","stream":"`+mark+`"}`)
	w := httptest.NewRecorder()
	NewHandler(fakeBackend{}, o).ServeHTTP(w, httptest.NewRequest("GET", "/"+mark+"?q="+mark, nil))
	if n := strings.Count(logged.String(), "request served"); n != 7 {
		t.Errorf("%d lines logged for 7 requests:\n%s", n, logged.String())
	}
	if strings.Contains(logged.String(), mark) {
		t.Errorf("logged:\n%s", logged.String())
	}
}

func Example() {
	// A backend is what the client node has behind the endpoint; this one gives a fixed answer.
	backend := answering(fakeAnswer{parts: []string{`{"choices":[]}`}, final: Final{Cost: 1234}})
	server := httptest.NewServer(NewHandler(backend, Options{Keys: hashed("sk-mine")}))
	defer server.Close()

	q, _ := http.NewRequest("POST", server.URL+"/v1/chat/completions", strings.NewReader(askWhole))
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer sk-mine")
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.StatusCode, string(text), answer.Header.Get("Tussah-Cost"))
	// Output: 200 {"choices":[]} 1234 nano
}
