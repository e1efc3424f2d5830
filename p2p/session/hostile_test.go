package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/tussah-network/tussah/tlb"
)

// waitsForEnd is a payee that accepts and then waits for the payer to go.
func waitsForEnd(ctx context.Context, _ Peer, in *Incoming) error {
	if err := answer(in); err != nil {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// TestHostilePayer sends what a Client would not. The payee disconnects, and says why.
func TestHostilePayer(t *testing.T) {
	header, voucher := testHeader(3), moreVoucher{testVoucher(t, 1)}
	request := func(rest ...message) []byte { return frames(t, append([]message{header}, rest...)...) }
	long := func(rest ...message) []byte {
		return frames(t, append([]message{testHeader(2*minPart + 1)}, rest...)...)
	}
	part := body{make([]byte, minPart)}
	flood := []message{header}
	for range maxQueuedVouchers + 1 {
		flood = append(flood, voucher)
	}
	for name, c := range map[string]struct {
		proto protocol.ID
		sent  []byte
		want  error
	}{
		"unknown kind":                 {RequestProtocol, rawFrame(77, "\xa0"), ErrUnknownKind},
		"unknown kind in a call":       {ControlProtocol, rawFrame(77, "\xa0"), ErrUnknownKind},
		"giant length":                 {RequestProtocol, uvarint(1 << 30), ErrFrameTooLarge},
		"giant length in a call":       {ControlProtocol, append(uvarint(maxControl+2), byte(KindHello)), ErrFrameTooLarge},
		"zero length":                  {RequestProtocol, []byte{0}, ErrFrameLength},
		"garbage":                      {ControlProtocol, rawFrame(KindHello, "\x00"), ErrMalformed},
		"second encoding":              {ControlProtocol, rawFrame(KindPing, "\xf6"), ErrNotCanonical},
		"an answer for a question":     {ControlProtocol, frames(t, pong{}), ErrOrder},
		"a request in a call":          {ControlProtocol, frames(t, header), ErrOrder},
		"a call in a request":          {RequestProtocol, frames(t, ping{}), ErrOrder},
		"body without header":          {RequestProtocol, frames(t, body{[]byte("abc")}), ErrOrder},
		"two headers":                  {RequestProtocol, request(header), ErrOrder},
		"what the payee says":          {RequestProtocol, request(Accepted{}), ErrOrder},
		"a terminal event":             {RequestProtocol, request(Failed{Code: CodeInternal}), ErrOrder},
		"body longer than said":        {RequestProtocol, request(body{[]byte("abcd")}), ErrBodySize},
		"body longer than said, later": {RequestProtocol, request(body{[]byte("abc")}, body{[]byte("d")}), ErrBodySize},
		"body shorter than said":       {RequestProtocol, long(part, bodyEnd{}), ErrBodySize},
		"body without parts":           {RequestProtocol, request(bodyEnd{}), ErrBodySize},
		"body in tiny parts":           {RequestProtocol, request(body{[]byte("ab")}), ErrTinyPart},
		"body in parts just too short": {RequestProtocol, long(part, body{make([]byte, minPart-1)}), ErrTinyPart},
		"body longer by a tiny part":   {RequestProtocol, long(part, part, body{[]byte("a")}, body{[]byte("b")}), ErrBodySize},
		"body after its end":           {RequestProtocol, request(body{[]byte("abc")}, bodyEnd{}, body{[]byte("a")}), ErrBodySize},
		"two ends of the body":         {RequestProtocol, request(body{[]byte("abc")}, bodyEnd{}, bodyEnd{}), ErrBodySize},
		"flood of vouchers":            {RequestProtocol, frames(t, flood...), ErrFlood},
		"garbage in mid-request":       {RequestProtocol, append(request(), rawFrame(KindVoucher, "\xa1\x01\x41a")...), ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, handler{request: waitsForEnd})
			st := p.rawStream(t, c.proto)
			if _, err := st.Write(c.sent); err != nil {
				t.Fatal(err)
			}
			st.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := io.Copy(io.Discard, st); err == nil {
				t.Error("the stream ended in order")
			} else if err := broken(err); !errors.Is(err, c.want) {
				t.Errorf("payer is told %v, want %v", err, c.want)
			}
			select {
			case <-p.disconnect:
			case <-time.After(5 * time.Second):
				t.Error("payer was not disconnected")
			}
			if log := p.log.String(); !strings.Contains(log, c.want.Error()) {
				t.Errorf("log does not say %q: %s", c.want, log)
			}
		})
	}
}

