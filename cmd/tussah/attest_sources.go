package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/collateral"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// intel is what a TDX quote is judged by: roots beside Intel's, which package tdx
// knows by its key, and collateral.
func (f verifyFlags) intel(c *cobra.Command, now time.Time) ([]*x509.Certificate, tdx.Source, error) {
	roots, err := simulatedRoots(f.simulated)
	if err != nil {
		return nil, nil, err
	}
	var sets []tdx.Collateral
	switch {
	case f.collateral != "":
		text, err := readBounded(c, f.collateral, maxInspected)
		if err != nil {
			return nil, nil, err
		}
		if sets, err = collateral.ParseBundle(bytes.NewReader(text)); err != nil {
			return nil, nil, hint(fmt.Errorf("%s: %w", f.collateral, err), "tussah attest collateral export writes a bundle")
		}
	case f.simulated != "":
		set, err := sim.LoadCollateral(f.simulated)
		if err != nil {
			return nil, nil, err
		}
		sets = append(sets, set)
	}
	return roots, parseSets(sets, roots, now), nil
}

// simulatedRoots are the root of a simulated authority, if one is named.
func simulatedRoots(dir string) ([]*x509.Certificate, error) {
	if dir == "" {
		return nil, nil
	}
	root, err := sim.LoadRoot(dir)
	if err != nil {
		return nil, hint(err, "tussah attest simulate makes an authority; tussah sandbox up leaves one in its folder")
	}
	return []*x509.Certificate{root}, nil
}

// bundleSource answers from what was in a bundle, and with why the rest of it was
// refused.
type bundleSource struct {
	sets    []*tdx.Verified
	refused []error
}

func parseSets(sets []tdx.Collateral, roots []*x509.Certificate, now time.Time) bundleSource {
	var s bundleSource
	for i, set := range sets {
		v, err := tdx.ParseCollateral(set, roots, now)
		if err != nil {
			s.refused = append(s.refused, fmt.Errorf("set %d is refused: %w", i+1, err))
			continue
		}
		s.sets = append(s.sets, v)
	}
	return s
}

// Collateral implements [tdx.Source].
func (s bundleSource) Collateral(fmspc [6]byte, ca tdx.CA) (*tdx.Verified, error) {
	for _, v := range s.sets {
		if found, err := v.Collateral(fmspc, ca); err == nil {
			return found, nil
		}
	}
	why := errors.Join(s.refused...)
	if why == nil {
		why = errors.New("nothing was given about it")
	}
	return nil, fmt.Errorf("%w: FMSPC %x of the %s CA: %w", attest.ErrNoCollateral, fmspc, ca, why)
}

// ID implements [tdx.Source]. Nothing is cached here.
func (s bundleSource) ID() [32]byte { return [32]byte{} }
