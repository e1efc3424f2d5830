package attest

import "time"

// Policy is what a node accepts. The zero Policy accepts nothing: nil hooks deny.
type Policy struct {
	// Epoch is raised whenever a hook may answer differently than before.
	Epoch uint64
	// AllowSimulated admits roots other than the manufacturer's. A production
	// network never sets it.
	AllowSimulated bool
	// Image returns nil for an image that may play the peer's role.
	Image func(image [32]byte) error
	// Platform returns nil for a platform that may take part. [AnyPlatform]
	// allows all.
	Platform func(PlatformID) error
	// TCB returns nil for a platform whose updates are good enough at a time.
	// nil: [UpToDateOnly].
	TCB func(TCB, time.Time) error
	// MinEvaluation is the least number of the manufacturer's evaluation that a
	// platform is judged by, for manufacturers that number theirs.
	MinEvaluation uint32
	// Events returns nil if a machine measured what it should.
	Events func([]Event) error
	// EventsLater is set where evidence comes without its events: at gate A. They
	// are judged at gate B.
	EventsLater bool
	// TTL bounds how long an appraisal may be relied on. Default 24 h.
	TTL time.Duration
}

// DefaultTTL is the longest an appraisal is relied on.
const DefaultTTL = 24 * time.Hour

// AnyPlatform allows every platform.
func AnyPlatform(PlatformID) error { return nil }

// SimulatedOrganisation is the organisation in every certificate of a simulated
// TEE. It lets a node that never loaded that root still say what it refuses.
const SimulatedOrganisation = "Tussah simulated TEE (not hardware)"
