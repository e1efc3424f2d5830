package ratls

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Gate B speaks three frames each way: a challenge, a proof, a verdict. A frame
// is a big-endian u32 length and deterministic CBOR (RFC 8949) with integer keys;
// the one accepted encoding is what encoding it again gives. The verdict is two
// bytes, see verdict.go.

// challenge says who asks, under which policy, and makes the answer fresh.
type challenge struct {
	Nonce    [32]byte `cbor:"1,keyasint"`
	Role     Role     `cbor:"2,keyasint"`
	Contract string   `cbor:"3,keyasint"`
	Network  int32    `cbor:"4,keyasint"`
	Registry string   `cbor:"5,keyasint"`
	Epoch    uint64   `cbor:"6,keyasint"`
}

// proof answers a challenge. A peer without evidence sends the zero proof.
type proof struct {
	TEE    attest.TEE  `cbor:"1,keyasint"`
	Report []byte      `cbor:"2,keyasint"`
	Events []wireEvent `cbor:"3,keyasint"`
	GPU    []byte      `cbor:"4,keyasint"`
}

type wireEvent struct {
	Name    string `cbor:"1,keyasint"`
	Payload []byte `cbor:"2,keyasint"`
}

var (
	encoding = must(encodingOptions().EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   4,
		MaxArrayElements:  16, // the least that the library allows; events are bounded below
		MaxMapPairs:       16,
	}.DecMode())
)

// encodingOptions writes nil as empty: else both would be accepted for one thing.
func encodingOptions() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty
	return o
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // constants above
	}
	return v
}

func (c challenge) check() error {
	switch {
	case c.Role < RoleClient || c.Role > RoleWorker:
		return fmt.Errorf("role %d", c.Role)
	case len(c.Contract) > maxGateText || len(c.Registry) > maxGateText:
		return fmt.Errorf("address longer than %d bytes", maxGateText)
	}
	return nil
}

func (p proof) check() error {
	switch {
	case len(p.Report) > attest.MaxReport:
		return fmt.Errorf("report of %d bytes", len(p.Report))
	case (p.TEE == 0) != (len(p.Report) == 0):
		return fmt.Errorf("report of %d bytes for TEE %d", len(p.Report), p.TEE)
	case p.TEE == 0 && len(p.Events)+len(p.GPU) > 0:
		return fmt.Errorf("events or accelerators without a report")
	case len(p.Events) > attest.MaxEvents:
		return fmt.Errorf("%d events", len(p.Events))
	case len(p.GPU) > maxGPU:
		return fmt.Errorf("GPU evidence of %d bytes", len(p.GPU))
	}
	for _, e := range p.Events {
		if len(e.Name) > maxGateText || len(e.Payload) > attest.MaxEventPayload {
			return fmt.Errorf("event of %d and %d bytes", len(e.Name), len(e.Payload))
		}
	}
	return nil
}

func (p proof) evidence() attest.Evidence {
	e := attest.Evidence{TEE: p.TEE, Report: p.Report}
	for _, event := range p.Events {
		e.Events = append(e.Events, attest.Event{Name: event.Name, Payload: event.Payload})
	}
	return e
}

func proofOf(e attest.Evidence, gpu []byte) proof {
	p := proof{TEE: e.TEE, Report: e.Report, GPU: gpu}
	for _, event := range e.Events {
		p.Events = append(p.Events, wireEvent{event.Name, event.Payload})
	}
	return p
}

type gateMessage interface{ check() error }

func writeFrame(w io.Writer, m gateMessage) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("%w: our own: %w", ErrGateMessage, err)
	}
	body, err := encoding.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %T: %w", m, err)
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

func readFrame[M gateMessage](r io.Reader, limit uint32) (m M, err error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return m, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > limit {
		return m, fmt.Errorf("%w: %d bytes", ErrGateMessage, n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return m, err
	}
	return decodeFrame[M](body)
}

func decodeFrame[M gateMessage](body []byte) (m M, err error) {
	if err := decoding.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrGateMessage, err)
	}
	if err := m.check(); err != nil {
		return m, fmt.Errorf("%w: %w", ErrGateMessage, err)
	}
	again, err := encoding.Marshal(m)
	if err != nil || !bytes.Equal(again, body) {
		return m, fmt.Errorf("%w: not in its one accepted encoding", ErrGateMessage)
	}
	return m, nil
}
