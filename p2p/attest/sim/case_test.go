package sim_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// synthetic is one machine, with what its manufacturer says about it and what a
// verifier demands, and the verdict. Everything is well signed unless the case
// is that it is not. The zero case is a good machine.
type synthetic struct {
	name string
	want error  // nil: accepted
	says string // part of the error's text, if the refusal alone does not tell

	version5     bool
	measurements func(*sim.Measurements)
	platform     sim.Faults
	report       func([]byte) []byte // the finished quote
	collateral   sim.CollateralFaults
	served       func(*testing.T, *tdx.Collateral) // the finished collateral
	stubborn     bool                              // the source answers with this collateral whoever asks
	roots        []*x509.Certificate               // further ones that are trusted
	policy       func(*attest.Policy)
	later        time.Duration // between verifying collateral and appraising
	status       attest.Status // of an accepted one. Default [attest.UpToDate]
	advisories   []string
}

// stubborn answers with the same collateral whoever asks.
type stubborn struct{ *tdx.Verified }

func (s stubborn) Collateral([6]byte, tdx.CA) (*tdx.Verified, error) { return s.Verified, nil }

// appraise plays a case: the machine shows evidence, the verifier has collateral.
func (c synthetic) appraise(t *testing.T, ca *sim.CA) (quote []byte, a attest.Appraisal, err error) {
	t.Helper()
	data, m := [64]byte{1, 2, 3}, sim.Measure("x")
	if c.version5 {
		m.TD15 = &sim.TD15{CurrentSVN: m.SVN}
	}
	if c.measurements != nil {
		c.measurements(&m)
	}
	quote, err = quoteOf(ca.FaultyPlatform("machine", c.platform).VM(m), data)
	if err != nil {
		t.Fatal(err)
	}
	if c.report != nil {
		quote = c.report(quote)
	}
	served, err := ca.FaultyCollateral(c.collateral)
	if err != nil {
		t.Fatal(err)
	}
	if c.served != nil {
		c.served(t, &served)
	}
	policy := attest.Policy{
		AllowSimulated: true, EventsLater: true,
		Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform,
	}
	if c.policy != nil {
		c.policy(&policy)
	}
	v := &tdx.Verifier{Roots: append([]*x509.Certificate{ca.Root()}, c.roots...)}
	now := time.Now()
	verified, err := tdx.ParseCollateral(served, v.Roots, now)
	if err != nil {
		return quote, a, err
	}
	v.Collateral = verified
	if c.stubborn {
		v.Collateral = stubborn{verified}
	}
	a, err = v.Appraise(attest.Evidence{TEE: attest.TDX, Report: quote}, data, policy, now.Add(c.later))
	return quote, a, err
}

func TestSynthetic(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	cases := slices.Concat(acceptedCases(), quoteCases(), levelCases(), collateralCases(other), documentCases())
	if len(cases) < 54 {
		t.Errorf("%d cases, want at least 54", len(cases))
	}
	names, provoked := map[string]bool{}, map[error]bool{}
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("two cases %q", c.name)
		}
		names[c.name], provoked[c.want] = true, true
		t.Run(c.name, func(t *testing.T) {
			quote, a, err := c.appraise(t, ca)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want == nil {
				c.checkAccepted(t, ca, quote, a)
				return
			}
			if got, ok := attest.RefusalIn(err); !ok || error(got) != c.want {
				t.Errorf("refusal in %q is %v", err, got)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q, want it to say %q", err, c.says)
			}
			if !reflect.DeepEqual(a, attest.Appraisal{}) {
				t.Errorf("a refusal returned %+v", a)
			}
		})
	}
	for _, refusal := range []error{
		attest.ErrNoCollateral, attest.ErrRevoked, attest.ErrTCB,
		tdx.ErrCollateralForm, tdx.ErrCollateralSigner, tdx.ErrCollateralSignature, tdx.ErrCollateralCRL, tdx.ErrCollateralDates,
		tdx.ErrCollateralIssuer, tdx.ErrCollateralPlatform, tdx.ErrEvaluation, tdx.ErrQEMismatch, tdx.ErrModule, tdx.ErrNoLevel, tdx.ErrOutOfDate,
	} {
		if !provoked[refusal] {
			t.Errorf("no case provokes: %v", refusal)
		}
	}
	t.Logf("%d cases, %d refusals", len(cases), len(provoked)-1)
}

// checkAccepted compares with what the case says, and with the independent
// verifier, which knows version 4 and accepts nothing but UpToDate.
func (c synthetic) checkAccepted(t *testing.T, ca *sim.CA, quote []byte, a attest.Appraisal) {
	want := c.status
	if want == 0 {
		want = attest.UpToDate
	}
	if a.TCB.Status != want || !slices.Equal(a.TCB.Advisories, c.advisories) || a.TCB.Date.IsZero() || a.TCB.Evaluation == 0 {
		t.Errorf("appraised as %+v, want %s %v", a.TCB, want, c.advisories)
	}
	if !a.Simulated {
		t.Error("appraised as hardware")
	}
	if c.version5 || want != attest.UpToDate || c.platform.CA != nil {
		return // the independent verifier's service has no processor CA
	}
	if err := oracle(quote, ca.Root(), serve(ca, c.collateral)); err != nil {
		t.Errorf("the independent verifier refuses: %v", err)
	}
}

// named accepts platforms that need software hardening, for advisories that were
// looked at.
func named(advisories ...string) func(*attest.Policy) {
	return func(p *attest.Policy) {
		p.TCB = func(tcb attest.TCB, _ time.Time) error {
			if tcb.Status > attest.SWHardeningNeeded {
				return fmt.Errorf("platform is %s", tcb.Status)
			}
			for _, a := range tcb.Advisories {
				if !slices.Contains(advisories, a) {
					return fmt.Errorf("advisory %s is not accepted", a)
				}
			}
			return nil
		}
	}
}

// tolerant accepts whatever the verifier leaves to a policy.
func tolerant(p *attest.Policy) { p.TCB = func(attest.TCB, time.Time) error { return nil } }

// platformStatus says that platforms like ours have a status.
func platformStatus(s attest.Status, advisories ...string) sim.CollateralFaults {
	return sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) {
		i.Levels[0].Status, i.Levels[0].Advisories = s.String(), advisories
	}}
}

func moduleStatus(s attest.Status, advisories ...string) sim.CollateralFaults {
	return sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) {
		l := &i.Modules[1].Levels[0]
		l.Status, l.Advisories = s.String(), advisories
	}}
}

func enclaveStatus(s attest.Status, advisories ...string) sim.CollateralFaults {
	return sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) {
		q.Levels[0].Status, q.Levels[0].Advisories = s.String(), advisories
	}}
}
