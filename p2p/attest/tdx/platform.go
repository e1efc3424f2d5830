package tdx

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Platform is what the manufacturer certified about the machine, from the SGX
// extension of its PCK certificate.
type Platform struct {
	PPID     [16]byte // the processor package, stable across TCB recoveries
	Instance [16]byte // the platform instance; zero if the certificate has none
	FMSPC    [6]byte  // family, model, stepping: selects the collateral
	PCEID    [2]byte
	SVN      [16]byte // security versions of the components
	PCESVN   uint16
}

// ID is how policies and registries name the platform.
func (p Platform) ID() attest.PlatformID { return sha256.Sum256(p.PPID[:]) }

// oidSGX is the SGX extension; its fields are oidSGX.1 to .7, the TCB's
// components oidSGX.2.1 to .18.
var oidSGX = asn1.ObjectIdentifier{1, 2, 840, 113741, 1, 13, 1}

const (
	fieldPPID          = 1
	fieldTCB           = 2
	fieldPCEID         = 3
	fieldFMSPC         = 4
	fieldType          = 5
	fieldInstance      = 6 // platform CA only
	fieldConfiguration = 7 // platform CA only

	componentPCESVN = 17
	componentCPUSVN = 18
)

// parsePlatform reads the SGX extension strictly: every known field exactly
// once, none unknown. (crypto/x509 refuses a repeated extension.)
func parsePlatform(pck *x509.Certificate) (Platform, error) {
	var value []byte
	for _, e := range pck.Extensions {
		if e.Id.Equal(oidSGX) {
			value = e.Value
		}
	}
	if value == nil {
		return Platform{}, errors.New("no SGX extension")
	}
	var p Platform
	seen, err := readFields(value, oidSGX, func(field int, value *cryptobyte.String) bool {
		switch field {
		case fieldPPID:
			return readOctets(value, p.PPID[:])
		case fieldTCB:
			return p.readTCB(value)
		case fieldPCEID:
			return readOctets(value, p.PCEID[:])
		case fieldFMSPC:
			return readOctets(value, p.FMSPC[:])
		case fieldType:
			var kind int
			return value.ReadASN1Enum(&kind)
		case fieldInstance:
			return readOctets(value, p.Instance[:])
		case fieldConfiguration:
			return value.SkipASN1(cbasn1.SEQUENCE)
		}
		return false
	})
	if err != nil {
		return Platform{}, err
	}
	const required = 1<<fieldPPID | 1<<fieldTCB | 1<<fieldPCEID | 1<<fieldFMSPC | 1<<fieldType
	if seen&required != required {
		return Platform{}, errors.New("SGX extension lacks a field")
	}
	return p, nil
}

func (p *Platform) readTCB(value *cryptobyte.String) bool {
	var element cryptobyte.String
	if !value.ReadASN1Element(&element, cbasn1.SEQUENCE) {
		return false
	}
	oidTCB := append(append(asn1.ObjectIdentifier(nil), oidSGX...), fieldTCB)
	seen, err := readFields(element, oidTCB, func(component int, value *cryptobyte.String) bool {
		switch {
		case component >= 1 && component <= 16:
			return value.ReadASN1Integer(&p.SVN[component-1])
		case component == componentPCESVN:
			return value.ReadASN1Integer(&p.PCESVN)
		case component == componentCPUSVN:
			var cpu [16]byte
			return readOctets(value, cpu[:])
		}
		return false
	})
	return err == nil && seen == 1<<19-2 // bits 1 to 18
}

// readFields walks SEQUENCE { SEQUENCE { prefix.n, value }, … } and returns the
// set of n met; none may repeat.
func readFields(der []byte, prefix asn1.ObjectIdentifier, read func(n int, value *cryptobyte.String) bool) (seen uint32, err error) {
	outer, fields := cryptobyte.String(der), cryptobyte.String(nil)
	if !outer.ReadASN1(&fields, cbasn1.SEQUENCE) || !outer.Empty() {
		return 0, errors.New("SGX extension is no sequence")
	}
	for !fields.Empty() {
		var field cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !fields.ReadASN1(&field, cbasn1.SEQUENCE) || !field.ReadASN1ObjectIdentifier(&oid) {
			return 0, errors.New("SGX extension has a malformed field")
		}
		if len(oid) != len(prefix)+1 || !oid[:len(prefix)].Equal(prefix) || oid[len(prefix)] > componentCPUSVN {
			return 0, fmt.Errorf("SGX extension has a field %v", oid)
		}
		n := oid[len(prefix)]
		if seen&(1<<n) != 0 {
			return 0, fmt.Errorf("SGX extension repeats %v", oid)
		}
		seen |= 1 << n
		if !read(n, &field) || !field.Empty() {
			return 0, fmt.Errorf("SGX extension has a malformed %v", oid)
		}
	}
	return seen, nil
}

func readOctets(value *cryptobyte.String, to []byte) bool {
	var octets cryptobyte.String
	if !value.ReadASN1(&octets, cbasn1.OCTET_STRING) || len(octets) != len(to) {
		return false
	}
	copy(to, octets)
	return true
}
