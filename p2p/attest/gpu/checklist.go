package gpu

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// step is one question put to evidence. A step may rely on what earlier steps
// established.
type step struct {
	refusal *attest.Refusal
	check   func(*candidate) error
}

// checklist is the appraisal, in order: form and binding first, then genuine,
// then acceptable. Each step passes all devices before the next begins.
var checklist = []step{
	// Form.
	{ErrSize, (*candidate).size},
	{ErrEncoding, (*candidate).decode},
	{ErrReport, each((*device).parseReport)},
	{ErrCertificates, each((*device).parseChain)},
	// Binding: no signature is worth checking on the answer to another question.
	{ErrAge, (*candidate).age},
	{ErrNonce, each((*device).nonce)},
	{ErrRepeated, (*candidate).once},
	// Genuine.
	{ErrSimulated, each((*device).simulated)},
	{ErrRoot, each((*device).trustedRoot)},
	{ErrProfile, each((*device).profile)},
	{ErrDates, each((*device).dates)},
	{ErrChain, each((*device).certified)},
	{ErrSignature, each((*device).signature)},
	{ErrFWID, each((*device).firmware)},
	{ErrNoRevocation, (*candidate).list},
	{ErrRevoked, each((*device).revoked)},
	// Acceptable.
	{ErrModel, each((*device).allowedModel)},
	{ErrSKU, each((*device).allowedSKU)},
	{ErrDriver, each((*device).driverVersion)},
	{ErrVBIOS, each((*device).vbiosVersion)},
	{ErrLinks, each((*device).exposed)},
	{ErrCCMode, (*candidate).ccMode},
	{ErrDevTools, (*candidate).devTools},
	// As the manufacturer made it.
	{ErrNoRIM, each((*device).fetch)},
	{ErrRIMFormat, document((*rim).parse)},
	{ErrRIMRoot, document((*rim).trustedRoot)},
	{ErrRIMChain, document((*rim).certificates)},
	{ErrRIMDates, document((*rim).dates)},
	{ErrRIMSignature, document((*rim).verify)},
	{ErrRIMRevoked, document((*rim).revoked)},
	{ErrRIMSubject, each((*device).subject)},
	{ErrMeasurements, each((*device).measurements)},
	// Last, when it is known what the device is.
	{ErrDevice, each((*device).allowed)},
}

// Refusals lists the refusal of every step in order.
func Refusals() []*attest.Refusal {
	all := make([]*attest.Refusal, len(checklist))
	for i, s := range checklist {
		all[i] = s.refusal
	}
	return all
}

// Appraise takes the evidence of a machine's GPUs through the whole checklist.
// Same input, same answer: it fetches and keeps nothing. The error of a refusal
// wraps the [attest.Refusal] of the step that refused.
//
// What is returned says that these GPUs answered this question, genuine and in
// the state the policy wants. That they are in the machine that passed the answer
// on rests on more than evidence; see the package's description.
func Appraise(evidence []byte, q Question, c Collateral, p Policy, now time.Time) (attest.GPUs, error) {
	e := &candidate{raw: evidence, question: q, collateral: c, policy: p, now: now, rims: map[string]*rim{}}
	for _, s := range checklist {
		if err := s.check(e); err != nil {
			return attest.GPUs{}, fmt.Errorf("%w: %w", s.refusal, err)
		}
	}
	result := attest.GPUs{Evidence: Digest(evidence)}
	for _, d := range e.devices {
		result.Devices = append(result.Devices, d.gpu)
	}
	return result, nil
}

// candidate is evidence on its way through the checklist.
type candidate struct {
	raw        []byte
	question   Question
	collateral Collateral
	policy     Policy
	now        time.Time

	devices []*device
	rims    map[string]*rim // by id; devices of one kind share them
}

// VerifyRIM tells whether bytes are a document of reference measurements by the
// manufacturer, current at a time. It is for those who keep documents; whether one
// was revoked is for [Appraise].
func VerifyRIM(document []byte, now time.Time) error {
	r, c := &rim{raw: document}, &candidate{now: now}
	for _, check := range []func(*candidate) error{r.parse, r.trustedRoot, r.certificates, r.dates, r.verify} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

// each asks every device.
func each(check func(*device) error) func(*candidate) error {
	return func(c *candidate) error {
		for i, d := range c.devices {
			if err := check(d); err != nil {
				return fmt.Errorf("device %d: %w", i, err)
			}
		}
		return nil
	}
}

// document asks every document of reference measurements.
func document(check func(*rim, *candidate) error) func(*candidate) error {
	return func(c *candidate) error {
		for _, id := range slices.Sorted(maps.Keys(c.rims)) {
			if err := check(c.rims[id], c); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
		}
		return nil
	}
}

func (c *candidate) size() error {
	if len(c.raw) == 0 || len(c.raw) > MaxEvidence {
		return fmt.Errorf("%d bytes", len(c.raw))
	}
	return nil
}

func (c *candidate) decode() error {
	devices, err := Decode(c.raw)
	if err != nil {
		return err
	}
	for _, d := range devices {
		c.devices = append(c.devices, &device{candidate: c, evidence: d})
	}
	return nil
}

func (c *candidate) age() error {
	limit := c.policy.MaxAge
	if limit == 0 {
		limit = DefaultMaxAge
	}
	if age := c.now.Sub(c.question.Asked); age > limit || age < -maxSkew {
		return fmt.Errorf("%s", age)
	}
	return nil
}

func (c *candidate) once() error {
	seen := map[[32]byte]bool{}
	for i, d := range c.devices {
		id := d.chain.deviceID()
		if seen[id] {
			return fmt.Errorf("device %d: %x", i, id)
		}
		seen[id] = true
	}
	return nil
}

func (c *candidate) list() error {
	limit := c.policy.MaxListAge
	if limit == 0 {
		limit = DefaultMaxListAge
	}
	if c.collateral.Revocations == nil {
		return errors.New("there is none")
	}
	if age := c.now.Sub(c.collateral.Revocations.Date); age > limit || age < -maxSkew {
		return fmt.Errorf("it is of %s", c.collateral.Revocations.Date.UTC().Format(time.RFC3339))
	}
	return nil
}

// revoked refuses a chain with a certificate on the list.
func (c *candidate) revoked(certificates chain) error {
	for i, cert := range certificates {
		if _, listed := c.collateral.Revocations.IDs[CertificateID(cert)]; listed {
			return fmt.Errorf("certificate %d, %q", i, cert.Subject.CommonName)
		}
	}
	return nil
}

func (c *candidate) ccMode() error {
	if m := c.question.CC; m != CCOn && m != CCDevTools {
		return fmt.Errorf("mode is %s", m)
	}
	return nil
}

func (c *candidate) devTools() error {
	if c.question.CC != CCOn {
		return fmt.Errorf("mode is %s", c.question.CC)
	}
	return nil
}

func sameBytes(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
