package tdx_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// forged is collateral that somebody altered on its way, or a signer that signs
// what the manufacturer would not.
type forged struct {
	name   string
	want   error
	faults sim.CollateralFaults
	edit   func(*tdx.Collateral)
}

func forgeries() (all []forged) {
	const lie = `{"id":"TDX","version":3}`
	answer := func(name string, f func(string) string) {
		all = append(all, forged{name: "answer: " + name, want: tdx.ErrCollateralForm, edit: func(c *tdx.Collateral) { c.TCBInfo = []byte(f(string(c.TCBInfo))) }})
	}
	// Not signed: what encloses the signed part.
	answer("case variant appended", func(s string) string { return s[:len(s)-1] + `,"TCBINFO":` + lie + `}` })
	answer("case variant before", func(s string) string { return `{"TCBInfo":` + lie + `,` + s[1:] })
	answer("duplicate appended", func(s string) string { return s[:len(s)-1] + `,"tcbInfo":` + lie + `}` })
	// What is cut out of these is not what was signed.
	unsigned := func(name string, f func(string) string) {
		answer(name, f)
		all[len(all)-1].want = tdx.ErrCollateralSignature
	}
	unsigned("duplicate before", func(s string) string { return `{"tcbInfo":` + lie + `,` + s[1:] })
	answer("escaped key", func(s string) string { return s[:len(s)-1] + `,"\u0074cbInfo":` + lie + `}` })
	answer("dotless i", func(s string) string { return s[:len(s)-1] + `,"tcbınfo":` + lie + `}` })
	answer("Kelvin sign", func(s string) string { return s[:len(s)-1] + `,"K":1}` })
	answer("trailing byte", func(s string) string { return s + "x" })
	answer("trailing space", func(s string) string { return s + " " })
	unsigned("second document", func(s string) string { return s + s })
	answer("leading space", func(s string) string { return " " + s })
	answer("byte order mark", func(s string) string { return "\ufeff" + s })
	unsigned("space inside", func(s string) string { return strings.Replace(s, `:{"id"`, `: {"id"`, 1) })
	answer("signature first", func(s string) string {
		at := strings.LastIndex(s, `,"signature"`)
		return `{` + s[at+1:len(s)-1] + `,` + s[1:at] + `}`
	})
	unsigned("signature twice", func(s string) string { return s[:len(s)-1] + s[strings.LastIndex(s, `,"signature"`):] })
	answer("signature not hexadecimal", func(s string) string { return s[:len(s)-3] + `g"}` })
	answer("no signature", func(s string) string { return s[:strings.LastIndex(s, `,"signature"`)] + "}" })
	answer("other document's name", func(s string) string { return strings.Replace(s, "tcbInfo", "enclaveIdentity", 1) })
	answer("empty", func(string) string { return "" })
	answer("null", func(string) string { return `{"tcbInfo":null,"signature":null}` })
	answer("64 KiB", func(s string) string { return strings.Repeat(" ", 64<<10) + s })
	all = append(all, forged{name: "answer: status changed", want: tdx.ErrCollateralSignature, edit: func(c *tdx.Collateral) {
		c.TCBInfo = bytes.Replace(c.TCBInfo, []byte("OutOfDate"), []byte("UpToDate"), 1)
	}}, forged{name: "answer: QE identity's status changed", want: tdx.ErrCollateralSignature, edit: func(c *tdx.Collateral) {
		c.QEIdentity = bytes.Replace(c.QEIdentity, []byte("OutOfDate"), []byte("UpToDate"), 1)
	}})

	// Signed: the one form is demanded here too.
	body := func(name, old, new string) {
		replace := func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
		all = append(all, forged{name: "signed: " + name, want: tdx.ErrCollateralForm, faults: sim.CollateralFaults{TCBInfoJSON: replace}})
	}
	body("duplicate key", `"version":3`, `"version":3,"version":3`)
	body("duplicate key of a level", `"pcesvn":11`, `"pcesvn":11,"pcesvn":0`)
	body("duplicate key of a component", `"svn":3,`, `"svn":3,"svn":0,`)
	body("duplicate status", `"tcbStatus":"UpToDate"`, `"tcbStatus":"UpToDate","tcbStatus":"UpToDate"`)
	body("case variant", `"tcbType":0`, `"tcbType":0,"TCBTYPE":0`)
	body("nested case variant", `"pcesvn":11`, `"pcesvn":11,"PCESVN":0`)
	body("escape in a key", `"version"`, `"\u0076ersion"`)
	body("escape in a value", `"TDX"`, `"\u0054DX"`)
	body("unknown key", `"version":3`, `"version":3,"x":1`)
	body("missing key", `"tcbType":0,`, ``)
	body("space", `"version":3`, `"version": 3`)
	body("number as text", `"version":3`, `"version":"3"`)
	body("version 2", `"version":3`, `"version":2`)
	body("exponent", `"tcbEvaluationDataNumber":18`, `"tcbEvaluationDataNumber":18e0`)
	body("negative", `"tcbEvaluationDataNumber":18`, `"tcbEvaluationDataNumber":-18`)
	body("leading zero", `"tcbEvaluationDataNumber":18`, `"tcbEvaluationDataNumber":018`)
	body("number of 64 bits", `"tcbEvaluationDataNumber":18`, `"tcbEvaluationDataNumber":18446744073709551634`)
	body("component of 9 bits", `"svn":3,`, `"svn":256,`)
	body("SGX instead of TDX", `"TDX"`, `"SGX"`)
	body("FMSPC too short", `"fmspc":"90`, `"fmspc":"`)
	body("FMSPC not hexadecimal", `"fmspc":"90`, `"fmspc":"9x`)
	body("status unknown", `"OutOfDate"`, `"Fine"`)
	body("module needs configuration", `"UpToDate"`, `"ConfigurationNeeded"`)
	body("module twice", `"TDX_03"`, `"TDX_01"`)
	body("module without version", `"TDX_03"`, `"TDX"`)
	body("date with fraction", `Z","nextUpdate"`, `.5Z","nextUpdate"`)
	body("date with offset", `Z","nextUpdate"`, `+00:00","nextUpdate"`)
	body("trailing comma", `"tcbType":0,`, `"tcbType":0,,`)
	body("null", `"tcbType":0`, `"tcbType":null`)
	all = append(all,
		forged{name: "signed: bytes after the end", want: tdx.ErrCollateralForm, faults: sim.CollateralFaults{TCBInfoJSON: func(b []byte) []byte { return append(b, '}') }}},
		forged{name: "signed: 15 components", want: tdx.ErrCollateralForm, faults: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Levels[0].TCB.SGX = i.Levels[0].TCB.SGX[:15] }}},
		forged{name: "signed: no levels", want: tdx.ErrCollateralForm, faults: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Levels = i.Levels[:0] }}},
		forged{name: "signed: 65 levels", want: tdx.ErrCollateralForm, faults: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Levels = slices.Repeat(i.Levels[:1], 65) }}},
		forged{name: "signed: QE instead of TD_QE", want: tdx.ErrCollateralForm, faults: sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.ID = "QE" }}},
		forged{name: "signed: QE identity of version 1", want: tdx.ErrCollateralForm, faults: sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.Version = 1 }}},
	)
	return append(all, forgedLists()...)
}

