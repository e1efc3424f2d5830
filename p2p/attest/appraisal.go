package attest

import "time"

// PlatformID identifies a processor: SHA-256 of the id that its manufacturer
// certified (TDX: PPID, SEV-SNP: CHIP_ID). It is how a registry names a platform.
type PlatformID [32]byte

// Appraisal is what was concluded from accepted evidence.
type Appraisal struct {
	TEE       TEE
	Simulated bool     // by a software enclave: proves nothing about hardware
	Image     [32]byte // digest of the image, as a registry lists it
	Upstream  [32]byte // digest of the same image by the Cocoon network's rule; zero where it has none
	Evidence  [32]byte // identity of the signed content, see [Verifier]
	Platform  PlatformID
	TCB       TCB
	Events    []Event // as replayed; nil at gate A
	GPUs      GPUs
	Epoch     uint64 // of the policy it was made under

	Issued time.Time
	Expiry time.Time // rely on it no longer than this
}

// GPUs are the accelerators whose evidence was accepted together with the machine's.
type GPUs struct {
	Evidence [32]byte // SHA-256 of all GPU evidence in its order; zero without GPUs
	Devices  []GPU
}

// GPU is one accelerator.
type GPU struct {
	ID     [32]byte // SHA-256 of the signed part of its device identity certificate
	Model  string
	Driver string
	VBIOS  string
}
