package attest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
)

// counting counts how often the whole checklist runs.
type counting struct {
	attest.Verifier
	mu     sync.Mutex
	full   int
	inputs [32]byte
}

func (c *counting) Inputs() [32]byte { return c.inputs }

func (c *counting) Appraise(e attest.Evidence, data [64]byte, p attest.Policy, now time.Time) (attest.Appraisal, error) {
	c.mu.Lock()
	c.full++
	c.mu.Unlock()
	return c.Verifier.Appraise(e, data, p, now)
}

func cacheLab(t testing.TB) (*counting, attest.Evidence, [64]byte, attest.Policy) {
	t.Helper()
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	data := [64]byte{7}
	e, err := ca.Platform("machine").VM(sim.Measure("x")).Evidence(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	return &counting{Verifier: ca.Verifier()}, e, data, attest.Policy{
		Epoch: 1, AllowSimulated: true, EventsLater: true,
		Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform,
	}
}

func TestCache(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name string
		edit func(v *counting, e *attest.Evidence, p *attest.Policy, now *time.Time)
		full int // runs of the checklist after the second appraisal
	}{
		{"the same", func(*counting, *attest.Evidence, *attest.Policy, *time.Time) {}, 1},
		{"within its time", func(_ *counting, _ *attest.Evidence, _ *attest.Policy, now *time.Time) {
			*now = now.Add(attest.DefaultTTL - 1)
		}, 1},
		{"after its time", func(_ *counting, _ *attest.Evidence, _ *attest.Policy, now *time.Time) {
			*now = now.Add(attest.DefaultTTL)
		}, 2},
		{"before its time", func(_ *counting, _ *attest.Evidence, _ *attest.Policy, now *time.Time) { *now = now.Add(-1) }, 2},
		{"other epoch", func(_ *counting, _ *attest.Evidence, p *attest.Policy, _ *time.Time) { p.Epoch++ }, 2},
		{"other evaluation", func(_ *counting, _ *attest.Evidence, p *attest.Policy, _ *time.Time) { p.MinEvaluation++ }, 2},
		{"other lifetime", func(_ *counting, _ *attest.Evidence, p *attest.Policy, _ *time.Time) { p.TTL = time.Minute }, 2},
		{"simulation no longer allowed", func(_ *counting, _ *attest.Evidence, p *attest.Policy, _ *time.Time) { p.AllowSimulated = false }, 2},
		{"events judged now", func(_ *counting, _ *attest.Evidence, p *attest.Policy, _ *time.Time) { p.EventsLater = false }, 2},
		{"other events", func(_ *counting, e *attest.Evidence, _ *attest.Policy, _ *time.Time) {
			e.Events = []attest.Event{{Name: "x"}}
		}, 2},
		{"other collateral", func(v *counting, _ *attest.Evidence, _ *attest.Policy, _ *time.Time) { v.inputs[0]++ }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, e, data, p := cacheLab(t)
			var cache attest.Cache
			first, err := cache.Appraise(v, e, data, p, now)
			if err != nil {
				t.Fatal(err)
			}
			at := now
			c.edit(v, &e, &p, &at)
			second, err := cache.Appraise(v, e, data, p, at)
			if v.full != c.full {
				t.Errorf("checklist ran %d times, want %d (%v)", v.full, c.full, err)
			}
			if c.full == 1 && (err != nil || second.Evidence != first.Evidence || !second.Expiry.Equal(first.Expiry)) {
				t.Errorf("reused as %+v, %v; was %+v", second, err, first)
			}
		})
	}
}

func TestCacheRefuses(t *testing.T) {
	v, e, data, p := cacheLab(t)
	var cache attest.Cache
	if _, err := cache.Appraise(v, e, data, p, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Appraise(v, e, [64]byte{8}, p, time.Now()); !errors.Is(err, attest.ErrReportData) {
		t.Errorf("bound to something else: got %v, want %v", err, attest.ErrReportData)
	}
	// Refusals are not kept: what was refused may be allowed a moment later.
	p.Epoch++
	p.Platform = nil
	for range 2 {
		if a, err := cache.Appraise(v, e, data, p, time.Now()); !errors.Is(err, attest.ErrPlatform) || a.TEE != 0 {
			t.Errorf("got %+v, %v, want %v", a, err, attest.ErrPlatform)
		}
	}
	if v.full != 3 {
		t.Errorf("checklist ran %d times, want 3", v.full)
	}
}

func TestCacheConcurrently(t *testing.T) {
	v, e, data, p := cacheLab(t)
	var cache attest.Cache
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				a, err := cache.Appraise(v, e, data, p, time.Now())
				if err != nil {
					t.Error(err)
				}
				a.TCB.Advisories = append(a.TCB.Advisories, "mine")
			}
		})
	}
	wg.Wait()
}

func BenchmarkCache(b *testing.B) {
	v, e, data, p := cacheLab(b)
	var cache attest.Cache
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cache.Appraise(v.Verifier, e, data, p, now); err != nil {
			b.Fatal(err)
		}
	}
}
