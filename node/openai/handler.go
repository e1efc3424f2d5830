package openai

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/tussah-network/tussah/node/engine"
)

// Options of a [Handler]. The zero value works, for programs on this machine only.
type Options struct {
	// Keys are the hashes ([HashKey]) of what is accepted as a bearer token. With none, every program on this machine
	// may ask.
	Keys [][32]byte
	// RequireKey refuses everything that brings no accepted key, also if Keys is empty.
	RequireKey bool
	// MaxTokens caps each completion whose request sets no cap. Default 1024.
	MaxTokens uint64
	// Timeout ends a request that takes longer. Default 10 minutes.
	Timeout time.Duration
	// Log gets one line for each request. Default: none.
	Log *slog.Logger
}

// Handler serves OpenAI's API. It is safe for concurrent use.
type Handler struct {
	backend     Backend
	keys        keyring
	requireKey  bool
	maxTokens   uint64
	timeout     time.Duration
	log         *slog.Logger
	crossOrigin *http.CrossOriginProtection
}

var _ http.Handler = (*Handler)(nil)

// NewHandler returns the API over a backend. See [NewServer] for the server to put it in.
func NewHandler(backend Backend, o Options) *Handler {
	if o.MaxTokens == 0 {
		o.MaxTokens = 1024
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Handler{
		backend: backend, keys: o.Keys, requireKey: o.RequireKey, maxTokens: o.MaxTokens,
		timeout: o.Timeout, log: o.Log, crossOrigin: http.NewCrossOriginProtection(),
	}
}

// NewServer returns an HTTP server for the API with the limits that only a server can enforce.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		// net/http logs remote addresses and whatever clients did wrong; our own log line is enough.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

const pathModels = "/v1/models"

// ServeHTTP routes by exact path: a multiplexer would answer near misses with redirects and plain text.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := &exchange{
		w: w, r: r, control: http.NewResponseController(w), start: time.Now(),
		log: h.log.With("method", r.Method),
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	var err error
	switch model, isModel := strings.CutPrefix(r.URL.Path, pathModels+"/"); {
	case r.URL.Path == "/healthz":
		err = h.route(e, http.MethodGet, h.health)
	case r.URL.Path == pathModels:
		err = h.route(e, http.MethodGet, h.guarded(h.listModels))
	case isModel:
		err = h.route(e, http.MethodGet, h.guarded(func(e *exchange) error { return h.oneModel(e, model) }))
	case r.URL.Path == engine.PathChat, r.URL.Path == engine.PathCompletions:
		e.log = e.log.With("path", r.URL.Path)
		err = h.route(e, http.MethodPost, h.guarded(h.complete))
	default:
		err = refusal(http.StatusNotFound, "unknown_url", "unknown URL; this node serves "+served)
	}
	if err != nil {
		e.fail(err)
	}
	// What net/http still has to write (the end of a stream, trailers) is under this deadline too.
	_ = e.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	e.logEnd()
}

const served = "/v1/chat/completions, /v1/completions, /v1/models and /healthz"

func (h *Handler) route(e *exchange, method string, do func(*exchange) error) error {
	if e.r.Method != method && !(method == http.MethodGet && e.r.Method == http.MethodHead) {
		e.w.Header().Set("Allow", method)
		return refusal(http.StatusMethodNotAllowed, "method_not_allowed", "this URL takes the method "+method+" only")
	}
	return do(e)
}

func (h *Handler) guarded(do func(*exchange) error) func(*exchange) error {
	return func(e *exchange) error {
		if err := h.authorise(e.r); err != nil {
			return err
		}
		return do(e)
	}
}

// complete serves one completion, from body to last byte.
func (h *Handler) complete(e *exchange) error {
	q, err := h.read(e)
	if err != nil {
		return err
	}
	e.log = e.log.With("model", q.Model, "stream", q.Stream)
	ctx, cancel := context.WithTimeoutCause(e.r.Context(), h.timeout, fmt.Errorf("%w: more than %s", ErrDeadline, h.timeout))
	defer cancel()
	if err = h.answer(ctx, e, q); err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = context.Cause(ctx) // whatever broke, it broke because of that
	}
	return err
}

func (h *Handler) answer(ctx context.Context, e *exchange, q Request) error {
	answer, err := h.backend.Complete(ctx, q)
	if err != nil {
		return err
	}
	defer answer.Close()
	head := answer.Head()
	switch {
	case head.Status >= 400 && head.Status <= 599:
		return e.refused(answer, head.Status)
	case head.Status != http.StatusOK || head.Stream != q.Stream:
		return fmt.Errorf("%w: its answer is of another kind than was asked for", ErrEngine)
	case head.Stream:
		return e.stream(answer)
	}
	return e.whole(answer)
}

// read reads and checks a completion request.
func (h *Handler) read(e *exchange) (Request, error) {
	if kind, _, _ := mime.ParseMediaType(e.r.Header.Get("Content-Type")); kind != "application/json" {
		// It also keeps web pages out: a browser sends this type elsewhere only after asking, and we do not answer that.
		return Request{}, refusal(http.StatusUnsupportedMediaType, "", "send the header 'Content-Type: application/json'")
	}
	body, err := e.readBody()
	if err != nil {
		return Request{}, err
	}
	fields, err := engine.ReadFields(body)
	if err != nil {
		return Request{}, err
	}
	switch {
	case e.r.URL.Path == engine.PathChat && fields.Messages == 0:
		return Request{}, &engine.FieldError{Field: "messages", Detail: "expected at least one message", Err: engine.ErrFieldValue}
	case e.r.URL.Path == engine.PathCompletions && fields.Prompts == 0:
		return Request{}, &engine.FieldError{Field: "prompt", Detail: "expected a prompt", Err: engine.ErrFieldValue}
	}
	q := Request{
		Path: e.r.URL.Path, Body: body, Model: fields.Model, Stream: fields.Stream,
		MaxTokens: fields.MaxTokens, Choices: fields.Choices, PromptBound: engine.PromptBound(body),
	}
	if q.MaxTokens == 0 {
		q.MaxTokens = h.maxTokens
	}
	return q, nil
}
