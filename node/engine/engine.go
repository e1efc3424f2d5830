package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Paths an engine is asked on.
const (
	PathChat        = "/v1/chat/completions"
	PathCompletions = "/v1/completions"
	pathModels      = "/v1/models"
)

// Options of an [Engine]. The zero value works.
type Options struct {
	// FirstByte is how long an engine may take until a whole JSON answer, or the first event of a stream, is there:
	// its queue and the prompt count. Default 5 minutes.
	FirstByte time.Duration
	// Idle is how long a stream may pause between events. Default 1 minute.
	Idle time.Duration
	// Connections kept open to the engine between requests. Default 64.
	Connections int
}

func (o Options) withDefaults() Options {
	if o.FirstByte == 0 {
		o.FirstByte = 5 * time.Minute
	}
	if o.Idle == 0 {
		o.Idle = time.Minute
	}
	if o.Connections == 0 {
		o.Connections = 64
	}
	return o
}

// Engine is one OpenAI-compatible engine. It is safe for concurrent use.
type Engine struct {
	base url.URL
	o    Options
	http *http.Client
}

// New returns the engine at base, for example http://127.0.0.1:8000; a trailing /v1 is understood. Nothing is asked yet.
func New(base *url.URL, o Options) *Engine {
	o = o.withDefaults()
	b := *base
	b.Path = strings.TrimSuffix(strings.TrimSuffix(b.Path, "/"), "/v1")
	b.RawPath, b.RawQuery, b.Fragment = "", "", ""
	return &Engine{base: b, o: o, http: &http.Client{
		Transport: &http.Transport{
			// No proxy from the environment: prompts go to the engine and nowhere else.
			Proxy:               nil,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
			// The bytes are to arrive as the engine wrote them.
			DisableCompression:     true,
			MaxIdleConns:           o.Connections,
			MaxIdleConnsPerHost:    o.Connections,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		// An engine that sends us elsewhere is misconfigured, and a prompt must not follow.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close lets go of the connections that no request uses.
func (e *Engine) Close() { e.http.CloseIdleConnections() }

// Model is one model an engine serves.
type Model struct {
	ID      string
	Context uint64 // context window in tokens, 0 if the engine does not tell
}

// Models asks the engine what it serves.
func (e *Engine) Models(ctx context.Context) ([]Model, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, errSilent)
	defer cancel()
	answer, err := e.send(ctx, http.MethodGet, pathModels, nil, "application/json")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := readAll(answer.Body, maxModels)
	if err != nil {
		return nil, failure(ctx, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, statusFailure(answer.StatusCode, text)
	}
	var list struct {
		Data []struct {
			ID          string `json:"id"`
			MaxModelLen uint64 `json:"max_model_len"` // vLLM, SGLang
			Meta        struct {
				ContextTrain uint64 `json:"n_ctx_train"` // llama.cpp
			} `json:"meta"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%w: %s is no list of models", ErrGarbage, pathModels)
	}
	models := make([]Model, 0, len(list.Data))
	for _, m := range list.Data {
		if m.ID == "" || len(m.ID) > maxModelName {
			return nil, fmt.Errorf("%w: a model in %s has no usable id", ErrGarbage, pathModels)
		}
		models = append(models, Model{ID: m.ID, Context: max(m.MaxModelLen, m.Meta.ContextTrain)})
	}
	return models, nil
}

// Healthy tells whether the engine answers and serves a model. (There is no health path that all engines share.)
func (e *Engine) Healthy(ctx context.Context) error {
	models, err := e.Models(ctx)
	if err == nil && len(models) == 0 {
		err = fmt.Errorf("%w: it serves no model", ErrDown)
	}
	return err
}

// Request is one request as the client wrote it.
type Request struct {
	Path   string // [PathChat] or [PathCompletions]
	Body   []byte
	Stream bool // what the caller was told; a body that says otherwise is refused
}

// Do sends the request to the engine. It returns once the answer begins: for a stream with the HTTP header, else with
// the whole answer read and its usage known. Cancelling ctx ends the answer and the engine's work at any time.
//
// Errors are [FieldError], [ErrPath], [ErrStreamMismatch] for the request, [ErrDown], [ErrGarbage], [ErrNoUsage] and
// [StatusError] for the engine, or the context's own.
func (e *Engine) Do(ctx context.Context, q Request) (*Response, error) {
	if q.Path != PathChat && q.Path != PathCompletions {
		return nil, ErrPath
	}
	r, err := readRequest(q.Body)
	if err != nil {
		return nil, err
	}
	if r.Stream != q.Stream {
		return nil, ErrStreamMismatch
	}
	body, accept := q.Body, "application/json"
	if r.Stream {
		accept = "text/event-stream"
		if !r.IncludeUsage {
			body = r.withUsage()
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	answer := &Response{
		ContentType: accept, ctx: ctx, cancel: cancel, idle: e.o.Idle,
		hideUsage: !r.IncludeUsage,
		meter:     meter{prompt: PromptEstimate(q.Body)},
	}
	answer.watch = time.AfterFunc(e.o.FirstByte, func() { cancel(errSilent) })
	if err := e.begin(answer, q.Path, body, r.Stream); err != nil {
		answer.Close()
		return nil, err
	}
	return answer, nil
}

func (e *Engine) begin(r *Response, path string, body []byte, stream bool) error {
	answer, err := e.send(r.ctx, http.MethodPost, path, body, r.ContentType)
	if err != nil {
		return err
	}
	r.body = answer.Body
	if answer.StatusCode != http.StatusOK {
		// Half of an error text is better than none, so a read error is of no interest here.
		text, _ := io.ReadAll(io.LimitReader(answer.Body, maxStatusBody))
		return statusFailure(answer.StatusCode, text)
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if isStream := kind == "text/event-stream"; isStream != stream {
		return fmt.Errorf("%w: asked for %s, got another content type", ErrGarbage, r.ContentType)
	}
	if stream {
		r.events = newEvents(answer.Body)
		return nil
	}
	return r.readWhole()
}

// send makes one HTTP exchange up to the answer's header. Of the client's own headers none gets here.
func (e *Engine) send(ctx context.Context, method, path string, body []byte, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, e.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("engine URL: %w", err)
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("User-Agent", "tussah")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := e.http.Do(request)
	if err != nil {
		return nil, failure(ctx, err)
	}
	return answer, nil
}

// errSilent is the cause with which a watchdog cancels.
var errSilent = fmt.Errorf("%w: it stays silent", ErrDown)

var errTooLarge = fmt.Errorf("%w: answer too large", ErrGarbage)

// failure turns an error of the HTTP client into one of ours.
func failure(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrGarbage):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it is cut short", ErrGarbage)
	}
	// %v: which network error it was is for people only.
	return fmt.Errorf("%w: %v", ErrDown, err)
}

// readAll reads everything, or fails if it is more than limit.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = errTooLarge
	}
	return text, err
}
