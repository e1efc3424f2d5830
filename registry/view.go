package registry

import (
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/tlb"
)

// Refusals of the policy view.
var (
	ErrImageNotAllowed  = errors.New("the registry does not allow this image")
	ErrModelUnknown     = errors.New("the registry does not list this model")
	ErrPlatformUnlisted = errors.New("the registry does not list this platform")
	ErrPlatformDenied   = errors.New("the registry denies this platform")
)

// View is the registry at one block. Its zero value denies everything.
type View struct {
	Block tlb.Block
	State tlb.RegistryState
}

// Image returns [ErrImageNotAllowed] unless the registry lets the image play the role.
func (v View) Image(role tlb.Roles, image [32]byte) error {
	if role == 0 || v.State.Images[image]&role != role {
		return fmt.Errorf("%w for a %s: %x", ErrImageNotAllowed, role, image)
	}
	return nil
}

// Model returns [ErrModelUnknown] unless the registry lists the model.
func (v View) Model(name string) error {
	if listed, ok := v.State.Models[tlb.ModelHash(name)]; !ok || listed != name {
		return fmt.Errorf("%w: %q", ErrModelUnknown, name)
	}
	return nil
}

// Platform returns [ErrPlatformDenied] if the registry names the platform and denies it.
func (v View) Platform(id [32]byte) error {
	if allowed, listed := v.State.Platforms[id]; listed && !allowed {
		return fmt.Errorf("%w: %x", ErrPlatformDenied, id)
	}
	return nil
}

// Registered returns [ErrPlatformUnlisted] unless the registry lists the platform
// as allowed: an operator stands for it.
func (v View) Registered(id [32]byte) error {
	if !v.State.Platforms[id] {
		return fmt.Errorf("%w: %x", ErrPlatformUnlisted, id)
	}
	return nil
}

// Proxies are the proxies that take part: registered and not on their way out.
func (v View) Proxies() []tlb.ProxyEntry {
	var active []tlb.ProxyEntry
	for _, p := range v.State.Proxies {
		if p.Active() {
			active = append(active, p)
		}
	}
	return active
}
