package node

import (
	"context"
	"errors"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
)

// MeasureAs has a machine measure what a node of this configuration does.
func MeasureAs(ctx context.Context, p attest.Provider, cfg Config) error {
	at, err := ParseAddress(cfg.Network.Registry)
	if err != nil {
		return err
	}
	events, err := eventsOf(cfg, at.StringRaw())
	if err != nil {
		return err
	}
	return measure(ctx, p, events)
}

func TestMeasureOnce(t *testing.T) {
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	vm := ca.Platform("rack").VM(sim.Measure("worker"))
	cfg := Config{Network: NetworkConfig{ID: -217}, Worker: &WorkerConfig{Models: []ModelConfig{{Name: "b"}, {Name: "a"}}}}
	events, err := eventsOf(cfg, "0:00")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a node that is started again on the same machine finds its events there
		if err := measure(t.Context(), vm, events); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := vm.Evidence(t.Context(), [64]byte{})
	if err != nil || len(shown.Events) != len(eventOrder) {
		t.Fatalf("%d events, %v", len(shown.Events), err)
	}
	p := policy{measured: commonEvents(-217, "0:00")}
	if err := p.events(shown.Events); err != nil {
		t.Error(err)
	}

	worker := session.Peer{Claims: ratls.Claims{Role: ratls.RoleWorker}, Appraisal: &attest.Appraisal{Events: shown.Events}}
	if err := measuredModels(worker, []session.Offer{{Model: "a"}}); err != nil {
		t.Error(err)
	}
	if err := measuredModels(worker, []session.Offer{{Model: "a"}, {Model: "c"}}); !errors.Is(err, ErrModels) {
		t.Errorf("a model that was not measured: %v", err)
	}
	worker.Appraisal = &attest.Appraisal{}
	if err := measuredModels(worker, nil); !errors.Is(err, ErrModels) {
		t.Errorf("no model event: %v", err)
	}

	cfg.Worker.Models[0].Name = "c"
	other, err := eventsOf(cfg, "0:00")
	if err != nil {
		t.Fatal(err)
	}
	if err := measure(t.Context(), vm, other); !errors.Is(err, ErrMeasured) {
		t.Errorf("another configuration on the same machine: %v", err)
	}
}

func TestEventsRefused(t *testing.T) {
	good, err := eventsOf(Config{Network: NetworkConfig{ID: -217}}, "0:00")
	if err != nil {
		t.Fatal(err)
	}
	edit := func(f func([]attest.Event) []attest.Event) []attest.Event {
		return f(append([]attest.Event(nil), good...))
	}
	set := func(to attest.Event) []attest.Event {
		return edit(func(e []attest.Event) []attest.Event { e[eventIndex(to.Name)] = to; return e })
	}
	p := policy{measured: commonEvents(-217, "0:00")}
	if err := p.events(good); err != nil {
		t.Fatal(err)
	}
	for name, events := range map[string][]attest.Event{
		"none":     nil,
		"missing":  good[:len(good)-1],
		"extra":    append(append([]attest.Event(nil), good...), attest.Event{Name: "x"}),
		"twice":    edit(func(e []attest.Event) []attest.Event { e[1] = e[0]; return e }),
		"order":    edit(func(e []attest.Event) []attest.Event { e[0], e[2] = e[2], e[0]; return e }),
		"unknown":  edit(func(e []attest.Event) []attest.Event { e[2].Name = "x"; return e }),
		"registry": set(commonEvents(-217, "0:01")[0]),
		"network":  set(commonEvents(-239, "0:00")[0]),
		"ready":    set(attest.Event{Name: attest.EventReady, Payload: []byte{1}}),
		"gate A":   set(attest.Event{Name: attest.EventPolicy, Payload: append([]byte{1}, make([]byte, 32)...)}),
		"policy":   set(attest.Event{Name: attest.EventPolicy}),
	} {
		if err := p.events(events); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
