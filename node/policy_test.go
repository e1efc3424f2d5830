package node

import (
	"errors"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
)

// What the registry revokes is out at once, on connections that stand as well.
func TestAdmit(t *testing.T) {
	image, platform := [32]byte{1}, attest.PlatformID{9}
	shown := session.Peer{Appraisal: &attest.Appraisal{Image: image, Platform: platform}, Claims: ratls.Claims{Role: ratls.RoleProxy}}
	worker := shown
	worker.Claims.Role = ratls.RoleWorker
	atGateA := session.Peer{Appraisal: shown.Appraisal}
	allowed := map[[32]byte]tlb.Roles{image: tlb.RoleProxy}
	for name, c := range map[string]struct {
		state tlb.RegistryState
		view  error
		role  tlb.Roles
		peer  session.Peer
		want  error

		compatible bool
	}{
		"allowed":          {state: tlb.RegistryState{Images: allowed}, role: tlb.RoleProxy, peer: shown},
		"no evidence":      {state: tlb.RegistryState{Images: allowed}, role: tlb.RoleProxy, want: ErrNoEvidence},
		"empty registry":   {role: tlb.RoleProxy, peer: shown, want: registry.ErrImageNotAllowed},
		"another role":     {state: tlb.RegistryState{Images: allowed}, role: tlb.RoleWorker, peer: shown, want: ErrRole},
		"image of another": {state: tlb.RegistryState{Images: allowed}, role: tlb.RoleWorker, peer: worker, want: registry.ErrImageNotAllowed},
		"gate A alone":     {state: tlb.RegistryState{Images: allowed}, role: tlb.RoleProxy, peer: atGateA, want: ErrGateB},
		"compatible":       {state: tlb.RegistryState{Images: allowed}, role: tlb.RoleProxy, peer: atGateA, compatible: true},
		"revoked platform": {state: tlb.RegistryState{Images: allowed, Platforms: map[[32]byte]bool{platform: false}}, role: tlb.RoleProxy, peer: shown, want: registry.ErrPlatformDenied},
		"stale view":       {view: registry.ErrStale, role: tlb.RoleProxy, peer: shown, want: registry.ErrStale},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy{compatible: c.compatible, view: func() (registry.View, error) { return registry.View{State: c.state}, c.view }}
			if err := p.admit(c.role)(c.peer); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
