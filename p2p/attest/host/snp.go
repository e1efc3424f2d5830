package host

import (
	"context"
	"fmt"
	"slices"

	"github.com/tussah-network/tussah/p2p/attest"
)

// SNP obtains evidence of an SEV-SNP machine.
type SNP struct {
	canonical func(report, certificates []byte) ([]byte, error)
	launch    []attest.Event
	options   Options

	turn   turn // holds all below
	cursor int
}

var _ attest.Provider = (*SNP)(nil)

// NewSNP makes a provider. canonical makes the form that verifiers accept of a
// report and of the certificates that the host has given, which may be empty;
// package snp has it. launch are the events that HOST_DATA stands for, as the
// host was told them when it launched the machine.
func NewSNP(canonical func(report, certificates []byte) ([]byte, error), launch []attest.Event, o Options) *SNP {
	return &SNP{canonical: canonical, launch: slices.Clone(launch), options: o.filled(), turn: newTurn()}
}

// TEE implements [attest.Provider].
func (*SNP) TEE() attest.TEE { return attest.SNP }

// Evidence implements [attest.Provider].
func (s *SNP) Evidence(ctx context.Context, reportData [64]byte) (attest.Evidence, error) {
	var evidence attest.Evidence
	err := s.turn.do(ctx, func() error {
		report, err := obtain(s.options.Files, "sev_guest", reportData, true)
		if err != nil {
			return err
		}
		body, err := s.canonical(report.body, report.certificates)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrReport, err)
		}
		evidence = attest.Evidence{TEE: attest.SNP, Report: body, Events: slices.Clone(s.launch)}
		return nil
	})
	if err != nil {
		return attest.Evidence{}, fmt.Errorf("obtain SEV-SNP evidence: %w", err)
	}
	return evidence, nil
}

// Measure implements [attest.Provider]. HOST_DATA was fixed at launch and there is
// no other register: an event that was not foreseen then is refused with
// [ErrFixed], and one that was, in its place, is there already.
func (s *SNP) Measure(ctx context.Context, e attest.Event) error {
	return s.turn.do(ctx, func() error {
		if s.cursor == len(s.launch) || s.launch[s.cursor].Digest() != e.Digest() {
			return fmt.Errorf("measure %s: %w", e.Name, ErrFixed)
		}
		s.cursor++
		return nil
	})
}
