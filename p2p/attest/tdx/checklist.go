package tdx

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// step is one question put to a quote. A step may rely on the facts that earlier
// steps established and stored in the candidate.
type step struct {
	name    string
	refusal *attest.Refusal
	check   func(*candidate) error
	needs   fact
	gives   fact
	// once is set for a step that looks at nothing but the quote's certification
	// data and the verifier's roots: what passed it once passes it again.
	once bool
}

// fact is what a step established.
type fact uint16

const (
	aSize         fact = 1 << iota // within bounds
	aHeader                        // long enough to have one, of a kind we read
	aQuote                         // parsed
	certificates                   // parsed
	profiled                       // each certificate is what its place demands
	aPlatform                      // what the manufacturer certified
	hasCollateral                  // there is some
	aModule                        // collateral describes it
	levels                         // of enclave, module and platform are known
)

// checklist is the appraisal, in order: cheap and local first, then genuine,
// then acceptable. A newcomer reads this table and then the steps: form.go,
// genuine.go, collateral_steps.go, acceptable.go.
var checklist = []step{
	// Form.
	{name: "size", refusal: attest.ErrSize, check: (*candidate).size, gives: aSize},
	{name: "kind", refusal: ErrKind, check: (*candidate).kind, needs: aSize, gives: aHeader},
	{name: "format", refusal: attest.ErrFormat, check: (*candidate).format, needs: aHeader, gives: aQuote},
	// Binding: no signature is worth checking on somebody else's quote.
	{name: "report data", refusal: attest.ErrReportData, check: (*candidate).binding, needs: aQuote},
	// Genuine.
	{name: "certificates", refusal: ErrCertificates, check: (*candidate).certificates, needs: aQuote, gives: certificates, once: true},
	{name: "not simulated", refusal: attest.ErrSimulated, check: (*candidate).simulated, needs: certificates},
	{name: "root", refusal: attest.ErrRoot, check: (*candidate).trustedRoot, needs: certificates, once: true},
	{name: "certificate profile", refusal: ErrCertificateProfile, check: (*candidate).profile, needs: certificates, gives: profiled, once: true},
	{name: "certificate dates", refusal: ErrCertificateDates, check: (*candidate).dates, needs: certificates},
	{name: "certificate chain", refusal: ErrChain, check: (*candidate).chain, needs: profiled, once: true},
	{name: "platform certificate", refusal: ErrPCK, check: (*candidate).pckExtension, needs: certificates, gives: aPlatform, once: true},
	{name: "quoting enclave's signature", refusal: ErrQESignature, check: (*candidate).qeSignature, needs: profiled, once: true},
	{name: "quoting enclave", refusal: ErrQEIdentity, check: (*candidate).qeIdentity, needs: aQuote, once: true},
	{name: "attestation key", refusal: ErrQEBinding, check: (*candidate).qeBinding, needs: aQuote, once: true},
	{name: "quote's signature", refusal: ErrQuoteSignature, check: (*candidate).quoteSignature, needs: aQuote},
	// Genuine now: what the manufacturer says about the platform.
	{name: "collateral", refusal: attest.ErrNoCollateral, check: (*candidate).findCollateral, needs: aPlatform, gives: hasCollateral},
	{name: "collateral's issuer", refusal: ErrCollateralIssuer, check: (*candidate).collateralIssuer, needs: hasCollateral},
	{name: "collateral's dates", refusal: ErrCollateralDates, check: (*candidate).collateralDates, needs: hasCollateral},
	{name: "collateral's platform", refusal: ErrCollateralPlatform, check: (*candidate).collateralPlatform, needs: hasCollateral},
	{name: "evaluation", refusal: ErrEvaluation, check: (*candidate).evaluation, needs: hasCollateral},
	{name: "not revoked", refusal: attest.ErrRevoked, check: (*candidate).revoked, needs: hasCollateral},
	{name: "quoting enclave's identity", refusal: ErrQEMismatch, check: (*candidate).qeMatches, needs: hasCollateral},
	{name: "TDX module", refusal: ErrModule, check: (*candidate).moduleMatches, needs: hasCollateral, gives: aModule},
	{name: "updates known", refusal: ErrNoLevel, check: (*candidate).findLevels, needs: aModule, gives: levels},
	{name: "not out of date", refusal: ErrOutOfDate, check: (*candidate).outOfDate, needs: levels},
	{name: "updates", refusal: attest.ErrTCB, check: (*candidate).updates, needs: levels},
	// Acceptable.
	{name: "no debug", refusal: attest.ErrDebug, check: (*candidate).debug, needs: aQuote},
	{name: "attributes", refusal: ErrAttributes, check: (*candidate).attributes, needs: aQuote},
	{name: "no service TD", refusal: ErrServiceTD, check: (*candidate).serviceTD, needs: aQuote},
	{name: "version order", refusal: ErrTCBOrder, check: (*candidate).tcbOrder, needs: aQuote},
	{name: "extended features", refusal: ErrXFAM, check: (*candidate).xfam, needs: aQuote},
	{name: "SEAM module", refusal: ErrSEAM, check: (*candidate).seam, needs: aQuote},
	{name: "configuration id", refusal: ErrConfigID, check: (*candidate).configID, needs: aQuote},
	{name: "image", refusal: attest.ErrImage, check: (*candidate).image, needs: aQuote},
	{name: "events", refusal: attest.ErrEvents, check: (*candidate).events, needs: aQuote},
	{name: "platform", refusal: attest.ErrPlatform, check: (*candidate).allowedPlatform, needs: aPlatform},
}

// formSteps is how many steps look at form and binding only; genuineSteps is how
// many there are until everything is signed.
const (
	formSteps    = 4
	genuineSteps = 15
)

// Refusals lists the refusal of every step in order, for those who must tell
// them apart on a wire or count them.
func Refusals() []error {
	all := make([]error, len(checklist))
	for i, s := range checklist {
		all[i] = s.refusal
	}
	return all
}

// candidate is a quote on its way through the checklist.
type candidate struct {
	verifier   *Verifier
	evidence   attest.Evidence
	reportData [64]byte
	policy     attest.Policy
	now        time.Time

	quote         quote
	known         bool // the steps marked once have passed before
	pck, ca, root *x509.Certificate
	platform      Platform
	collateral    *Verified
	module        *module // nil for a module of version 0
	relaunch      bool    // the platform was updated under the VM
	tcb           attest.TCB
}

// run takes the candidate through some steps; the first refusal wins.
func (c *candidate) run(steps []step) error {
	for _, s := range steps {
		if s.once && c.known {
			continue
		}
		if err := s.check(c); err != nil {
			return fmt.Errorf("%w: %w", s.refusal, err)
		}
	}
	return nil
}
