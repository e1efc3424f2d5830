package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/tlb"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// answer serves a request with parts, one token each.
func answer(in *Incoming, parts ...string) error {
	if err := in.Accept(); err != nil {
		return err
	}
	if err := in.Head(Head{Status: 200, ContentType: "text/event-stream"}); err != nil {
		return err
	}
	for i, part := range parts {
		if err := in.Part(Part{Data: []byte(part), Usage: tlb.Usage{Completion: uint64(i + 1)}, Spent: tlb.Nano(i + 1)}); err != nil {
			return err
		}
	}
	return nil
}

func TestStreaming(t *testing.T) {
	sent := randomBytes(3*MaxPart + 17)
	header := testHeader(len(sent))
	voucher := testVoucher(t, 3)
	header.Voucher = &voucher
	usage := tlb.Usage{Prompt: 20, Completion: 3}
	done := Done{Usage: usage, Cost: 3, Receipt: testReceipt(t, header.ID, usage)}
	p := newPair(t, handler{request: func(ctx context.Context, who Peer, in *Incoming) error {
		if !cmp.Equal(header, in.Header, sameMessage) {
			t.Errorf("header:\n%s", cmp.Diff(header, in.Header, sameMessage))
		}
		got, err := io.ReadAll(in.Body)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("body: %d bytes, %v", len(got), err)
		}
		if err := answer(in, "one", "two", "three"); err != nil {
			return err
		}
		return in.Done(done)
	}})
	out := p.request(t, header, bytes.NewReader(sent))
	if out.Peer.ID != p.payee.ID() || out.Peer.Appraisal == nil {
		t.Errorf("served by %+v", out.Peer)
	}
	next[Accepted](t, out)
	if got := next[Head](t, out); got.Status != 200 || got.ContentType != "text/event-stream" {
		t.Errorf("head %+v", got)
	}
	for i, want := range []string{"one", "two", "three"} {
		got := next[Part](t, out)
		if string(got.Data) != want || got.Spent != tlb.Nano(i+1) || got.Usage.Completion != uint64(i+1) {
			t.Errorf("part %d: %+v", i, got)
		}
	}
	if diff := cmp.Diff(done, next[Done](t, out), sameMessage); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	wantEnd(t, out)
}

// TestVoucherInMidStream: the payee delivers what is authorised, asks, and goes on.
func TestVoucherInMidStream(t *testing.T) {
	p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		if err := answer(in, "one"); err != nil {
			return err
		}
		if err := in.NeedVoucher(NeedVoucher{Spent: 1, Need: 2}); err != nil {
			return err
		}
		select {
		case v := <-in.Vouchers():
			if v.Voucher.Cumulative != 2 {
				return &Error{Code: CodeVoucherLow}
			}
		case <-ctx.Done():
			return ErrPaymentStopped
		}
		if err := in.Part(Part{Data: []byte("two"), Spent: 2}); err != nil {
			return err
		}
		return in.Done(Done{Cost: 2, Receipt: testReceipt(t, in.Header.ID, tlb.Usage{})})
	}})
	for _, c := range []struct {
		cumulative tlb.Nano
		served     bool
	}{{2, true}, {1, false}} {
		out := p.request(t, testHeader(3), strings.NewReader("abc"))
		next[Accepted](t, out)
		next[Head](t, out)
		next[Part](t, out)
		if got := next[NeedVoucher](t, out); got.Spent != 1 || got.Need != 2 {
			t.Errorf("need %+v", got)
		}
		if err := out.SendVoucher(testVoucher(t, c.cumulative)); err != nil {
			t.Fatal(err)
		}
		if !c.served {
			if got := next[Failed](t, out); !errors.Is(got.Err(), ErrVoucherLow) {
				t.Errorf("low voucher: %+v", got)
			}
			continue
		}
		next[Part](t, out)
		next[Done](t, out)
	}
}

