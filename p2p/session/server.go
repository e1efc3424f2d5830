package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"

	"github.com/tussah-network/tussah/tlb"
)

// Handler answers peers. Its methods are called concurrently. An error is told to the
// peer: an [*Error] with its text, a sentinel of this package as its code, anything
// else as [ErrInternal]. A panic is an internal error as well.
//
// Every context has a deadline and ends when the server closes.
type Handler interface {
	// Hello learns who the peer is, again and again, and introduces this end. The
	// peer's version was checked.
	Hello(context.Context, Peer, Hello) (Hello, error)
	// Announce is told of a channel that pays this end, by a peer that has proven to
	// hold its session key, and says how it stands.
	Announce(context.Context, Peer, tlb.ChannelConfig) (ChannelStatus, error)
	// CloseChannel gives consent to close a channel, after which no request is
	// accepted on it. Like a request's header it names the channel by its public
	// address: the handler makes sure that this peer announced it.
	CloseChannel(ctx context.Context, p Peer, channel string) (tlb.SignedCoopClose, error)
	// Offers lists what this end serves.
	Offers(context.Context, Peer) ([]Offer, error)
	// Request serves one request. The context ends, with a cause, when the payer
	// cancels ([ErrCancelled]), breaks off ([ErrBroken]), the deadline passes
	// ([ErrDeadline]) or the server closes ([ErrDraining]); the handler then still
	// ends the request with what was delivered. If it returns without a terminal
	// event, the request fails with its error.
	Request(context.Context, Peer, *Incoming) error
}

// Server answers both protocols on a host.
type Server struct {
	host    host.Host
	handler Handler
	opts    Options
	limits  *limiter
	times   timeouts

	ctx  context.Context // ends with Close; parent of every call
	stop context.CancelCauseFunc

	mu struct {
		sync.Mutex
		draining bool
		streams  int
		idle     chan struct{} // closed when draining and no stream is left
	}
}

// Serve answers peers of the host with the handler until [Server.Close].
func Serve(h host.Host, handler Handler, o Options) *Server {
	return serve(h, handler, o, defaultTimeouts)
}

func serve(h host.Host, handler Handler, o Options, times timeouts) *Server {
	o = o.withDefaults()
	s := &Server{host: h, handler: handler, opts: o, limits: newLimiter(o.RequestsPerPeer, o.Requests), times: times}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	s.mu.idle = make(chan struct{})
	h.SetStreamHandler(ControlProtocol, func(st network.Stream) { s.stream(st, s.control) })
	h.SetStreamHandler(RequestProtocol, func(st network.Stream) { s.stream(st, s.request) })
	return s
}

// Drain refuses new streams with [ErrDraining] and waits for those in progress, or for
// the context.
func (s *Server) Drain(ctx context.Context) error {
	s.drain()
	select {
	case <-s.mu.idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends what is in progress with [ErrDraining] and waits for the handlers.
func (s *Server) Close() {
	s.drain()
	s.stop(ErrDraining)
	<-s.mu.idle
	s.host.RemoveStreamHandler(ControlProtocol)
	s.host.RemoveStreamHandler(RequestProtocol)
}

func (s *Server) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.draining {
		s.mu.draining = true
		if s.mu.streams == 0 {
			close(s.mu.idle)
		}
	}
}

// enter counts a stream, unless the server drains.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.draining {
		return false
	}
	s.mu.streams++
	return true
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.streams--; s.mu.streams == 0 && s.mu.draining {
		close(s.mu.idle)
	}
}

// stream runs one stream of either protocol and ends it: closed after an orderly end,
// reset otherwise, the connection with it if the peer broke the protocol.
func (s *Server) stream(st network.Stream, serve func(network.Stream, Peer, *frameReader, *frameWriter) error) {
	p, refusal := s.opts.admit(st.Conn())
	r := newFrameReader(st, s.times.frame)
	w := &frameWriter{w: st, timeout: s.times.write}
	err := func() error {
		if !s.enter() {
			return s.refuse(st, w, ErrDraining)
		}
		defer s.leave()
		if refusal != nil {
			s.opts.Log.Warn("peer not admitted", slog.String("peer", p.ID.String()), slog.Any("error", refusal))
			return s.refuse(st, w, ErrUnauthorised)
		}
		return serve(st, p, r, w)
	}()
	if err == nil {
		st.Close()
		return
	}
	hangUp(st, err, s.opts.Log)
}

// refuse answers without having read anything, in the protocol's way of refusing.
func (s *Server) refuse(st network.Stream, w *frameWriter, err error) error {
	if st.Protocol() == RequestProtocol {
		return w.write(FailedBy(err))
	}
	return w.write(refusedBy(refusalOf(err)))
}

