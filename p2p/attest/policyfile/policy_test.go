package policyfile_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/policyfile"
	"github.com/tussah-network/tussah/p2p/attest/snp"
)

var (
	now   = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	known = func() [32]byte { raw, _ := hex.DecodeString(hash); return [32]byte(raw) }()
	other = [32]byte{9}

	errRegistry = errors.New("the registry says no")
)

// open is a registry that allows everything.
func open() policyfile.View {
	return policyfile.View{
		Epoch:      7,
		Image:      func(policyfile.Role, [32]byte) error { return nil },
		Model:      func(string) error { return nil },
		Platform:   attest.AnyPlatform,
		Registered: attest.AnyPlatform,
	}
}

// closed is one that allows nothing.
func closed() policyfile.View {
	return policyfile.View{
		Image:      func(policyfile.Role, [32]byte) error { return errRegistry },
		Model:      func(string) error { return errRegistry },
		Platform:   func(attest.PlatformID) error { return errRegistry },
		Registered: func(attest.PlatformID) error { return errRegistry },
	}
}

// Both must allow: the file's part, and the registry's.
func TestIntersection(t *testing.T) {
	listed := parse(t, fmt.Sprintf("models = [\"m\"]\n[images]\nproxy = [%q]\n[platforms]\nallowed = [%q]", hash, hash))
	all := parse(t, "models = [\"any\"]\n[images]\nproxy = [\"any\"]\n[platforms]\nallowed = [\"any\"]")
	denying := parse(t, fmt.Sprintf("[platforms]\nallowed = [\"any\"]\ndenied = [%q]", hash))
	registered := parse(t, "require_registered_platforms = true\n[platforms]\nallowed = [\"any\"]")
	empty := parse(t, "")
	var zero policyfile.File
	for _, c := range []struct {
		name   string
		file   policyfile.File
		view   policyfile.View
		image  [32]byte
		role   policyfile.Role
		images error
		model  string
		models error
		places error
	}{
		{"both", listed, open(), known, policyfile.Proxy, nil, "m", nil, nil},
		{"any", all, open(), known, policyfile.Proxy, nil, "x", nil, nil},
		{"registry denies", all, closed(), known, policyfile.Proxy, errRegistry, "m", errRegistry, errRegistry},
		{"no registry", all, policyfile.View{}, known, policyfile.Proxy, policyfile.ErrNoView, "m", policyfile.ErrNoView, policyfile.ErrNoView},
		{"file denies", listed, open(), other, policyfile.Proxy, policyfile.ErrImage, "x", policyfile.ErrModel, policyfile.ErrPlatform},
		{"another role", listed, open(), known, policyfile.Worker, policyfile.ErrImage, "m", nil, nil},
		{"denied", denying, open(), known, policyfile.Proxy, policyfile.ErrImage, "m", policyfile.ErrModel, policyfile.ErrDenied},
		{"empty file", empty, open(), known, policyfile.Proxy, policyfile.ErrImage, "m", policyfile.ErrModel, policyfile.ErrPlatform},
		{"zero file", zero, open(), known, policyfile.Proxy, policyfile.ErrImage, "m", policyfile.ErrModel, policyfile.ErrPlatform},
		{"unregistered", registered, closed(), known, policyfile.Proxy, policyfile.ErrImage, "m", policyfile.ErrModel, policyfile.ErrUnregistered},
		{"registered", registered, open(), known, policyfile.Proxy, policyfile.ErrImage, "m", policyfile.ErrModel, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := c.file.Policy(c.view, now, c.role)
			for what, got := range map[string][2]error{
				"image":    {p.Image(c.image), c.images},
				"model":    {c.file.Model(c.view, c.model), c.models},
				"platform": {p.Platform(c.image), c.places},
			} {
				if !errors.Is(got[0], got[1]) {
					t.Errorf("%s: got %v, want %v", what, got[0], got[1])
				}
			}
		})
	}
	p := all.Policy(open(), now)
	if !errors.Is(p.Image(known), policyfile.ErrImage) {
		t.Error("an image is allowed for no role at all")
	}
	if p.Epoch != 7 || p.AllowSimulated {
		t.Errorf("policy %+v", p)
	}
	noHook := open()
	noHook.Registered = nil
	if err := registered.Policy(noHook, now).Platform(known); !errors.Is(err, policyfile.ErrNoView) {
		t.Errorf("got %v", err)
	}
}

