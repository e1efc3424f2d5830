package policyfile

import (
	"errors"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Role is what a machine may do in the network, as far as it needs evidence.
type Role string

// The roles.
const (
	Proxy  Role = "proxy"
	Worker Role = "worker"
)

// View is what the registry says. nil hooks deny.
type View struct {
	// Epoch is raised whenever a hook may answer differently than before. A file
	// that was read anew raises it, too: that is for the caller to see to.
	Epoch uint64
	// Image returns nil for an image that may play a role.
	Image func(role Role, image [32]byte) error
	// Model returns nil for a model that may be offered.
	Model func(name string) error
	// Platform returns nil for a platform that is not denied, Registered for one
	// that is registered: an operator stands for it.
	Platform, Registered func(attest.PlatformID) error
	// Events returns nil if a machine measured what it should.
	Events func([]attest.Event) error
	// MinEvaluation is the network's least number of Intel's evaluation.
	MinEvaluation uint32
}

// Refusals by the file.
var (
	ErrImage        = errors.New("policy file: image is not in the list of its role")
	ErrModel        = errors.New("policy file: model is not in the list")
	ErrPlatform     = errors.New("policy file: platform is not in the list")
	ErrDenied       = errors.New("policy file: platform is denied")
	ErrUnregistered = errors.New("policy file: platform is not registered")
	ErrStatus       = errors.New("policy file: platform is not up to date, and no grace is for it")
	ErrNoView       = errors.New("policy file: the registry is not known")
)

// Policy is what both the file and the registry allow to a machine that may play
// one of these roles, at a time.
//
// Caller's part: AllowSimulated, and EventsLater at gate A.
func (f File) Policy(v View, now time.Time, roles ...Role) attest.Policy {
	return attest.Policy{
		Epoch:         v.Epoch,
		Image:         func(image [32]byte) error { return f.image(v, image, roles) },
		Platform:      func(id attest.PlatformID) error { return f.platform(v, id) },
		TCB:           f.tcb,
		MinEvaluation: max(f.MinEvaluation, v.MinEvaluation),
		Events:        v.Events,
		TTL:           f.ttl(now),
	}
}

// Model returns nil for a model that both allow.
func (f File) Model(v View, name string) error {
	switch {
	case !f.read.models.has(name):
		return fmt.Errorf("%w: %q", ErrModel, name)
	case v.Model == nil:
		return ErrNoView
	}
	return v.Model(name)
}

// GateInterval is how often a connected machine must show fresh evidence.
func (f File) GateInterval() time.Duration { return f.read.gateEvery }

func (f File) image(v View, image [32]byte, roles []Role) error {
	if v.Image == nil {
		return ErrNoView
	}
	err := ErrImage
	for _, role := range roles {
		if !f.read.images[role].has(image) {
			continue
		}
		if err = v.Image(role, image); err == nil {
			return nil
		}
	}
	return err
}

func (f File) platform(v View, id attest.PlatformID) error {
	switch {
	case f.read.denied.has(id):
		return ErrDenied
	case !f.read.allowed.has(id):
		return ErrPlatform
	case v.Platform == nil || f.Registered && v.Registered == nil:
		return ErrNoView
	}
	if f.Registered {
		if err := v.Registered(id); err != nil {
			return fmt.Errorf("%w: %w", ErrUnregistered, err)
		}
	}
	return v.Platform(id)
}

// tcb accepts what is up to date, and what a grace is for. All advisories must be
// named, and there must be some: a state without any is one that nobody looked at.
func (f File) tcb(t attest.TCB, now time.Time) error {
	if t.Status == attest.UpToDate {
		return nil
	}
	for _, g := range f.read.graces {
		if g.status == t.Status && g.status < attest.OutOfDate && now.Before(g.end) && g.names(t.Advisories) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s %v", ErrStatus, t.Status, t.Advisories)
}

func (g grace) names(advisories []string) bool {
	for _, a := range advisories {
		if !g.advisories[a] {
			return false
		}
	}
	return len(advisories) > 0
}

// ttl ends before a grace does, so that no appraisal outlives what it was made
// by. It is in whole minutes for the sake of caches, whose key it is part of.
func (f File) ttl(now time.Time) time.Duration {
	ttl := f.read.ttl
	for _, g := range f.read.graces {
		if left := g.end.Sub(now); left > 0 && left < ttl {
			ttl = max(left.Truncate(time.Minute), time.Second)
		}
	}
	if ttl <= 0 {
		ttl = time.Second // of a file that Parse did not make, and which allows nothing
	}
	return ttl
}
