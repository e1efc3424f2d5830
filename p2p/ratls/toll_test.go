package ratls_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/ratls"
)

func TestTollRisesWithTheRate(t *testing.T) {
	var toll ratls.Toll
	second := time.Unix(1_800_000_000, 0)
	at := map[int]int{1: 0, 32: 0, 33: 14, 63: 14, 64: 16, 127: 16, 128: 18, 255: 18, 256: 20, 512: 22, 1024: 22, 1 << 13: 22}
	last := 0
	for n := 1; n <= 1<<14; n++ {
		got := toll.Difficulty(second)
		if want, ok := at[n]; ok && got != want {
			t.Errorf("handshake %d in a second costs %d bits, want %d", n, got, want)
		}
		if got < last {
			t.Fatalf("handshake %d costs %d bits, less than %d", n, got, last)
		}
		last = got
	}
	if got := toll.Difficulty(second.Add(time.Second)); got != 0 {
		t.Errorf("the next second begins at %d bits", got)
	}
}

// rush brings a transport's toll to n handshakes in this second.
func rush(tr *ratls.Transport, n int) {
	for range n {
		tr.Toll().Difficulty(time.Now())
	}
}

func TestTollIsPaid(t *testing.T) {
	w := newWorld(t)
	dialer, acceptor := transport(t, w.attested("dialer")), transport(t, w.attested("acceptor"))
	rush(acceptor, 100)
	if err := connect(t, dialer, acceptor); err != nil {
		t.Error(err)
	}
}

func TestTollIsDemanded(t *testing.T) {
	w := newWorld(t)
	acceptor := transport(t, w.attested("acceptor"))
	for name, answer := range map[string]func([]byte) []byte{
		"zeros": func([]byte) []byte { return make([]byte, 8) },
		"salt":  func(ask []byte) []byte { return ask[1:9] },
	} {
		t.Run(name, func(t *testing.T) {
			// A wrong number is right once in 2^22 times.
			rush(acceptor, 2000)
			out, in := pair(t)
			go func() {
				ask := make([]byte, 17)
				io.ReadFull(out, ask)
				out.Write(answer(ask))
				io.Copy(io.Discard, out)
			}()
			if _, err := acceptor.SecureInbound(t.Context(), in, ""); !errors.Is(err, ratls.ErrToll) {
				t.Errorf("got %v, want %v", err, ratls.ErrToll)
			}
		})
	}
}

// ask is an acceptor that wants so many bits.
type ask struct {
	io.Reader
	paid bytes.Buffer
}

func (a *ask) Write(b []byte) (int, error) { return a.paid.Write(b) }

func asks(bits byte) *ask {
	b := make([]byte, 17)
	rand.Read(b)
	b[0] = bits
	return &ask{Reader: bytes.NewReader(b)}
}

func TestTollThatIsTooHigh(t *testing.T) {
	for _, bits := range []byte{25, 64, 255} {
		a := asks(bits)
		if err := ratls.PayToll(a, nil); !errors.Is(err, ratls.ErrToll) || a.paid.Len() != 0 {
			t.Errorf("%d bits: got %v, want %v; %d bytes were paid", bits, err, ratls.ErrToll, a.paid.Len())
		}
	}
	a := asks(12)
	if err := ratls.PayToll(a, nil); err != nil || a.paid.Len() != 8 {
		t.Errorf("12 bits: %v, %d bytes were paid", err, a.paid.Len())
	}
}

func TestTollSearchIsCancelled(t *testing.T) {
	done := make(chan struct{})
	close(done)
	a := asks(24)
	if err := ratls.PayToll(a, done); !errors.Is(err, ratls.ErrToll) || a.paid.Len() != 0 {
		t.Errorf("got %v, want %v; %d bytes were paid", err, ratls.ErrToll, a.paid.Len())
	}
}

// BenchmarkToll is what the two ends of a toll cost: one try of the dialer's is
// all of the acceptor's check.
func BenchmarkToll(b *testing.B) {
	b.Run("check", func(b *testing.B) {
		salt, number := make([]byte, 16), make([]byte, 8)
		b.ReportAllocs()
		for b.Loop() {
			ratls.Work(salt, number)
		}
	})
	b.Run("pay-14", func(b *testing.B) {
		for b.Loop() {
			if err := ratls.PayToll(asks(14), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
