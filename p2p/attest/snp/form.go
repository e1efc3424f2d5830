package snp

import (
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

func (c *candidate) size() error {
	if n := len(c.evidence.Report); n == 0 || n > attest.MaxReport {
		return fmt.Errorf("%d bytes", n)
	}
	return nil
}

func (c *candidate) encoding() (err error) {
	c.report, c.chipDER, err = split(c.evidence.Report)
	return err
}

func (c *candidate) kind() error   { return c.report.checkKind() }
func (c *candidate) format() error { return c.report.checkForm() }

func (c *candidate) certificate() (err error) {
	c.chip, err = x509.ParseCertificate(c.chipDER)
	return err
}

func (c *candidate) binding() error {
	if subtle.ConstantTimeCompare(c.report.data(), c.reportData[:]) != 1 {
		return errors.New("REPORT_DATA differs")
	}
	return nil
}
