package sim

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"slices"
	"sync"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

var _ attest.Provider = (*VM)(nil)

// VM is a virtual machine on a simulated platform: it obtains evidence about
// itself. It is safe for concurrent use.
type VM struct {
	platform *Platform

	mu struct {
		sync.Mutex
		measurements Measurements
		events       []attest.Event
	}
}

// TEE implements [attest.Provider].
func (vm *VM) TEE() attest.TEE { return attest.TDX }

// Evidence implements [attest.Provider].
func (vm *VM) Evidence(_ context.Context, reportData [64]byte) (attest.Evidence, error) {
	vm.mu.Lock()
	m, events := vm.mu.measurements, slices.Clone(vm.mu.events)
	vm.mu.Unlock()
	quote, err := vm.platform.quote(m, reportData)
	if err != nil {
		return attest.Evidence{}, err
	}
	return attest.Evidence{TEE: attest.TDX, Report: quote, Events: events}, nil
}

// Measure implements [attest.Provider].
func (vm *VM) Measure(_ context.Context, e attest.Event) error {
	digest := e.Digest()
	extension := sha512.Sum384(digest[:])
	vm.mu.Lock()
	defer vm.mu.Unlock()
	register := &vm.mu.measurements.RTMR[3]
	*register = sha512.Sum384(append(register[:], extension[:]...))
	vm.mu.events = append(vm.mu.events, attest.Event{Name: e.Name, Payload: slices.Clone(e.Payload)})
	return nil
}

// quote signs a TD report with these measurements and 64 bytes of REPORTDATA.
func (p *Platform) quote(m Measurements, reportData [64]byte) ([]byte, error) {
	enclave, err := p.enroll()
	if err != nil {
		return nil, fmt.Errorf("simulate platform %q: %w", p.id, err)
	}
	signed := p.report(m, reportData)
	signature, err := sign(enclave.key, signed)
	if err != nil {
		return nil, err
	}
	size := len(signature) + len(enclave.certification)
	quote := binary.LittleEndian.AppendUint32(signed, uint32(size))
	quote = append(quote, signature...)
	return append(quote, enclave.certification...), nil
}

// report is the signed part of a quote: header and TD report, in version 5 with
// a descriptor between them.
func (p *Platform) report(m Measurements, reportData [64]byte) []byte {
	le := binary.LittleEndian
	version := uint16(4)
	if m.TD15 != nil {
		version = 5
	}
	user := p.derive("user data")

	b := le.AppendUint16(nil, version)
	b = le.AppendUint16(b, 2)    // attestation key: ECDSA P-256
	b = le.AppendUint32(b, 0x81) // TEE: TDX
	b = append(b, 0, 0, 0, 0)
	b = append(b, 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07)
	b = append(b, user[:20]...)
	if m.TD15 != nil {
		b = le.AppendUint16(b, 3)
		b = le.AppendUint32(b, 648)
	}
	b = append(b, m.SVN[:]...)
	b = append(b, make([]byte, 48)...) // MRSEAM: whatever module the platform loaded
	b = append(b, m.SignerSEAM[:]...)
	b = le.AppendUint64(b, m.AttributesSEAM)
	b = le.AppendUint64(b, m.Attributes)
	b = le.AppendUint64(b, m.XFAM)
	for _, r := range []tdx.Register{
		m.MRTD, m.MRConfigID, m.MROwner, m.MROwnerConfig, m.RTMR[0], m.RTMR[1], m.RTMR[2], m.RTMR[3],
	} {
		b = append(b, r[:]...)
	}
	b = append(b, reportData[:]...)
	if m.TD15 != nil {
		b = append(b, m.TD15.CurrentSVN[:]...)
		b = append(b, m.TD15.ServiceTD[:]...)
	}
	return b
}

// certify is what follows the signature: the attestation key, the quoting
// enclave's report signed by the platform, and the platform's certificates.
func certify(key, qeReport, qeSignature, auth []byte, chain ...[]byte) []byte {
	le := binary.LittleEndian
	var certificates []byte
	for _, der := range chain {
		certificates = append(certificates, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	inner := append(append([]byte(nil), qeReport...), qeSignature...)
	inner = le.AppendUint16(inner, uint16(len(auth)))
	inner = append(inner, auth...)
	inner = le.AppendUint16(inner, 5)
	inner = le.AppendUint32(inner, uint32(len(certificates)))
	inner = append(inner, certificates...)

	b := append([]byte(nil), key...)
	b = le.AppendUint16(b, 6)
	b = le.AppendUint32(b, uint32(len(inner)))
	return append(b, inner...)
}

// sign makes a raw r ‖ s signature over SHA-256 of the message.
func sign(key *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature, nil
}