// control answers one call.
func (s *Server) control(st network.Stream, p Peer, r *frameReader, w *frameWriter) error {
	done, ok := s.limits.call(p.ID)
	if !ok {
		return s.refuse(st, w, ErrOverloaded)
	}
	defer done()
	question, err := r.next(time.Now().Add(s.times.header))
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeoutCause(s.ctx, s.times.call, ErrDeadline)
	defer stop()
	answer, err := s.answer(ctx, p, question)
	if errors.Is(err, ErrViolation) {
		return err
	}
	if err == nil {
		err = answer.check()
	}
	if err != nil {
		answer = refusedBy(refusalOf(causeOf(ctx, err)))
	}
	return w.write(answer)
}

func (s *Server) answer(ctx context.Context, p Peer, question message) (answer message, err error) {
	defer s.recovered(p, &err)
	switch q := question.(type) {
	case Hello:
		if q.Version != Version {
			return nil, &Error{Code: CodeVersion, Message: fmt.Sprintf("this end speaks version %d", Version), Hint: "run the same release at both ends"}
		}
		if err := p.bears(q); err != nil {
			return nil, err
		}
		return asMessage(s.handler.Hello(ctx, p, q))
	case announce:
		if err := q.verify(p.ID, s.host.ID()); err != nil {
			return nil, err
		}
		return asMessage(s.handler.Announce(ctx, p, q.Config))
	case closeChannel:
		consent, err := s.handler.CloseChannel(ctx, p, q.Channel)
		return closeConsent{consent}, err
	case offersRequest:
		offers, err := s.handler.Offers(ctx, p)
		return offerList{offers}, err
	case ping:
		return pong{}, nil
	}
	return nil, violation(fmt.Errorf("%w: %s", ErrOrder, question.kind()))
}

func asMessage[M message](m M, err error) (message, error) { return m, err }

// request serves one request.
func (s *Server) request(st network.Stream, p Peer, r *frameReader, w *frameWriter) error {
	done, ok := s.limits.request(p.ID)
	if !ok {
		return s.refuse(st, w, ErrOverloaded)
	}
	defer done()
	first, err := r.next(time.Now().Add(s.times.header))
	if err != nil {
		return err
	}
	header, ok := first.(Header)
	if !ok {
		return violation(fmt.Errorf("%w: %s", ErrOrder, first.kind()))
	}
	served, ok := s.limits.serve()
	if !ok {
		return s.refuse(st, w, ErrOverloaded)
	}
	defer served()
	release, err := reserve(st, header.BodySize)
	if err != nil {
		return s.refuse(st, w, ErrOverloaded)
	}
	defer release()

	deadline, stop := context.WithTimeoutCause(s.ctx, header.Timeout, ErrDeadline)
	defer stop()
	ctx, cancel := context.WithCancelCause(deadline)
	defer cancel(ErrEnded)

	in := &Incoming{Header: header, vouchers: make(chan tlb.SignedVoucher, maxQueuedVouchers), body: newBodyBuffer(header.BodySize), w: w, broke: cancel}
	in.Body = in.body
	stopBody := context.AfterFunc(ctx, func() { in.body.fail(context.Cause(ctx)) })
	defer stopBody()

	listened := make(chan error, 1)
	go func() {
		err := in.listen(ctx, r, s.times)
		cancel(err)
		if errors.Is(err, ErrViolation) {
			hangUp(st, err, s.opts.Log) // now: the handler may take its time
		}
		listened <- err
	}()

	s.run(ctx, p, in)
	in.body.fail(ErrEnded)

	// The payer's side is read no more: what it still sends, such as a late voucher,
	// is dropped.
	st.CloseRead()
	if err := <-listened; errors.Is(err, ErrViolation) {
		return ErrBroken
	}
	return in.w.failure()
}

// run calls the handler and makes sure that the request has its terminal event.
func (s *Server) run(ctx context.Context, p Peer, in *Incoming) {
	err := func() (err error) {
		defer s.recovered(p, &err)
		return s.handler.Request(ctx, p, in)
	}()
	if in.ended() {
		return
	}
	if err == nil {
		err = ErrInternal
		s.opts.Log.Error("request handler returned without a terminal event", slog.String("peer", p.ID.String()))
	}
	in.Fail(FailedBy(causeOf(ctx, err)))
}

// recovered turns a panic into an internal error. The panic's value may quote a
// prompt, so only its type and where it happened are logged.
func (s *Server) recovered(p Peer, err *error) {
	if v := recover(); v != nil {
		s.opts.Log.Error("handler panic", slog.String("peer", p.ID.String()), slog.String("type", fmt.Sprintf("%T", v)), slog.String("stack", string(debug.Stack())))
		*err = ErrInternal
	}
}

// causeOf names the reason when a handler just returned its context's error.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return context.Cause(ctx)
	}
	return err
}