// forgedLists are about signers, revocation lists and dates.
func forgedLists() []forged {
	revoke := func(serial *big.Int) func(*x509.RevocationList) {
		return func(r *x509.RevocationList) {
			r.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: serial, RevocationTime: r.ThisUpdate}}
		}
	}
	number := func(c *x509.Certificate) { c.SerialNumber = big.NewInt(42) }
	return []forged{
		{name: "signer of another name", want: tdx.ErrCollateralSigner, faults: sim.CollateralFaults{Signer: func(c *x509.Certificate) { c.Subject.CommonName = "Intel SGX PCK Certificate" }}},
		{name: "signer that is a CA", want: tdx.ErrCollateralSigner, faults: sim.CollateralFaults{Signer: func(c *x509.Certificate) { c.IsCA = true }}},
		{name: "signer that may not sign", want: tdx.ErrCollateralSigner, faults: sim.CollateralFaults{Signer: func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }}},
		{name: "PCK CA of another name", want: tdx.ErrCollateralSigner, faults: sim.CollateralFaults{PlatformCA: func(c *x509.Certificate) { c.Subject.CommonName = "x" }}},
		{name: "PCK CA that may not revoke", want: tdx.ErrCollateralCRL, edit: func(c *tdx.Collateral) { c.PCKCRL = c.RootCRL }},
		{name: "signer altered", want: tdx.ErrCollateralSigner, edit: func(c *tdx.Collateral) { c.TCBInfoChain = alteredChain(c.TCBInfoChain, 0) }},
		{name: "root altered", want: tdx.ErrCollateralSigner, edit: func(c *tdx.Collateral) { c.TCBInfoChain = alteredChain(c.TCBInfoChain, 1) }},
		{name: "no chain", want: tdx.ErrCollateralForm, edit: func(c *tdx.Collateral) { c.QEIdentityChain = nil }},
		{name: "chain without root", want: tdx.ErrCollateralForm, edit: func(c *tdx.Collateral) { c.QEIdentityChain = c.QEIdentityChain[:len(c.QEIdentityChain)/2] }},
		{name: "chain with text before", want: tdx.ErrCollateralForm, edit: func(c *tdx.Collateral) { c.PCKCRLChain = append([]byte("x\n"), c.PCKCRLChain...) }},
		{name: "chain of 17 KiB", want: tdx.ErrCollateralForm, edit: func(c *tdx.Collateral) { c.PCKCRLChain = append(c.PCKCRLChain, make([]byte, 17<<10)...) }},
		{name: "no root CRL", want: tdx.ErrCollateralCRL, edit: func(c *tdx.Collateral) { c.RootCRL = nil }},
		{name: "no PCK CRL", want: tdx.ErrCollateralCRL, edit: func(c *tdx.Collateral) { c.PCKCRL = nil }},
		{name: "CRLs exchanged", want: tdx.ErrCollateralCRL, edit: func(c *tdx.Collateral) { c.RootCRL, c.PCKCRL = c.PCKCRL, c.RootCRL }},
		{name: "CRL altered", want: tdx.ErrCollateralCRL, edit: func(c *tdx.Collateral) { flipLast(c.PCKCRL) }},
		{name: "CRL with a byte after it", want: tdx.ErrCollateralCRL, edit: func(c *tdx.Collateral) { c.PCKCRL = append(c.PCKCRL, 0) }},
		{name: "CRL of 1 MiB", want: tdx.ErrCollateralForm, edit: func(c *tdx.Collateral) { c.PCKCRL = append(c.PCKCRL, make([]byte, 1<<20)...) }},
		{name: "CRL number of 65 bits", want: tdx.ErrCollateralCRL, faults: sim.CollateralFaults{PCKCRL: func(r *x509.RevocationList) { r.Number = new(big.Int).Lsh(big.NewInt(1), 64) }}},
		{name: "root CRL expired", want: tdx.ErrCollateralDates, faults: sim.CollateralFaults{RootCRL: func(r *x509.RevocationList) { r.NextUpdate = time.Now().Add(-11 * time.Minute) }}},
		{name: "PCK CRL from the future", want: tdx.ErrCollateralDates, faults: sim.CollateralFaults{PCKCRL: func(r *x509.RevocationList) { r.ThisUpdate = time.Now().Add(12 * time.Minute) }}},
		{name: "TCB info expired", want: tdx.ErrCollateralDates, faults: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.NextUpdate = time.Now().Add(-11 * time.Minute) }}},
		{name: "TCB info from the future", want: tdx.ErrCollateralDates, faults: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.IssueDate = time.Now().Add(12 * time.Minute) }}},
		{name: "QE identity expired", want: tdx.ErrCollateralDates, faults: sim.CollateralFaults{QEIdentity: func(q *sim.QEIdentity) { q.NextUpdate = time.Now().Add(-11 * time.Minute) }}},
		{name: "signer expired", want: tdx.ErrCollateralDates, faults: sim.CollateralFaults{Signer: func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-11 * time.Minute) }}},
		{name: "dates the wrong way round", want: tdx.ErrCollateralDates, faults: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) {
			i.IssueDate, i.NextUpdate = time.Now().Add(5*time.Minute), time.Now().Add(-5*time.Minute)
		}}},
		{name: "signer revoked", want: attest.ErrRevoked, faults: sim.CollateralFaults{Signer: number, RootCRL: revoke(big.NewInt(42))}},
		{name: "PCK CA revoked", want: attest.ErrRevoked, faults: sim.CollateralFaults{PlatformCA: number, RootCRL: revoke(big.NewInt(42))}},
	}
}

func alteredChain(chain []byte, which int) (out []byte) {
	for i := 0; len(chain) > 0; i++ {
		block, rest := pem.Decode(chain)
		if i == which {
			flipLast(block.Bytes)
		}
		out, chain = append(out, pem.EncodeToMemory(block)...), rest
	}
	return out
}

func TestForgedCollateral(t *testing.T) {
	l := newLab(t)
	for _, f := range forgeries() {
		t.Run(f.name, func(t *testing.T) {
			c, err := l.ca.FaultyCollateral(f.faults)
			if err != nil {
				t.Fatal(err)
			}
			if f.edit != nil {
				f.edit(&c)
			}
			v, err := tdx.ParseCollateral(c, l.policy.Roots, time.Now())
			if !errors.Is(err, f.want) || v != nil {
				t.Errorf("got %v, want %v", err, f.want)
			}
		})
	}
}
