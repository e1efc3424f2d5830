package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/tlb"
)

// fakeEngine serves one fixed answer and remembers what it was asked.
type fakeEngine struct {
	status int
	kind   string // content type
	answer string
	asked  chan string
}

func (f *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if f.asked != nil {
		f.asked <- r.URL.Path + " " + string(body)
	}
	w.Header().Set("Content-Type", f.kind)
	if f.status != 0 {
		w.WriteHeader(f.status)
	}
	io.WriteString(w, f.answer)
}

func serve(t *testing.T, h http.Handler, o Options) *Engine {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	e := New(base, o)
	t.Cleanup(e.http.CloseIdleConnections)
	return e
}

// collect reads an answer to its end.
func collect(r *Response) (text string, parts []Part, end error) {
	defer r.Close()
	for {
		part, err := r.Next()
		if err != nil {
			return text, parts, err
		}
		text += string(part.Bytes)
		parts = append(parts, part)
	}
}

const (
	askStream  = `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}`
	askUsage   = `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}`
	askWhole   = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	chunkA     = `data: {"id":"1", "choices":[{"index":0,"delta":{"content":"A"}}],"unknown": [1.50, "\u00e9"]}` + "\n\n"
	chunkB     = "event: x\r\ndata:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"B\"},\"finish_reason\":\"stop\"}]}\r\n\r\n"
	keepAlive  = ": still here\n\n"
	chunkUsage = `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}` + "\n\n"
	chunkDone  = "data: [DONE]\n\n"
	sseType    = "text/event-stream; charset=utf-8"
)

