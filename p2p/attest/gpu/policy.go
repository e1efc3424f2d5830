package gpu

import (
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Policy is what is accepted beyond being genuine. The zero Policy accepts
// nothing.
type Policy struct {
	// Models are the allowed chips by name, such as GH100. Empty: none.
	Models map[string]Model
	// Device returns nil for a device that may take part: registered for this
	// worker, and for no other. nil denies; [AnyDevice] allows all.
	Device func(attest.GPU) error
	// MaxAge bounds the time since the nonce was made. Default [DefaultMaxAge].
	MaxAge time.Duration
	// MaxListAge bounds the age of the list of revocations. Default [DefaultMaxListAge].
	MaxListAge time.Duration

	// AllowSimulated admits devices under SimulatedRoots. A production network
	// never sets it.
	AllowSimulated bool
	SimulatedRoots []KeyID
}

// Model is what a chip must be to be accepted.
type Model struct {
	SKUs      []string // allowed variants: project_projectSKU_chipSKU. Empty: none
	MinDriver string   // such as 550.90.07; required
	MinVBIOS  string   // such as 96.00.9F.00.01; required
}

// Defaults of [Policy].
const (
	DefaultMaxAge     = 2 * time.Minute
	DefaultMaxListAge = 7 * 24 * time.Hour
)

// maxSkew is how far a time that others set may lie ahead.
const maxSkew = time.Minute

// AnyDevice allows every device.
func AnyDevice(attest.GPU) error { return nil }

// Collateral is what evidence is judged by and what a peer must not supply.
// Documents are signed, so whoever keeps them needs no trust; the list of
// revocations is not, and comes from this machine's own collateral service.
type Collateral struct {
	// RIM returns the document of reference measurements with the manufacturer's
	// id, see [RIMs]. It does no network I/O. nil: there are none.
	RIM func(id string) ([]byte, error)
	// Revocations is required: without it nothing is accepted.
	Revocations *Revocations
}

// Revocations are certificates of devices, firmware and signers of documents that
// their issuers took back.
type Revocations struct {
	Date time.Time             // when issuers were asked last
	IDs  map[[32]byte]struct{} // see [CertificateID]
}

// Question is what the far side asked, and what it knows beside the answer.
type Question struct {
	Nonce [32]byte  // see [Nonce]
	Asked time.Time // when the verifier's part of the nonce was made
	// CC is the mode as measured inside the machine; see [MeasuredMode]. A report
	// does not state it.
	CC CCMode
}
