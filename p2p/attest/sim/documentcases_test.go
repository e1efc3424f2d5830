package sim_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// replace is an edit of a document's bytes that must change something.
func replace(old, new string) func([]byte) []byte {
	return func(document []byte) []byte {
		changed := bytes.Replace(document, []byte(old), []byte(new), 1)
		if bytes.Equal(changed, document) {
			panic(fmt.Sprintf("case changes nothing: %q is not in %.100q", old, document))
		}
		return changed
	}
}

// served edits an answer after it was signed.
func served(edit func([]byte) []byte) func(*testing.T, *tdx.Collateral) {
	return func(_ *testing.T, c *tdx.Collateral) { c.TCBInfo = edit(c.TCBInfo) }
}

func info(edit func(*sim.TCBInfo)) sim.CollateralFaults { return sim.CollateralFaults{TCBInfo: edit} }

// documentCases have collateral that a lenient reader might misread. All but the
// last few are about an answer that was altered on its way, so that what is read
// is not what was signed; of the machines most are OutOfDate, which the
// alteration hides.
func documentCases() []synthetic {
	old := info(func(i *sim.TCBInfo) { i.Levels[0].Status = "OutOfDate" })
	forged := `{"id":"TDX","version":3,"tcbLevels":[]}`
	signed := func(edit func([]byte) []byte) sim.CollateralFaults { return sim.CollateralFaults{TCBInfoJSON: edit} }
	form := tdx.ErrCollateralForm
	return []synthetic{
		{name: "status rewritten", want: tdx.ErrCollateralSignature, collateral: old, served: served(replace(`"OutOfDate"`, `"UpToDate"`))},
		{name: "a blank between", want: tdx.ErrCollateralSignature, served: served(replace(`,"version":3`, `, "version":3`))},
		{name: "QE identity's status rewritten", want: tdx.ErrCollateralSignature, served: func(_ *testing.T, c *tdx.Collateral) {
			c.QEIdentity = replace(`"isvprodid":2`, `"isvprodid":1`)(c.QEIdentity)
		}},
		{name: "signature of the other document", want: tdx.ErrCollateralSignature, served: func(_ *testing.T, c *tdx.Collateral) {
			tail := len(`,"signature":""}`) + 128
			c.TCBInfo = append(c.TCBInfo[:len(c.TCBInfo)-tail:len(c.TCBInfo)-tail], c.QEIdentity[len(c.QEIdentity)-tail:]...)
		}},
		{name: "second document, other case, behind", want: form, collateral: old, served: served(func(b []byte) []byte {
			return fmt.Appendf(nil, `%s,"TCBINFO":%s}`, b[:len(b)-1], forged)
		})},
		{name: "second document, other case, before", want: form, collateral: old, served: served(replace(`{"tcbInfo":`, `{"TcbInfo":`+forged+`,"tcbInfo":`))},
		{name: "second document, same key, before", want: tdx.ErrCollateralSignature, collateral: old, served: served(replace(`{"tcbInfo":`, `{"tcbInfo":`+forged+`,"tcbInfo":`))},
		{name: "second document, same key, behind", want: form, collateral: old, served: served(func(b []byte) []byte {
			return fmt.Appendf(nil, `%s,"tcbInfo":%s}`, b[:len(b)-1], forged)
		})},
		{name: "second document, escaped key", want: form, collateral: old, served: served(func(b []byte) []byte {
			return fmt.Appendf(nil, `%s,"\u0074cbInfo":%s}`, b[:len(b)-1], forged)
		})},
		{name: "second document, dotless i", want: form, collateral: old, served: served(func(b []byte) []byte {
			return fmt.Appendf(nil, `%s,"tcbınfo":%s}`, b[:len(b)-1], forged)
		})},
		{name: "second document between", want: tdx.ErrCollateralSignature, collateral: old, served: served(replace(`,"signature":`, `,"tcbInfo":`+forged+`,"signature":`))},
		{name: "key in another case", want: form, served: served(replace(`{"tcbInfo":`, `{"tcbinfo":`))},
		{name: "QE identity: second document", want: form, served: func(_ *testing.T, c *tdx.Collateral) {
			c.QEIdentity = fmt.Appendf(nil, `%s,"EnclaveIdentity":%s}`, c.QEIdentity[:len(c.QEIdentity)-1], forged)
		}},
		{name: "documents exchanged", want: form, served: func(_ *testing.T, c *tdx.Collateral) { c.TCBInfo, c.QEIdentity = c.QEIdentity, c.TCBInfo }},
		{name: "bytes after the answer", want: form, served: served(func(b []byte) []byte { return append(b, "{}"...) })},
		{name: "answer truncated", want: form, served: served(func(b []byte) []byte { return b[:len(b)/2] })},
		{name: "answer empty", want: form, served: served(func([]byte) []byte { return nil })},
		{name: "answer in HTML", want: form, served: served(func([]byte) []byte { return []byte("<!DOCTYPE html><title>Sign in</title>") })},
		{name: "answer too large", want: form, served: served(func(b []byte) []byte { return append(bytes.Repeat([]byte(" "), 64<<10), b...) })},
		{name: "signature too short", want: form, served: served(func(b []byte) []byte { return append(b[:len(b)-4:len(b)-4], `"}`...) })},

		// Signed by the right signer, but not what it writes.
		{name: "signed: key twice", want: form, collateral: signed(replace(`"version":3`, `"version":3,"version":3`))},
		{name: "signed: key in two cases", want: form, collateral: signed(replace(`"tcbLevels":`, `"TCBLevels":[],"tcbLevels":`))},
		{name: "signed: key missing", want: form, collateral: signed(replace(`"tcbType":0,`, ``))},
		{name: "signed: unknown key", want: form, collateral: signed(replace(`"tcbType":0,`, `"tcbType":0,"more":1,`))},
		{name: "signed: blank", want: form, collateral: signed(replace(`"version":3`, `"version": 3`))},
		{name: "signed: number with an exponent", want: form, collateral: signed(replace(`"version":3`, `"version":3e0`))},
		{name: "signed: date with fractions of a second", want: form, collateral: signed(replace(`Z","nextUpdate"`, `.5Z","nextUpdate"`))},
		{name: "signed: bytes behind", want: form, collateral: signed(func(b []byte) []byte { return append(b, "{}"...) })},
		{name: "signed: about SGX", want: form, collateral: info(func(i *sim.TCBInfo) { i.ID = "SGX" })},
		{name: "signed: version 2", want: form, collateral: info(func(i *sim.TCBInfo) { i.Version = 2 })},
		{name: "signed: other way of comparing", want: form, collateral: info(func(i *sim.TCBInfo) { i.Type = 1 })},
		{name: "signed: unknown status", want: form, collateral: info(func(i *sim.TCBInfo) { i.Levels[0].Status = "Fine" })},
		{name: "signed: no levels", want: form, collateral: info(func(i *sim.TCBInfo) { i.Levels = []sim.Level[sim.PlatformTCB]{} })},
		{name: "signed: fifteen components", want: form, collateral: info(func(i *sim.TCBInfo) { i.Levels[0].TCB.SGX = i.Levels[0].TCB.SGX[:15] })},
		{name: "signed: version above 255", want: form, collateral: info(func(i *sim.TCBInfo) { i.Levels[0].TCB.SGX[0].SVN = 256 })},
		{name: "signed: FMSPC too short", want: form, collateral: info(func(i *sim.TCBInfo) { i.FMSPC = i.FMSPC[:10] })},
		{name: "signed: one module twice", want: form, collateral: info(func(i *sim.TCBInfo) { i.Modules = append(i.Modules, i.Modules[1]) })},
		{name: "signed: identity of the SGX enclave", want: form, collateral: identity(func(q *sim.QEIdentity) { q.ID = "QE" })},
		{name: "signed: identity of version 1", want: form, collateral: identity(func(q *sim.QEIdentity) { q.Version = 1 })},
	}
}
