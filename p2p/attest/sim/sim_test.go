package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
)

func quoteOf(p attest.Provider, data [64]byte) ([]byte, error) {
	e, err := p.Evidence(context.Background(), data)
	return e.Report, err
}

func newCA(t *testing.T) *sim.CA {
	t.Helper()
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func accepts(v attest.Verifier, quote []byte, data [64]byte) error {
	_, err := v.Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, data, attest.Policy{
		EventsLater:    true,
		AllowSimulated: true,
		Image:          func([32]byte) error { return nil },
		Platform:       attest.AnyPlatform,
	}, time.Now())
	return err
}

func TestMeasure(t *testing.T) {
	if again := sim.Measure("a"); again.Image() != sim.Measure("a").Image() {
		t.Error("one label has two images")
	}
	if sim.Measure("a").Image() == sim.Measure("b").Image() {
		t.Error("two labels have one image")
	}
}

func TestPlatformIdentity(t *testing.T) {
	ca := newCA(t)
	platform := func(id string) attest.PlatformID {
		quote, err := quoteOf(ca.Platform(id).VM(sim.Measure("x")), [64]byte{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := ca.Verifier().Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, [64]byte{}, attest.Policy{
			AllowSimulated: true, EventsLater: true,
			Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform,
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return a.Platform
	}
	if again := platform("a"); again != platform("a") {
		t.Error("one machine has two identities")
	}
	if platform("a") == platform("b") {
		t.Error("two machines have one identity")
	}
}
