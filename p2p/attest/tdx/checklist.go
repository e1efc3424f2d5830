package tdx

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// step is one question put to a quote. A step may rely on what earlier steps
// established and stored in the candidate.
type step struct {
	refusal error
	check   func(*candidate) error
}

// checklist is the appraisal, in order: cheap and local first, then genuine,
// then acceptable. A newcomer reads this table and then the steps below it.
var checklist = []step{
	// Form.
	{attest.ErrSize, (*candidate).size},
	{ErrKind, (*candidate).kind},
	{attest.ErrFormat, (*candidate).format},
	{ErrCertificates, (*candidate).certificates},
	// Binding: no signature is worth checking on somebody else's quote.
	{attest.ErrReportData, (*candidate).binding},
	// Genuine.
	{attest.ErrSimulated, (*candidate).simulated},
	{attest.ErrRoot, (*candidate).trustedRoot},
	{ErrCertificateProfile, (*candidate).profile},
	{ErrCertificateDates, (*candidate).dates},
	{ErrChain, (*candidate).chain},
	{ErrPCK, (*candidate).pckExtension},
	{ErrQESignature, (*candidate).qeSignature},
	{ErrQEIdentity, (*candidate).qeIdentity},
	{ErrQEBinding, (*candidate).qeBinding},
	{ErrQuoteSignature, (*candidate).quoteSignature},
	// Collateral belongs here: TCB levels of module, enclave and platform, and
	// the revocation lists.

	// Acceptable.
	{attest.ErrDebug, (*candidate).debug},
	{ErrAttributes, (*candidate).attributes},
	{ErrServiceTD, (*candidate).serviceTD},
	{ErrTCBOrder, (*candidate).tcbOrder},
	{ErrXFAM, (*candidate).xfam},
	{ErrSEAM, (*candidate).seam},
	{ErrConfigID, (*candidate).configID},
	{attest.ErrImage, (*candidate).image},
	{attest.ErrEvents, (*candidate).events},
	{attest.ErrPlatform, (*candidate).allowedPlatform},
}

// formSteps is how many steps look at form and binding only.
const formSteps = 5

// Refusals lists the sentinel of every step in order, for those who must tell
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
	pck, ca, root *x509.Certificate
	platform      Platform
}

func (c *candidate) size() error {
	if len(c.evidence.Report) == 0 || len(c.evidence.Report) > attest.MaxReport {
		return fmt.Errorf("%d bytes", len(c.evidence.Report))
	}
	return nil
}

func (c *candidate) kind() error { return checkKind(c.evidence.Report) }

func (c *candidate) format() (err error) {
	c.quote, err = parseStrict(c.evidence.Report)
	return err
}

func (c *candidate) certificates() (err error) {
	for i, to := range []**x509.Certificate{&c.pck, &c.ca, &c.root} {
		if *to, err = x509.ParseCertificate(c.quote.chain[i]); err != nil {
			return fmt.Errorf("certificate %d: %w", i+1, err)
		}
	}
	return nil
}

func (c *candidate) binding() error {
	if subtle.ConstantTimeCompare(c.quote.body.data(), c.reportData[:]) != 1 {
		return errors.New("REPORTDATA differs")
	}
	return nil
}

// simulated refuses a root that is not the manufacturer's: one that was loaded,
// by its key; one that was not, by the name package sim gives itself. (An
// unknown root without that name is refused by the next step.)
func (c *candidate) simulated() error {
	if c.policy.AllowSimulated || genuine(c.root) {
		return nil
	}
	if c.verifier.trusts(c.root) || slices.Contains(c.root.Subject.Organization, attest.SimulatedOrganisation) {
		return fmt.Errorf("root %q", c.root.Subject)
	}
	return nil
}

func (c *candidate) trustedRoot() error {
	if !c.verifier.trusts(c.root) {
		return fmt.Errorf("root %q", c.root.Subject)
	}
	return nil
}