// TestLargeBodyDoesNotBlockVouchers: a payee that waits for a voucher before it reads
// a body of many windows must get it.
func TestLargeBodyDoesNotBlockVouchers(t *testing.T) {
	sent := randomBytes(MaxBody / 3)
	p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		if err := in.NeedVoucher(NeedVoucher{Need: 5}); err != nil {
			return err
		}
		select {
		case <-in.Vouchers():
		case <-ctx.Done():
			return ctx.Err()
		}
		if got, err := io.ReadAll(in.Body); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("body: %d bytes, %v", len(got), err)
		}
		if err := answer(in); err != nil {
			return err
		}
		return in.Done(Done{Receipt: testReceipt(t, in.Header.ID, tlb.Usage{})})
	}})
	out := p.request(t, testHeader(len(sent)), bytes.NewReader(sent))
	next[NeedVoucher](t, out)
	if err := out.SendVoucher(testVoucher(t, 5)); err != nil {
		t.Fatal(err)
	}
	next[Accepted](t, out)
	next[Head](t, out)
	next[Done](t, out)
}

func TestCancelInMidStream(t *testing.T) {
	stopped := make(chan error, 1)
	receipt := testReceipt(t, [32]byte{7}, tlb.Usage{Completion: 1})
	p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		if err := answer(in, "one"); err != nil {
			return err
		}
		<-ctx.Done()
		stopped <- context.Cause(ctx)
		failed := FailedBy(context.Cause(ctx))
		failed.Cost, failed.Receipt = 1, &receipt
		return in.Fail(failed)
	}})
	out := p.request(t, testHeader(3), strings.NewReader("abc"))
	next[Accepted](t, out)
	next[Head](t, out)
	next[Part](t, out)
	if err := out.Cancel(); err != nil {
		t.Fatal(err)
	}
	got := next[Failed](t, out)
	if !errors.Is(got.Err(), ErrCancelled) || got.Cost != 1 || got.Receipt == nil {
		t.Errorf("got %+v, want what was delivered and its receipt", got)
	}
	if err := <-stopped; !errors.Is(err, ErrCancelled) {
		t.Errorf("payee: got %v, want ErrCancelled", err)
	}
	wantEnd(t, out)
}

// TestBreakingOff: both ends learn that the stream broke.
func TestBreakingOff(t *testing.T) {
	stopped := make(chan error, 1)
	started := make(chan *Incoming, 1)
	p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		if err := answer(in); err != nil {
			return err
		}
		started <- in
		<-ctx.Done()
		stopped <- context.Cause(ctx)
		return ctx.Err()
	}})
	t.Run("payer closes", func(t *testing.T) {
		out := p.request(t, testHeader(3), strings.NewReader("abc"))
		in := <-started
		next[Accepted](t, out)
		out.Close()
		out.Close()
		if err := <-stopped; !errors.Is(err, ErrBroken) {
			t.Errorf("payee: got %v, want ErrBroken", err)
		}
		if len(in.Vouchers()) != 0 {
			t.Error("a voucher out of nothing")
		}
		if e, err := out.Next(t.Context()); !errors.Is(err, ErrBroken) {
			t.Errorf("next when closed: got %v, %v, want ErrBroken", e, err)
		}
	})
	t.Run("payer loses the connection", func(t *testing.T) {
		out := p.request(t, testHeader(3), strings.NewReader("abc"))
		<-started
		next[Accepted](t, out)
		next[Head](t, out)
		p.payee.Network().ClosePeer(p.payer.ID())
		if e, err := out.Next(t.Context()); !errors.Is(err, ErrBroken) {
			t.Errorf("payer: got %v, %v, want ErrBroken", e, err)
		}
		if err := <-stopped; !errors.Is(err, ErrBroken) {
			t.Errorf("payee: got %v, want ErrBroken", err)
		}
		if err := out.SendVoucher(testVoucher(t, 1)); !errors.Is(err, ErrBroken) {
			t.Errorf("voucher: got %v, want ErrBroken", err)
		}
	})
}

