package tdx_test

import (
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

const maxAllocated = 1 << 20

// TestMalformed shows the verifier more than 100,000 quotes and certificates
// that are not quite right, the same in every run: none may panic, be accepted,
// or take more than 1 MiB.
func TestMalformed(t *testing.T) {
	stride := 1
	if underRace || testing.Short() {
		stride = 100
	}
	quotes := [][]byte{goldenQuote(t, golden[0]), goldenQuote(t, golden[1])}
	p, now := goldenPolicy(t, quotes[0])
	p.Image = func([32]byte) error { return nil }
	m := malformed{t: t, v: &tdx.Verifier{Roots: p.Roots, Collateral: p.Collateral}, p: p.Policy, now: now, stride: stride, data: boundTo(quotes[0])}
	for _, q := range quotes {
		m.good = append(m.good, string(q))
		if _, err := m.v.Appraise(attest.Evidence{TEE: attest.TDX, Report: q}, m.data, m.p, now); err != nil {
			t.Fatal(err)
		}
	}
	for i, q := range quotes {
		m.truncated(q)
		m.changed(q)
		m.lengths(q)
		m.spliced(q, quotes[1-i])
		m.certificates(q)
	}
	t.Logf("%d malformed quotes, at most %d bytes allocated for one", m.n, m.most)
	if stride == 1 && m.n < 100_000 {
		t.Errorf("only %d malformed quotes", m.n)
	}
}

type malformed struct {
	t      *testing.T
	v      *tdx.Verifier
	p      attest.Policy
	now    time.Time
	data   [64]byte
	good   []string
	stride int
	tried  int
	n      int
	most   uint64
}

func (m *malformed) try(what string, at int, raw []byte) {
	m.tried++
	if m.tried%m.stride != 0 || slices.Contains(m.good, string(raw)) {
		return
	}
	m.n++
	before := allocated()
	_, err := m.v.Appraise(attest.Evidence{TEE: attest.TDX, Report: raw}, m.data, m.p, m.now)
	used := allocated() - before
	m.most = max(m.most, used)
	if err == nil {
		m.t.Fatalf("accepted: %s at %d", what, at)
	}
	if used > maxAllocated {
		m.t.Fatalf("%d bytes allocated: %s at %d", used, what, at)
	}
}

func allocated() uint64 {
	sample := [1]metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample[:])
	return sample[0].Value.Uint64()
}

func (m *malformed) truncated(q []byte) {
	for n := range q {
		m.try("truncated", n, q[:n])
	}
}

func (m *malformed) changed(q []byte) {
	raw := slices.Clone(q)
	for at, was := range q {
		for _, b := range []byte{was ^ 1, was ^ 2, was ^ 4, was ^ 8, was ^ 16, was ^ 32, was ^ 64, was ^ 128} {
			raw[at] = b
			m.try("changed", at, raw)
		}
		raw[at] = was
	}
}

// lengths writes extremes into every place a length may stand.
func (m *malformed) lengths(q []byte) {
	for at := 600; at+4 < len(q) && at < 1400; at++ {
		for _, value := range [][]byte{{0, 0}, {0xff, 0xff}, {0, 0x80}, {0, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0x7f}, {0, 0, 0, 0x80}, {0, 0x40, 0, 0}} {
			m.try("length", at, put(q, at, value...))
		}
	}
}

// spliced joins the head of one quote with the tail of another, and repeats or
// leaves out a part of one.
func (m *malformed) spliced(q, other []byte) {
	for at := 0; at < min(len(q), len(other)); at += 7 {
		m.try("other tail", at, append(slices.Clone(q[:at]), other[at:]...))
		m.try("left out", at, append(slices.Clone(q[:at]), q[min(at+13, len(q)):]...))
		m.try("repeated", at, append(slices.Clone(q[:at]), q[max(at-13, 0):]...))
	}
}

// certificates changes every byte of every certificate under its encoding.
func (m *malformed) certificates(q []byte) {
	for which := range 3 {
		size := 0
		editDER(m.t, q, which, func(der []byte) { size = len(der) })
		for at := range size {
			for _, flip := range []byte{1, 0x80} {
				m.try("certificate", at, editDER(m.t, q, which, func(der []byte) { der[at] ^= flip }))
			}
		}
	}
}
