package attest

import "time"

// Verifier appraises the evidence of one TEE. Same input, same answer: it
// fetches and logs nothing, and keeps nothing that alters an answer. It is safe
// for concurrent use. A [Cache] stands before it where peers return.
type Verifier interface {
	TEE() TEE

	// Identify checks form and binding only, and returns what identifies the
	// signed content: two encodings of the same statement have one identity. It
	// takes microseconds.
	Identify(e Evidence, reportData [64]byte) ([32]byte, error)

	// Appraise takes evidence through the TEE's whole checklist. The error of a
	// refusal wraps the [Refusal] of the step that refused. now is the time that
	// everything is judged at, see [Now].
	Appraise(e Evidence, reportData [64]byte, p Policy, now time.Time) (Appraisal, error)

	// Inputs identifies what the verifier goes by beside evidence and policy: its
	// roots and collateral. An appraisal made with other inputs is not reused.
	Inputs() [32]byte
}
