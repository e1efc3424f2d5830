package attest

import "crypto/sha256"

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

// Image is the digest under which a registry lists an image. It is the rule of
// the Cocoon network, including 64 zero bytes in place of REPORTDATA, so that
// one image has one digest on both networks.
//
// The digest says nothing about attributes, XFAM or the TDX module: a debuggable
// VM has the same one. [Appraise] judges those apart.
func (r Registers) Image() [32]byte {
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