// TestHostilePayee answers what a Server would not. The payer stops believing it, and
// disconnects.
func TestHostilePayee(t *testing.T) {
	head := Head{Status: 200}
	done := Done{Receipt: testReceipt(t, [32]byte{7}, tlb.Usage{})}
	for name, c := range map[string]struct {
		answer []byte
		events int // that are believed
		want   error
	}{
		"part before head":       {frames(t, Accepted{}, Part{}), 1, ErrOrder},
		"spent falls":            {frames(t, Accepted{}, head, Part{Spent: 2}, Part{Spent: 1}), 3, ErrOrder},
		"done at once":           {frames(t, done), 0, ErrOrder},
		"two terminal events":    {frames(t, Accepted{}, head, done, done), 3, ErrEnded},
		"failed after done":      {frames(t, Accepted{}, head, done, Failed{Code: CodeInternal}), 3, ErrEnded},
		"part after done":        {frames(t, Accepted{}, head, done, Part{}), 3, ErrEnded},
		"what the payer says":    {frames(t, cancel{}), 0, ErrOrder},
		"a call's answer":        {frames(t, pong{}), 0, ErrOrder},
		"unknown kind":           {append(frames(t, Accepted{}), rawFrame(77, "\xa0")...), 1, ErrUnknownKind},
		"giant part":             {append(frames(t, Accepted{}, head), append(uvarint(maxFrame+1), byte(KindPart))...), 2, ErrFrameTooLarge},
		"garbage":                {rawFrame(KindAccepted, "\xa1\x01\x01"), 0, ErrMalformed},
		"end before the end":     {frames(t, Accepted{}, head), 2, ErrBroken},
		"end in mid-frame":       {frames(t, Accepted{}, head, Part{Data: []byte("abc")})[:12], 1, ErrBroken},
		"nothing at all":         {nil, 0, ErrBroken},
		"garbage after the end":  {append(frames(t, Accepted{}, head, done), 0), 3, ErrFrameLength},
		"terminal event, honest": {frames(t, Accepted{}, head, done), 3, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, handler{})
			p.payee.SetStreamHandler(RequestProtocol, func(st network.Stream) {
				st.Write(c.answer)
				st.Close()
			})
			out := p.request(t, testHeader(3), strings.NewReader("abc"))
			var err error
			events := -1
			for err == nil {
				_, err = out.Next(t.Context())
				events++
			}
			if !errors.Is(err, c.want) || events != c.events {
				t.Errorf("after %d events: %v, want %v after %d", events, err, c.want, c.events)
			}
			if errors.Is(err, ErrViolation) {
				select {
				case <-p.disconnect:
				case <-time.After(5 * time.Second):
					t.Error("payee was not disconnected")
				}
			}
		})
	}
	for name, c := range map[string]struct {
		answer []byte
		want   error
	}{
		"another answer":   {frames(t, pong{}), ErrOrder},
		"a question":       {frames(t, testHello()), ErrOrder},
		"garbage":          {rawFrame(KindOfferList, "\x01"), ErrMalformed},
		"nothing":          {nil, ErrBroken},
		"half an answer":   {frames(t, offerList{})[:2], ErrBroken},
		"a giant answer":   {append(uvarint(maxControl+2), byte(KindOfferList)), ErrFrameTooLarge},
		"an unknown error": {rawFrame(KindRefused, "\xa5\x01\x18\xff\x02\x60\x03\x60\x04\x00\x05\x00"), ErrMalformed},
	} {
		t.Run("call: "+name, func(t *testing.T) {
			p := newPair(t, handler{})
			p.payee.SetStreamHandler(ControlProtocol, func(st network.Stream) {
				st.Write(c.answer)
				st.Close()
			})
			if _, err := p.client.Offers(t.Context(), p.payee.ID()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestSlowLoris: a peer that sends a byte now and then is cut off in time.
func TestSlowLoris(t *testing.T) {
	header, short := frames(t, testHeader(40)), frames(t, body{make([]byte, minPart)})
	for name, c := range map[string]struct {
		proto   protocol.ID
		first   []byte // sent at once
		trickle []byte // sent piece by piece
		piece   int    // bytes of a piece
		within  time.Duration
		told    bool // the payer is told that it missed the deadline
	}{
		"nothing in a call":       {ControlProtocol, nil, nil, 1, shortTimes.header, false},
		"nothing in a request":    {RequestProtocol, nil, nil, 1, shortTimes.header, false},
		"a hello":                 {ControlProtocol, nil, frames(t, testHello()), 1, shortTimes.frame, false},
		"a header":                {RequestProtocol, nil, header, 1, shortTimes.frame, false},
		"no body":                 {RequestProtocol, header, nil, 1, shortTimes.body, true},
		"a body in one part":      {RequestProtocol, header, rawFrame(KindBody, "\xa1\x01\x58\x28"+strings.Repeat("x", 40)), 1, shortTimes.frame, true},
		"a body in short parts":   {RequestProtocol, frames(t, testHeader(40*minPart)), bytes.Repeat(short, 39), len(short), shortTimes.body, true},
		"a voucher in mid-stream": {RequestProtocol, header, frames(t, moreVoucher{testVoucher(t, 1)}), 1, shortTimes.frame, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cause := make(chan error, 1)
			p := newPairWith(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
				<-ctx.Done()
				cause <- context.Cause(ctx)
				return ctx.Err()
			}}, Options{Admit: anyone}, shortTimes)
			st := p.rawStream(t, c.proto)
			st.Write(c.first)
			go func() {
				for piece := range slices.Chunk(c.trickle, c.piece) {
					if _, err := st.Write(piece); err != nil {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
			}()
			start := time.Now()
			st.SetReadDeadline(start.Add(10 * time.Second))
			said, _ := io.ReadAll(st)
			if took := time.Since(start); took > c.within+2*time.Second {
				t.Errorf("held on for %s, want %s", took, c.within)
			}
			if !c.told {
				return
			}
			if err := <-cause; !errors.Is(err, ErrDeadline) {
				t.Errorf("payee: got %v, want ErrDeadline", err)
			}
			if m, err := readFrames(said).next(soon()); err != nil || m.(Failed).Code != CodeDeadline {
				t.Errorf("payer is told %+v, %v", m, err)
			}
		})
	}
}

// TestBackPressure: a payer that does not read stalls the payee, and after the write
// timeout the stream breaks at both ends.
func TestBackPressure(t *testing.T) {
	var sent atomic.Int64
	broke := make(chan error, 1)
	part := randomBytes(MaxPart)
	p := newPairWith(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		if err := answer(in); err != nil {
			return err
		}
		for {
			if err := in.Part(Part{Data: part}); err != nil {
				<-ctx.Done()
				broke <- context.Cause(ctx)
				return err
			}
			sent.Add(1)
		}
	}}, Options{Admit: anyone}, shortTimes)
	out := p.request(t, testHeader(3), strings.NewReader("abc"))
	next[Accepted](t, out)
	next[Head](t, out)
	if err := <-broke; !errors.Is(err, ErrBroken) {
		t.Errorf("payee: got %v, want ErrBroken", err)
	}
	// One window of yamux (256 KiB at first), and a part in each end's hands.
	if n := sent.Load(); n > 8 {
		t.Errorf("%d parts of 256 KiB were taken from the payee", n)
	}
	var err error
	for err == nil {
		_, err = out.Next(t.Context())
	}
	if !errors.Is(err, ErrBroken) {
		t.Errorf("payer: got %v, want ErrBroken", err)
	}
}

// TestStuckBody: a payee that does not read does not keep the payer from leaving.
func TestStuckBody(t *testing.T) {
	p := newPairWith(t, handler{}, Options{Admit: anyone}, shortTimes)
	release := make(chan struct{})
	p.payee.SetStreamHandler(RequestProtocol, func(st network.Stream) {
		<-release
		st.Reset()
	})
	defer close(release)
	out := p.request(t, testHeader(MaxBody), strings.NewReader(strings.Repeat("x", MaxBody)))
	time.Sleep(50 * time.Millisecond) // the window fills
	start := time.Now()
	if err := out.Cancel(); !errors.Is(err, ErrBroken) {
		t.Errorf("cancel: got %v, want ErrBroken", err)
	}
	if took := time.Since(start); took > shortTimes.cancel+2*time.Second {
		t.Errorf("cancel took %s", took)
	}
	if _, err := out.Next(t.Context()); !errors.Is(err, ErrBroken) {
		t.Errorf("next: got %v, want ErrBroken", err)
	}
}

func TestLimitsPerPeer(t *testing.T) {
	started, release := make(chan struct{}, 8), make(chan struct{})
	p := newPairWith(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		started <- struct{}{}
		<-release
		return ErrNoWorker
	}}, Options{Admit: anyone, RequestsPerPeer: 2}, testTimes)
	var busy []*Outgoing
	for range 2 {
		busy = append(busy, p.request(t, testHeader(3), strings.NewReader("abc")))
		<-started
	}
	third := p.request(t, testHeader(3), strings.NewReader("abc"))
	if got := next[Failed](t, third); got.Code != CodeOverloaded {
		t.Errorf("third request: %+v, want overloaded", got)
	}
	close(release)
	for _, out := range busy {
		next[Failed](t, out)
		wantEnd(t, out)
	}
	if got := next[Failed](t, p.request(t, testHeader(3), strings.NewReader("abc"))); got.Code != CodeNoWorker {
		t.Errorf("after the others: %+v", got)
	}

	overloaded := 0
	for range 2 * controlBurst {
		if _, err := p.client.Ping(t.Context(), p.payee.ID()); errors.Is(err, ErrOverloaded) {
			overloaded++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if overloaded == 0 {
		t.Error("calls without end were answered")
	}
	select {
	case <-p.disconnect:
		t.Error("a busy peer was disconnected")
	default:
	}
}

// TestIdleStreamsDoNotCount: streams without a header use up what their peer may have,
// not what all may have.
func TestIdleStreamsDoNotCount(t *testing.T) {
	p := newPairWith(t, handler{request: func(context.Context, Peer, *Incoming) error { return ErrNoWorker }},
		Options{Admit: anyone, RequestsPerPeer: 8, Requests: 1}, testTimes)
	for range 4 {
		p.rawStream(t, RequestProtocol).Write([]byte{0x20})
	}
	if got := next[Failed](t, p.request(t, testHeader(3), strings.NewReader("abc"))); got.Code != CodeNoWorker {
		t.Errorf("got %+v, want no worker", got)
	}
	started, release := make(chan struct{}), make(chan struct{})
	p = newPairWith(t, handler{request: func(context.Context, Peer, *Incoming) error {
		close(started)
		<-release
		return ErrNoWorker
	}}, Options{Admit: anyone, Requests: 1}, testTimes)
	first := p.request(t, testHeader(3), strings.NewReader("abc"))
	<-started
	if got := next[Failed](t, p.request(t, testHeader(3), strings.NewReader("abc"))); got.Code != CodeOverloaded {
		t.Errorf("second of one: got %+v, want overloaded", got)
	}
	close(release)
	next[Failed](t, first)
}

// TestBodiesAreCountedAsMemory: requests beyond the peer's memory are refused, not
// buffered.
func TestBodiesAreCountedAsMemory(t *testing.T) {
	release := make(chan struct{})
	p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		if err := in.Accept(); err != nil {
			return err
		}
		<-release
		return ErrNoWorker
	}})
	defer close(release)
	never, w := io.Pipe()
	defer w.Close()
	accepted := 0
	for range 20 {
		e, err := p.request(t, testHeader(MaxBody), never).Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := e.(Failed); ok {
			if f.Code != CodeOverloaded {
				t.Errorf("got %+v, want overloaded", f)
			}
			break
		}
		accepted++
	}
	if accepted == 0 || accepted > 8 {
		t.Errorf("%d bodies of 8 MiB were accepted from one peer", accepted)
	}
}

