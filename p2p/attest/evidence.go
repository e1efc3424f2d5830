package attest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// TEE is a kind of trusted execution environment. The numbers are on the wire,
// for good.
type TEE uint8

// The kinds there are. Each has a package of its name below this one.
const (
	TDX TEE = 1 // Intel Trust Domain Extensions
	SNP TEE = 2 // AMD Secure Encrypted Virtualization, Secure Nested Paging
)

func (t TEE) String() string {
	switch t {
	case TDX:
		return "tdx"
	case SNP:
		return "sev-snp"
	}
	return fmt.Sprintf("tee_%d", uint8(t))
}

// MaxReport bounds [Evidence.Report]. Real ones have about 5 KB, most of which
// are certificates.
const MaxReport = 16 << 10

// Evidence is what a machine shows about itself.
type Evidence struct {
	TEE TEE
	// Report is signed by the machine and bound to 64 bytes of the caller's
	// choice. What it is made of is the TEE's own; it has one accepted encoding.
	Report []byte
	// Events are what was measured while the machine ran, in order. Gate A
	// carries none: a certificate is no place for them.
	Events []Event
}

// Event is something a machine measured into its report while it ran.
type Event struct {
	Name    string // one of the Event… constants
	Payload []byte
}

// Bounds of the events in evidence.
const (
	MaxEvents       = 16
	MaxEventPayload = 4 << 10
)

// The events of a node, each once, in this order. After ready nothing is measured.
const (
	EventConfig   = "config"   // SHA-256 of the node's configuration as it runs
	EventPolicy   = "policy"   // a byte, 1 if the node accepts gate A alone, and SHA-256 of its policy file (zeros: none)
	EventRegistry = "registry" // network id (int32, big-endian) and the registry's address in raw form
	EventModel    = "model"    // SHA-256 of each model's name, concatenated in sorted order; empty for a proxy
	EventGPU      = "gpu"      // which GPUs, in which mode, see gpu.Measurement; empty without GPUs
	EventReady    = "ready"    // empty
)

// Digest is what an event extends a measurement register with, and what stands
// for it in a launch log: SHA-256 over a domain tag and both length-prefixed fields.
func (e Event) Digest() [32]byte {
	h := sha256.New()
	h.Write([]byte("tussah/event/v1"))
	for _, field := range [][]byte{[]byte(e.Name), e.Payload} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
		h.Write(field)
	}
	return [32]byte(h.Sum(nil))
}

// Provider obtains evidence about the machine this process runs in.
type Provider interface {
	TEE() TEE
	// Evidence returns evidence bound to reportData, with all events measured so
	// far. It may take tens of milliseconds and is safe for concurrent use.
	Evidence(ctx context.Context, reportData [64]byte) (Evidence, error)
	// Measure adds an event to all later evidence. It cannot be undone while the
	// machine runs.
	Measure(ctx context.Context, e Event) error
}
