package snp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Layout of a report, all integers little-endian:
//
//	000  version u32, guest SVN u32, policy u64, family id 16, image id 16
//	030  VMPL u32, signature algorithm u32, current TCB u64, platform info u64
//	048  signer info u32, 4 reserved
//	050  REPORT_DATA 64, measurement 48, HOST_DATA 32, id key digest 48, author key digest 48
//	140  report id 32, migration agent's report id 32, reported TCB u64
//	188  CPUID family, model, stepping (version 3 on), 21 reserved
//	1a0  CHIP_ID 64, committed TCB u64
//	1e8  current build, minor, major, 1 reserved, the committed ones likewise
//	1f0  launch TCB u64, mitigations at launch u64 and now u64 (version 5 on), 152 reserved
//	2a0  signature over all before: r 72, s 72, 368 reserved
const (
	reportSize = 1184
	signedSize = 0x2a0
	scalarSize = 72 // of which a P-384 signature uses 48

	ecdsaP384SHA384 = 1
)

// report is a report of exactly reportSize bytes.
type report []byte

func (r report) u32(at int) uint32 { return binary.LittleEndian.Uint32(r[at:]) }
func (r report) u64(at int) uint64 { return binary.LittleEndian.Uint64(r[at:]) }

func (r report) version() uint32            { return r.u32(0x00) }
func (r report) guestSVN() uint32           { return r.u32(0x04) }
func (r report) policy() GuestPolicy        { return GuestPolicy(r.u64(0x08)) }
func (r report) familyID() []byte           { return r[0x10:0x20] }
func (r report) imageID() []byte            { return r[0x20:0x30] }
func (r report) vmpl() uint32               { return r.u32(0x30) }
func (r report) algorithm() uint32          { return r.u32(0x34) }
func (r report) currentTCB() uint64         { return r.u64(0x38) }
func (r report) platformInfo() PlatformInfo { return PlatformInfo(r.u64(0x40)) }
func (r report) signer() uint32             { return r.u32(0x48) }
func (r report) data() []byte               { return r[0x50:0x90] }
func (r report) measurement() []byte        { return r[0x90:0xc0] }
func (r report) hostData() []byte           { return r[0xc0:0xe0] }
func (r report) idKey() []byte              { return r[0xe0:0x110] }
func (r report) authorKey() []byte          { return r[0x110:0x140] }
func (r report) migrationAgent() []byte     { return r[0x160:0x180] }
func (r report) reportedTCB() uint64        { return r.u64(0x180) }
func (r report) chipID() []byte             { return r[0x1a0:0x1e0] }
func (r report) committedTCB() uint64       { return r.u64(0x1e0) }
func (r report) currentFirmware() []byte    { return r[0x1e8:0x1eb] }
func (r report) committedFirmware() []byte  { return r[0x1ec:0x1ef] }
func (r report) launchTCB() uint64          { return r.u64(0x1f0) }
func (r report) signed() []byte             { return r[:signedSize] }
func (r report) signatureR() []byte         { return r[signedSize:][:scalarSize] }
func (r report) signatureS() []byte         { return r[signedSize+scalarSize:][:scalarSize] }

// cpuid is the family and model that firmware states from version 3 on.
func (r report) cpuid() (family, model byte, ok bool) {
	return r[0x188], r[0x189], r.version() >= 3
}

// Signer info.
const (
	signerAuthorKey  = 1 << 0 // the id block's key is signed by an author key
	signerMaskChip   = 1 << 1 // the host hides the chip
	signerKeyShift   = 2
	signerKeyMask    = 7
	signerKeyVCEK    = 0
	signerKeyVLEK    = 1
	signerInfoUnused = ^uint32(1<<5 - 1)
)

func (r report) signingKey() uint32 { return r.signer() >> signerKeyShift & signerKeyMask }

// checkKind tells a report of another kind from a broken one.
func (r report) checkKind() error {
	switch {
	case r.version() < 2 || r.version() > 5:
		return fmt.Errorf("version %d", r.version())
	case r.algorithm() != ecdsaP384SHA384:
		return fmt.Errorf("signature algorithm %d", r.algorithm())
	}
	return nil
}

// reserved are the bytes that are zero in every version.
var reserved = [...][2]int{{0x4c, 0x50}, {0x18b, 0x1a0}, {0x1eb, 0x1ec}, {0x1ef, 0x1f0}, {0x208, signedSize},
	{signedSize + 48, signedSize + scalarSize}, {signedSize + scalarSize + 48, signedSize + 2*scalarSize},
	{signedSize + 2*scalarSize, reportSize}}

// checkForm leaves a report of a known kind one encoding: what has no meaning is zero.
func (r report) checkForm() error {
	for _, span := range reserved {
		if !allZero(r[span[0]:span[1]]) {
			return fmt.Errorf("reserved bytes %#x to %#x are not zero", span[0], span[1])
		}
	}
	switch {
	case r.version() < 3 && !allZero(r[0x188:0x18b]):
		return errors.New("CPUID in a report of version 2")
	case r.version() < 5 && !allZero(r[0x1f8:0x208]):
		return errors.New("mitigations in a report before version 5")
	case r.policy()&policyOne == 0 || r.policy()&policyUnused != 0:
		return fmt.Errorf("guest policy %#x has reserved bits", uint64(r.policy()))
	case r.signer()&signerInfoUnused != 0 || r.signingKey() > signerKeyVLEK:
		return fmt.Errorf("signer info %#x", r.signer())
	}
	return nil
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