func TestEvaluationIsTheHigher(t *testing.T) {
	f := parse(t, "min_evaluation = 17")
	for registry, want := range map[uint32]uint32{0: 17, 16: 17, 18: 18} {
		v := open()
		v.MinEvaluation = registry
		if got := f.Policy(v, now).MinEvaluation; got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestGrace(t *testing.T) {
	f := parse(t, graceOf(`advisories = ["INTEL-SA-00615", "INTEL-SA-00837"]`))
	last := time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)
	for _, c := range []struct {
		name string
		tcb  attest.TCB
		at   time.Time
		ok   bool
	}{
		{"up to date", attest.TCB{Status: attest.UpToDate}, now, true},
		{"named", attest.TCB{Status: attest.SWHardeningNeeded, Advisories: []string{"INTEL-SA-00615"}}, now, true},
		{"all named", attest.TCB{Status: attest.SWHardeningNeeded, Advisories: []string{"INTEL-SA-00615", "INTEL-SA-00837"}}, last, true},
		{"ended", attest.TCB{Status: attest.SWHardeningNeeded, Advisories: []string{"INTEL-SA-00615"}}, last.Add(time.Second), false},
		{"one more", attest.TCB{Status: attest.SWHardeningNeeded, Advisories: []string{"INTEL-SA-00615", "INTEL-SA-00001"}}, now, false},
		{"none", attest.TCB{Status: attest.SWHardeningNeeded}, now, false},
		{"another status", attest.TCB{Status: attest.ConfigurationNeeded, Advisories: []string{"INTEL-SA-00615"}}, now, false},
		{"out of date", attest.TCB{Status: attest.OutOfDate, Advisories: []string{"INTEL-SA-00615"}}, now, false},
		{"revoked", attest.TCB{Status: attest.Revoked, Advisories: []string{"INTEL-SA-00615"}}, now, false},
		{"no status", attest.TCB{}, now, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := f.Policy(open(), c.at).TCB(c.tcb, c.at)
			if (err == nil) != c.ok || err != nil && !errors.Is(err, policyfile.ErrStatus) {
				t.Errorf("got %v", err)
			}
		})
	}
	// Nothing is relied on after the grace has ended.
	for left, want := range map[time.Duration]time.Duration{
		48 * time.Hour: 24 * time.Hour, 90 * time.Minute: 90 * time.Minute, 90*time.Second + 1: time.Minute, time.Second: time.Second, -time.Hour: 24 * time.Hour,
	} {
		at := last.Add(time.Second - left)
		if got := f.Policy(open(), at).TTL; got != want {
			t.Errorf("%s before the end: %s, want %s", left, got, want)
		}
	}
}

func TestDevices(t *testing.T) {
	f := parse(t, string(policyfile.Example()))
	p := f.GPU(nil)
	if p.Models["GH100"].MinDriver != "550.90.07" || p.MaxAge != 2*time.Minute || p.Device != nil || p.AllowSimulated {
		t.Errorf("GPU policy %+v", p)
	}
	rules := f.SNP()
	if rules.Products[snp.Genoa] != (snp.TCB{Bootloader: 9, SNP: 23, Microcode: 72}) || len(rules.Products) != 1 || rules.VLEK {
		t.Errorf("SNP rules %+v", rules)
	}
	var zero policyfile.File
	if len(zero.GPU(nil).Models) != 0 || len(zero.SNP().Products) != 0 {
		t.Error("the zero file allows a device")
	}
}

func ExampleParse() {
	file, err := policyfile.Parse([]byte("[images]\nworker = [\"any\"]\n[platforms]\nallowed = [\"any\"]"))
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := file.Policy(policyfile.View{
		Image:    func(policyfile.Role, [32]byte) error { return errors.New("not registered") },
		Platform: attest.AnyPlatform,
	}, time.Now(), policyfile.Worker)
	fmt.Println(policy.Image([32]byte{1}))
	// Output: not registered
}
