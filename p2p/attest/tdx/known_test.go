package tdx_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// A platform that was met before is judged like one that was not.
func TestKnownPlatform(t *testing.T) {
	l := newLab(t)
	v := &tdx.Verifier{Roots: l.policy.Roots, Collateral: l.policy.Collateral}
	try := func(quote []byte, p attest.Policy, now time.Time) error {
		_, err := v.Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, l.data, p, now)
		return err
	}
	vm := l.ca.Platform("machine").VM(l.good)
	first, err := quoteOf(vm, l.data)
	if err != nil {
		t.Fatal(err)
	}
	second, err := quoteOf(vm, l.data)
	if err != nil {
		t.Fatal(err)
	}
	if err := try(first, l.policy.Policy, time.Now()); err != nil || v.Known() != 1 {
		t.Fatalf("%v; %d platforms known", err, v.Known())
	}
	if err := try(second, l.policy.Policy, time.Now()); err != nil || v.Known() != 1 {
		t.Errorf("second quote: %v; %d platforms known", err, v.Known())
	}
	// The quote's own signature, time, policy, roots and collateral count each time.
	const signature = 632 + 4
	if err := try(flipped(second, signature), l.policy.Policy, time.Now()); !errors.Is(err, tdx.ErrQuoteSignature) {
		t.Errorf("signature: %v", err)
	}
	if err := try(second, l.policy.Policy, time.Now().AddDate(20, 0, 0)); !errors.Is(err, tdx.ErrCertificateDates) {
		t.Errorf("dates: %v", err)
	}
	p := l.policy.Policy
	p.AllowSimulated = false
	if err := try(second, p, time.Now()); !errors.Is(err, attest.ErrSimulated) {
		t.Errorf("simulated: %v", err)
	}
	v.Collateral = nil
	if err := try(second, l.policy.Policy, time.Now()); !errors.Is(err, attest.ErrNoCollateral) {
		t.Errorf("collateral: %v", err)
	}
	v.Roots, v.Collateral = []*x509.Certificate{newLab(t).ca.Root()}, l.policy.Collateral
	if err := try(second, l.policy.Policy, time.Now()); !errors.Is(err, attest.ErrRoot) {
		t.Errorf("roots: %v", err)
	}
}

// Only what is signed is remembered, and no more than there is room for.
func TestKnownPlatformsAreBounded(t *testing.T) {
	l := newLab(t)
	v := &tdx.Verifier{Roots: l.policy.Roots, Collateral: l.policy.Collateral}
	good := l.quote(t, l.good)
	if _, err := v.Appraise(attest.Evidence{TEE: attest.TDX, Report: flipped(good, 632+4)}, l.data, l.policy.Policy, time.Now()); err == nil || v.Known() != 0 {
		t.Errorf("a quote with a bad signature: %v; %d platforms known", err, v.Known())
	}
	var wg sync.WaitGroup
	for part := range 2 {
		wg.Go(func() {
			for i := range 75 {
				quote, err := quoteOf(l.ca.Platform(fmt.Sprint(part, i)).VM(l.good), l.data)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := v.Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, l.data, l.policy.Policy, time.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if v.Known() != 128 {
		t.Errorf("%d platforms known, want 128", v.Known())
	}
}

func benchmark(b *testing.B, fresh func() *tdx.Verifier) {
	l := newLab(b)
	vm := l.ca.Platform("machine").VM(l.good)
	e, err := vm.Evidence(context.Background(), l.data)
	if err != nil {
		b.Fatal(err)
	}
	v := &tdx.Verifier{Roots: l.policy.Roots, Collateral: l.policy.Collateral}
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if fresh != nil {
			v = fresh()
			v.Roots, v.Collateral = l.policy.Roots, l.policy.Collateral
		}
		if _, err := v.Appraise(e, l.data, l.policy.Policy, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppraiseFull(b *testing.B) {
	benchmark(b, func() *tdx.Verifier { return new(tdx.Verifier) })
}

func BenchmarkAppraiseKnownPlatform(b *testing.B) { benchmark(b, nil) }

func BenchmarkParseCollateral(b *testing.B) {
	l := newLab(b)
	c, err := l.ca.FaultyCollateral(sim.CollateralFaults{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tdx.ParseCollateral(c, l.policy.Roots, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
