package snp_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/snp/snpsim"
)

func TestAppraise(t *testing.T) {
	for _, product := range []snp.Product{snp.Genoa, snp.Turin} {
		for v := uint32(2); v <= 5; v++ {
			t.Run(fmt.Sprintf("%v version %d", product, v), func(t *testing.T) {
				l := newLab(t, product)
				e := l.evidence(t, version(l.good, v), snpsim.Faults{})
				a, err := l.appraise(e.Report)
				if err != nil {
					t.Fatal(err)
				}
				chip := l.ca.Platform("machine").ChipID()
				if a.TEE != attest.SNP || !a.Simulated || a.Image != l.good.Image() || a.Platform != snp.PlatformID(chip) || a.TCB.Status != attest.UpToDate {
					t.Errorf("appraisal %+v", a)
				}
				if id, err := l.ca.Verifier().Identify(e, l.data); err != nil || id != a.Evidence {
					t.Errorf("identity %x, %v; appraised as %x", id, err, a.Evidence)
				}
				if got, want := a.Expiry, a.Issued.Add(attest.DefaultTTL); !got.Equal(want) {
					t.Errorf("expiry %v, want %v", got, want)
				}
			})
		}
	}
}

// Bergamo and Siena are certified by Genoa's root, under CPUIDs of their own.
func TestModelsOfGenoa(t *testing.T) {
	l := newLab(t, snp.Genoa)
	e := l.evidence(t, l.good, snpsim.Faults{Report: func(r []byte) { r[0x189] = 0xa0 }})
	if _, err := l.appraise(e.Report); err != nil {
		t.Fatal(err)
	}
}