// TestExactlyOneTerminalEvent tells what the payee's API does with handlers that say
// too much or too little.
func TestExactlyOneTerminalEvent(t *testing.T) {
	receipt := testReceipt(t, [32]byte{7}, tlb.Usage{})
	for name, c := range map[string]struct {
		handle func(ctx context.Context, in *Incoming) error
		want   Code // zero: Done
	}{
		"nothing":               {func(context.Context, *Incoming) error { return nil }, CodeInternal},
		"an error":              {func(context.Context, *Incoming) error { return ErrNoWorker }, CodeNoWorker},
		"an error in mid-way":   {func(_ context.Context, in *Incoming) error { answer(in, "a"); return ErrEngineDown }, CodeEngineDown},
		"a panic":               {func(context.Context, *Incoming) error { panic("canary-73b1") }, CodeInternal},
		"a panic in mid-answer": {func(_ context.Context, in *Incoming) error { answer(in, "a"); panic(errors.New("canary-73b1")) }, CodeInternal},
		"done twice": {func(_ context.Context, in *Incoming) error {
			answer(in)
			if err := in.Done(Done{Receipt: receipt}); err != nil {
				t.Errorf("done: %v", err)
			}
			if err := in.Done(Done{Receipt: receipt}); !errors.Is(err, ErrEnded) {
				t.Errorf("second done: got %v, want ErrEnded", err)
			}
			if err := in.Part(Part{}); !errors.Is(err, ErrEnded) {
				t.Errorf("part after done: got %v, want ErrEnded", err)
			}
			return in.Fail(Failed{Code: CodeInternal})
		}, 0},
		"an error after done": {func(_ context.Context, in *Incoming) error {
			answer(in)
			in.Done(Done{Receipt: receipt})
			return ErrInternal
		}, 0},
		"a part too early": {func(_ context.Context, in *Incoming) error {
			if err := in.Part(Part{}); !errors.Is(err, ErrOrder) {
				t.Errorf("part: got %v, want ErrOrder", err)
			}
			return ErrOverloaded
		}, CodeOverloaded},
		"something that cannot be sent": {func(_ context.Context, in *Incoming) error {
			answer(in)
			err := in.Part(Part{Data: make([]byte, MaxPart+1)})
			if err == nil {
				t.Error("a giant part was sent")
			}
			return err
		}, CodeInternal},
		"the deadline": {func(ctx context.Context, in *Incoming) error {
			<-ctx.Done()
			return ctx.Err()
		}, CodeDeadline},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error { return c.handle(ctx, in) }})
			h := testHeader(3)
			h.Timeout = 300 * time.Millisecond
			out := p.request(t, h, strings.NewReader("abc"))
			var terminal Event
			for {
				e, err := out.Next(t.Context())
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				terminal = e
			}
			switch e := terminal.(type) {
			case Done:
				if c.want != 0 {
					t.Errorf("got done, want %s", c.want)
				}
			case Failed:
				if e.Code != c.want {
					t.Errorf("got %s, want %s", e.Code, c.want)
				}
			default:
				t.Errorf("got %v last", e)
			}
			if strings.Contains(p.log.String(), "canary") {
				t.Error("a panic's value is in the log")
			}
		})
	}
}

