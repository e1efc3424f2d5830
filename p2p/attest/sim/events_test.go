package sim_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
)

// What a simulated VM measures must replay, by the verifier's own rule, to the
// RTMR3 it signs, and nothing else may.
func TestEvents(t *testing.T) {
	ca, data := newCA(t), [64]byte{1}
	measured := []attest.Event{
		{Name: attest.EventConfig, Payload: make([]byte, 32)},
		{Name: attest.EventRegistry, Payload: []byte("net and address")},
		{Name: attest.EventReady},
	}
	version5 := sim.Measure("x")
	version5.TD15 = &sim.TD15{CurrentSVN: version5.SVN}
	for name, m := range map[string]sim.Measurements{"version 4": sim.Measure("x"), "version 5": version5} {
		t.Run(name, func(t *testing.T) {
			vm := ca.Platform("a").VM(m)
			before, err := vm.Evidence(t.Context(), data)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range measured {
				payload := slices.Clone(e.Payload)
				if err := vm.Measure(t.Context(), attest.Event{Name: e.Name, Payload: payload}); err != nil {
					t.Fatal(err)
				}
				clear(payload) // the caller's to reuse
			}
			after, err := vm.Evidence(t.Context(), data)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				name   string
				report []byte
				events []attest.Event
				want   error
			}{
				{"as measured", after.Report, after.Events, nil},
				{"the same, from outside", after.Report, measured, nil},
				{"before the first", before.Report, nil, nil},
				{"none shown", after.Report, nil, attest.ErrEvents},
				{"last one left out", after.Report, measured[:2], attest.ErrEvents},
				{"one added", after.Report, append(slices.Clone(measured), attest.Event{Name: attest.EventGPU}), attest.ErrEvents},
				{"other order", after.Report, []attest.Event{measured[1], measured[0], measured[2]}, attest.ErrEvents},
				{"other payload", after.Report, []attest.Event{{Name: attest.EventConfig, Payload: make([]byte, 31)}, measured[1], measured[2]}, attest.ErrEvents},
				{"of later evidence", before.Report, measured, attest.ErrEvents},
			} {
				a, err := ca.Verifier().Appraise(attest.Evidence{TEE: attest.TDX, Report: c.report, Events: c.events}, data, attest.Policy{
					AllowSimulated: true,
					Image:          func([32]byte) error { return nil },
					Platform:       attest.AnyPlatform,
					Events:         func([]attest.Event) error { return nil },
				}, time.Now())
				if !errors.Is(err, c.want) {
					t.Errorf("%s: got %v, want %v", c.name, err, c.want)
				}
				if c.want == nil && len(a.Events) != len(c.events) {
					t.Errorf("%s: appraised %d events", c.name, len(a.Events))
				}
			}
		})
	}
}
