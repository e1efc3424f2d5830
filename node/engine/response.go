package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tussah-network/tussah/tlb"
)

// Part is a piece of an answer: one or more whole events of a stream, or the whole JSON answer.
type Part struct {
	Bytes []byte    // as the engine sent them; the caller's to keep
	Usage tlb.Usage // counted up to and with this part
}

// Response is an answer in the making. One goroutine reads it; Close may come from any.
type Response struct {
	// ContentType is "text/event-stream" or "application/json".
	ContentType string

	ctx    context.Context // of this exchange; cancelling it closes the connection
	cancel context.CancelCauseFunc
	watch  *time.Timer // cancels ctx with errSilent unless stopped in time
	idle   time.Duration

	body      io.ReadCloser
	events    *events // of a stream
	whole     []byte  // of a JSON answer, until Next has handed it out
	hideUsage bool    // drop the event that only brings the usage
	meter     meter
	begun     bool  // the first event has come
	done      bool  // the stream's "[DONE]" was seen
	end       error // what Next ends with, once it has
}

// Next returns the next part. It ends with exactly one error, and with the same on every later call: io.EOF if the answer
// is complete and its usage known, [ErrNoUsage] if only the usage is missing, [ErrGarbage], [ErrDown] or the context's
// error if the answer broke off.
func (r *Response) Next() (Part, error) {
	if r.end != nil {
		return Part{}, r.end
	}
	part, err := r.next()
	if err != nil {
		r.end = err
		r.Close()
	}
	return part, err
}

func (r *Response) next() (Part, error) {
	if r.events == nil {
		if r.whole == nil {
			return Part{}, io.EOF
		}
		part := Part{Bytes: r.whole, Usage: r.meter.usage}
		r.whole = nil
		return part, nil
	}
	// The watchdog runs while we wait for the engine, not while our caller takes its time. For the first event it
	// was set by Do.
	if r.begun {
		r.watch.Reset(r.idle)
	}
	defer r.watch.Stop()
	for !r.done {
		e, err := r.events.next()
		r.watch.Reset(r.idle)
		r.begun = true
		if err != nil {
			return Part{}, failure(r.ctx, err) // io.EOF too: no engine ends without [DONE]
		}
		switch {
		case len(e.data) == 0: // a comment, to keep the connection alive
		case string(e.data) == "[DONE]":
			r.done = true
		default:
			usageOnly, err := r.meter.chunk(e.data)
			if err != nil {
				return Part{}, err
			}
			if usageOnly && r.hideUsage {
				continue
			}
		}
		return Part{Bytes: e.raw, Usage: r.meter.usage}, nil
	}
	r.drain()
	if !r.meter.stated {
		return Part{}, ErrNoUsage
	}
	return Part{}, io.EOF
}

// drain reads to the end of a finished stream, so that the connection can serve the next request. That end is already
// there, as a rule; an engine that holds it back costs a connection and a moment.
func (r *Response) drain() {
	r.watch.Reset(50 * time.Millisecond)
	_, _ = io.Copy(io.Discard, io.LimitReader(r.body, 4<<10))
}

// readWhole reads a JSON answer. It is worth nothing without usage, so that is looked for at once.
func (r *Response) readWhole() error {
	whole, err := readAll(r.body, maxAnswer)
	if err != nil {
		return failure(r.ctx, err)
	}
	if _, err := r.meter.chunk(whole); err != nil {
		return err
	}
	if !r.meter.stated {
		return ErrNoUsage
	}
	r.whole = whole
	r.watch.Stop()
	return nil
}

// Final returns what the request used, and why the answer ended; nil means complete. If the answer broke off, the usage
// is what was counted up to there. Before Next has ended it returns an error.
func (r *Response) Final() (tlb.Usage, error) {
	switch {
	case r.end == nil:
		return tlb.Usage{}, errors.New("engine: the answer has not ended yet")
	case errors.Is(r.end, io.EOF):
		return r.meter.usage, nil
	}
	return r.meter.usage, fmt.Errorf("answer ended early: %w", r.end)
}

// Close stops the engine's work on this answer, if it is still at it, and frees the connection.
func (r *Response) Close() error {
	r.watch.Stop()
	r.cancel(context.Canceled)
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}
