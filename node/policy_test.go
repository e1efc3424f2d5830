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

// Whoever registers a proxy changes the registry's version; peers attest anew only
// if what is allowed changed, and not for want of a view either.
func TestEpoch(t *testing.T) {
	state, failure := tlb.RegistryState{Version: 1, Images: map[[32]byte]tlb.Roles{{1}: tlb.RoleProxy, {2}: tlb.RoleWorker}}, error(nil)
	p := newPolicy(Config{}, "0:00", verifiers{}, func() (registry.View, error) { return registry.View{State: state}, failure })
	first := p.epoch()
	state.Version, state.Proxies = 2, []tlb.ProxyEntry{{}}
	if p.epoch() != first {
		t.Error("a registration changed the epoch")
	}
	failure = registry.ErrStale
	if p.epoch() != first {
		t.Error("a stale view changed the epoch")
	}
	failure = nil
	seen := map[uint64]bool{first: true}
	for name, change := range map[string]func(){
		"image":    func() { state.Images = map[[32]byte]tlb.Roles{{1}: tlb.RoleProxy} },
		"role":     func() { state.Images = map[[32]byte]tlb.Roles{{1}: tlb.RoleProxy, {2}: tlb.RoleProxy} },
		"model":    func() { state.Models = map[[32]byte]string{{3}: "m"} },
		"platform": func() { state.Platforms = map[[32]byte]bool{{4}: true} },
		"denied":   func() { state.Platforms = map[[32]byte]bool{{4}: false} },
	} {
		state.Version++ // as every change does
		if change(); seen[p.epoch()] {
			t.Errorf("%s: the epoch did not change", name)
		}
		seen[p.epoch()] = true
	}
}

// What this node cannot know is no fault of the peer.
func TestCannotJudge(t *testing.T) {
	for name, view := range map[string]func() (registry.View, error){
		"no view":  func() (registry.View, error) { return registry.View{}, registry.ErrStale },
		"the past": func() (registry.View, error) { return registry.View{}, nil },
	} {
		p := newPolicy(Config{}, "0:00", verifiers{}, view)
		if _, err := p.appraise(ratls.Shown{Gate: ratls.GateB}); !errors.Is(err, ratls.ErrCannotJudge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
