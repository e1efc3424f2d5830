package gpu_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
)

// refusal is one way to be refused by one step.
type refusal struct {
	name    string
	want    *attest.Refusal
	options gpusim.Options
	change  func(*testing.T, *lab)
}

var refusals = []refusal{
	{name: "report is text", want: gpu.ErrReport, change: func(_ *testing.T, l *lab) {
		l.damage = func(d []gpu.Device) []gpu.Device { d[0].Report = []byte("report"); return d }
	}},
	{name: "field of unknown meaning", want: gpu.ErrReport, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{37: {1}} }},
	{name: "opaque data of a later version", want: gpu.ErrReport, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{34: {2, 0}} }},
	{name: "certificate is text", want: gpu.ErrCertificates, change: func(_ *testing.T, l *lab) {
		l.damage = func(d []gpu.Device) []gpu.Device { d[0].Chain[1] = []byte("certificate"); return d }
	}},
	{name: "only a leaf", want: gpu.ErrCertificates, change: func(_ *testing.T, l *lab) {
		l.damage = func(d []gpu.Device) []gpu.Device { d[0].Chain = d[0].Chain[:1]; return d }
	}},
	{name: "asked long ago", want: gpu.ErrAge, change: func(_ *testing.T, l *lab) { l.question.Asked = l.now.Add(-gpu.DefaultMaxAge - time.Second) }},
	{name: "asked in the future", want: gpu.ErrAge, change: func(_ *testing.T, l *lab) { l.question.Asked = l.now.Add(2 * time.Minute) }},
	{name: "policy's own age", want: gpu.ErrAge, change: func(_ *testing.T, l *lab) { l.policy.MaxAge = time.Millisecond }},
	{name: "never asked", want: gpu.ErrAge, change: func(_ *testing.T, l *lab) { l.question.Asked = time.Time{} }},
	{name: "the same device twice", want: gpu.ErrRepeated, change: func(t *testing.T, l *lab) {
		again, err := l.gpu.Evidence(l.question.Nonce)
		if err != nil {
			t.Fatal(err)
		}
		l.damage = func(d []gpu.Device) []gpu.Device { return append(d, again) }
	}},

	{name: "simulated, unknown root", want: gpu.ErrSimulated, change: func(_ *testing.T, l *lab) {
		l.policy.AllowSimulated, l.policy.SimulatedRoots = false, nil
	}},
	{name: "simulated, listed root", want: gpu.ErrSimulated, change: func(_ *testing.T, l *lab) { l.policy.AllowSimulated = false }},
	{name: "simulated under another name, listed root", want: gpu.ErrSimulated, options: editAt(gpusim.DeviceRoot, rename),
		change: func(_ *testing.T, l *lab) { l.policy.AllowSimulated = false }},
	{name: "unknown root", want: gpu.ErrRoot, change: func(_ *testing.T, l *lab) { l.policy.SimulatedRoots = nil }},
	{name: "unknown root in the manufacturer's name", want: gpu.ErrRoot, options: editAt(gpusim.DeviceRoot, rename),
		change: func(_ *testing.T, l *lab) { l.policy.AllowSimulated, l.policy.SimulatedRoots = false, nil }},
	{name: "chain without its root", want: gpu.ErrRoot, change: func(_ *testing.T, l *lab) {
		l.damage = func(d []gpu.Device) []gpu.Device { d[0].Chain = d[0].Chain[:4]; return d }
	}},
	{name: "leaf is a CA", want: gpu.ErrProfile, options: editAt(gpusim.Firmware, func(c *x509.Certificate) {
		c.BasicConstraintsValid, c.IsCA = true, true
	})},
	{name: "leaf may certify", want: gpu.ErrProfile, options: editAt(gpusim.Firmware, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign })},
	{name: "issuer is no CA", want: gpu.ErrProfile, options: editAt(gpusim.DeviceIdentity, func(c *x509.Certificate) { c.IsCA = false; c.MaxPathLen = 0 })},
	{name: "issuer may not certify", want: gpu.ErrProfile, options: editAt(gpusim.IdentityCA, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })},
	{name: "path too long", want: gpu.ErrProfile, options: editAt(gpusim.IdentityCA, func(c *x509.Certificate) { c.MaxPathLen = 1 })},
	{name: "critical extension", want: gpu.ErrProfile, options: editAt(gpusim.DeviceIdentity, func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
	})},
	{name: "weaker hash", want: gpu.ErrProfile, options: editAt(gpusim.Firmware, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA256 })},
	{name: "leaf expired", want: gpu.ErrDates, options: editAt(gpusim.Firmware, expire)},
	{name: "CA of the future", want: gpu.ErrDates, options: editAt(gpusim.ProvisionerCA, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) })},
	{name: "leaf of another device", want: gpu.ErrChain, change: func(t *testing.T, l *lab) {
		other := l.another(t)
		l.damage = func(d []gpu.Device) []gpu.Device { d[0].Chain[1] = other.Certificates()[1].Raw; return d }
	}},
	{name: "intermediate left out", want: gpu.ErrChain, change: func(_ *testing.T, l *lab) {
		l.damage = func(d []gpu.Device) []gpu.Device { d[0].Chain = append(d[0].Chain[:2:2], d[0].Chain[3:]...); return d }
	}},
	{name: "another device's whole chain", want: gpu.ErrSignature, change: func(t *testing.T, l *lab) {
		other := l.another(t)
		l.damage = func(d []gpu.Device) []gpu.Device {
			for i, c := range other.Certificates() {
				d[0].Chain[i] = c.Raw
			}
			return d
		}
	}},
	{name: "report names no firmware", want: gpu.ErrFWID, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{20: nil} }},
	{name: "report names other firmware", want: gpu.ErrFWID, change: func(_ *testing.T, l *lab) { l.gpu.FWID[0]++ }},
	{name: "certificate names no firmware", want: gpu.ErrFWID, options: editAt(gpusim.Firmware, func(c *x509.Certificate) { c.ExtraExtensions = nil })},
	{name: "neither names firmware", want: gpu.ErrFWID, options: editAt(gpusim.Firmware, func(c *x509.Certificate) { c.ExtraExtensions = nil }),
		change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{20: nil} }},
	{name: "certificate's firmware is cut off", want: gpu.ErrFWID, options: editAt(gpusim.Firmware, func(c *x509.Certificate) {
		c.ExtraExtensions[0].Value = c.ExtraExtensions[0].Value[:40]
	})},
	{name: "certificate belongs to another device", want: gpu.ErrFWID, options: editAt(gpusim.Firmware, func(c *x509.Certificate) { c.ExtraExtensions[0].Value[40]++ })},
	{name: "no list of revocations", want: gpu.ErrNoRevocation, change: func(_ *testing.T, l *lab) { l.collateral.Revocations = nil }},
	{name: "old list of revocations", want: gpu.ErrNoRevocation, change: func(_ *testing.T, l *lab) {
		l.collateral.Revocations.Date = l.now.Add(-gpu.DefaultMaxListAge - time.Minute)
	}},
	{name: "list of the future", want: gpu.ErrNoRevocation, change: func(_ *testing.T, l *lab) { l.collateral.Revocations.Date = l.now.Add(time.Hour) }},
	{name: "firmware revoked", want: gpu.ErrRevoked, change: func(_ *testing.T, l *lab) { l.revoke(l.gpu.Certificates()[0]) }},
	{name: "device revoked", want: gpu.ErrRevoked, change: func(_ *testing.T, l *lab) { l.revoke(l.gpu.Certificates()[1]) }},
	{name: "CA revoked", want: gpu.ErrRevoked, change: func(_ *testing.T, l *lab) { l.revoke(l.gpu.Certificates()[3]) }},

	{name: "no models", want: gpu.ErrModel, change: func(_ *testing.T, l *lab) { l.policy.Models = nil }},
	{name: "another model", want: gpu.ErrModel, change: func(_ *testing.T, l *lab) {
		l.policy.Models = map[string]gpu.Model{"GB100": l.policy.Models["GH100"]}
	}},
	{name: "device and firmware of two models", want: gpu.ErrModel, options: editAt(gpusim.Firmware, func(c *x509.Certificate) {
		c.Subject.CommonName = "LS10 A01 GSP FMC LF"
	})},
	{name: "no variants", want: gpu.ErrSKU, change: func(_ *testing.T, l *lab) { l.model(func(m *gpu.Model) { m.SKUs = nil }) }},
	{name: "another variant", want: gpu.ErrSKU, change: func(_ *testing.T, l *lab) { l.gpu.ChipSKU = "885" }},
	{name: "variant not stated", want: gpu.ErrSKU, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{17: nil} }},
	{name: "old driver", want: gpu.ErrDriver, change: func(_ *testing.T, l *lab) { l.gpu.Driver = "550.54.15" }},
	{name: "driver of one part", want: gpu.ErrDriver, change: func(_ *testing.T, l *lab) { l.gpu.Driver = "551" }},
	{name: "no minimum driver", want: gpu.ErrDriver, change: func(_ *testing.T, l *lab) { l.model(func(m *gpu.Model) { m.MinDriver = "" }) }},
	{name: "old VBIOS", want: gpu.ErrVBIOS, change: func(_ *testing.T, l *lab) { l.gpu.VBIOS[2] = 0x5e }},
	{name: "no minimum VBIOS", want: gpu.ErrVBIOS, change: func(_ *testing.T, l *lab) { l.model(func(m *gpu.Model) { m.MinVBIOS = "" }) }},
	{name: "VBIOS not stated", want: gpu.ErrVBIOS, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{6: nil} }},
	{name: "protected PCIe", want: gpu.ErrLinks, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{21: {0xaa}} }},
	{name: "protected PCIe by feature", want: gpu.ErrLinks, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{36: {2, 0}} }},
	{name: "protected PCIe neither on nor off", want: gpu.ErrLinks, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{21: {0}} }},
	{name: "mode not measured", want: gpu.ErrCCMode, change: func(_ *testing.T, l *lab) { l.question.CC = 0 }},
	{name: "mode off", want: gpu.ErrCCMode, change: func(_ *testing.T, l *lab) { l.question.CC = gpu.CCOff }},
	{name: "developer tools", want: gpu.ErrDevTools, change: func(_ *testing.T, l *lab) { l.question.CC = gpu.CCDevTools }},
	{name: "policy without devices", want: gpu.ErrDevice, change: func(_ *testing.T, l *lab) { l.policy.Device = nil }},
	{name: "device of another worker", want: gpu.ErrDevice, change: func(_ *testing.T, l *lab) {
		l.policy.Device = func(attest.GPU) error { return errors.New("registered for another worker") }
	}},

	{name: "no documents", want: gpu.ErrNoRIM, change: func(_ *testing.T, l *lab) { l.collateral.RIM = nil }},
	{name: "no document about this driver", want: gpu.ErrNoRIM, change: func(_ *testing.T, l *lab) { l.gpu.Driver = "551.00" }},
	{name: "no document about this VBIOS", want: gpu.ErrNoRIM, change: func(_ *testing.T, l *lab) { l.gpu.VBIOS[4] = 2 }},
	{name: "documents under an unknown root", want: gpu.ErrRIMRoot, change: func(_ *testing.T, l *lab) { l.policy.SimulatedRoots = l.policy.SimulatedRoots[:1] }},
	{name: "document signed by a CA", want: gpu.ErrRIMChain, options: editAt(gpusim.RIMSigner, func(c *x509.Certificate) {
		c.BasicConstraintsValid, c.IsCA = true, true
	})},
	{name: "document's certificates of two manufacturers", want: gpu.ErrRIMChain, change: func(t *testing.T, l *lab) {
		l.swapCertificate(t, newLab(t, gpusim.Options{}).manufacturer, 1)
	}},
	{name: "document's signer expired", want: gpu.ErrRIMDates, options: editAt(gpusim.RIMSigner, expire)},
	{name: "document signed by another signer", want: gpu.ErrRIMSignature, change: func(_ *testing.T, l *lab) {
		l.edit(func(s string) string {
			head, rest, _ := strings.Cut(s, "<ds:SignatureValue>")
			return head + "<ds:SignatureValue>" + strings.Repeat("A", 64) + rest[64:]
		})
	}},
	{name: "document's signer revoked", want: gpu.ErrRIMRevoked, change: func(_ *testing.T, l *lab) { l.revoke(l.manufacturer.Certificates()[0]) }},
	{name: "document about another version", want: gpu.ErrRIMSubject, change: func(t *testing.T, l *lab) {
		l.document(t, func(_, vbios *gpusim.Document) { vbios.Version = "96.00.9F.00.02" })
	}},
	{name: "document about another chip", want: gpu.ErrRIMSubject, change: func(t *testing.T, l *lab) {
		l.document(t, func(driver, _ *gpusim.Document) { driver.Product = "GB100" })
	}},
	{name: "documents exchanged", want: gpu.ErrRIMSubject, change: func(t *testing.T, l *lab) {
		l.document(t, func(driver, vbios *gpusim.Document) { driver.ID, vbios.ID = vbios.ID, driver.ID })
	}},
	{name: "VBIOS measures something else", want: gpu.ErrMeasurements, change: func(_ *testing.T, l *lab) { l.gpu.Measurements[0][5]++ }},
	{name: "driver measures something else", want: gpu.ErrMeasurements, change: func(_ *testing.T, l *lab) { l.gpu.Measurements[30] = [48]byte{} }},
	{name: "measurement of a decoder that is on", want: gpu.ErrMeasurements, change: func(_ *testing.T, l *lab) { l.gpu.Measurements[35][0]++ }},
	{name: "decoder neither on nor off", want: gpu.ErrMeasurements, change: func(_ *testing.T, l *lab) { l.gpu.Extra = map[uint16][]byte{11: {0}} }},
	{name: "both documents about one index", want: gpu.ErrMeasurements, change: func(t *testing.T, l *lab) {
		l.document(t, func(driver, vbios *gpusim.Document) { driver.Golden[3] = vbios.Golden[3] })
	}},
}

