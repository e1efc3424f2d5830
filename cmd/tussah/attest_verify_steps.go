package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/policyfile"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// explainer lists the steps of a checklist; refused is the verdict.
type explainer func(data [64]byte, p attest.Policy, refused error) []verifyStep

// verifier is the evidence's, with what it goes by, and how to list its steps.
func (f verifyFlags) verifier(c *cobra.Command, e attest.Evidence, file policyfile.File, now time.Time) (attest.Verifier, explainer, error) {
	if e.TEE == attest.SNP {
		v := &snp.Verifier{Roots: snp.AMDRoots(), Rules: file.SNP()}
		if f.amdCRL != "" {
			der, err := readBounded(c, f.amdCRL, maxInspected)
			if err != nil {
				return nil, nil, err
			}
			list, err := x509.ParseRevocationList(der)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", f.amdCRL, err)
			}
			v.CRLs = oneCRL{list}
		}
		return v, func(_ [64]byte, _ attest.Policy, refused error) []verifyStep {
			return stepsUntil(snp.Refusals(), refused)
		}, nil
	}
	if e.TEE != attest.TDX {
		return nil, nil, fmt.Errorf("%w: %v", attest.ErrTEE, e.TEE)
	}
	roots, source, err := f.intel(c, now)
	if err != nil {
		return nil, nil, err
	}
	v := &tdx.Verifier{Roots: roots, Collateral: source}
	return v, func(data [64]byte, p attest.Policy, _ error) []verifyStep {
		var steps []verifyStep
		for _, r := range v.Explain(e, data, p, now) {
			s := verifyStep{Name: r.Name, Result: stepPassed, Code: r.Refusal.Code()}
			switch {
			case r.Skipped:
				s.Result = stepNotReached
			case r.Err != nil:
				s.Result, s.Error = stepRefused, once(r.Refusal, r.Err)
			}
			steps = append(steps, s)
		}
		return steps
	}, nil
}

// once says what a refusal and its detail say, without saying the refusal twice.
func once(refusal *attest.Refusal, detail error) string {
	if strings.HasPrefix(detail.Error(), refusal.Error()) {
		return detail.Error()
	}
	return refusal.Error() + ": " + detail.Error()
}

// reason is why the verdict is what it is: the first step that refused.
func (v verification) reason(refused error) error {
	for _, s := range v.Steps {
		if s.Result == stepRefused {
			return fmt.Errorf("evidence is refused: %s", s.Error)
		}
	}
	return fmt.Errorf("evidence is refused: %w", refused)
}

// oneCRL is a revocation list from a file. Whose it is, the verifier checks.
type oneCRL struct{ list *x509.RevocationList }

func (o oneCRL) CRL(string) (*x509.RevocationList, error) { return o.list, nil }

// stepsUntil lists a checklist that does not explain itself: by what its steps
// rule out, up to the first that refused.
func stepsUntil(refusals []error, refused error) []verifyStep {
	result := stepPassed
	var steps []verifyStep
	for _, r := range refusals {
		_, what, _ := strings.Cut(r.Error(), ": ")
		s := verifyStep{Name: "ruled out: " + what, Result: result}
		if refusal, ok := attest.RefusalIn(r); ok {
			s.Code = refusal.Code()
		}
		if result == stepPassed && errors.Is(refused, r) {
			s.Name, s.Result, s.Error = what, stepRefused, refused.Error()
			result = stepNotReached
		} else if result == stepNotReached {
			s.Name = what
		}
		steps = append(steps, s)
	}
	return steps
}
