package snp

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

func (c *candidate) debug() error {
	if p := c.report.policy(); p&PolicyDebug != 0 {
		return fmt.Errorf("launch policy %#x", uint64(p))
	}
	return nil
}

// migration refuses agents: they could move or read the VM.
func (c *candidate) migration() error {
	if p := c.report.policy(); p&PolicyMigration != 0 {
		return fmt.Errorf("launch policy %#x", uint64(p))
	}
	if agent := c.report.migrationAgent(); !allZero(agent) && len(bytes.Trim(agent, "\xff")) != 0 {
		return fmt.Errorf("agent %x", agent)
	}
	return nil
}

func (c *candidate) milan() error {
	if c.line == Milan {
		return errors.New("root is that of Milan")
	}
	return nil
}

func (c *candidate) product() error {
	if _, allowed := c.verifier.Rules.Products[c.line]; !allowed {
		return fmt.Errorf("product %v", c.line)
	}
	return nil
}

func (c *candidate) vlek() error {
	if c.report.signingKey() == signerKeyVLEK && !c.verifier.Rules.VLEK {
		return fmt.Errorf("provider %q", c.certified.provider)
	}
	return nil
}

func (c *candidate) guestPolicy() error {
	p, rules := c.report.policy(), c.verifier.Rules
	switch {
	case p&rules.Demand != rules.Demand:
		return fmt.Errorf("launch policy %#x lacks %#x", uint64(p), uint64(rules.Demand&^p))
	case p&rules.Forbid != 0:
		return fmt.Errorf("launch policy %#x allows %#x", uint64(p), uint64(p&rules.Forbid))
	case !p.abi().atLeast(rules.ABI):
		return fmt.Errorf("launch policy demands firmware %v, not %v", p.abi(), rules.ABI)
	}
	return nil
}

func (c *candidate) vmpl() error {
	if v := c.report.vmpl(); v != 0 {
		return fmt.Errorf("VMPL %d", v)
	}
	return nil
}

// platformInfo refuses bits it does not know, too: nobody judged them.
func (c *candidate) platformInfo() error {
	info, want := c.report.platformInfo(), c.verifier.Rules.Platform
	switch {
	case info&platformUnknown != 0:
		return fmt.Errorf("platform information %#x has unknown bits", uint64(info))
	case info&want != want:
		return fmt.Errorf("platform information %#x lacks %#x", uint64(info), uint64(want&^info))
	}
	return nil
}

// provisional refuses firmware that the platform could still roll back.
func (c *candidate) provisional() error {
	if c.levels.current != c.levels.committed || !bytes.Equal(c.report.currentFirmware(), c.report.committedFirmware()) {
		return fmt.Errorf("current %v (%x), committed %v (%x)", c.levels.current, c.report.currentFirmware(),
			c.levels.committed, c.report.committedFirmware())
	}
	return nil
}

func (c *candidate) tcbOrder() error {
	for _, older := range []TCB{c.levels.reported, c.levels.launch} {
		if !c.levels.current.AtLeast(older) {
			return fmt.Errorf("current %v after %v", c.levels.current, older)
		}
	}
	return nil
}

// idBlock demands that the fields of an id block are there together. What they
// say is part of the image's digest.
func (c *candidate) idBlock() error {
	l := c.report.launch()
	hasID, hasAuthor := l.IDKey != [48]byte{}, l.AuthorKey != [48]byte{}
	switch {
	case hasAuthor != (c.report.signer()&signerAuthorKey != 0):
		return errors.New("author key digest without author key, or the reverse")
	case !hasID && (hasAuthor || l.FamilyID != [16]byte{} || l.ImageID != [16]byte{} || l.GuestSVN != 0):
		return errors.New("fields of an id block without its key")
	}
	return nil
}

// tcbStatus judges the firmware that anything in the report depends on: that
// which runs, that which measured the launch, and that whose key signed. The
// last is the host's choice: who broke old firmware has its key for good, and
// could sign anything about newer.
func (c *candidate) tcbStatus() error {
	minimum := c.verifier.Rules.Products[c.line]
	c.tcb.Status = attest.UpToDate
	for _, level := range []TCB{c.levels.current, c.levels.launch, c.levels.reported} {
		if !level.AtLeast(minimum) {
			c.tcb.Status = attest.OutOfDate
		}
	}
	if err := c.policy.AllowsTCB(c.tcb, c.now); err != nil {
		return fmt.Errorf("current %v; launch %v; reported %v; minimum %v: %w",
			c.levels.current, c.levels.launch, c.levels.reported, minimum, err)
	}
	return nil
}

func (c *candidate) image() error { return c.policy.AllowsImage(c.report.launch().Image()) }

// events holds what the VM says it measured against HOST_DATA, and has the
// policy judge it.
func (c *candidate) events() error {
	if c.policy.EventsLater {
		return nil
	}
	want, err := HostData(c.evidence.Events)
	if err != nil {
		return err
	}
	if got := c.report.hostData(); subtle.ConstantTimeCompare(got, want[:]) != 1 {
		return fmt.Errorf("HOST_DATA is %x, its events give %x", got, want)
	}
	return c.policy.AllowsEvents(c.evidence.Events)
}

func (c *candidate) platform() error {
	return c.policy.AllowsPlatform(PlatformID([64]byte(c.report.chipID())))
}
