package toncenter

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// Options configures a [Handler]. The zero value serves everybody.
type Options struct {
	// APIKey, if set, is what requests must carry, in the header X-API-Key or
	// in the query as api_key.
	APIKey string
	// Log receives faults; nil discards them.
	Log *slog.Logger
}

// Handler is the API as an [http.Handler]. It answers at any mount point: what
// counts of a path is /api/v2/NAME, or /NAME alone.
type Handler struct {
	opts  Options
	chain Source
	turns chan struct{} // one token for each request being worked on
	count atomic.Uint64 // of answers
}

// New makes the API of a chain.
func New(chain Source, o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Handler{opts: o, chain: chain, turns: make(chan struct{}, maxInFlight)}
}

var _ http.Handler = (*Handler)(nil)

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/healthcheck") {
		writeJSON(w, http.StatusOK, "OK")
		return
	}
	// Not every ResponseWriter can do this; those of servers can.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(requestTimeout))
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	a := h.respond(ctx, w, r)
	status := http.StatusOK
	if !a.OK {
		status = a.Code
	}
	writeJSON(w, status, a)
}

// respond makes the answer to a request, whatever happens.
func (h *Handler) respond(ctx context.Context, w http.ResponseWriter, r *http.Request) (a answer) {
	// Time, number, and a third field that toncenter has for its worker.
	a.Extra = fmt.Sprintf("%d:%d:0", time.Now().UnixMilli(), h.count.Add(1))
	var err error
	defer func() {
		// Anyone may have made the cells of this chain; a fault in reading them
		// must not end the process.
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if err == nil {
			a.OK = true
			return
		}
		var known bool
		a.OK, a.Result = false, nil
		if a.Code, a.Error, known = failure(err); !known {
			h.opts.Log.Error("toncenter request", "path", r.URL.Path, "err", err)
		}
	}()
	if err = h.admit(r); err != nil {
		return a
	}
	name := methodName(r.URL.Path)
	var p *params
	if name == jsonRPC {
		var call rpcCall
		call, err = readRPC(w, r)
		a.JSONRPC, a.ID = "2.0", call.ID
		name, p = call.Method, call.params
	} else {
		p, err = readParams(w, r)
	}
	if err != nil {
		return a
	}
	var result any
	if result, err = h.call(ctx, name, r.Method, p); err == nil {
		a.Result, err = json.Marshal(result)
	}
	return a
}

// admit refuses what is not worth reading.
func (h *Handler) admit(r *http.Request) error {
	if len(r.RequestURI) > maxURL {
		return fmt.Errorf("%w: address of %d bytes", ErrTooLarge, len(r.RequestURI))
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return fmt.Errorf("%w: %s", ErrHTTPMethod, r.Method)
	}
	if h.opts.APIKey == "" {
		return nil
	}
	key := r.Header.Get("X-API-Key")
	if key == "" {
		key = r.URL.Query().Get("api_key")
	}
	if subtle.ConstantTimeCompare([]byte(key), []byte(h.opts.APIKey)) != 1 {
		return ErrKey
	}
	return nil
}

// call runs a method when it is its turn.
func (h *Handler) call(ctx context.Context, name, via string, p *params) (result any, err error) {
	m, ok := methods[name]
	switch {
	case !ok:
		return nil, ErrUnknownMethod
	case m.postOnly && via != http.MethodPost:
		return nil, fmt.Errorf("%w: %s", ErrHTTPMethod, via)
	}
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return nil, ErrTimeout
	}
	result, err = m.run(ctx, h.chain, p)
	if p.err != nil {
		return nil, p.err // whatever the method made of it
	}
	return result, err
}

// answer is toncenter's envelope. The last two are there for JSON-RPC only.
type answer struct {
	OK      bool            `json:"ok"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   string          `json:"error,omitempty"`
	Code    int             `json:"code,omitempty"`
	Extra   string          `json:"@extra"`
	JSONRPC string          `json:"jsonrpc,omitempty"`
	ID      json.RawMessage `json:"id,omitempty"`
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("toncenter: internal error: write an answer: %v", err)) // its parts are JSON already
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// allowOrigins lets scripts of any page call, and read the answer.
func allowOrigins(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	header.Set("Access-Control-Allow-Headers", "Content-Type, X-API-Key, X-Ton-Client-Version")
	header.Set("Access-Control-Max-Age", "86400")
}

// jsonRPC is the name of the endpoint that takes the method from the body.
const jsonRPC = "jsonRPC"

// methodName is what a path asks for. TonClient posts its calls to whatever
// URL it is given, so the bare prefix is the JSON-RPC endpoint as well.
func methodName(path string) string {
	path = strings.TrimRight(path, "/")
	if i := strings.LastIndex(path, "/api/v2"); i >= 0 {
		path = path[i+len("/api/v2"):]
	}
	if path = strings.TrimPrefix(path, "/"); path == "" {
		return jsonRPC
	}
	return path
}

// rpcCall is a JSON-RPC request.
type rpcCall struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	params *params
}

func readRPC(w http.ResponseWriter, r *http.Request) (call rpcCall, err error) {
	if r.Method != http.MethodPost {
		return call, fmt.Errorf("%w: %s", ErrHTTPMethod, r.Method)
	}
	body, err := readBody(w, r)
	if err != nil {
		return call, err
	}
	if err := json.Unmarshal(body, &call); err != nil {
		return rpcCall{}, badRequest("%v", err)
	}
	if call.Method == "" {
		return call, badRequest("no method")
	}
	switch text := strings.TrimSpace(string(call.Params)); {
	case text == "" || text == "null" || text == "[]":
		call.params = newParams(nil)
	case strings.HasPrefix(text, "["):
		return call, badRequest("params must contain an object")
	default:
		call.params, err = parseParams(call.Params)
	}
	return call, err
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, fmt.Errorf("%w: body of more than %d bytes", ErrTooLarge, maxBody)
	}
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return body, nil
}
