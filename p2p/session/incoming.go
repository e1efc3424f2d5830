package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/tussah-network/tussah/tlb"
)

// Incoming is a request at the payee. Its methods say the events of the request, in
// the order that [Event] describes; they block while the payer does not read, and
// return [ErrBroken] once it cannot be reached. They are safe for concurrent use.
type Incoming struct {
	Header Header

	// Body yields the request's body, exactly Header.BodySize bytes, then io.EOF. It
	// may be read late or not at all. It fails when the request ends before the
	// body is complete.
	Body io.Reader

	vouchers chan tlb.SignedVoucher
	body     *bodyBuffer
	w        *frameWriter
	broke    context.CancelCauseFunc // ends the request's context

	mu struct {
		sync.Mutex
		order order
	}
}

// Vouchers yields the vouchers that the payer sends after its header. It is never
// closed; when no more can come the request's context has ended, so whoever awaits a
// voucher selects on both.
func (in *Incoming) Vouchers() <-chan tlb.SignedVoucher { return in.vouchers }

// Accept says that the request was admitted.
func (in *Incoming) Accept() error { return in.say(Accepted{}) }

// Head says how the engine answers.
func (in *Incoming) Head(h Head) error { return in.say(h) }

// Part passes on a piece of the answer.
func (in *Incoming) Part(p Part) error { return in.say(p) }

// NeedVoucher asks the payer for more authorisation.
func (in *Incoming) NeedVoucher(n NeedVoucher) error { return in.say(n) }

// Done ends the request with success. After an error the payer does not have the
// receipt.
func (in *Incoming) Done(d Done) error { return in.say(d) }

// Fail ends the request without success; [FailedBy] makes a Failed of an error.
func (in *Incoming) Fail(f Failed) error { return in.say(f) }

func (in *Incoming) say(e Event) error {
	// The lock is held while writing, so that the order on the wire is the order
	// that was checked.
	in.mu.Lock()
	defer in.mu.Unlock()
	next, err := in.mu.order.step(e)
	if err != nil {
		return err
	}
	if err := in.w.write(e); err != nil {
		if errors.Is(err, ErrBroken) {
			in.mu.order.phase = phaseEnded
			in.broke(err)
		}
		return err
	}
	in.mu.order = next
	return nil
}

func (in *Incoming) ended() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.mu.order.phase == phaseEnded
}

// listen reads what the payer sends after the header, until the stream ends. It
// never waits for the handler, so a Cancel is seen at once. Its result says why the
// payer can be heard no more.
func (in *Incoming) listen(ctx context.Context, r *frameReader, t timeouts) error {
	deadline, _ := ctx.Deadline()
	deadline = deadline.Add(t.grace)
	bodyDeadline := earlier(deadline, time.Now().Add(t.body))
	for {
		until := deadline
		if !in.body.complete() {
			until = bodyDeadline
		}
		m, err := r.next(until)
		if err == io.EOF {
			return fmt.Errorf("%w: payer left", ErrBroken)
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return fmt.Errorf("%w: payer is too slow", ErrDeadline)
		}
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case body:
			err = in.body.push(m.Data)
		case bodyEnd:
			err = in.body.end()
		case moreVoucher:
			select {
			case in.vouchers <- m.Signed:
			default:
				err = violation(ErrFlood)
			}
		case cancel:
			return ErrCancelled
		default:
			err = violation(fmt.Errorf("%w: %s", ErrOrder, m.kind()))
		}
		if err != nil {
			return err
		}
	}
}

// bodyBuffer holds what arrived of a body, until all of it was read. It is one piece of
// memory that never grows beyond the size in the header, for which memory was reserved:
// however the payer cuts the body, no part costs more than its bytes.
type bodyBuffer struct {
	size uint64

	mu struct {
		sync.Mutex
		data   []byte // what arrived
		read   int    // how much of data was read
		left   uint64 // bytes still to arrive
		closed bool   // BodyEnd came
		err    error  // why no more will arrive
	}
	news chan struct{} // holds a token while something changed since the last look
}

func newBodyBuffer(size uint64) *bodyBuffer {
	b := &bodyBuffer{size: size, news: make(chan struct{}, 1)}
	b.mu.left = size
	return b
}

func (b *bodyBuffer) push(data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := uint64(len(data))
	if b.mu.closed || n > b.mu.left {
		return violation(ErrBodySize)
	}
	if n < minPart && n != b.mu.left {
		return violation(ErrTinyPart)
	}
	b.mu.left -= n
	if b.mu.err == nil { // else nobody will read it
		b.grow(len(b.mu.data) + len(data))
		b.mu.data = append(b.mu.data, data...)
		b.wake()
	}
	return nil
}

// grow makes room for n bytes. Memory follows what arrives; append alone would go
// beyond the body's size.
func (b *bodyBuffer) grow(n int) {
	if n <= cap(b.mu.data) {
		return
	}
	data := make([]byte, len(b.mu.data), min(int(b.size), max(n, 2*cap(b.mu.data))))
	copy(data, b.mu.data)
	b.mu.data = data
}

func (b *bodyBuffer) end() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.closed || b.mu.left != 0 {
		return violation(ErrBodySize)
	}
	b.mu.closed = true
	b.wake()
	return nil
}

// fail makes reads return err, after a complete body was read.
func (b *bodyBuffer) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.err == nil {
		b.mu.err = err
		b.wake()
	}
}

func (b *bodyBuffer) complete() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.closed
}

func (b *bodyBuffer) wake() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// Read has one caller at a time, like any reader.
func (b *bodyBuffer) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err, ok := b.take(p)
		if ok {
			return n, err
		}
		<-b.news
	}
}

func (b *bodyBuffer) take(p []byte) (int, error, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.mu.err != nil && !b.mu.closed:
		return 0, b.mu.err, true
	case b.mu.read < len(b.mu.data):
		n := copy(p, b.mu.data[b.mu.read:])
		if b.mu.read += n; b.mu.closed && b.mu.read == len(b.mu.data) {
			b.mu.data, b.mu.read = nil, 0 // the request may go on for long
		}
		return n, nil, true
	case b.mu.closed:
		return 0, io.EOF, true
	}
	return 0, nil, false
}

// reserve takes memory for a body from the stream's resource scope, which counts it
// against the peer and the whole host.
func reserve(s network.Stream, size uint64) (release func(), err error) {
	if err := s.Scope().ReserveMemory(int(size), network.ReservationPriorityMedium); err != nil {
		return nil, err
	}
	return func() { s.Scope().ReleaseMemory(int(size)) }, nil
}