func TestProvidersKey(t *testing.T) {
	l := newLab(t, snp.Genoa)
	e := l.evidence(t, l.good, snpsim.Faults{VLEK: true})
	v := l.ca.Verifier()
	v.Rules.VLEK = true
	if _, err := v.Appraise(e, l.data, l.policy, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestOutOfDateIsForThePolicyToJudge(t *testing.T) {
	l := newLab(t, snp.Genoa)
	v := l.ca.Verifier()
	v.Rules.Products[snp.Genoa] = snp.TCB{Microcode: 200}
	l.policy.TCB = func(attest.TCB, time.Time) error { return nil }
	a, err := v.Appraise(l.evidence(t, l.good, snpsim.Faults{}), l.data, l.policy, time.Now())
	if err != nil || a.TCB.Status != attest.OutOfDate {
		t.Errorf("status %v, %v", a.TCB.Status, err)
	}
}

func TestExpiryIsTheEarliest(t *testing.T) {
	l := newLab(t, snp.Genoa)
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	v := l.ca.Verifier()
	v.CRLs = l.crl(t, func(c *x509.RevocationList) { c.NextUpdate = soon })
	a, err := v.Appraise(l.evidence(t, l.good, snpsim.Faults{}), l.data, l.policy, time.Now())
	if err != nil || !a.Expiry.Equal(soon) {
		t.Errorf("expiry %v, %v; want the list's %v", a.Expiry, err, soon)
	}
}

func TestEvents(t *testing.T) {
	l := newLab(t, snp.Genoa)
	l.policy.EventsLater = false
	var judged []attest.Event
	l.policy.Events = func(events []attest.Event) error { judged = events; return nil }
	config, ready := attest.Event{Name: attest.EventConfig, Payload: []byte("config")}, attest.Event{Name: attest.EventReady}
	vm := l.ca.Platform("machine").VM(l.good, config, ready)
	v, ctx := l.ca.Verifier(), context.Background()
	appraise := func(edit func(*attest.Evidence)) error {
		e, err := vm.Evidence(ctx, l.data)
		if err != nil {
			t.Fatal(err)
		}
		edit(&e)
		_, err = v.Appraise(e, l.data, l.policy, time.Now())
		return err
	}
	as := func(*attest.Evidence) {}

	if err := vm.Measure(ctx, ready); !errors.Is(err, snpsim.ErrNotAnnounced) {
		t.Errorf("measured out of order: %v", err)
	}
	if err := appraise(as); !errors.Is(err, attest.ErrEvents) {
		t.Errorf("before its events: got %v, want %v", err, attest.ErrEvents)
	}
	for _, e := range []attest.Event{config, ready} {
		if err := vm.Measure(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := appraise(as); err != nil || len(judged) != 2 {
		t.Errorf("with its events: %v, judged %v", err, judged)
	}
	for name, edit := range map[string]func(*attest.Evidence){
		"payload":  func(e *attest.Evidence) { e.Events[0].Payload = []byte("other") },
		"order":    func(e *attest.Evidence) { e.Events[0], e.Events[1] = e.Events[1], e.Events[0] },
		"too many": func(e *attest.Evidence) { e.Events = make([]attest.Event, attest.MaxEvents+1) },
		"too long": func(e *attest.Evidence) { e.Events[0].Payload = make([]byte, attest.MaxEventPayload+1) },
		"zero": func(e *attest.Evidence) {
			*e = l.evidence(t, l.good, snpsim.Faults{Report: func(r []byte) { clear(r[0xc0:0xe0]) }})
		},
	} {
		if err := appraise(edit); !errors.Is(err, attest.ErrEvents) {
			t.Errorf("%s: got %v, want %v", name, err, attest.ErrEvents)
		}
	}
	l.policy.Events = func([]attest.Event) error { return errHook }
	if err := appraise(as); !errors.Is(err, errHook) {
		t.Errorf("hook: got %v", err)
	}
}

func TestIdentityIgnoresTheSignature(t *testing.T) {
	l := newLab(t, snp.Genoa)
	vm := l.ca.Platform("machine").VM(l.good)
	var reports [2][]byte
	var ids [2][32]byte
	for i := range ids {
		e, err := vm.Evidence(context.Background(), l.data)
		if err != nil {
			t.Fatal(err)
		}
		reports[i] = e.Report
		if ids[i], err = l.ca.Verifier().Identify(e, l.data); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(reports[0], reports[1]) {
		t.Fatal("two signatures are equal: the test shows nothing")
	}
	if ids[0] != ids[1] {
		t.Error("the same report signed twice has two ids")
	}
}

func TestInputs(t *testing.T) {
	l := newLab(t, snp.Genoa)
	base := l.ca.Verifier().Inputs()
	if l.ca.Verifier().Inputs() != base {
		t.Error("equal verifiers have two inputs")
	}
	for name, edit := range map[string]func(*snp.Verifier){
		"roots":    func(v *snp.Verifier) { v.Roots = v.Roots[:1] },
		"list":     func(v *snp.Verifier) { v.CRLs = l.crl(t, nil) },
		"no lists": func(v *snp.Verifier) { v.CRLs = nil },
		"minimum":  func(v *snp.Verifier) { v.Rules.Products[snp.Genoa] = snp.TCB{} },
		"product":  func(v *snp.Verifier) { v.Rules.Products[snp.Turin] = snp.TCB{} },
		"demand":   func(v *snp.Verifier) { v.Rules.Demand = 0 },
		"vlek":     func(v *snp.Verifier) { v.Rules.VLEK = true },
	} {
		v := l.ca.Verifier()
		if edit(v); v.Inputs() == base {
			t.Errorf("%s: inputs are the same", name)
		}
	}
}

func TestEncode(t *testing.T) {
	l := newLab(t, snp.Genoa)
	good := l.evidence(t, l.good, snpsim.Faults{}).Report
	got, err := snp.Encode(good[:1184], good[1188:])
	if err != nil || !bytes.Equal(got, good) {
		t.Errorf("%v, equal %t", err, bytes.Equal(got, good))
	}
	for want, in := range map[error][2][]byte{
		attest.ErrFormat: {good[:1183], good[1188:]},
		attest.ErrSize:   {good[:1184], make([]byte, attest.MaxReport)},
	} {
		if _, err := snp.Encode(in[0], in[1]); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func BenchmarkAppraise(b *testing.B) {
	for _, product := range []snp.Product{snp.Genoa, snp.Turin} {
		b.Run(product.String(), func(b *testing.B) {
			l := newLab(b, product)
			e, v, now := l.evidence(b, l.good, snpsim.Faults{}), l.ca.Verifier(), time.Now()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Appraise(e, l.data, l.policy, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleVerifier() {
	// A worker's VM, simulated; on hardware the provider asks the kernel.
	ca, err := snpsim.NewCA(snp.Genoa)
	if err != nil {
		fmt.Println(err)
		return
	}
	image := snpsim.Measure("worker 1.0")
	var key [64]byte // what the report is bound to: a hash over the worker's TLS key
	evidence, err := ca.Platform("rack 7").VM(image).Evidence(context.Background(), key)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The other side.
	verifier := ca.Verifier()
	policy := attest.Policy{
		Platform:    attest.AnyPlatform,
		EventsLater: true, // a certificate carries none
		Image: func(got [32]byte) error {
			if got != image.Image() {
				return errors.New("not in the registry")
			}
			return nil
		},
	}
	_, err = verifier.Appraise(evidence, key, policy, time.Now())
	fmt.Println("production:", errors.Is(err, attest.ErrSimulated))

	policy.AllowSimulated = true
	appraisal, err := verifier.Appraise(evidence, key, policy, time.Now())
	fmt.Println("sandbox:", appraisal.TEE, appraisal.Simulated, err)
	// Output:
	// production: true
	// sandbox: sev-snp true <nil>
}