func TestRefuses(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, c.options)
			if c.change != nil {
				c.change(t, l)
			}
			l.refuses(t, c.want)
		})
	}
}

func TestRefusesWhatCannotBeDecoded(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	good := l.evidence(t)
	for name, c := range map[string]struct {
		evidence []byte
		want     *attest.Refusal
	}{
		"empty":     {nil, gpu.ErrSize},
		"too large": {make([]byte, gpu.MaxEvidence+1), gpu.ErrSize},
		"trailing":  {append(good[:len(good):len(good)], 0), gpu.ErrEncoding},
		"version":   {append([]byte{2}, good[1:]...), gpu.ErrEncoding},
		"devices":   {append([]byte{1, 17}, good[2:]...), gpu.ErrEncoding},
		"none":      {[]byte{1, 0}, gpu.ErrEncoding},
	} {
		if _, err := l.appraise(c.evidence); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestRefusesAnotherNonce(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	evidence := l.evidence(t)
	l.question.Nonce[0]++
	if _, err := l.appraise(evidence); !errors.Is(err, gpu.ErrNonce) {
		t.Errorf("got %v, want %v", err, gpu.ErrNonce)
	}
}

// Every step refuses something, and the numbers are this package's.
func TestEveryStepIsProvoked(t *testing.T) {
	provoked := map[*attest.Refusal]bool{gpu.ErrSize: true, gpu.ErrEncoding: true, gpu.ErrNonce: true, gpu.ErrRIMFormat: true} // below, and in rim_test.go
	for _, c := range refusals {
		provoked[c.want] = true
	}
	for _, r := range gpu.Refusals() {
		if !provoked[r] {
			t.Errorf("nothing provokes %v", r)
		}
		if r.Code() < 300 || r.Code() > 399 {
			t.Errorf("%v has the code %d", r, r.Code())
		}
	}
}

func TestZeroPolicyDenies(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	evidence := l.evidence(t)
	l.policy = gpu.Policy{}
	if _, err := l.appraise(evidence); !errors.Is(err, gpu.ErrSimulated) {
		t.Errorf("got %v", err)
	}
}

// Index 35 of a decoder that is off has no value to compare.
func TestDecoderOff(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	l.gpu.NVDEC0 = false
	l.gpu.Measurements[35] = [48]byte{}
	if _, err := l.appraise(l.evidence(t)); err != nil {
		t.Error(err)
	}
}

func rename(c *x509.Certificate) {
	c.Subject = pkix.Name{CommonName: "NVIDIA Device Identity CA", Organization: []string{"NVIDIA"}}
}

func expire(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }

func (l *lab) another(t *testing.T) *gpusim.GPU {
	t.Helper()
	g, err := l.manufacturer.NewGPU()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (l *lab) revoke(c *x509.Certificate) {
	l.collateral.Revocations.IDs[gpu.CertificateID(c)] = struct{}{}
}

func (l *lab) model(change func(*gpu.Model)) {
	m := l.policy.Models["GH100"]
	change(&m)
	l.policy.Models["GH100"] = m
}

// swapCertificate replaces a certificate in all documents by another manufacturer's.
func (l *lab) swapCertificate(t *testing.T, other *gpusim.Manufacturer, place int) {
	t.Helper()
	base64 := func(c *x509.Certificate) string {
		s := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
		s = strings.TrimPrefix(s, "-----BEGIN CERTIFICATE-----\n")
		return strings.TrimSuffix(s, "-----END CERTIFICATE-----\n")
	}
	l.edit(func(s string) string {
		out := strings.Replace(s, base64(l.manufacturer.Certificates()[place]), base64(other.Certificates()[place]), 1)
		if out == s {
			t.Error("certificate not found")
		}
		return out
	})
}
