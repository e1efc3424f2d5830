package lite

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// dropTime is how long a server that lied is left alone. It is not for ever, so
// that a node whose only server had a bad day recovers without a restart.
const dropTime = 10 * time.Minute

// callFactor times Options.Timeout is what one server has for all answers of a
// call, so that one that answers each query just in time, or leads through the
// longest of proofs, does not keep the call for itself. Most calls are one or two
// answers.
const callFactor = 4

// redialPause keeps a server that is down from being dialled by every query.
const redialPause = 250 * time.Millisecond

// server is one liteserver with at most one connection, made on demand.
type server struct {
	addr string
	key  ed25519.PublicKey

	dialling chan struct{} // holds one token: who has it may connect
	mu       struct {
		sync.Mutex
		conn    *conn
		closed  bool
		failed  error // of the last attempt to connect
		retry   time.Time
		dropped *DroppedError
		until   time.Time
	}
}

func newServer(s Server) *server {
	made := &server{addr: s.Addr, key: ed25519.PublicKey(s.Key), dialling: make(chan struct{}, 1)}
	made.dialling <- struct{}{}
	return made
}

// drop closes the connection of a server that lied.
func (s *server) drop(reason error) *DroppedError {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.dropped = &DroppedError{Addr: s.addr, Reason: reason}
	s.mu.until = time.Now().Add(dropTime)
	if s.mu.conn != nil {
		s.mu.conn.end(s.mu.dropped)
		s.mu.conn = nil
	}
	return s.mu.dropped
}

// state returns the live connection, if there is one, and why the server must not
// be connected to now, if so.
func (s *server) state() (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return nil, ErrClosed
	}
	now := time.Now()
	if s.mu.dropped != nil && now.Before(s.mu.until) {
		return nil, s.mu.dropped
	}
	s.mu.dropped = nil
	if s.mu.conn != nil && s.mu.conn.err() == nil {
		return s.mu.conn, nil
	}
	if s.mu.failed != nil && now.Before(s.mu.retry) {
		return nil, s.mu.failed
	}
	return nil, nil
}

func (s *server) connect(ctx context.Context) (*conn, error) {
	if c, err := s.state(); c != nil || err != nil {
		return c, err
	}
	select {
	case <-s.dialling:
		defer func() { s.dialling <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c, err := s.state(); c != nil || err != nil {
		return c, err // somebody else was faster
	}
	c, err := dial(ctx, s.addr, s.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed && c != nil {
		c.end(ErrClosed)
		return nil, ErrClosed
	}
	s.mu.conn, s.mu.failed, s.mu.retry = c, err, time.Now().Add(redialPause)
	return c, err
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.closed = true
	if s.mu.conn != nil {
		s.mu.conn.end(ErrClosed)
	}
}

// asker puts queries to one server.
type asker func(ctx context.Context, query []byte) ([]byte, error)

// ask is an asker: it connects if need be, and waits no longer than timeout.
func (s *server) ask(ctx context.Context, timeout time.Duration, query []byte) ([]byte, error) {
	limited, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	c, err := s.connect(limited)
	var answer []byte
	if err == nil {
		answer, err = c.ask(limited, query)
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		if c != nil {
			c.end(ErrTimeout) // perhaps only the connection is dead
		}
		return nil, ErrTimeout
	}
	return answer, err
}

// each tries f on the servers, beginning with the one that answered last, until
// it succeeds on one. f returns an error that is a lie, a RefusalError, or
// ErrBehind; anything else counts as the server's being out of reach.
func (c *Client) each(ctx context.Context, f func(context.Context, asker) error) error {
	return c.eachFor(ctx, 0, f)
}

// eachFor is each with queries that a server is asked to hold back for wait.
func (c *Client) eachFor(ctx context.Context, wait time.Duration, f func(context.Context, asker) error) error {
	first := int(c.preferred.Load())
	var failures []error
	reached := false
	for i := range c.servers {
		n := (first + i) % len(c.servers)
		err := c.on(ctx, c.servers[n], wait, f)
		if err == nil {
			c.preferred.Store(int64(n))
			return nil
		}
		if c.closed.Load() {
			return ErrClosed
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var refusal *RefusalError
		reached = reached || isLie(err) || errors.As(err, &refusal) || errors.Is(err, ErrBehind) || errors.Is(err, ErrTrust)
		failures = append(failures, err)
	}
	err := errors.Join(failures...)
	if len(failures) == 1 {
		err = failures[0]
	}
	if !reached {
		return fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	return err
}

// on runs f on one server within its time for a call, and drops the server if f
// finds that it lies.
func (c *Client) on(ctx context.Context, s *server, wait time.Duration, f func(context.Context, asker) error) error {
	if c.closed.Load() {
		return ErrClosed
	}
	if _, err := s.state(); err != nil {
		// Its text only: the kind of the lie is not this call's.
		if dropped, ok := errors.AsType[*DroppedError](err); ok {
			return errors.New(dropped.Error())
		}
	}
	call, stop := context.WithTimeout(ctx, wait+callFactor*c.o.Timeout)
	defer stop()
	err := guarded(func() error {
		return f(call, func(ctx context.Context, query []byte) ([]byte, error) {
			return s.ask(ctx, wait+c.o.Timeout, query)
		})
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	if refusal, ok := errors.AsType[*RefusalError](err); ok {
		refusal.Addr = s.addr
		return err
	}
	if isLie(err) {
		c.o.Log.Warn("liteserver dropped", "address", s.addr, "reason", err)
		return s.drop(err)
	}
	if call.Err() != nil {
		err = ErrTimeout
	}
	return fmt.Errorf("liteserver %s: %w", s.addr, err)
}

// guarded turns a panic into an error: what runs under it parses hostile input
// with a library that has panicked on some before.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	return f()
}
