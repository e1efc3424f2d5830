package tdx_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// TestConvergence: the whole is as current as its worst part.
func TestConvergence(t *testing.T) {
	for _, c := range []struct{ platform, module, qe, want string }{
		{"UpToDate", "UpToDate", "UpToDate", "UpToDate"},
		{"SWHardeningNeeded", "UpToDate", "UpToDate", "SWHardeningNeeded"},
		{"ConfigurationNeeded", "UpToDate", "UpToDate", "ConfigurationNeeded"},
		{"ConfigurationAndSWHardeningNeeded", "UpToDate", "UpToDate", "ConfigurationAndSWHardeningNeeded"},
		{"OutOfDate", "UpToDate", "UpToDate", "OutOfDate"},
		{"UpToDate", "OutOfDate", "UpToDate", "OutOfDate"},
		{"UpToDate", "UpToDate", "OutOfDate", "OutOfDate"},
		{"SWHardeningNeeded", "OutOfDate", "UpToDate", "OutOfDate"},
		{"ConfigurationNeeded", "OutOfDate", "UpToDate", "OutOfDateConfigurationNeeded"},
		{"ConfigurationNeeded", "UpToDate", "OutOfDate", "OutOfDateConfigurationNeeded"},
		{"ConfigurationAndSWHardeningNeeded", "UpToDate", "OutOfDate", "OutOfDateConfigurationNeeded"},
		{"OutOfDateConfigurationNeeded", "OutOfDate", "OutOfDate", "OutOfDateConfigurationNeeded"},
		{"OutOfDate", "OutOfDate", "OutOfDate", "OutOfDate"},
		{"Revoked", "UpToDate", "UpToDate", "Revoked"},
		{"UpToDate", "Revoked", "OutOfDate", "Revoked"},
		{"OutOfDateConfigurationNeeded", "UpToDate", "Revoked", "Revoked"},
	} {
		t.Run(c.platform+" "+c.module+" "+c.qe, func(t *testing.T) {
			l := newLab(t)
			l.policy.Collateral = l.verified(t, sim.CollateralFaults{
				TCBInfo: func(i *sim.TCBInfo) {
					i.Levels[0].Status, i.Levels[0].Advisories = c.platform, []string{"INTEL-SA-2", "INTEL-SA-1"}
					i.Modules[1].Levels[0].Status, i.Modules[1].Levels[0].Advisories = c.module, []string{"INTEL-SA-3", "INTEL-SA-1"}
					i.Modules[1].Levels[0].Date = time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)
				},
				QEIdentity: func(q *sim.QEIdentity) { q.Levels[0].Status, q.Evaluation = c.qe, 17 },
			}, time.Now())
			var got attest.TCB
			l.policy.TCB = func(tcb attest.TCB, _ time.Time) error { got = tcb; return nil }
			a, err := appraise(l.quote(t, l.good), l.data, l.policy, time.Now())
			want, _ := attest.ParseStatus(c.want)
			if want >= attest.OutOfDate {
				if !errors.Is(err, tdx.ErrOutOfDate) || !strings.Contains(err.Error(), c.want+" ") {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			if err != nil || got.Status != want || a.TCB.Status != want || got.Evaluation != 17 || got.Date.Year() != 2020 ||
				!slices.Equal(got.Advisories, []string{"INTEL-SA-1", "INTEL-SA-2", "INTEL-SA-3"}) {
				t.Errorf("got %+v, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestRelaunchIsAdvisedButRefused(t *testing.T) {
	l := newLab(t)
	m := l.version5()
	m.SVN[0], m.TD15.CurrentSVN[0] = 5, 6
	_, err := appraise(l.quote(t, m), l.data, l.policy, time.Now())
	if !errors.Is(err, tdx.ErrOutOfDate) || !strings.Contains(err.Error(), "launch it anew") {
		t.Errorf("updated since launch: %v", err)
	}
	m.TD15.CurrentSVN[0] = 5
	_, err = appraise(l.quote(t, m), l.data, l.policy, time.Now())
	if !errors.Is(err, tdx.ErrOutOfDate) || strings.Contains(err.Error(), "launch it anew") {
		t.Errorf("not updated: %v", err)
	}
}

// A module of version 0 is judged by the platform's levels.
func TestModuleWithoutVersion(t *testing.T) {
	l := newLab(t)
	m := l.good
	m.SVN = [16]byte{5, 0, 3}
	if a, err := appraise(l.quote(t, m), l.data, l.policy, time.Now()); err != nil || a.TCB.Status != attest.UpToDate {
		t.Errorf("%+v, %v", a.TCB, err)
	}
}

func TestExpiryOfCollateral(t *testing.T) {
	l := newLab(t)
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	l.policy.Collateral = l.verified(t, sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.NextUpdate = soon }}, time.Now())
	a, err := appraise(l.quote(t, l.good), l.data, l.policy, time.Now())
	if want := soon.Add(10 * time.Minute); err != nil || !a.Expiry.Equal(want) {
		t.Errorf("expiry %v, %v, want the collateral's %v", a.Expiry, err, want)
	}
}

func TestInputs(t *testing.T) {
	l := newLab(t)
	v := l.ca.Verifier()
	before := v.Inputs()
	if v.Inputs() != before {
		t.Error("inputs change by themselves")
	}
	v.Collateral = l.verified(t, sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Evaluation++ }}, time.Now())
	after := v.Inputs()
	if after == before {
		t.Error("other collateral, same inputs")
	}
	v.Roots = nil
	if v.Inputs() == after {
		t.Error("other roots, same inputs")
	}
}