func TestBodyMustMatchItsHeader(t *testing.T) {
	p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		// The stream may be gone before the handler is called, and the test over.
		_, err := io.ReadAll(in.Body)
		if !errors.Is(err, ErrBroken) && !errors.Is(err, ErrDraining) {
			t.Errorf("payee: got %v, want ErrBroken", err)
		}
		return err
	}})
	for name, body := range map[string]io.Reader{
		"short":  strings.NewReader("ab"),
		"long":   strings.NewReader("abcd"),
		"broken": io.MultiReader(strings.NewReader("a"), brokenReader{}),
	} {
		out := p.request(t, testHeader(3), body)
		if e, err := out.Next(t.Context()); !errors.Is(err, ErrBodySize) {
			t.Errorf("%s: payer: got %v, %v, want ErrBodySize", name, e, err)
		}
	}
	if _, err := p.client.Request(t.Context(), p.payee.ID(), testHeader(MaxBody+1), unread{t}); !errors.Is(err, ErrBadRequest) {
		t.Errorf("giant body: got %v, want ErrBadRequest", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("disk") }

// TestBodyReadAfterTheEnd: a goroutine that relays the body does not hang when its
// request ended without it.
func TestBodyReadAfterTheEnd(t *testing.T) {
	read := make(chan error, 1)
	p := newPair(t, handler{request: func(_ context.Context, _ Peer, in *Incoming) error {
		go func() {
			_, err := io.Copy(io.Discard, in.Body)
			read <- err
		}()
		return ErrNoWorker
	}})
	never, w := io.Pipe()
	out := p.request(t, testHeader(3), never)
	next[Failed](t, out)
	if err := <-read; !errors.Is(err, ErrEnded) {
		t.Errorf("got %v, want ErrEnded", err)
	}
	w.Close()
}

// TestRelay: a proxy passes a request on without looking at body or parts, and a
// cancel goes through it.
func TestRelay(t *testing.T) {
	sent := randomBytes(MaxPart + 1)
	worker := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		got, err := io.ReadAll(in.Body)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("body: %d bytes, %v", len(got), err)
		}
		if err := answer(in, "one"); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	proxy := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		out, err := worker.client.Request(ctx, worker.payee.ID(), in.Header, in.Body)
		if err != nil {
			return err
		}
		defer out.Close()
		stop := context.AfterFunc(ctx, func() { out.Cancel() })
		defer stop()
		for {
			e, err := out.Next(context.Background())
			if err != nil {
				return err
			}
			switch e := e.(type) {
			case Accepted:
				err = in.Accept()
			case Head:
				err = in.Head(e)
			case Part:
				err = in.Part(e)
			case Failed:
				return in.Fail(e)
			}
			if err != nil {
				return err
			}
		}
	}})
	out := proxy.request(t, testHeader(len(sent)), bytes.NewReader(sent))
	next[Accepted](t, out)
	next[Head](t, out)
	if got := next[Part](t, out); string(got.Data) != "one" {
		t.Errorf("part %+v", got)
	}
	out.Cancel()
	if got := next[Failed](t, out); got.Code != CodeCancelled {
		t.Errorf("got %+v, want cancelled", got)
	}
	wantEnd(t, out)
}

func TestDrainAndClose(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		close(started)
		select {
		case <-release:
			return ErrNoWorker
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	out := p.request(t, testHeader(3), strings.NewReader("abc"))
	<-started
	expired, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := p.server.Drain(expired); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drain with a request running: got %v", err)
	}
	if _, err := p.client.Ping(t.Context(), p.payee.ID()); !errors.Is(err, ErrDraining) {
		t.Errorf("call while draining: got %v, want ErrDraining", err)
	}
	late := p.request(t, testHeader(3), strings.NewReader("abc"))
	if got := next[Failed](t, late); got.Code != CodeDraining {
		t.Errorf("request while draining: got %+v", got)
	}
	p.server.Close()
	if got := next[Failed](t, out); got.Code != CodeDraining {
		t.Errorf("request when closed: got %+v", got)
	}
	if err := p.server.Drain(t.Context()); err != nil {
		t.Errorf("drain when closed: %v", err)
	}
}

func TestNextWaitsNoLongerThanItsContext(t *testing.T) {
	p := newPair(t, handler{request: func(ctx context.Context, _ Peer, in *Incoming) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	out := p.request(t, testHeader(3), strings.NewReader("abc"))
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := out.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
	if err := out.Cancel(); err != nil {
		t.Fatal(err)
	}
	if got := next[Failed](t, out); got.Code != CodeCancelled {
		t.Errorf("the request did not go on: %+v", got)
	}
}
