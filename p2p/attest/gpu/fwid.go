package gpu

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The extensions in which a leaf names the firmware that holds its key. A leaf
// has one of them; both are of TCG's DICE profiles, an older and a newer one.
var (
	oidCompositeDeviceID = asn1.ObjectIdentifier{2, 23, 133, 5, 4, 1}
	oidTCBInfo           = asn1.ObjectIdentifier{2, 23, 133, 5, 4, 1, 1}
	oidSHA384            = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
)

// Flags of a TCB info, bit 0 first. A device that is not configured yet sets the
// first and is in its ordinary state.
const (
	flagNotSecure = 0x40
	flagRecovery  = 0x20
	flagDebug     = 0x10
)

// fwid returns the firmware that the leaf was issued for. A leaf without it is
// refused: its key could belong to any firmware.
func (c chain) fwid() (digest, error) {
	var found []byte
	var parse func(cryptobyte.String) (digest, error)
	for _, e := range c.leaf().Extensions {
		switch {
		case e.Id.Equal(oidCompositeDeviceID):
			parse = c.compositeDeviceID
		case e.Id.Equal(oidTCBInfo):
			parse = tcbInfo
		default:
			continue
		}
		if found != nil {
			return digest{}, errors.New("leaf names two firmwares")
		}
		found = e.Value
	}
	if found == nil {
		return digest{}, errors.New("leaf names no firmware")
	}
	return parse(found)
}

// compositeDeviceID reads SEQUENCE { version, SubjectPublicKeyInfo of the
// device, FWID }. The key must be the one that issued the leaf.
func (c chain) compositeDeviceID(b cryptobyte.String) (digest, error) {
	var body, spki, id cryptobyte.String
	var version int
	if !b.ReadASN1(&body, cbasn1.SEQUENCE) || !b.Empty() || !body.ReadASN1Integer(&version) || version != 1 ||
		!body.ReadASN1Element(&spki, cbasn1.SEQUENCE) || !body.ReadASN1(&id, cbasn1.SEQUENCE) || !body.Empty() {
		return digest{}, errors.New("malformed composite device id")
	}
	if !bytes.Equal(spki, c[1].RawSubjectPublicKeyInfo) {
		return digest{}, errors.New("leaf belongs to another device")
	}
	return fwidOf(id)
}

// tcbInfo reads the first FWID of a DiceTcbInfo, and its flags.
func tcbInfo(b cryptobyte.String) (digest, error) {
	malformed := errors.New("malformed TCB info")
	var body, field cryptobyte.String
	var tag cbasn1.Tag
	if !b.ReadASN1(&body, cbasn1.SEQUENCE) || !b.Empty() {
		return digest{}, malformed
	}
	fwids, flags := cbasn1.Tag(6).ContextSpecific().Constructed(), cbasn1.Tag(7).ContextSpecific()
	var first cryptobyte.String
	for !body.Empty() {
		if !body.ReadAnyASN1(&field, &tag) {
			return digest{}, malformed
		}
		switch tag {
		case fwids:
			if first != nil || !field.ReadASN1(&first, cbasn1.SEQUENCE) {
				return digest{}, malformed
			}
		case flags:
			if len(field) < 2 {
				return digest{}, malformed
			}
			if f := field[1] & (flagNotSecure | flagRecovery | flagDebug); f != 0 {
				return digest{}, fmt.Errorf("firmware has flags %#x", field[1])
			}
		}
	}
	return fwidOf(first)
}

// fwidOf reads the inside of SEQUENCE { algorithm, digest }.
func fwidOf(b cryptobyte.String) (digest, error) {
	var algorithm asn1.ObjectIdentifier
	var sum cryptobyte.String
	if !b.ReadASN1ObjectIdentifier(&algorithm) || !algorithm.Equal(oidSHA384) ||
		!b.ReadASN1(&sum, cbasn1.OCTET_STRING) || !b.Empty() || len(sum) != digestSize {
		return digest{}, errors.New("malformed FWID")
	}
	return digest(sum), nil
}
