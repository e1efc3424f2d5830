package control

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
)

// Options of a [Server]. The zero value works.
type Options struct {
	// Log hears of calls, at debug level, and of bugs. Default: discarded.
	Log *slog.Logger
}

// Server is the control of a network over HTTP. POST takes JSON-RPC 2.0 on any
// path; GET /dump streams the world's state.
type Server struct {
	world *world
	log   *slog.Logger
}

// New makes the server of a network. It serves when given to an http.Server.
func New(n Network, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{world: &world{Network: n, maxWait: MaxWait}, log: o.Log}
}

var _ http.Handler = (*Server)(nil)

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := checkBrowser(r); err != nil {
		s.write(w, http.StatusForbidden, refuse(nil, err))
		return
	}
	switch {
	case r.Method == http.MethodPost:
		s.post(w, r)
	case r.Method == http.MethodGet && r.URL.Path == dumpPath:
		s.dump(w)
	default:
		w.Header().Set("Allow", http.MethodPost)
		s.write(w, http.StatusMethodNotAllowed, refuse(nil, ErrRequest))
	}
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		s.write(w, http.StatusRequestEntityTooLarge, refuse(nil, ErrTooLarge))
		return
	}
	if err != nil {
		return // the caller went away
	}
	answer := s.answer(r.Context(), body)
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.write(w, http.StatusOK, answer)
}

const dumpPath = "/dump"

func (s *Server) dump(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := s.world.Dump(w); err != nil {
		s.log.Warn("dump broke off", "err", err)
		panic(http.ErrAbortHandler) // the only way to tell a client that a stream is not whole
	}
}

func (s *Server) write(w http.ResponseWriter, status int, answer any) {
	data, err := json.Marshal(answer)
	if err != nil {
		s.log.Error("answer has no JSON", "err", err)
		status, data = http.StatusInternalServerError, []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"internal error"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the caller went away: nothing to tell it
}