func TestStreamIsByteFaithful(t *testing.T) {
	estimate := PromptEstimate([]byte(askStream))
	f := &fakeEngine{kind: sseType, answer: chunkA + keepAlive + chunkB + chunkUsage + chunkDone, asked: make(chan string, 2)}
	e := serve(t, f, Options{})
	for _, c := range []struct {
		name, ask, asked string
		want             []Part
	}{
		{"usage hidden", askStream, `/v1/chat/completions {"stream_options":{"include_usage":true},` + askStream[1:], []Part{
			{[]byte(chunkA), tlb.Usage{Prompt: estimate, Completion: 1}},
			{[]byte(keepAlive), tlb.Usage{Prompt: estimate, Completion: 1}},
			{[]byte(chunkB), tlb.Usage{Prompt: estimate, Completion: 2}},
			{[]byte(chunkDone), tlb.Usage{Prompt: 9, Completion: 2}},
		}},
		{"usage asked", askUsage, `/v1/chat/completions ` + askUsage, []Part{
			{[]byte(chunkA), tlb.Usage{Prompt: PromptEstimate([]byte(askUsage)), Completion: 1}},
			{[]byte(keepAlive), tlb.Usage{Prompt: PromptEstimate([]byte(askUsage)), Completion: 1}},
			{[]byte(chunkB), tlb.Usage{Prompt: PromptEstimate([]byte(askUsage)), Completion: 2}},
			{[]byte(chunkUsage), tlb.Usage{Prompt: 9, Completion: 2}},
			{[]byte(chunkDone), tlb.Usage{Prompt: 9, Completion: 2}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(c.ask), Stream: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Final(); err == nil {
				t.Error("final usage before the end")
			}
			_, parts, end := collect(r)
			if !errors.Is(end, io.EOF) {
				t.Fatal(end)
			}
			if diff := cmp.Diff(c.want, parts); diff != "" {
				t.Error(diff)
			}
			if got := <-f.asked; got != c.asked {
				t.Errorf("engine was asked %s, want %s", got, c.asked)
			}
			usage, err := r.Final()
			if want := (tlb.Usage{Prompt: 9, Completion: 2}); err != nil || usage != want {
				t.Errorf("final %+v, %v; want %+v", usage, err, want)
			}
			if _, again := r.Next(); again != end {
				t.Errorf("next after the end: %v", again)
			}
		})
	}
}

func TestWholeAnswer(t *testing.T) {
	answer := "{ \"choices\":[{\"message\":{\"content\":\"A\"}}],\n\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1} }\n"
	f := &fakeEngine{kind: "application/json", answer: answer, asked: make(chan string, 1)}
	r, err := serve(t, f, Options{}).Do(t.Context(), Request{Path: PathCompletions, Body: []byte(`{"model":"m","prompt":"hi"}`)})
	if err != nil {
		t.Fatal(err)
	}
	text, parts, end := collect(r)
	if text != answer || len(parts) != 1 || !errors.Is(end, io.EOF) || r.ContentType != "application/json" {
		t.Errorf("got %q in %d parts of %s, end %v", text, len(parts), r.ContentType, end)
	}
	if usage, err := r.Final(); err != nil || usage != (tlb.Usage{Prompt: 9, Completion: 1}) {
		t.Errorf("final %+v, %v", usage, err)
	}
	if got := <-f.asked; got != `/v1/completions {"model":"m","prompt":"hi"}` {
		t.Errorf("engine was asked %s", got)
	}
}

func TestBadEngines(t *testing.T) {
	large := `{"choices":[],"x":"` + strings.Repeat("x", maxAnswer) + `"}`
	for _, c := range []struct {
		name, ask, kind, answer string
		want                    error
		text                    string // delivered before the end
	}{
		{"no JSON", askWhole, "application/json", "<html>oops</html>", ErrGarbage, ""},
		{"HTML", askWhole, "text/html", "<html>oops</html>", ErrGarbage, ""},
		{"empty", askWhole, "application/json", "", ErrGarbage, ""},
		{"too large", askWhole, "application/json", large, ErrGarbage, ""},
		{"whole without usage", askWhole, "application/json", `{"choices":[{"message":{"content":"A"}}]}`, ErrNoUsage, ""},
		{"whole with absurd usage", askWhole, "application/json", `{"choices":[],"usage":{"prompt_tokens":-1}}`, ErrGarbage, ""},
		{"JSON for a stream", askStream, "application/json", `{"choices":[]}`, ErrGarbage, ""},
		{"stream for JSON", askWhole, "text/event-stream", chunkA, ErrGarbage, ""},
		{"stream without usage", askStream, sseType, chunkA + chunkDone, ErrNoUsage, chunkA + chunkDone},
		{"stream cut at an event", askStream, sseType, chunkA + chunkUsage, ErrGarbage, chunkA},
		{"stream cut in an event", askStream, sseType, chunkA + chunkB[:20], ErrGarbage, chunkA},
		{"empty stream", askStream, sseType, "", ErrGarbage, ""},
		{"stream of garbage", askStream, sseType, chunkA + "data: oops\n\n" + chunkDone, ErrGarbage, chunkA},
		{"bare JSON for events", askStream, sseType, "{\"choices\":[]}\n{\"choices\":[]}\n", ErrGarbage, ""},
		{"bare CR", askStream, sseType, chunkA + "data: {}\rdata: {}\n\n", ErrGarbage, chunkA},
		{"cached above prompt", askStream, sseType, chunkA + `data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":2}}}` + "\n\n" + chunkDone, ErrGarbage, chunkA},
		{"error in mid-stream", askStream, sseType, chunkA + "data: {\"error\":{\"message\":\"out of memory\"}}\n\n" + chunkDone, ErrNoUsage,
			chunkA + "data: {\"error\":{\"message\":\"out of memory\"}}\n\n" + chunkDone},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := serve(t, &fakeEngine{kind: c.kind, answer: c.answer}, Options{})
			r, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(c.ask), Stream: c.ask == askStream})
			if err != nil {
				if !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v", err, c.want)
				}
				return
			}
			text, parts, end := collect(r)
			if !errors.Is(end, c.want) || text != c.text {
				t.Errorf("got %q, end %v; want %q, %v", text, end, c.text, c.want)
			}
			usage, err := r.Final()
			if !errors.Is(err, c.want) {
				t.Errorf("final error %v", err)
			}
			// (The hidden event may have told more than the last part.)
			if last := len(parts) - 1; last >= 0 && usage.Completion < parts[last].Usage.Completion {
				t.Errorf("final %+v, counted %+v", usage, parts[last].Usage)
			}
		})
	}
}

func TestEngineDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nothing listens there now
	e := New(&url.URL{Scheme: "http", Host: l.Addr().String()}, Options{})
	if _, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(askWhole)}); !errors.Is(err, ErrDown) {
		t.Errorf("refused: %v", err)
	}
	if err := e.Healthy(t.Context()); !errors.Is(err, ErrDown) {
		t.Errorf("health: %v", err)
	}
}

// TestConnectionLost cuts the TCP connection in the middle of an answer.
func TestConnectionLost(t *testing.T) {
	cut := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Accept"))
		if r.Header.Get("Accept") == "application/json" {
			w.Header().Set("Content-Length", "1000")
		}
		io.WriteString(w, chunkA)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	e := serve(t, cut, Options{})
	if _, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(askWhole)}); !errors.Is(err, ErrGarbage) && !errors.Is(err, ErrDown) {
		t.Errorf("whole: %v", err)
	}
	r, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(askStream), Stream: true})
	if err != nil {
		t.Fatal(err)
	}
	if text, _, end := collect(r); text != chunkA || !errors.Is(end, ErrGarbage) && !errors.Is(end, ErrDown) {
		t.Errorf("stream: %q, %v", text, end)
	}
}

func TestStatusErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   StatusError
	}{
		{"OpenAI", 400, `{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`,
			StatusError{400, "too long", "invalid_request_error", "messages", "context_length_exceeded"}},
		{"llama.cpp", 400, `{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_ctx":16384}}`,
			StatusError{400, "too long", "exceed_context_size_error", "", "400"}},
		{"SGLang", 400, `{"object":"error","message":"bad","type":"BadRequestError","param":null,"code":400}`,
			StatusError{400, "bad", "BadRequestError", "", "400"}},
		{"FastAPI", 404, `{"detail":"Not Found"}`, StatusError{404, "Not Found", "invalid_request_error", "", ""}},
		{"FastAPI list", 422, `{"detail":[{"loc":["body"]}]}`, StatusError{422, "the engine answered: Unprocessable Entity", "invalid_request_error", "", ""}},
		{"Ollama", 500, `{"error":"no memory"}`, StatusError{500, "no memory", "server_error", "", ""}},
		{"plain text", 503, `Service Unavailable`, StatusError{503, "the engine answered: Service Unavailable", "server_error", "", ""}},
		{"empty", 429, ``, StatusError{429, "the engine answered: Too Many Requests", "invalid_request_error", "", ""}},
		{"worker has no key", 401, `{"error":"Unauthorized"}`, StatusError{502, "the engine does not let its worker in", "server_error", "", ""}},
		{"long", 400, `{"error":{"message":"` + strings.Repeat("é", maxStatusText) + `"}}`,
			StatusError{400, strings.Repeat("é", maxStatusText/2), "invalid_request_error", "", ""}},
		{"nested for ever", 400, strings.Repeat(`{"error":`, 5000) + "1" + strings.Repeat("}", 5000),
			StatusError{400, "the engine answered: Bad Request", "invalid_request_error", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := serve(t, &fakeEngine{kind: "application/json", status: c.status, answer: c.body}, Options{})
			_, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(askStream), Stream: true})
			got, ok := errors.AsType[*StatusError](err)
			if !ok {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Error(diff)
			}
			if len(got.Message) > 20 && strings.Contains(got.Error(), got.Message) {
				t.Error("the error's text holds the engine's words, which may quote the prompt")
			}
		})
	}
	want := `{"error":{"message":"a \"b\"","type":"t","param":null,"code":"c"}}`
	if got := (&StatusError{Message: `a "b"`, Type: "t", Code: "c"}).Body(); string(got) != want {
		t.Errorf("body %s, want %s", got, want)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the prompt went elsewhere")
	}))
	defer elsewhere.Close()
	e := serve(t, http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect), Options{})
	if _, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(askWhole)}); !errors.Is(err, ErrGarbage) {
		t.Error(err)
	}
}

func TestRequestsRefusedBeforeTheEngine(t *testing.T) {
	e := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the engine was asked") }), Options{})
	for _, c := range []struct {
		q    Request
		want error
	}{
		{Request{Path: "/v1/embeddings", Body: []byte(askWhole)}, ErrPath},
		{Request{Path: "/v1/chat/completions/../../admin", Body: []byte(askWhole)}, ErrPath},
		{Request{Path: PathChat, Body: []byte(`{`)}, ErrNotJSON},
		{Request{Path: PathChat, Body: []byte(askWhole), Stream: true}, ErrStreamMismatch},
		{Request{Path: PathChat, Body: []byte(askStream)}, ErrStreamMismatch},
	} {
		if _, err := e.Do(t.Context(), c.q); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
}

// stalled is an engine that starts an answer and then says no more. gone closes when its client has hung up.
func stalled(first string) (h http.Handler, gone chan struct{}) {
	gone = make(chan struct{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		if first != "" {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, first)
			http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
		close(gone)
	}), gone
}

func TestSilentEngine(t *testing.T) {
	for name, first := range map[string]string{"before the header": "", "in mid-stream": chunkA} {
		t.Run(name, func(t *testing.T) {
			h, gone := stalled(first)
			e := serve(t, h, Options{FirstByte: 300 * time.Millisecond, Idle: 50 * time.Millisecond})
			r, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(askStream), Stream: true})
			if err == nil {
				// A slow reader is no silent engine.
				if _, err := r.Next(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
				_, _, err = collect(r)
			}
			if !errors.Is(err, ErrDown) {
				t.Errorf("got %v, want ErrDown", err)
			}
			<-gone
		})
	}
}

