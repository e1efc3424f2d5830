package tdx

import (
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

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

func (c *candidate) binding() error {
	if subtle.ConstantTimeCompare(c.quote.body.data(), c.reportData[:]) != 1 {
		return errors.New("REPORTDATA differs")
	}
	return nil
}