// TestResetStorm: streams opened and reset as fast as possible leave nothing behind,
// and an honest request is served in between.
func TestResetStorm(t *testing.T) {
	p := newPair(t, handler{request: waitsForEnd, offers: func(context.Context, Peer) ([]Offer, error) { return nil, nil }})
	runtime.GC()
	before := runtime.NumGoroutine()
	header := frames(t, testHeader(3))
	var storm sync.WaitGroup
	for range 4 {
		storm.Go(func() {
			for i := range 100 {
				st, err := p.payer.NewStream(context.Background(), p.payee.ID(), RequestProtocol)
				if err != nil {
					continue // a limit of the payee's host
				}
				st.Write(header[:i%len(header)])
				st.Reset()
			}
		})
	}
	storm.Wait()
	out := p.request(t, testHeader(3), strings.NewReader("abc"))
	switch e, err := out.Next(t.Context()); e.(type) {
	case Accepted:
	default:
		t.Errorf("honest request: %v, %v", e, err)
	}
	out.Close()
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before+5; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before the storm", runtime.NumGoroutine(), before)
		}
	}
}

func TestLimiterForgetsIdlePeers(t *testing.T) {
	l := newLimiter(1, 1)
	for i := range trackedPeers {
		done, ok := l.call(testPeerID(i))
		if !ok {
			t.Fatalf("peer %d refused", i)
		}
		done()
	}
	if _, ok := l.call("newcomer"); ok {
		t.Error("the table of peers grows without bound")
	}
	for _, load := range l.mu.peers {
		load.last = load.last.Add(-time.Minute)
	}
	if _, ok := l.call("newcomer"); !ok {
		t.Error("idle peers are not forgotten")
	}
	if n := len(l.mu.peers); n != 1 {
		t.Errorf("%d peers in the table, want 1", n)
	}
}
