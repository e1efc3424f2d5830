package snp

// Rules are what a verifier accepts of this TEE, beside the policy that all TEEs
// share. The zero Rules accept nothing.
type Rules struct {
	// Products are the allowed product lines, each with the oldest firmware that
	// counts as up to date. Milan is refused even if it is here.
	Products map[Product]TCB
	// ABI is the least firmware version that a VM's launch policy must demand.
	ABI ABI
	// Demand are bits that a VM's launch policy must have, Forbid those it must not.
	Demand, Forbid GuestPolicy
	// Platform are the protections that must be on.
	Platform PlatformInfo
	// VLEK admits reports signed with a key that AMD gave a cloud provider for all
	// its machines. The chip's id is then firmware's word only.
	VLEK bool
}

// ABI is a version of the firmware's interface.
type ABI struct{ Major, Minor uint8 }

func (v ABI) atLeast(least ABI) bool {
	return v.Major > least.Major || v.Major == least.Major && v.Minor >= least.Minor
}

// GuestPolicy is what a VM's owner demands at launch; firmware enforces it.
type GuestPolicy uint64

// Bits of a launch policy. The lowest 16 are the demanded [ABI].
const (
	PolicySMT              GuestPolicy = 1 << 16 // may run on hyperthreads
	PolicyMigration        GuestPolicy = 1 << 18 // may have a migration agent: never accepted
	PolicyDebug            GuestPolicy = 1 << 19 // may be debugged by its host: never accepted
	PolicySingleSocket     GuestPolicy = 1 << 20 // runs on one socket only
	PolicyCXL              GuestPolicy = 1 << 21 // may use CXL memory
	PolicyAES256           GuestPolicy = 1 << 22 // memory is encrypted with AES-256-XTS
	PolicyNoRAPL           GuestPolicy = 1 << 23 // the power meter is off
	PolicyCiphertextHiding GuestPolicy = 1 << 24 // the host cannot read ciphertext
	PolicyNoPageSwap       GuestPolicy = 1 << 25 // the host cannot move pages

	policyOne    GuestPolicy = 1 << 17 // always set
	policyUnused             = ^GuestPolicy(1<<26 - 1)
)

func (p GuestPolicy) abi() ABI { return ABI{Major: uint8(p >> 8), Minor: uint8(p)} }

// PlatformInfo is what firmware says about the machine.
type PlatformInfo uint64

// Bits of the platform's information.
const (
	PlatformSMT              PlatformInfo = 1 << 0 // hyperthreads are on
	PlatformTSME             PlatformInfo = 1 << 1 // all memory is encrypted
	PlatformECC              PlatformInfo = 1 << 2 // memory corrects errors
	PlatformNoRAPL           PlatformInfo = 1 << 3 // the power meter is off
	PlatformCiphertextHiding PlatformInfo = 1 << 4 // the host cannot read ciphertext
	PlatformAliasCheck       PlatformInfo = 1 << 5 // memory was checked for aliases since reset
	PlatformTIO              PlatformInfo = 1 << 7 // trusted I/O is on

	platformUnknown = ^(PlatformSMT | PlatformTSME | PlatformECC | PlatformNoRAPL |
		PlatformCiphertextHiding | PlatformAliasCheck | PlatformTIO)
)
