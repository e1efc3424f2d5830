package snp

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// certified is what the manufacturer certified about a chip's key.
type certified struct {
	product  Product
	tcb      TCB
	chipID   []byte // as many bytes as the line has; nil for a provider's key
	provider string // of a provider's key
}

// AMD's extensions of a chip certificate, below this arc.
var oidAMD = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 3704, 1}

var oidAuthorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}

const (
	extStructVersion = 1 // 1: the certificate is laid out as for Turin
	extProductName   = 2
	extLevels        = 3 // .1 to .9, see below
	extChipID        = 4
	extProvider      = 5
)

// The levels; 4 to 7 are reserved and zero.
const (
	levelBootloader = 1
	levelTEE        = 2
	levelSNP        = 3
	level4          = 4
	level7          = 7
	levelMicrocode  = 8
	levelFMC        = 9
)

// extensions collects a certificate's extensions: AMD's, each at most once, and
// the authority key id, which CAs may add. (crypto/x509 refuses repetitions.)
type extensions struct {
	single map[int][]byte
	level  map[int][]byte
}

func collect(certificate *x509.Certificate) (extensions, error) {
	e := extensions{single: map[int][]byte{}, level: map[int][]byte{}}
	for _, x := range certificate.Extensions {
		n := len(oidAMD)
		switch below := len(x.Id) - n; {
		case x.Id.Equal(oidAuthorityKeyID):
		case below >= 1 && !x.Id[:n].Equal(oidAMD):
			return e, fmt.Errorf("extension %v is not AMD's", x.Id)
		case below == 1 && x.Id[n] != extLevels:
			e.single[x.Id[n]] = x.Value
		case below == 2 && x.Id[n] == extLevels:
			e.level[x.Id[n+1]] = x.Value
		default:
			return e, fmt.Errorf("extension %v is not known", x.Id)
		}
	}
	return e, nil
}

// parseCertified reads a chip certificate's extensions strictly: all that its
// kind has, none else.
func parseCertified(certificate *x509.Certificate) (certified, error) {
	e, err := collect(certificate)
	if err != nil {
		return certified{}, err
	}
	var c certified
	version, ok := readUint8(e.single[extStructVersion])
	if !ok || version > 1 {
		return certified{}, errors.New("malformed version")
	}
	name, ok := readIA5(e.single[extProductName])
	if !ok {
		return certified{}, errors.New("malformed product name")
	}
	if c.product, ok = productOfName(name); !ok || (c.product == Turin) != (version == 1) {
		return certified{}, fmt.Errorf("product name %q with version %d", name, version)
	}
	if c.tcb, err = e.levels(c.product); err != nil {
		return certified{}, err
	}
	id, hasID := e.single[extChipID]
	provider, hasProvider := e.single[extProvider]
	switch {
	case hasID == hasProvider:
		return certified{}, errors.New("neither or both of chip id and provider")
	case hasID:
		c.chipID, ok = readChipID(id, c.product.chipIDSize())
	default:
		c.provider, ok = readIA5(provider)
	}
	if !ok || len(e.single) != 3 {
		return certified{}, errors.New("malformed chip id or provider, or an unknown extension")
	}
	return c, nil
}

func (e extensions) levels(p Product) (TCB, error) {
	var t TCB
	want := map[int]*uint8{levelBootloader: &t.Bootloader, levelTEE: &t.TEE, levelSNP: &t.SNP, levelMicrocode: &t.Microcode}
	var zero [level7 + 1]uint8
	for n := level4; n <= level7; n++ {
		want[n] = &zero[n]
	}
	if p == Turin { // has a level of its own in place of the first reserved one
		delete(want, level4)
		want[levelFMC] = &t.FMC
	}
	if len(e.level) != len(want) {
		return TCB{}, fmt.Errorf("%d levels instead of %d", len(e.level), len(want))
	}
	for n, to := range want {
		v, ok := readUint8(e.level[n])
		if !ok {
			return TCB{}, fmt.Errorf("malformed level %d", n)
		}
		*to = v
	}
	if zero != [level7 + 1]uint8{} {
		return TCB{}, errors.New("a reserved level is not zero")
	}
	return t, nil
}

func readUint8(der []byte) (v uint8, ok bool) {
	s := cryptobyte.String(der)
	return v, s.ReadASN1Integer(&v) && s.Empty()
}

func readIA5(der []byte) (string, bool) {
	s, value := cryptobyte.String(der), cryptobyte.String(nil)
	if !s.ReadASN1(&value, cbasn1.IA5String) || !s.Empty() || len(value) == 0 || len(value) > 64 {
		return "", false
	}
	return string(value), true
}

// readChipID reads an id as AMD states it: bare, or as an OCTET STRING.
func readChipID(value []byte, size int) ([]byte, bool) {
	if len(value) == size {
		return value, true
	}
	s, id := cryptobyte.String(value), cryptobyte.String(nil)
	ok := s.ReadASN1(&id, cbasn1.OCTET_STRING) && s.Empty() && len(id) == size
	return id, ok
}
