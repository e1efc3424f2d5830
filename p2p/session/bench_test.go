package session

import (
	"context"
	"io"
	"strings"
	"testing"
)

// BenchmarkRequest is a whole request over loopback: header, body, head, one part, done.
func BenchmarkRequest(b *testing.B) {
	receipt := testReceipt(b, [32]byte{7}, testUsage)
	p := newPair(b, handler{request: func(_ context.Context, _ Peer, in *Incoming) error {
		if _, err := io.Copy(io.Discard, in.Body); err != nil {
			return err
		}
		if err := answer(in, "part"); err != nil {
			return err
		}
		return in.Done(Done{Usage: testUsage, Cost: 800, Receipt: receipt})
	}})
	header := testHeader(300)
	voucher := testVoucher(b, 5)
	header.Voucher = &voucher
	body := strings.Repeat("x", 300)
	for b.Loop() {
		out, err := p.client.Request(b.Context(), p.payee.ID(), header, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = out.Next(b.Context())
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		out.Close()
	}
}

// BenchmarkParts is the price of one streamed part over loopback.
func BenchmarkParts(b *testing.B) {
	parts := b.N
	p := newPair(b, handler{request: func(_ context.Context, _ Peer, in *Incoming) error {
		if err := answer(in); err != nil {
			return err
		}
		data := []byte(strings.Repeat("x", 200))
		for range parts {
			if err := in.Part(Part{Data: data, Usage: testUsage, Spent: 700}); err != nil {
				return err
			}
		}
		return ErrNoWorker
	}})
	b.ResetTimer()
	out, err := p.client.Request(b.Context(), p.payee.ID(), testHeader(3), strings.NewReader("abc"))
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	for err == nil {
		_, err = out.Next(b.Context())
	}
	if err != io.EOF {
		b.Fatal(err)
	}
}
