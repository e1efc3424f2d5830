package snp_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-sev-guest/verify/testdata"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/snp/snpsim"
)

// The sample is a report of real hardware, an EPYC 7003; at this time all its
// certificates are valid.
var sampleTime = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// genuinePolicy accepts whatever the manufacturer's roots lead to.
var genuinePolicy = attest.Policy{EventsLater: true, Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform}

func sample(t testing.TB) []byte {
	t.Helper()
	e, err := snp.Encode(testdata.AttestationBytes, testdata.VcekBytes)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRealSample(t *testing.T) {
	e := sample(t)
	v := &snp.Verifier{Roots: snp.AMDRoots()}
	data := [64]byte(e[0x50:0x90])
	_, err := v.Appraise(attest.Evidence{TEE: attest.SNP, Report: e}, data, genuinePolicy, sampleTime)
	// It is genuine, and the VM can be debugged: bit 19 of policy 0xb0000.
	if !errors.Is(err, attest.ErrDebug) {
		t.Errorf("got %v, want %v", err, attest.ErrDebug)
	}
	_, err = v.Appraise(attest.Evidence{TEE: attest.SNP, Report: flipped(e, 0x90, 0)}, data, genuinePolicy, sampleTime)
	if !errors.Is(err, snp.ErrReportSignature) {
		t.Errorf("altered: got %v, want %v", err, snp.ErrReportSignature)
	}
	_, err = v.Appraise(attest.Evidence{TEE: attest.SNP, Report: e}, data, genuinePolicy, sampleTime.AddDate(10, 0, 0))
	if !errors.Is(err, snp.ErrCertificateDates) {
		t.Errorf("later: got %v, want %v", err, snp.ErrCertificateDates)
	}
	if err := snp.Confirm(e, milanRoot(t), sampleTime); err != nil {
		t.Errorf("the second verifier says: %v", err)
	}
}

func milanRoot(t testing.TB) snp.Root {
	t.Helper()
	for _, r := range snp.AMDRoots() {
		if r.ASK.Subject.CommonName == "SEV-Milan" {
			return r
		}
	}
	t.Fatal("no root of Milan")
	return snp.Root{}
}

func TestGenuineRoots(t *testing.T) {
	if n := len(snp.AMDRoots()); n != 6 {
		t.Errorf("%d roots, want 6", n)
	}
	for _, r := range append(newLab(t, snp.Genoa).ca.Roots(), snp.Root{}) {
		if r.Genuine() {
			t.Error("a simulated root is taken for the manufacturer's")
		}
	}
}

// The second verifier agrees with ours on good evidence and refuses forged
// evidence by itself, without ours before it.
func TestSecondOpinion(t *testing.T) {
	l, now := newLab(t, snp.Genoa), time.Now()
	root := l.ca.Roots()[0]
	for v := uint32(2); v <= 5; v++ {
		good := l.evidence(t, version(l.good, v), snpsim.Faults{}).Report
		if err := snp.Confirm(good, root, now); err != nil {
			t.Errorf("version %d: %v", v, err)
		}
	}
	good := l.evidence(t, l.good, snpsim.Faults{}).Report
	for name, forged := range map[string][]byte{
		"measurement": flipped(good, 0x90, 0),
		"signature":   flipped(good, 0x2a0, 0),
		"certificate": flipped(good, len(good)-1, 0),
		"reserved":    put(good, 0x29f, 1),
		"no DER":      put(good, 1188, 0),
	} {
		if err := snp.Confirm(forged, root, now); err == nil {
			t.Errorf("%s: the second verifier accepts it", name)
		}
	}
	if err := snp.Confirm(good, root, now.AddDate(20, 0, 0)); err == nil {
		t.Error("expired: the second verifier accepts it")
	}
	if err := snp.Confirm(good, snp.Root{}, now); err == nil {
		t.Error("no root: the second verifier accepts it")
	}
}
