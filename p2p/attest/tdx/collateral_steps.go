package tdx

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// findCollateral has no way around it: a verifier without collateral accepts nothing.
func (c *candidate) findCollateral() (err error) {
	if c.verifier.Collateral == nil {
		return errors.New("the verifier has none")
	}
	c.collateral, err = c.verifier.Collateral.Collateral(c.platform.FMSPC, caOf(c.ca))
	if err == nil && c.collateral == nil {
		err = errors.New("the source answered with nothing")
	}
	return err
}

// collateralIssuer demands that whoever certified the platform also speaks in
// its collateral: another trusted root, or another CA's revocation list, says
// nothing about it.
func (c *candidate) collateralIssuer() error {
	switch {
	case !c.collateral.root.Equal(c.root):
		return fmt.Errorf("root %q", c.collateral.root.Subject)
	case !bytes.Equal(c.collateral.ca.RawSubject, c.ca.RawSubject),
		!bytes.Equal(c.collateral.ca.RawSubjectPublicKeyInfo, c.ca.RawSubjectPublicKeyInfo):
		return fmt.Errorf("CA %q", c.collateral.ca.Subject)
	}
	return nil
}

func (c *candidate) collateralDates() error { return c.collateral.current(c.now) }

func (c *candidate) collateralPlatform() error {
	switch t := c.collateral.tcb; {
	case t.fmspc != c.platform.FMSPC:
		return fmt.Errorf("FMSPC %x, the platform has %x", t.fmspc, c.platform.FMSPC)
	case t.pceid != c.platform.PCEID:
		return fmt.Errorf("PCEID %x, the platform has %x", t.pceid, c.platform.PCEID)
	}
	return nil
}

func (c *candidate) evaluation() error {
	if got := c.collateral.evaluation(); got < c.policy.MinEvaluation {
		return fmt.Errorf("evaluation %d, the policy demands %d", got, c.policy.MinEvaluation)
	}
	return nil
}

// evaluation is the older of the two.
func (v *Verified) evaluation() uint32 { return min(v.tcb.evaluation, v.qe.evaluation) }

func (c *candidate) revoked() error {
	switch {
	case c.collateral.rootCRL.revokes(c.ca):
		return fmt.Errorf("PCK CA %x", c.ca.SerialNumber)
	case c.collateral.pckCRL.revokes(c.pck):
		return fmt.Errorf("PCK %x", c.pck.SerialNumber)
	}
	return nil
}

func (c *candidate) qeMatches() error {
	switch qe, want := c.quote.qe, c.collateral.qe; {
	case !masked(qe[16:20], want.miscSelect[:], want.miscMask[:]):
		return fmt.Errorf("MISCSELECT %x", qe[16:20])
	case !masked(qe[48:64], want.attributes[:], want.attribMask[:]):
		return fmt.Errorf("attributes %x", qe[48:64])
	case !bytes.Equal(qe.signer(), want.signer[:]):
		return fmt.Errorf("signer %x", qe.signer())
	case qe.product() != want.product:
		return fmt.Errorf("product %d", qe.product())
	}
	return nil
}

// moduleMatches finds what collateral says about modules of the version that
// the VM runs under, and demands that it is one of them.
func (c *candidate) moduleMatches() error {
	want := c.collateral.tcb.module
	if version := c.quote.body.svn()[1]; version > 0 {
		c.module = c.collateral.tcb.moduleOf(version)
		if c.module == nil {
			return fmt.Errorf("version TDX_%02X", version)
		}
		want = *c.module
	}
	switch body := c.quote.body; {
	case !bytes.Equal(body.signerSEAM(), want.signer[:]):
		return fmt.Errorf("signer %x", body.signerSEAM())
	case !masked(body.attributesSEAM(), want.attributes[:], want.attribMask[:]):
		return fmt.Errorf("attributes %x", body.attributesSEAM())
	}
	return nil
}

// outOfDate is not the policy's to waive: the manufacturer knows how such a
// platform is broken.
func (c *candidate) outOfDate() error {
	if s := c.tcb.Status; s == 0 || s >= attest.OutOfDate {
		if c.relaunch {
			return fmt.Errorf("%s %v, but updated since this VM was launched: launch it anew", s, c.tcb.Advisories)
		}
		return fmt.Errorf("%s %v", s, c.tcb.Advisories)
	}
	return nil
}

func (c *candidate) updates() error {
	return c.policy.AllowsTCB(c.tcb, c.now)
}
