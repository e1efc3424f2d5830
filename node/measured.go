package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/pelletier/go-toml/v2"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
)

// ErrMeasured says that this machine measured something else since it started.
var ErrMeasured = errors.New("this machine has already measured another configuration; start it anew")

// ErrModels says that a worker offers what its machine did not measure.
var ErrModels = errors.New("the worker's machine did not measure this model")

// eventOrder are the events of a node.
var eventOrder = []string{attest.EventConfig, attest.EventPolicy, attest.EventRegistry, attest.EventModel, attest.EventGPU, attest.EventReady}

func eventIndex(name string) int { return slices.Index(eventOrder, name) }

// commonEvents are those that all nodes of one network measure alike.
func commonEvents(network int32, registry string) []attest.Event {
	return []attest.Event{
		{Name: attest.EventRegistry, Payload: append(binary.BigEndian.AppendUint32(nil, uint32(network)), registry...)},
		{Name: attest.EventReady},
	}
}

// eventsOf are what a node measures before it shows evidence to anybody.
func eventsOf(cfg Config, registry string) ([]attest.Event, error) {
	text, err := toml.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("measure the configuration: %w", err)
	}
	digest := sha256.Sum256(text)
	events := make([]attest.Event, len(eventOrder))
	for i, name := range eventOrder {
		events[i].Name = name
	}
	events[eventIndex(attest.EventConfig)].Payload = digest[:]
	if events[eventIndex(attest.EventPolicy)].Payload, err = policyPayload(cfg.Attestation); err != nil {
		return nil, fmt.Errorf("measure the policy: %w", err)
	}
	events[eventIndex(attest.EventModel)].Payload = modelsPayload(cfg)
	for _, e := range commonEvents(cfg.Network.ID, registry) {
		events[eventIndex(e.Name)] = e
	}
	return events, nil
}

func policyPayload(cfg AttestationConfig) ([]byte, error) {
	payload := make([]byte, 1+sha256.Size)
	if cfg.Compatible {
		payload[0] = 1
	}
	if cfg.Policy != "" {
		text, err := os.ReadFile(cfg.Policy)
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256(text)
		copy(payload[1:], digest[:])
	}
	return payload, nil
}

// modelsPayload is the payload of [attest.EventModel].
func modelsPayload(cfg Config) (payload []byte) {
	if cfg.Worker == nil {
		return nil
	}
	var names []string
	for _, m := range cfg.Worker.Models {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	for _, name := range names {
		digest := tlb.ModelHash(name)
		payload = append(payload, digest[:]...)
	}
	return payload
}

// measuredModels returns [ErrModels] if a worker offers a model that its machine
// did not measure. A peer that passed gate A alone shows no events.
func measuredModels(p session.Peer, offers []session.Offer) error {
	if p.Claims == (ratls.Claims{}) {
		return nil
	}
	i := slices.IndexFunc(p.Appraisal.Events, func(e attest.Event) bool { return e.Name == attest.EventModel })
	if i < 0 {
		return fmt.Errorf("%w: it measured none", ErrModels)
	}
	measured := map[[32]byte]bool{}
	for digest := range slices.Chunk(p.Appraisal.Events[i].Payload, sha256.Size) {
		if len(digest) == sha256.Size {
			measured[[32]byte(digest)] = true
		}
	}
	for _, o := range offers {
		if !measured[tlb.ModelHash(o.Model)] {
			return fmt.Errorf("%w: %q", ErrModels, o.Model)
		}
	}
	return nil
}

// measure extends the machine's run-time measurement by these events, unless an
// earlier start of this node on the same machine did.
func measure(ctx context.Context, p attest.Provider, events []attest.Event) error {
	shown, err := p.Evidence(ctx, [64]byte{})
	if err != nil {
		return fmt.Errorf("obtain evidence: %w", err)
	}
	for i, e := range events {
		if i < len(shown.Events) {
			if before := shown.Events[i]; before.Name != e.Name || !bytes.Equal(before.Payload, e.Payload) {
				return fmt.Errorf("%w: event %q", ErrMeasured, before.Name)
			}
			continue
		}
		if err := p.Measure(ctx, e); err != nil {
			return fmt.Errorf("measure %q: %w", e.Name, err)
		}
	}
	if len(shown.Events) > len(events) {
		return fmt.Errorf("%w: event %q", ErrMeasured, shown.Events[len(events)].Name)
	}
	return nil
}
