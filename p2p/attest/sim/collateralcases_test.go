package sim_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// revoke puts serial numbers on a list.
func revoke(serials ...int64) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		for _, s := range serials {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: big.NewInt(s), RevocationTime: l.ThisUpdate,
			})
		}
	}
}

func serial(s int64) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.SerialNumber = big.NewInt(s) }
}

var (
	past   = -48 * time.Hour
	future = 48 * time.Hour
)

func infoDates(issued, next time.Duration) sim.CollateralFaults {
	return sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) {
		i.IssueDate, i.NextUpdate = time.Now().Add(issued), time.Now().Add(next)
	}}
}

func identityDates(issued, next time.Duration) sim.CollateralFaults {
	return sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) {
		q.IssueDate, q.NextUpdate = time.Now().Add(issued), time.Now().Add(next)
	}}
}

func listDates(issued, next time.Duration) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ThisUpdate, l.NextUpdate = time.Now().Add(issued), time.Now().Add(next)
	}
}

func identity(edit func(*sim.QEIdentity)) sim.CollateralFaults {
	return sim.CollateralFaults{QEIdentity: edit}
}

// collateralCases are good machines about which collateral says something else,
// or which somebody else's collateral is about.
func collateralCases(other *sim.CA) []synthetic {
	foreign := func(t *testing.T) tdx.Collateral {
		c, err := other.Collateral()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	deltaList := func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: []int{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}})
	}
	return []synthetic{
		// Dates.
		{name: "TCB info expired", want: tdx.ErrCollateralDates, says: "TCB info", collateral: infoDates(past, -time.Hour)},
		{name: "TCB info from the future", want: tdx.ErrCollateralDates, says: "TCB info", collateral: infoDates(time.Hour, future)},
		{name: "TCB info expires before it is issued", want: tdx.ErrCollateralDates, says: "TCB info", collateral: infoDates(0, -time.Minute)},
		{name: "QE identity expired", want: tdx.ErrCollateralDates, says: "QE identity", collateral: identityDates(past, -time.Hour)},
		{name: "QE identity from the future", want: tdx.ErrCollateralDates, says: "QE identity", collateral: identityDates(time.Hour, future)},
		{name: "root CRL expired", want: tdx.ErrCollateralDates, says: "root CRL", collateral: sim.CollateralFaults{RootCRL: listDates(past, -time.Hour)}},
		{name: "root CRL from the future", want: tdx.ErrCollateralDates, says: "root CRL", collateral: sim.CollateralFaults{RootCRL: listDates(time.Hour, future)}},
		{name: "PCK CRL expired", want: tdx.ErrCollateralDates, says: "PCK CRL", collateral: sim.CollateralFaults{PCKCRL: listDates(past, -time.Hour)}},
		{name: "PCK CRL from the future", want: tdx.ErrCollateralDates, says: "PCK CRL", collateral: sim.CollateralFaults{PCKCRL: listDates(time.Hour, future)}},
		{name: "TCB signer expired", want: tdx.ErrCollateralDates, says: "TCB Signing", collateral: sim.CollateralFaults{Signer: func(c *x509.Certificate) {
			c.NotAfter = time.Now().Add(-30 * time.Minute)
		}}},
		{name: "expired since it was verified", want: tdx.ErrCollateralDates, later: 366 * 24 * time.Hour},

		// Evaluation numbers.
		{name: "evaluation below the policy's", want: tdx.ErrEvaluation, policy: func(p *attest.Policy) { p.MinEvaluation = 19 }},
		{name: "TCB info rolled back", want: tdx.ErrEvaluation, policy: func(p *attest.Policy) { p.MinEvaluation = 18 },
			collateral: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Evaluation = 17 }}},
		{name: "QE identity rolled back", want: tdx.ErrEvaluation, policy: func(p *attest.Policy) { p.MinEvaluation = 18 },
			collateral: identity(func(q *sim.QEIdentity) { q.Evaluation = 17 })},

		// Another platform's.
		{name: "FMSPC of another family", want: attest.ErrNoCollateral, collateral: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.FMSPC = "00806F050000" }}},
		{name: "machine of another family", want: attest.ErrNoCollateral, platform: sim.Faults{Platform: func(p *tdx.Platform) { p.FMSPC[5] = 1 }}},
		{name: "FMSPC of another family, served nevertheless", want: tdx.ErrCollateralPlatform, says: "FMSPC", stubborn: true,
			collateral: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.FMSPC = "00806F050000" }}},
		{name: "PCEID of another", want: tdx.ErrCollateralPlatform, says: "PCEID", collateral: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.PCEID = "0001" }}},
		{name: "machine of another PCEID", want: tdx.ErrCollateralPlatform, says: "PCEID", platform: sim.Faults{Platform: func(p *tdx.Platform) { p.PCEID[0] = 1 }}},
		{name: "machine of the processor CA", want: attest.ErrNoCollateral, platform: sim.Faults{CA: processor}},
		{name: "machine of the processor CA, served nevertheless", want: tdx.ErrCollateralIssuer, stubborn: true, platform: sim.Faults{CA: processor}},
		{name: "collateral of another trusted root", want: tdx.ErrCollateralIssuer, roots: []*x509.Certificate{other.Root()},
			served: func(t *testing.T, c *tdx.Collateral) { *c = foreign(t) }},

		// Revoked.
		{name: "PCK revoked", want: attest.ErrRevoked, platform: sim.Faults{PCK: serial(7)}, collateral: sim.CollateralFaults{PCKCRL: revoke(6, 7)}},
		{name: "PCK CA revoked", want: attest.ErrRevoked, says: "Platform CA", platform: sim.Faults{CA: serial(7)},
			collateral: sim.CollateralFaults{PlatformCA: serial(7), RootCRL: revoke(7)}},
		{name: "PCK CA revoked, its successor not", want: attest.ErrRevoked, platform: sim.Faults{CA: serial(7)},
			collateral: sim.CollateralFaults{PlatformCA: serial(8), RootCRL: revoke(7)}},
		{name: "TCB signer revoked", want: attest.ErrRevoked, says: "TCB Signing", collateral: sim.CollateralFaults{Signer: serial(7), RootCRL: revoke(7)}},

		// The enclave is not the one that is described.
		{name: "QE identity: MISCSELECT", want: tdx.ErrQEMismatch, says: "MISCSELECT", collateral: identity(func(q *sim.QEIdentity) { q.MiscSelect = "01000000" })},
		{name: "QE identity: MISCSELECT outside of its mask", want: tdx.ErrQEMismatch, says: "MISCSELECT", collateral: identity(func(q *sim.QEIdentity) {
			q.MiscSelect, q.MiscSelectMask = "01000000", "00000000"
		})},
		{name: "QE identity: attributes", want: tdx.ErrQEMismatch, says: "attributes", collateral: identity(func(q *sim.QEIdentity) { q.Attributes = "01" + q.Attributes[2:] })},
		{name: "QE identity: mask of attributes", want: tdx.ErrQEMismatch, says: "attributes", collateral: identity(func(q *sim.QEIdentity) { q.AttributesMask = "FF" + q.AttributesMask[2:] })},
		{name: "QE identity: signer", want: tdx.ErrQEMismatch, says: "signer", collateral: identity(func(q *sim.QEIdentity) { q.Signer = "00" + q.Signer[2:] })},
		{name: "QE identity: product", want: tdx.ErrQEMismatch, says: "product", collateral: identity(func(q *sim.QEIdentity) { q.Product = 1 })},

		// Signers.
		{name: "TCB signer of another name", want: tdx.ErrCollateralSigner, collateral: sim.CollateralFaults{Signer: func(c *x509.Certificate) {
			c.Subject.CommonName = "Intel SGX PCK Certificate"
		}}},
		{name: "TCB signer is a CA", want: tdx.ErrCollateralSigner, collateral: sim.CollateralFaults{Signer: func(c *x509.Certificate) {
			c.IsCA, c.MaxPathLenZero, c.KeyUsage = true, true, c.KeyUsage|x509.KeyUsageCertSign
		}}},
		{name: "collateral of another root", want: tdx.ErrCollateralSigner, served: func(t *testing.T, c *tdx.Collateral) { *c = foreign(t) }},
		{name: "PCK CA in place of the TCB signer", want: tdx.ErrCollateralSigner, served: func(_ *testing.T, c *tdx.Collateral) { c.TCBInfoChain = c.PCKCRLChain }},
		{name: "QE identity's chain of another root", want: tdx.ErrCollateralSigner, roots: []*x509.Certificate{other.Root()},
			served: func(t *testing.T, c *tdx.Collateral) {
				c.QEIdentity, c.QEIdentityChain = foreign(t).QEIdentity, foreign(t).QEIdentityChain
			}},
		{name: "TCB info signed by another", want: tdx.ErrCollateralSignature, served: func(t *testing.T, c *tdx.Collateral) { c.TCBInfo = foreign(t).TCBInfo }},
		{name: "QE identity signed by another", want: tdx.ErrCollateralSignature, served: func(t *testing.T, c *tdx.Collateral) { c.QEIdentity = foreign(t).QEIdentity }},
		{name: "chain missing", want: tdx.ErrCollateralForm, served: func(_ *testing.T, c *tdx.Collateral) { c.TCBInfoChain = nil }},
		{name: "chain of one certificate", want: tdx.ErrCollateralForm, served: func(_ *testing.T, c *tdx.Collateral) {
			c.TCBInfoChain = c.TCBInfoChain[:bytes.LastIndex(c.TCBInfoChain, []byte("-----BEGIN"))]
		}},

		// Revocation lists.
		{name: "root CRL missing", want: tdx.ErrCollateralCRL, served: func(_ *testing.T, c *tdx.Collateral) { c.RootCRL = nil }},
		{name: "PCK CRL missing", want: tdx.ErrCollateralCRL, served: func(_ *testing.T, c *tdx.Collateral) { c.PCKCRL = nil }},
		{name: "PCK CRL is the root's", want: tdx.ErrCollateralCRL, served: func(_ *testing.T, c *tdx.Collateral) { c.PCKCRL = c.RootCRL }},
		{name: "root CRL is the PCK CA's", want: tdx.ErrCollateralCRL, served: func(_ *testing.T, c *tdx.Collateral) { c.RootCRL = c.PCKCRL }},
		{name: "PCK CRL of another root's CA", want: tdx.ErrCollateralCRL, served: func(t *testing.T, c *tdx.Collateral) { c.PCKCRL = foreign(t).PCKCRL }},
		{name: "root CRL of another root", want: tdx.ErrCollateralCRL, served: func(t *testing.T, c *tdx.Collateral) { c.RootCRL = foreign(t).RootCRL }},
		{name: "PCK CRL with a byte after it", want: tdx.ErrCollateralCRL, served: func(_ *testing.T, c *tdx.Collateral) { c.PCKCRL = append(c.PCKCRL, 0) }},
		{name: "PCK CRL truncated", want: tdx.ErrCollateralCRL, served: func(_ *testing.T, c *tdx.Collateral) { c.PCKCRL = c.PCKCRL[:len(c.PCKCRL)-1] }},
		{name: "PCK CRL only of changes", want: tdx.ErrCollateralCRL, collateral: sim.CollateralFaults{PCKCRL: deltaList}},
	}
}