func TestCancelReachesTheEngine(t *testing.T) {
	for _, how := range []string{"context", "close"} {
		t.Run(how, func(t *testing.T) {
			h, gone := stalled(chunkA)
			e := serve(t, h, Options{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, err := e.Do(ctx, Request{Path: PathChat, Body: []byte(askStream), Stream: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			end := make(chan error, 1)
			go func() { _, err := r.Next(); end <- err }()
			if how == "context" {
				cancel()
			} else {
				r.Close()
			}
			select {
			case <-gone:
			case <-time.After(5 * time.Second):
				t.Fatal("the engine works on")
			}
			if err := <-end; !errors.Is(err, context.Canceled) {
				t.Errorf("next ended with %v", err)
			}
			usage, err := r.Final()
			if !errors.Is(err, context.Canceled) || usage.Completion != 1 || usage.Prompt != PromptEstimate([]byte(askStream)) {
				t.Errorf("final %+v, %v", usage, err)
			}
		})
	}
}

func TestConnectionIsReused(t *testing.T) {
	connections := 0
	server := httptest.NewUnstartedServer(&fakeEngine{kind: sseType, answer: chunkA + chunkUsage + chunkDone})
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections++
		}
	}
	server.Start()
	base, _ := url.Parse(server.URL)
	e := New(base, Options{})
	for range 5 {
		r, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(askStream), Stream: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, end := collect(r); !errors.Is(end, io.EOF) {
			t.Fatal(end)
		}
	}
	e.http.CloseIdleConnections()
	server.Close()
	if connections != 1 {
		t.Errorf("%d connections for 5 requests in turn", connections)
	}
}

func TestModels(t *testing.T) {
	answer := `{"object":"list","data":[{"id":"a","max_model_len":4096},{"id":"b","meta":{"n_ctx_train":512}},{"id":"c"}]}`
	f := &fakeEngine{kind: "application/json", answer: answer}
	server := httptest.NewServer(f)
	defer server.Close()
	for _, suffix := range []string{"", "/", "/v1", "/v1/"} {
		base, _ := url.Parse(server.URL + suffix)
		e := New(base, Options{})
		got, err := e.Models(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", suffix, err)
		}
		if diff := cmp.Diff([]Model{{"a", 4096}, {"b", 512}, {"c", 0}}, got); diff != "" {
			t.Error(diff)
		}
		e.http.CloseIdleConnections()
	}
	for _, c := range []struct {
		answer string
		status int
		want   error
	}{
		{`{"data":[]}`, 200, ErrDown},
		{`{"data":[{"id":""}]}`, 200, ErrGarbage},
		{`oops`, 200, ErrGarbage},
		{``, 302, ErrGarbage},
		{`{"data":"` + strings.Repeat("x", maxModels) + `"}`, 200, ErrGarbage},
	} {
		e := serve(t, &fakeEngine{answer: c.answer, status: c.status}, Options{})
		if err := e.Healthy(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%.40s: %v, want %v", c.answer, err, c.want)
		}
	}
	e := serve(t, &fakeEngine{status: 503}, Options{})
	if _, ok := errors.AsType[*StatusError](e.Healthy(t.Context())); !ok {
		t.Error("loading engine: no StatusError")
	}
}

func BenchmarkStreamChunk(b *testing.B) {
	const chunk = `data: {"id":"chatcmpl-8df3d06daddb964c","object":"chat.completion.chunk","created":1781974989,"model":"gemma4-31b","choices":[{"index":0,"delta":{"content":" import"},"logprobs":null,"finish_reason":null,"token_ids":null}]}` + "\n\n"
	r := &Response{events: newEvents(&repeat{text: chunk}), watch: time.NewTimer(time.Hour), ctx: b.Context(), cancel: func(error) {}}
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

// repeat is an endless reader of one text.
type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

func Example() {
	server := httptest.NewServer(&Demo{}) // any OpenAI-compatible engine
	defer server.Close()
	base, _ := url.Parse(server.URL)
	e := New(base, Options{})

	body := []byte(`{"model":"tussah-demo","messages":[{"role":"user","content":"Count to 3."}],"stream":true}`)
	body, err := SetMaxTokens(body, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := e.Do(context.Background(), Request{Path: PathChat, Body: body, Stream: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Close()
	parts := 0
	for {
		if _, err = answer.Next(); err != nil {
			break
		}
		parts++
	}
	usage, err := answer.Final()
	fmt.Println(parts, "parts,", usage.Prompt, "prompt and", usage.Completion, "completion tokens, error:", err)
	// Output: 11 parts, 7 prompt and 8 completion tokens, error: <nil>
}
