package liteserver

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/xssnick/tonutils-go/tl"
)

// Options tune a [Server]. The zero value works.
type Options struct {
	// Log receives faults; nil discards them.
	Log *slog.Logger
	// MaxConnections is how many clients may be connected at once; further
	// ones are closed at once. 0 means 2048.
	MaxConnections int
	// Workers is how many queries are computed at the same time. 0 means one for
	// each processor.
	Workers int
	// Version and Capabilities are what getVersion and getMasterchainInfoExt
	// report. A zero Version means 0x101 and capabilities 15, as TON nodes say.
	Version      int32
	Capabilities int64
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 2048
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Version == 0 {
		o.Version, o.Capabilities = 0x101, 15
	}
	return o
}

// ErrNotListening is returned by Run when Listen was not called, or Close was.
var ErrNotListening = errors.New("liteserver is not listening")

// Server answers lite-client queries from a [Source]. The life of a server is
// [New], Listen, Run; Close or the end of Run's context ends it.
type Server struct {
	opt     Options
	key     ed25519.PrivateKey
	keyID   [32]byte
	answers *answerer
	hosts   *hosts

	mu struct {
		sync.Mutex
		listener net.Listener
		conns    map[net.Conn]struct{}
		closed   bool
	}
	wg sync.WaitGroup // one for each connection
}

// New makes a server for src that proves itself to clients with key.
func New(src Source, key ed25519.PrivateKey, o Options) *Server {
	id, err := keyID(key.Public().(ed25519.PublicKey))
	if err != nil {
		panic("liteserver: internal error: key id: " + err.Error())
	}
	o = o.withDefaults()
	s := &Server{
		opt:     o,
		key:     key,
		keyID:   id,
		answers: newAnswerer(src, o.Version, o.Capabilities),
		// Whatever one host does, there is room for others.
		hosts: newHosts(o.Workers, max(1, o.MaxConnections*3/4)),
	}
	s.mu.conns = make(map[net.Conn]struct{})
	return s
}

// Listen binds addr, for example "127.0.0.1:0"; see Addr for the port chosen.
func (s *Server) Listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("liteserver: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed || s.mu.listener != nil {
		l.Close()
		return errors.New("liteserver: listen: already listening or closed")
	}
	s.mu.listener = l
	return nil
}

// Addr is the address the server listens on, nil before Listen.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.listener == nil {
		return nil
	}
	return s.mu.listener.Addr()
}

// Key is the public key clients must know the server by.
func (s *Server) Key() ed25519.PublicKey {
	return s.key.Public().(ed25519.PublicKey)
}

// Run serves until ctx ends or Close is called, and returns nil then. When it
// returns, every connection is closed and every goroutine is gone.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	l, closed := s.mu.listener, s.mu.closed
	s.mu.Unlock()
	if l == nil || closed {
		return ErrNotListening
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.wg.Wait()
	stop := context.AfterFunc(ctx, s.Close)
	defer stop()
	defer s.Close()

	for {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of file descriptors, mostly: let some connections end.
			s.opt.Log.Warn("accept", "err", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		h, ok := s.admit(conn)
		if !ok {
			conn.Close()
			continue
		}
		go func() {
			defer s.wg.Done()
			defer s.dismiss(conn, h)
			s.serve(ctx, conn, h)
		}()
	}
}

// Close stops the listener and all connections. It does not wait; Run does.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.closed = true
	if s.mu.listener != nil {
		s.mu.listener.Close()
	}
	for conn := range s.mu.conns {
		conn.Close()
	}
}

func (s *Server) admit(conn net.Conn) (*host, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed || len(s.mu.conns) >= s.opt.MaxConnections {
		return nil, false
	}
	h, ok := s.hosts.enter(conn)
	if !ok {
		return nil, false
	}
	s.mu.conns[conn] = struct{}{}
	s.wg.Add(1)
	return h, true
}

func (s *Server) dismiss(conn net.Conn, h *host) {
	conn.Close()
	h.leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.conns, conn)
}

// resolve turns a query into its answer, encoded. Whatever the query is, it
// returns one: a fault, even a panic, becomes a liteServer.error. work runs what
// takes the processor; waiting for a block is not among that, so that clients who
// wait do not keep others from being answered.
func (s *Server) resolve(ctx context.Context, id queryID, req request, work func(do func()) error) (payload []byte) {
	var fault error
	if req.wait != nil {
		fault = s.answers.wait(ctx, uint32(req.wait.Seqno), time.Duration(req.wait.Timeout)*time.Millisecond)
	}
	if worked := work(func() { payload = s.compute(ctx, id, req, fault) }); worked != nil {
		return s.compute(ctx, id, req, worked)
	}
	return payload
}

// parse reads a query, even one that the library's parser panics over.
func (s *Server) parse(data []byte) (req request, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.opt.Log.Error("query panicked in parsing", "panic", p, "stack", string(debug.Stack()))
			err = errInternal
		}
	}()
	return parseRequest(data)
}

// compute runs one method and encodes the answer, or the fault that came before.
func (s *Server) compute(ctx context.Context, id queryID, req request, fault error) (payload []byte) {
	defer func() {
		if p := recover(); p != nil {
			s.opt.Log.Error("query panicked", "query", fmt.Sprintf("%T", req.method), "panic", p, "stack", string(debug.Stack()))
			payload = encodeFailure(id, errInternal)
		}
	}()
	if fault == nil && req.method == nil {
		// A bare wait. Code 0 is what the reference server says when nothing
		// follows the prefix, and what clients take as success.
		payload, fault = encodeAnswer(id, notice())
	} else if fault == nil {
		var answer tl.Serializable
		if answer, fault = s.answers.answer(ctx, req.method); fault == nil {
			payload, fault = encodeAnswer(id, answer)
		}
	}
	if fault == nil {
		return payload
	}
	if _, known := failure(fault); !known {
		s.opt.Log.Error("query failed", "query", fmt.Sprintf("%T", req.method), "err", fault)
	}
	return encodeFailure(id, fault)
}
