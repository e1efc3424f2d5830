package snp_test

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/snp/snpsim"
)

// TestDamage flips a bit in every byte of report and certificate (for Turin in
// every fourth), and cuts the evidence there: none may pass or panic.
func TestDamage(t *testing.T) {
	for product, step := range map[snp.Product]int{snp.Genoa: 1, snp.Turin: 4} {
		l := newLab(t, product)
		l.policy.Image = func([32]byte) error { return nil }
		good := l.evidence(t, l.good, snpsim.Faults{}).Report
		if _, err := l.appraise(good); err != nil {
			t.Fatalf("the undamaged report is refused: %v", err)
		}
		for n := 0; n < len(good); n += step {
			if _, err := l.appraise(flipped(good, n, uint(n/step%8))); err == nil {
				t.Fatalf("%v: accepted a flip in byte %d", product, n)
			}
			if _, err := l.appraise(good[:n]); err == nil {
				t.Fatalf("%v: accepted the first %d bytes", product, n)
			}
		}
	}
}

// TestMalformed: 10,000 random damages of form and content. None may pass or
// panic, and what they cost is bounded.
func TestMalformed(t *testing.T) {
	l := newLab(t, snp.Genoa)
	good := l.evidence(t, l.good, snpsim.Faults{}).Report
	rnd := rand.New(rand.NewPCG(1, 2))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const count = 10_000
	for n := range count {
		bad := malform(rnd, good)
		if slices.Equal(bad, good) {
			continue
		}
		if _, err := l.appraise(bad); err == nil {
			t.Fatalf("accepted case %d", n)
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / count; each > 350<<10 {
		t.Errorf("%d bytes for each", each)
	}
}

func malform(rnd *rand.Rand, good []byte) []byte {
	bad := slices.Clone(good)
	switch rnd.IntN(5) {
	case 0: // overwrite a run
		at := rnd.IntN(len(bad))
		for i := at; i < min(at+1+rnd.IntN(16), len(bad)); i++ {
			bad[i] = byte(rnd.Uint32())
		}
	case 1: // cut out
		at := rnd.IntN(len(bad))
		bad = slices.Delete(bad, at, min(at+1+rnd.IntN(64), len(bad)))
	case 2: // put in
		bad = slices.Insert(bad, rnd.IntN(len(bad)), make([]byte, 1+rnd.IntN(64))...)
	case 3: // lie about the length
		binary.BigEndian.PutUint32(bad[1184:], rnd.Uint32())
	case 4: // damage the certificate's structure, length adjusted
		at := 1188 + rnd.IntN(len(bad)-1188)
		bad = slices.Delete(bad, at, min(at+1+rnd.IntN(8), len(bad)))
		binary.BigEndian.PutUint32(bad[1184:], uint32(len(bad)-1188))
	}
	return bad
}

func FuzzAppraise(f *testing.F) {
	l := newLab(f, snp.Genoa)
	good := l.evidence(f, l.good, snpsim.Faults{}).Report
	f.Add(good)
	f.Add(l.evidence(f, version(l.good, 2), snpsim.Faults{VLEK: true}).Report)
	turin := newLab(f, snp.Turin)
	f.Add(turin.evidence(f, turin.good, snpsim.Faults{}).Report)
	f.Add(sample(f))
	v := l.ca.Verifier()
	f.Fuzz(func(t *testing.T, raw []byte) {
		e := attest.Evidence{TEE: attest.SNP, Report: raw}
		_, err := v.Identify(e, l.data)
		if _, appraised := l.appraise(raw); err != nil && appraised == nil {
			t.Error("accepted what cannot be identified")
		}
		if err != nil {
			return
		}
		// What was read has one encoding.
		if again, err := snp.Encode(raw[:1184], raw[1188:]); err != nil || !slices.Equal(again, raw) {
			t.Errorf("encodes otherwise: %v", err)
		}
	})
}
