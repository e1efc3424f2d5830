// Package snpsim is an SEV-SNP firmware in software, for tests and development.
//
// It has its own certificate authority in the manufacturer's format and makes
// reports that differ from hardware's in one thing only: the root they lead to.
// So the verifier in package snp runs unchanged, and refuses all of this where
// its policy does not allow simulation. A simulated report proves that somebody
// holds the authority's key, nothing about a machine.
//
// The flow:
//
//  1. [NewCA] makes an authority for one product line: ARK, ASK and ASVK, and
//     the revocation list that goes with them
//  2. [CA.Platform] is a chip: its identity, its firmware, its certificate
//  3. [Measure] makes the launch an image of some name would have
//  4. [Platform.VM] is a VM started so, with the events it was announced with:
//     an attest.Provider
//
// Report fields are plain and [Faults] edits what is signed, so that a verifier's
// tests can produce every bad case with valid signatures.
//
// The report is put together here from the layout's definition, not with the
// verifier's code: a shared mistake would cancel itself out. The authority's RSA
// keys are shorter than the manufacturer's (2048 bits), so that making one takes
// little time.
//
// Start reading at [Platform.VM], then report.go.
package snpsim
