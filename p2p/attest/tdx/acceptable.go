package tdx

import (
	"bytes"
	"fmt"
	"slices"
)

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

func (c *candidate) image() error { return c.policy.AllowsImage(c.quote.body.image()) }

// events replays what the VM says it measured into RTMR3, and has the policy
// judge it.
func (c *candidate) events() error {
	if c.policy.EventsLater {
		return nil
	}
	register, err := Replay(c.evidence.Events)
	if err != nil {
		return err
	}
	if got := c.quote.body.registers().RTMR[3]; got != register {
		return fmt.Errorf("RTMR3 is %x, its events give %x", got, register)
	}
	return c.policy.AllowsEvents(c.evidence.Events)
}

func (c *candidate) allowedPlatform() error {
	return c.policy.AllowsPlatform(c.platform.ID())
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