// profile checks all that crypto/x509 would leave to names and to us: each
// certificate is what its place in the chain demands.
func (c *candidate) profile() error {
	if err := profileOf(c.pck, pckName); err != nil {
		return err
	}
	if err := caProfile(c.ca); err != nil {
		return err
	}
	if err := profileOf(c.root, rootName); err != nil {
		return err
	}
	switch {
	case c.pck.IsCA || c.pck.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return errors.New("PCK certificate is not a leaf for signatures")
	case !bytes.Equal(c.pck.RawIssuer, c.ca.RawSubject) || !bytes.Equal(c.ca.RawIssuer, c.root.RawSubject):
		return errors.New("issuer names do not form a chain")
	}
	return nil
}

// caProfile is what a CA of platform certificates must be.
func caProfile(ca *x509.Certificate) error {
	name := platformCAName
	if caOf(ca) == ProcessorCA {
		name = processorCAName
	}
	if err := profileOf(ca, name); err != nil {
		return err
	}
	if !ca.IsCA || !ca.MaxPathLenZero || ca.KeyUsage&x509.KeyUsageCertSign == 0 {
		return errors.New("PCK CA may not issue leaves, or may issue more")
	}
	return nil
}

// caOf is which CA a certificate with the profile of one is of.
func caOf(ca *x509.Certificate) CA {
	if ca.Subject.CommonName == processorCAName {
		return ProcessorCA
	}
	return PlatformCA
}

func profileOf(certificate *x509.Certificate, name string) error {
	key, isECDSA := certificate.PublicKey.(*ecdsa.PublicKey)
	switch {
	case certificate.Subject.CommonName != name:
		return fmt.Errorf("name %q instead of %q", certificate.Subject.CommonName, name)
	case certificate.Version != 3 || !certificate.BasicConstraintsValid:
		return fmt.Errorf("%s: no basic constraints", name)
	case !isECDSA || key.Curve != elliptic.P256() || certificate.SignatureAlgorithm != x509.ECDSAWithSHA256:
		return fmt.Errorf("%s: not P-256 with SHA-256", name)
	case len(certificate.UnhandledCriticalExtensions) != 0:
		return fmt.Errorf("%s: unknown critical extension", name)
	}
	return nil
}

func (c *candidate) dates() error {
	for _, certificate := range []*x509.Certificate{c.pck, c.ca, c.root} {
		if c.now.Before(certificate.NotBefore) || c.now.After(certificate.NotAfter) {
			return fmt.Errorf("%s: valid %s to %s", certificate.Subject.CommonName,
				certificate.NotBefore.Format(time.RFC3339), certificate.NotAfter.Format(time.RFC3339))
		}
	}
	return nil
}

func (c *candidate) chain() error {
	if err := c.ca.CheckSignatureFrom(c.root); err != nil {
		return fmt.Errorf("PCK CA: %w", err)
	}
	if err := c.pck.CheckSignatureFrom(c.ca); err != nil {
		return fmt.Errorf("PCK: %w", err)
	}
	return nil
}

func (c *candidate) pckExtension() (err error) {
	c.platform, err = parsePlatform(c.pck)
	return err
}

func (c *candidate) qeSignature() error {
	// profile has established the key's type.
	return verify(c.pck.PublicKey.(*ecdsa.PublicKey), c.quote.qe, c.quote.qeSig)
}

// The platform's key signs reports of any enclave the host may start, so the
// chain is worth nothing unless the enclave is Intel's TD quoting enclave. Its
// signer and product are constants; which of its versions are current is
// collateral.
var qeSigner = [32]byte{
	0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
	0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5,
}

const (
	qeProduct   = 2    // TD quoting enclave
	qeFlags     = 0x11 // INIT and PROVISION_KEY; in particular not DEBUG
	qeFlagsMask = ^uint64(0x04)
)

