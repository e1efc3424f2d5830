package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/tlb"
)

// Outgoing is a request at the payer. The caller takes its events with Next until
// [Done] or [Failed], and closes it in any case. Its methods are safe for concurrent
// use.
type Outgoing struct {
	// Peer serves the request. Its appraisal is of the connection that carries it.
	Peer Peer

	client *Client
	st     network.Stream
	w      *frameWriter
	events chan Event
	closed chan struct{} // the caller closed it

	mu struct {
		sync.Mutex
		err   error // why no more events come, once events is closed
		ended bool  // the terminal event was read
		gone  bool  // the stream was closed or reset
	}
}

// Request opens a request and starts to send its body, which must be exactly
// h.BodySize bytes long. The context bounds the opening only. The body is read until
// the request ends; a reader that blocks longer holds a goroutine as long.
//
// A header that no payee would take is [ErrBadRequest].
func (c *Client) Request(ctx context.Context, id peer.ID, h Header, body io.Reader) (*Outgoing, error) {
	if err := h.check(); err != nil {
		return nil, &Error{Code: CodeBadRequest, Message: err.Error()}
	}
	st, p, err := c.open(ctx, id, RequestProtocol)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	w := &frameWriter{w: st, timeout: c.times.write}
	reset := context.AfterFunc(ctx, func() { st.Reset() })
	err = w.write(h)
	if !reset() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		hangUp(st, err, c.opts.Log)
		return nil, fmt.Errorf("request: %w", err)
	}
	o := &Outgoing{Peer: p, client: c, st: st, w: w, events: make(chan Event), closed: make(chan struct{})}
	go o.sendBody(body, h.BodySize)
	go o.listen(time.Now().Add(h.Timeout + c.times.grace))
	return o, nil
}

// Next waits for the next event. After the terminal event it returns io.EOF. Any other
// error means that none will come: [ErrBroken], [ErrViolation], or that of the body's
// reader; or that the context ended, which leaves the request as it is.
func (o *Outgoing) Next(ctx context.Context) (Event, error) {
	select {
	case e, ok := <-o.events:
		if !ok {
			return nil, o.failure()
		}
		return e, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// SendVoucher authorises more.
func (o *Outgoing) SendVoucher(v tlb.SignedVoucher) error {
	if o.ended() {
		return ErrEnded
	}
	return o.w.write(moreVoucher{v})
}

// Cancel asks the payee to stop. Events go on until the terminal one, which says what
// the delivered part costs. A payee that cannot be reached in time is cut off.
func (o *Outgoing) Cancel() error {
	if o.ended() {
		return ErrEnded
	}
	// The reset also frees a body part that is stuck in front of us.
	late := time.AfterFunc(o.client.times.cancel, func() { o.st.Reset() })
	defer late.Stop()
	err := o.w.write(cancel{})
	if err != nil {
		o.abort(err)
	}
	return err
}

// Close frees the request. Before the terminal event it breaks off: the payee stops,
// and the receipt of what it delivered is lost; see [Outgoing.Cancel].
func (o *Outgoing) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mu.gone {
		return
	}
	o.mu.gone = true
	close(o.closed)
	if o.mu.ended {
		o.st.Close()
		return
	}
	if o.mu.err == nil {
		o.mu.err = fmt.Errorf("%w: closed by the payer", ErrBroken)
	}
	o.st.Reset()
}

func (o *Outgoing) ended() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.ended
}

func (o *Outgoing) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.err
}

// abort breaks off because of err, if nothing else ended the request before.
func (o *Outgoing) abort(err error) {
	o.mu.Lock()
	if o.mu.err == nil && !o.mu.ended {
		o.mu.err = err
	}
	o.mu.Unlock()
	hangUp(o.st, err, o.client.opts.Log)
}

// sendBody cuts the body into parts. What goes wrong after the terminal event is of
// no interest: the payee may refuse without having read the body.
func (o *Outgoing) sendBody(r io.Reader, size uint64) {
	err := func() error {
		buf := make([]byte, min(size, MaxPart))
		for left := size; left > 0; {
			n, err := io.ReadFull(r, buf[:min(left, MaxPart)])
			if err != nil {
				return fmt.Errorf("%w: %w", ErrBodySize, noEOF(err))
			}
			if err := o.w.write(body{buf[:n]}); err != nil {
				return err
			}
			left -= uint64(n)
		}
		if n, err := io.ReadFull(r, buf[:1]); n != 0 || err != io.EOF {
			return fmt.Errorf("%w: reader goes on", ErrBodySize)
		}
		return o.w.write(bodyEnd{})
	}()
	// A broken stream is for listen to tell: it may still hold the terminal event.
	if err != nil && !errors.Is(err, ErrBroken) {
		o.abort(fmt.Errorf("send request body: %w", err))
	}
}

// listen reads events until the stream ends and hands them over one by one, so that
// a caller that does not take them stalls the payee.
func (o *Outgoing) listen(deadline time.Time) {
	defer close(o.events)
	r := newFrameReader(o.st, o.client.times.frame)
	var said order
	for {
		m, err := r.next(deadline)
		if err == io.EOF && said.phase == phaseEnded {
			o.finish(io.EOF)
			return
		}
		if err == io.EOF {
			err = fmt.Errorf("%w: payee left", ErrBroken)
		}
		if err == nil {
			e, ok := m.(Event)
			if !ok {
				err = violation(fmt.Errorf("%w: %s", ErrOrder, m.kind()))
			} else if said, err = said.step(e); err != nil {
				err = violation(err)
			} else {
				if said.phase == phaseEnded {
					o.end()
					deadline = earlier(deadline, time.Now().Add(o.client.times.cancel))
				}
				select {
				case o.events <- e:
				case <-o.closed:
					o.finish(io.EOF)
					return
				}
				continue
			}
		}
		if said.phase == phaseEnded && !errors.Is(err, ErrViolation) {
			err = io.EOF // the end was heard; how the stream goes away does not matter
		}
		o.finish(err)
		return
	}
}

func (o *Outgoing) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.ended = true
}

// finish records why no more events come. What abort recorded came first and caused
// the error seen here.
func (o *Outgoing) finish(err error) {
	o.mu.Lock()
	if o.mu.err == nil {
		o.mu.err = err
	}
	o.mu.Unlock()
	if err != io.EOF {
		hangUp(o.st, err, o.client.opts.Log)
	}
}
