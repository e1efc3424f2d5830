package registry_test

import (
	"errors"
	"testing"

	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
)

// A view denies what it does not find; an empty one denies everything.
func TestViewRefusals(t *testing.T) {
	full := registry.View{State: tlb.RegistryState{
		Images:    map[[32]byte]tlb.Roles{proxyImage: tlb.RoleProxy, workerImage: tlb.RoleWorker, laterImage: tlb.RoleProxy | tlb.RoleWorker},
		Models:    map[[32]byte]string{tlb.ModelHash("tiny-chat"): "tiny-chat", tlb.ModelHash("liar"): "tiny-chat"},
		Platforms: map[[32]byte]bool{{1}: true, {2}: false},
	}}
	both := tlb.RoleProxy | tlb.RoleWorker
	for _, c := range []struct {
		name string
		got  error
		want error
	}{
		{"proxy image", full.Image(tlb.RoleProxy, proxyImage), nil},
		{"worker image", full.Image(tlb.RoleWorker, workerImage), nil},
		{"image for both, as proxy", full.Image(tlb.RoleProxy, laterImage), nil},
		{"image for both", full.Image(both, laterImage), nil},
		{"proxy image as worker", full.Image(tlb.RoleWorker, proxyImage), registry.ErrImageNotAllowed},
		{"proxy image for both", full.Image(both, proxyImage), registry.ErrImageNotAllowed},
		{"no role", full.Image(0, laterImage), registry.ErrImageNotAllowed},
		{"unknown role", full.Image(1<<7, laterImage), registry.ErrImageNotAllowed},
		{"unknown image", full.Image(tlb.RoleProxy, [32]byte{9}), registry.ErrImageNotAllowed},
		{"empty list", registry.View{}.Image(tlb.RoleProxy, proxyImage), registry.ErrImageNotAllowed},
		{"empty list, zero image", registry.View{}.Image(tlb.RoleProxy, [32]byte{}), registry.ErrImageNotAllowed},

		{"model", full.Model("tiny-chat"), nil},
		{"unknown model", full.Model("huge-chat"), registry.ErrModelUnknown},
		{"model of another case", full.Model("Tiny-chat"), registry.ErrModelUnknown},
		{"no model", full.Model(""), registry.ErrModelUnknown},
		{"model under another's hash", full.Model("liar"), registry.ErrModelUnknown},
		{"no models", registry.View{}.Model("tiny-chat"), registry.ErrModelUnknown},

		{"allowed platform", full.Platform([32]byte{1}), nil},
		{"unlisted platform", full.Platform([32]byte{3}), nil},
		{"denied platform", full.Platform([32]byte{2}), registry.ErrPlatformDenied},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	if got := (registry.View{}).Proxies(); len(got) != 0 {
		t.Errorf("proxies of an empty view: %v", got)
	}
}