func (c *candidate) qeIdentity() error {
	qe := c.quote.qe
	switch {
	case [32]byte(qe.signer()) != qeSigner:
		return fmt.Errorf("signer %x", qe.signer())
	case qe.product() != qeProduct:
		return fmt.Errorf("product %d", qe.product())
	case qe.flags()&qeFlagsMask != qeFlags || qe.miscSelect() != 0:
		return fmt.Errorf("attributes %#x, miscselect %#x", qe.flags(), qe.miscSelect())
	}
	return nil
}

func (c *candidate) qeBinding() error {
	h := sha256.New()
	h.Write(c.quote.key)
	h.Write(c.quote.auth)
	want := append(h.Sum(nil), make([]byte, 32)...)
	if subtle.ConstantTimeCompare(c.quote.qe.data(), want) != 1 {
		return errors.New("report data of the quoting enclave differs")
	}
	return nil
}

func (c *candidate) quoteSignature() error {
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, c.quote.key...))
	if err != nil {
		return err
	}
	return verify(key, c.quote.signed, c.quote.signature)
}

// TD attributes. Only SEPT_VE_DISABLE may be set, and must be: without it the
// host can inject exceptions on private memory.
const (
	attributeDebug   = 1 << 0
	attributesWanted = 1 << 28
)

func (c *candidate) debug() error {
	if a := c.quote.body.attributes(); a&attributeDebug != 0 {
		return fmt.Errorf("attributes %#x", a)
	}
	return nil
}

func (c *candidate) attributes() error {
	if a := c.quote.body.attributes(); a != attributesWanted {
		return fmt.Errorf("attributes %#x instead of %#x", a, attributesWanted)
	}
	return nil
}

// serviceTD refuses migration and other services: they could move or read the VM.
func (c *candidate) serviceTD() error {
	if m, ok := c.quote.body.serviceTD(); ok && !allZero(m) {
		return fmt.Errorf("measurement %x", m)
	}
	return nil
}

func (c *candidate) tcbOrder() error {
	current, ok := c.quote.body.current()
	if !ok {
		return nil
	}
	for i, launch := range c.quote.body.svn() {
		if current[i] < launch {
			return fmt.Errorf("component %d: %d after %d", i, current[i], launch)
		}
	}
	return nil
}

// xfams are the extended features known images run with: x87, SSE, AVX,
// AVX-512, PKRU and AMX, without and with control-flow enforcement.
var xfams = []uint64{0x602e7, 0x618e7}

func (c *candidate) xfam() error {
	if x := c.quote.body.xfam(); !slices.Contains(xfams, x) {
		return fmt.Errorf("XFAM %#x", x)
	}
	return nil
}

// seam demands Intel's own module: signer zero by definition, no attribute
// (debug, other vendor) set.
func (c *candidate) seam() error {
	switch body := c.quote.body; {
	case !allZero(body.signerSEAM()):
		return fmt.Errorf("signer %x", body.signerSEAM())
	case !allZero(body.attributesSEAM()):
		return fmt.Errorf("attributes %x", body.attributesSEAM())
	}
	return nil
}

// configID refuses values that a host gave at launch and nobody here judges.
func (c *candidate) configID() error {
	r := c.quote.body.registers()
	for _, m := range [...]Register{r.MRConfigID, r.MROwner, r.MROwnerConfig} {
		if m != (Register{}) {
			return fmt.Errorf("value %x", m)
		}
	}
	return nil
}

func (c *candidate) image() error {
	image := c.quote.body.image()
	if c.policy.Image == nil {
		return errors.New("policy allows no image")
	}
	if err := c.policy.Image(image); err != nil {
		return fmt.Errorf("image %x: %w", image, err)
	}
	return nil
}

func (c *candidate) allowedPlatform() error {
	if c.policy.Platform == nil {
		return errors.New("policy allows no platform")
	}
	if err := c.policy.Platform(c.platform.ID()); err != nil {
		return fmt.Errorf("platform %x: %w", c.platform.PPID, err)
	}
	return nil
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func hexID(id [48]byte) string { return hex.EncodeToString(id[:]) }
