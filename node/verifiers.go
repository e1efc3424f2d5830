package node

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/collateral"
	"github.com/tussah-network/tussah/p2p/attest/policyfile"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// verifiers is what this node judges evidence by, beside the registry: the
// operator's file, a verifier for each kind of machine, and what manufacturers
// say. Where a simulated authority is configured, it is the only one believed.
type verifiers struct {
	file       policyfile.File
	of         []attest.Verifier
	simulated  bool
	collateral *collateral.Service // nil on a simulated network
}

// openVerifiers reads the policy file and what was kept of collateral.
func openVerifiers(cfg AttestationConfig, dataDir string, log *slog.Logger) (verifiers, error) {
	file, err := readPolicy(cfg.Policy)
	if err != nil {
		return verifiers{}, fmt.Errorf("attestation.policy: %w", err)
	}
	if cfg.SimulatedCA != "" {
		v, err := sim.LoadVerifier(cfg.SimulatedCA)
		if err != nil {
			return verifiers{}, fmt.Errorf("attestation.simulated_ca: %w", err)
		}
		return verifiers{file: file, of: []attest.Verifier{v}, simulated: true}, nil
	}
	service, err := openCollateral(cfg, dataDir, log)
	if err != nil {
		return verifiers{}, err
	}
	return verifiers{
		file:       file,
		collateral: service,
		of: []attest.Verifier{
			&tdx.Verifier{Collateral: service},
			&snp.Verifier{Roots: snp.AMDRoots(), CRLs: amdLists{service}, Rules: file.SNP()},
		},
	}, nil
}

// registryDecides is the policy without a file: what the registry lists, on
// platforms that are up to date. AMD's need a file, which names their firmware.
const registryDecides = `models = ["any"]
[images]
proxy = ["any"]
worker = ["any"]
[platforms]
allowed = ["any"]
`

// readPolicy is the operator's file.
func readPolicy(path string) (policyfile.File, error) {
	text := []byte(registryDecides)
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return policyfile.File{}, err
		}
	}
	return policyfile.Parse(text)
}

func openCollateral(cfg AttestationConfig, dataDir string, log *slog.Logger) (*collateral.Service, error) {
	o := collateral.Options{Dir: filepath.Join(dataDir, "collateral"), Log: log, Alert: func(a collateral.Alert) {
		log.Error("collateral runs out and cannot be refreshed", slog.String("name", a.Name), slog.Time("expires", a.Expires), slog.Any("error", a.Err))
	}}
	if !cfg.Offline {
		client, err := collateral.NewClient(collateral.ClientOptions{PCCS: cfg.PCCS})
		if err != nil {
			return nil, fmt.Errorf("attestation.pccs: %w", err)
		}
		o.Client = client
	}
	service := collateral.New(o)
	if err := service.Open(); err != nil {
		return nil, err
	}
	if err := importBundle(service, cfg.Bundle); err != nil {
		return nil, errors.Join(fmt.Errorf("attestation.bundle: %w", err), service.Close())
	}
	return service, nil
}

func importBundle(s *collateral.Service, path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = s.Import(f)
	return err
}

// run refreshes collateral until ctx ends.
func (v verifiers) run(ctx context.Context) error {
	if v.collateral == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return v.collateral.Run(ctx)
}

func (v verifiers) close() error {
	if v.collateral == nil {
		return nil
	}
	return v.collateral.Close()
}

// expires is when the first of the collateral runs out; nil without any.
func (v verifiers) expires() *time.Time {
	if v.collateral == nil {
		return nil
	}
	first, ok := v.collateral.NextExpiry()
	if !ok {
		return nil
	}
	return &first
}

// verifier is the one for a TEE.
func (v verifiers) verifier(tee attest.TEE) (attest.Verifier, error) {
	for _, one := range v.of {
		if one.TEE() == tee {
			return one, nil
		}
	}
	return nil, fmt.Errorf("%w: %v", attest.ErrTEE, tee)
}

// amdLists are AMD's revocation lists, as the collateral service keeps them.
// Package snp verifies them.
type amdLists struct{ service *collateral.Service }

// CRL implements [snp.CRLs].
func (l amdLists) CRL(product string) (*x509.RevocationList, error) {
	name, err := collateral.AMDCRL(product)
	if err != nil {
		return nil, err
	}
	raw, err := l.service.Document(name, func(body []byte) error { return snp.CheckCRL(product, body) })
	if err != nil {
		return nil, err
	}
	return x509.ParseRevocationList(raw)
}
