package ratls

import (
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// verdict is the byte with which the acceptor ends the handshake. Zero is
// never sent.
type verdict byte

const (
	accepted verdict = 1
	// refusedOther stands for a reason without a number of its own.
	refusedOther verdict = 2
)

// verdicts gives each reason its number, for good: a number is never reused.
// Specific reasons come before the general ones that wrap them.
var verdicts = []struct {
	verdict verdict
	reason  error
}{
	{16, attest.ErrSize},
	{17, attest.ErrKind},
	{18, attest.ErrFormat},
	{19, attest.ErrCertificates},
	{20, attest.ErrReportData},
	{21, attest.ErrSimulated},
	{22, attest.ErrRoot},
	{23, attest.ErrCertificateProfile},
	{24, attest.ErrCertificateDates},
	{25, attest.ErrChain},
	{26, attest.ErrPCK},
	{27, attest.ErrQESignature},
	{28, attest.ErrQEIdentity},
	{29, attest.ErrQEBinding},
	{30, attest.ErrQuoteSignature},
	{31, attest.ErrDebug},
	{32, attest.ErrAttributes},
	{33, attest.ErrServiceTD},
	{34, attest.ErrTCBOrder},
	{35, attest.ErrXFAM},
	{36, attest.ErrSEAM},
	{37, attest.ErrImage},
	{38, attest.ErrPlatform},

	{3, ErrCertificate},
	{4, ErrIdentity},
	{5, ErrNoEvidence},
	{6, ErrNoAppraiser},
	{7, ErrEvidence},
}

func verdictOf(err error) verdict {
	if err == nil {
		return accepted
	}
	for _, v := range verdicts {
		if errors.Is(err, v.reason) {
			return v.verdict
		}
	}
	return refusedOther
}

// err is what the dialer makes of a verdict.
func (v verdict) err() error {
	if v == accepted {
		return nil
	}
	for _, known := range verdicts {
		if known.verdict == v {
			return fmt.Errorf("%w: %w", ErrRefused, known.reason)
		}
	}
	return fmt.Errorf("%w: reason %d", ErrRefused, v)
}
