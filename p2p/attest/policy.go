package attest

import (
	"errors"
	"fmt"
	"time"
)

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

// The checks of a policy, for verifiers: a nil hook denies.

// AllowsImage returns nil for an image that may play the peer's role.
func (p Policy) AllowsImage(image [32]byte) error {
	if p.Image == nil {
		return errors.New("policy allows no image")
	}
	if err := p.Image(image); err != nil {
		return fmt.Errorf("image %x: %w", image, err)
	}
	return nil
}

// AllowsPlatform returns nil for a platform that may take part.
func (p Policy) AllowsPlatform(id PlatformID) error {
	if p.Platform == nil {
		return errors.New("policy allows no platform")
	}
	if err := p.Platform(id); err != nil {
		return fmt.Errorf("platform %x: %w", id, err)
	}
	return nil
}

// AllowsEvents returns nil if a machine measured what it should.
func (p Policy) AllowsEvents(events []Event) error {
	if p.Events == nil {
		return errors.New("policy allows no events")
	}
	return p.Events(events)
}

// AllowsTCB returns nil for a platform whose updates are good enough at a time.
func (p Policy) AllowsTCB(t TCB, now time.Time) error {
	if p.TCB == nil {
		return UpToDateOnly(t, now)
	}
	return p.TCB(t, now)
}

// SimulatedOrganisation is the organisation in every certificate of a simulated
// TEE. It lets a node that never loaded that root still say what it refuses.
const SimulatedOrganisation = "Tussah simulated TEE (not hardware)"
