package snpsim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"sync"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
)

// Platform is a simulated chip. Its identity follows from the id it was made
// with; its key is fresh, made at the first report.
type Platform struct {
	ca     *CA
	id     string
	faults Faults
	enroll func() (authority, error)
}

// Faults makes a chip that lies, for tests of verifiers: each hook edits what it
// is given before it is signed, with a good signature.
type Faults struct {
	Chip   func(*x509.Certificate) // template of the chip's certificate
	Curve  elliptic.Curve          // of the chip's key, instead of P-384
	Report func([]byte)            // the signed part of a report, 672 bytes
	VLEK   bool                    // sign with a provider's key
}

// Platform is the chip with this id under the authority.
func (ca *CA) Platform(id string) *Platform { return ca.FaultyPlatform(id, Faults{}) }

// FaultyPlatform is a chip that lies as told.
func (ca *CA) FaultyPlatform(id string, faults Faults) *Platform {
	p := &Platform{ca: ca, id: id, faults: faults}
	p.enroll = sync.OnceValues(p.certify)
	return p
}

// ChipID is the chip's identity as reports state it.
func (p *Platform) ChipID() [64]byte {
	id := sha512.Sum512([]byte("tussah/snpsim/chip/v1\x00" + p.id))
	if p.ca.product == snp.Turin {
		clear(id[8:])
	}
	return id
}

// VM is a virtual machine that was started with this launch on the platform, and
// announced to measure these events.
func (p *Platform) VM(l Launch, announced ...attest.Event) *VM {
	return &VM{platform: p, launch: l, announced: announced}
}

// firmware is what all simulated chips run.
func firmware(p snp.Product) snp.TCB {
	t := snp.TCB{Bootloader: 9, TEE: 1, SNP: 23, Microcode: 72}
	if p == snp.Turin {
		t.FMC = 2
	}
	return t
}

// certify plays what happens once for each chip and firmware: the manufacturer
// certifies the key that both have in common.
func (p *Platform) certify() (authority, error) {
	curve := p.faults.Curve
	if curve == nil {
		curve = elliptic.P384()
	}
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		return authority{}, fmt.Errorf("generate chip key: %w", err)
	}
	template := &x509.Certificate{Subject: name("SEV-VCEK"), SerialNumber: new(big.Int)}
	issuer := p.ca.ask
	if p.faults.VLEK {
		template.Subject, issuer = name("SEV-VLEK"), p.ca.asvk
	}
	if template.ExtraExtensions, err = p.extensions(); err != nil {
		return authority{}, err
	}
	if p.faults.Chip != nil {
		p.faults.Chip(template)
	}
	return issue(template, key, issuer)
}

// OID is an extension of a chip's certificate, below the manufacturer's arc.
func OID(arcs ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 3704, 1}, arcs...)
}

func (p *Platform) extensions() ([]pkix.Extension, error) {
	version, model := 0, p.ca.product.String()+"-B1"
	tcb := firmware(p.ca.product)
	levels := map[int]uint8{1: tcb.Bootloader, 2: tcb.TEE, 3: tcb.SNP, 4: 0, 5: 0, 6: 0, 7: 0, 8: tcb.Microcode}
	chip := p.ChipID()
	id := chip[:]
	if p.ca.product == snp.Turin {
		version, id = 1, chip[:8]
		delete(levels, 4)
		levels[9] = tcb.FMC
	}
	if p.faults.VLEK {
		model = p.ca.product.String() // firmware of many chips: no stepping
	}
	type field struct {
		id     asn1.ObjectIdentifier
		value  any
		params string
	}
	fields := []field{{OID(1), version, ""}, {OID(2), model, "ia5"}}
	for n := 1; n <= 9; n++ {
		if level, has := levels[n]; has {
			fields = append(fields, field{OID(3, n), int(level), ""})
		}
	}
	if p.faults.VLEK {
		fields = append(fields, field{OID(5), "provider.invalid", "ia5"})
	}
	var all []pkix.Extension
	for _, f := range fields {
		der, err := asn1.MarshalWithParams(f.value, f.params)
		if err != nil {
			return nil, fmt.Errorf("encode extension %v: %w", f.id, err)
		}
		all = append(all, pkix.Extension{Id: f.id, Value: der})
	}
	if !p.faults.VLEK { // the manufacturer states it bare, without a tag
		all = append(all, pkix.Extension{Id: OID(4), Value: id})
	}
	return all, nil
}
