package sim

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// Platform is a simulated machine. Its identity follows from the id it was made
// with; its keys are fresh, made at the first quote.
type Platform struct {
	ca     *CA
	id     string
	faults Faults
	enroll func() (*enclave, error)
}

// Faults makes a platform that lies, for tests of verifiers: each hook edits
// what it is given before it is signed, with a good signature.
type Faults struct {
	CA       func(*x509.Certificate) // template of the CA that certifies the platform
	Platform func(*tdx.Platform)     // what is certified about it
	PCK      func(*x509.Certificate) // template of the platform's certificate
	QEReport func([]byte)            // the quoting enclave's report, 384 bytes
}

// enclave is a quoting enclave on an enrolled platform: all that every quote of
// one platform has in common.
type enclave struct {
	key           *ecdsa.PrivateKey // attestation key
	certification []byte            // what follows the signature in a quote
}

// Platform is the machine with this id under the authority.
func (ca *CA) Platform(id string) *Platform { return ca.FaultyPlatform(id, Faults{}) }

// FaultyPlatform is a machine that lies as told.
func (ca *CA) FaultyPlatform(id string, faults Faults) *Platform {
	p := &Platform{ca: ca, id: id, faults: faults}
	p.enroll = sync.OnceValues(p.makeEnclave)
	return p
}

// VM is a virtual machine with these measurements on the platform.
func (p *Platform) VM(m Measurements) *VM {
	vm := &VM{platform: p}
	vm.mu.measurements = m
	return vm
}

// makeEnclave plays what happens once on a machine: the manufacturer certifies
// it, and its quoting enclave makes an attestation key that the platform signs.
func (p *Platform) makeEnclave() (*enclave, error) {
	ca, err := p.ca.platformCA(p.faults.CA)
	if err != nil {
		return nil, err
	}
	extension, err := p.sgxExtension()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               name("Intel SGX PCK Certificate"),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              p.ca.root.certificate.NotAfter,
		BasicConstraintsValid: true,
		CRLDistributionPoints: []string{pckCRLURL},
		ExtraExtensions:       []pkix.Extension{extension},
	}
	if p.faults.PCK != nil {
		p.faults.PCK(template)
	}
	pckKey, err := newKey()
	if err != nil {
		return nil, err
	}
	pck, err := issue(template, pckKey, ca)
	if err != nil {
		return nil, err
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode attestation key: %w", err)
	}

	auth := p.derive("auth")
	report := qeReport(point[1:], auth[:])
	if p.faults.QEReport != nil {
		p.faults.QEReport(report)
	}
	signature, err := sign(pck.key, report)
	if err != nil {
		return nil, err
	}
	certification := certify(point[1:], report, signature, auth[:],
		pck.certificate.Raw, ca.certificate.Raw, p.ca.root.certificate.Raw)
	return &enclave{key: key, certification: certification}, nil
}

// derive makes a value that belongs to this platform.
func (p *Platform) derive(what string) [32]byte {
	return sha256.Sum256([]byte("tussah/sim/platform/v1\x00" + what + "\x00" + p.id))
}

// qeSigner is the signer of Intel's enclaves: a real quoting enclave has it, so
// a simulated one claims it.
var qeSigner = [32]byte{
	0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
	0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5,
}

// qeReport is the report of the quoting enclave, bound to its attestation key.
func qeReport(key, auth []byte) []byte {
	report := make([]byte, 384)
	binary.LittleEndian.PutUint64(report[48:], 0x15) // INIT, MODE64BIT, PROVISION_KEY
	binary.LittleEndian.PutUint64(report[56:], 0xe7) // XFRM
	copy(report[128:], qeSigner[:])
	binary.LittleEndian.PutUint16(report[256:], 2) // product: TD quoting enclave
	binary.LittleEndian.PutUint16(report[258:], 6) // version
	binding := sha256.Sum256(append(append([]byte(nil), key...), auth...))
	copy(report[320:], binding[:])
	return report
}

// model is what all simulated machines have in common.
var model = tdx.Platform{
	FMSPC:  [6]byte{0x90, 0xc0, 0x6f},
	SVN:    [16]byte{3, 3, 2, 2, 4, 1, 0, 5},
	PCESVN: 11,
}

// oid is a field of the SGX extension of a platform's certificate.
func oid(arcs ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 2, 840, 113741, 1, 13, 1}, arcs...)
}

type field struct {
	ID    asn1.ObjectIdentifier
	Value any
}

func (p *Platform) sgxExtension() (pkix.Extension, error) {
	certified := model
	ppid, instance := p.derive("ppid"), p.derive("instance")
	copy(certified.PPID[:], ppid[:])
	copy(certified.Instance[:], instance[:])
	if p.faults.Platform != nil {
		p.faults.Platform(&certified)
	}
	tcb := make([]field, 0, 18)
	for i, v := range certified.SVN {
		tcb = append(tcb, field{oid(2, i+1), int(v)})
	}
	tcb = append(tcb, field{oid(2, 17), int(certified.PCESVN)}, field{oid(2, 18), certified.SVN[:]})
	flags := []field{{oid(7, 1), true}, {oid(7, 2), true}, {oid(7, 3), true}}
	value, err := asn1.Marshal([]field{
		{oid(1), certified.PPID[:]},
		{oid(2), tcb},
		{oid(3), certified.PCEID[:]},
		{oid(4), certified.FMSPC[:]},
		{oid(5), asn1.Enumerated(1)},
		{oid(6), certified.Instance[:]},
		{oid(7), flags},
	})
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode SGX extension: %w", err)
	}
	return pkix.Extension{Id: oid(), Value: value}, nil
}
