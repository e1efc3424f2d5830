package ratls_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// Every refusal of the checklist must reach the dialer as itself.
func TestVerdictsCarryEveryRefusal(t *testing.T) {
	codes := map[uint16]error{}
	for _, reason := range append(tdx.Refusals(), ratls.ErrCertificate, ratls.ErrIdentity, ratls.ErrNoEvidence, ratls.ErrNoAppraiser, ratls.ErrEvidence) {
		code, read := ratls.Verdict(fmt.Errorf("%w: details", reason))
		if !errors.Is(read, ratls.ErrRefused) || !errors.Is(read, reason) {
			t.Errorf("%v arrives as %v", reason, read)
		}
		if other, taken := codes[code]; taken {
			t.Errorf("%v and %v share code %d", reason, other, code)
		}
		codes[code] = reason
	}
}

func TestSpecificReasonWins(t *testing.T) {
	if _, read := ratls.Verdict(fmt.Errorf("%w: %w", ratls.ErrEvidence, attest.ErrImage)); !errors.Is(read, attest.ErrImage) {
		t.Errorf("got %v, want %v", read, attest.ErrImage)
	}
}

func TestUnknownVerdictIsARefusal(t *testing.T) {
	if _, read := ratls.Verdict(errors.New("anything")); !errors.Is(read, ratls.ErrRefused) {
		t.Errorf("got %v, want %v", read, ratls.ErrRefused)
	}
	accepted := 0
	for b := range 1 << 16 {
		err := ratls.ReadVerdict(uint16(b))
		if err == nil {
			accepted++
		} else if !errors.Is(err, ratls.ErrRefused) {
			t.Errorf("verdict %d: %v", b, err)
		}
	}
	if accepted != 1 {
		t.Errorf("%d verdicts mean accepted", accepted)
	}
}
