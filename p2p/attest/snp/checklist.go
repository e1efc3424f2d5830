package snp

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// step is one question put to evidence. A step may rely on what earlier steps
// established and stored in the candidate.
type step struct {
	refusal error
	check   func(*candidate) error
}

// checklist is the appraisal, in order: cheap and local first, then genuine,
// then acceptable. A newcomer reads this table and then the steps in form.go,
// genuine.go, revocation.go and acceptable.go.
var checklist = []step{
	// Form.
	{attest.ErrSize, (*candidate).size},
	{attest.ErrFormat, (*candidate).encoding},
	{ErrKind, (*candidate).kind},
	{attest.ErrFormat, (*candidate).format},
	{ErrCertificate, (*candidate).certificate},
	// Binding: no signature is worth checking on somebody else's report.
	{attest.ErrReportData, (*candidate).binding},
	// Genuine.
	{attest.ErrSimulated, (*candidate).simulated},
	{attest.ErrRoot, (*candidate).knownRoot},
	{ErrCertificateProfile, (*candidate).profile},
	{ErrChain, (*candidate).chain},
	{ErrCertificateDates, (*candidate).dates},
	{ErrExtensions, (*candidate).extensions},
	{ErrProductMismatch, (*candidate).oneProduct},
	{ErrReportSignature, (*candidate).reportSignature},
	{ErrChip, (*candidate).chipID},
	{ErrReportedTCB, (*candidate).reportedTCB},
	{ErrSecondOpinion, (*candidate).secondOpinion},
	// Acceptable. First what no collateral could heal, so that it is said whether
	// there is any or not.
	{attest.ErrDebug, (*candidate).debug},
	{ErrMigration, (*candidate).migration},
	{ErrMilan, (*candidate).milan},
	{ErrProduct, (*candidate).product},
	{ErrVLEK, (*candidate).vlek},
	{attest.ErrNoCollateral, (*candidate).revocationList},
	{attest.ErrRevoked, (*candidate).revoked},
	{ErrGuestPolicy, (*candidate).guestPolicy},
	{ErrVMPL, (*candidate).vmpl},
	{ErrPlatformInfo, (*candidate).platformInfo},
	{ErrProvisional, (*candidate).provisional},
	{ErrTCBOrder, (*candidate).tcbOrder},
	{ErrIDBlock, (*candidate).idBlock},
	{attest.ErrTCB, (*candidate).tcbStatus},
	{attest.ErrImage, (*candidate).image},
	{attest.ErrEvents, (*candidate).events},
	{attest.ErrPlatform, (*candidate).platform},
}

// formSteps is how many steps look at form and binding only.
const formSteps = 6

// Refusals lists the sentinel of every step in order, for those who must tell
// them apart on a wire or count them. One that two steps share is there twice.
func Refusals() []error {
	all := make([]error, len(checklist))
	for i, s := range checklist {
		all[i] = s.refusal
	}
	return all
}

// candidate is evidence on its way through the checklist.
type candidate struct {
	verifier   *Verifier
	evidence   attest.Evidence
	reportData [64]byte
	policy     attest.Policy
	now        time.Time

	report    report
	chipDER   []byte
	chip      *x509.Certificate // VCEK or VLEK
	roots     []Root            // that the chip's issuer names, as far as the policy allows them
	root      Root
	line      Product // the root's
	certified certified
	levels    levels
	crl       *x509.RevocationList
	tcb       attest.TCB
}

// levels are the firmware levels in a report.
type levels struct{ current, committed, reported, launch TCB }

func (c *candidate) run(steps []step) error {
	for _, s := range steps {
		if err := s.check(c); err != nil {
			return fmt.Errorf("%w: %w", s.refusal, err)
		}
	}
	return nil
}
