package snp

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Launch is what makes up a VM's identity: all that was fixed when it started
// except HOST_DATA, which differs between nodes of one image and is judged by
// the events.
type Launch struct {
	Measurement [48]byte // memory and processor state at launch
	Policy      GuestPolicy
	// The id block, all zero if the VM was started without one.
	IDKey     [48]byte // SHA-384 of the key that signed it
	AuthorKey [48]byte // SHA-384 of the key that signed that key
	FamilyID  [16]byte
	ImageID   [16]byte
	GuestSVN  uint32
}

// Image is the digest under which a registry lists an image:
//
//	SHA-256("tussah/image/snp/v1" ‖ measurement ‖ policy u64 ‖ id key digest ‖ author key digest ‖ family id ‖ image id ‖ guest SVN u32)
//
// with both integers little-endian.
func (l Launch) Image() [32]byte {
	h := sha256.New()
	h.Write([]byte("tussah/image/snp/v1"))
	h.Write(l.Measurement[:])
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(l.Policy)))
	h.Write(l.IDKey[:])
	h.Write(l.AuthorKey[:])
	h.Write(l.FamilyID[:])
	h.Write(l.ImageID[:])
	h.Write(binary.LittleEndian.AppendUint32(nil, l.GuestSVN))
	return [32]byte(h.Sum(nil))
}

func (r report) launch() Launch {
	return Launch{
		Measurement: [48]byte(r.measurement()),
		Policy:      r.policy(),
		IDKey:       [48]byte(r.idKey()),
		AuthorKey:   [48]byte(r.authorKey()),
		FamilyID:    [16]byte(r.familyID()),
		ImageID:     [16]byte(r.imageID()),
		GuestSVN:    r.guestSVN(),
	}
}

// HostData is the HOST_DATA to start a VM with so that it may show these events:
//
//	SHA-256("tussah/host-data/snp/v1" ‖ r), r = SHA-256(r ‖ digest) for each event in order, from 32 zero bytes
//
// It is an error if there are more events, or longer ones, than evidence may have.
func HostData(events []attest.Event) ([32]byte, error) {
	if len(events) > attest.MaxEvents {
		return [32]byte{}, fmt.Errorf("%d events, at most %d", len(events), attest.MaxEvents)
	}
	var r [32]byte
	for _, e := range events {
		if len(e.Payload) > attest.MaxEventPayload {
			return [32]byte{}, fmt.Errorf("event %q has %d bytes", e.Name, len(e.Payload))
		}
		digest := e.Digest()
		r = sha256.Sum256(append(r[:], digest[:]...))
	}
	return sha256.Sum256(append([]byte("tussah/host-data/snp/v1"), r[:]...)), nil
}
