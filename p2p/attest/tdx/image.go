package tdx

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Register is one 48-byte measurement (a SHA-384 digest or a value of the same size).
type Register [48]byte

// Registers are the measurements that make up a VM's identity.
type Registers struct {
	MRTD          Register    // memory at launch: the firmware
	MRConfigID    Register    // given by the host at launch, fixed from then on
	MROwner       Register    // likewise
	MROwnerConfig Register    // likewise
	RTMR          [4]Register // extended at run time: firmware, kernel, command line, application
}

// Image is the digest under which a registry lists an image: of what is measured
// before the first program of the image runs, and of how the VM was set up.
// RTMR3 is no part of it: it has what differs between nodes of one image, and is
// judged by its events. MRConfigID, MROwner and MROwnerConfig must be zero.
//
//	SHA-256("tussah/image/tdx/v1" ‖ MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2 ‖ attributes ‖ XFAM), both little-endian
func (r Registers) Image(attributes, xfam uint64) [32]byte {
	h := sha256.New()
	h.Write([]byte("tussah/image/tdx/v1"))
	for _, m := range [...]Register{r.MRTD, r.RTMR[0], r.RTMR[1], r.RTMR[2]} {
		h.Write(m[:])
	}
	h.Write(binary.LittleEndian.AppendUint64(nil, attributes))
	h.Write(binary.LittleEndian.AppendUint64(nil, xfam))
	return [32]byte(h.Sum(nil))
}

// Upstream is the digest of the same image by the rule of the Cocoon network,
// with 64 zero bytes in place of REPORTDATA. It says nothing about attributes and
// XFAM: a debuggable VM has the same one.
func (r Registers) Upstream() [32]byte {
	h := sha256.New()
	for _, m := range [...]Register{
		r.MRTD, r.MRConfigID, r.MROwner, r.MROwnerConfig,
		r.RTMR[0], r.RTMR[1], r.RTMR[2], r.RTMR[3],
	} {
		h.Write(m[:])
	}
	h.Write(make([]byte, 64))
	return [32]byte(h.Sum(nil))
}

// Replay is what RTMR3 holds after these events: each extends it with the SHA-384
// of its digest.
func Replay(events []attest.Event) (r Register, err error) {
	if len(events) > attest.MaxEvents {
		return r, fmt.Errorf("%d events, at most %d", len(events), attest.MaxEvents)
	}
	for _, e := range events {
		if len(e.Payload) > attest.MaxEventPayload {
			return r, fmt.Errorf("event %q has %d bytes", e.Name, len(e.Payload))
		}
		extension := EventDigest(e)
		r = sha512.Sum384(append(r[:], extension[:]...))
	}
	return r, nil
}

// EventDigest is what an event extends RTMR3 with.
func EventDigest(e attest.Event) Register {
	digest := e.Digest()
	return sha512.Sum384(digest[:])
}
