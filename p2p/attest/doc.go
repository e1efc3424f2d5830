// Package attest holds the words in which machines prove what they run, whatever
// makes the proof.
//
// A confidential VM shows [Evidence]: a report about itself, signed by the
// machine and bound to 64 bytes of the caller's choice, and the [Event]s that it
// measured while it ran. A [Provider] obtains it on the machine, a [Verifier]
// takes it through a checklist at the other end and compares it with a [Policy].
// What survives is an [Appraisal].
//
// Each kind of machine is one package below this one, and nothing else knows it:
//
//	tdx         Intel TDX quotes: parser, checklist, collateral
//	snp         AMD SEV-SNP reports
//	gpu         NVIDIA GPUs, shown beside a machine's evidence
//	sim         a simulated TDX machine with an authority of its own
//	host        evidence of the machine this process runs on
//	eventlog    what firmware and kernel say they measured
//	measure     what an image will measure, before it runs
//	collateral  what manufacturers say about platforms, fetched and kept
//
// Invariants, of all of them:
//
//   - the zero Policy accepts nothing, nil hooks deny, an empty list denies;
//   - whether a root is genuine is computed from its key, never configured: every
//     other root is simulated and is refused unless AllowSimulated is set;
//   - simulated evidence runs through exactly the same code: nothing skips
//     verification;
//   - a verifier fetches and logs nothing, and keeps nothing that alters an answer;
//   - each step of a checklist has its own [Refusal], and a test that provokes it.
//
// Start reading at [Verifier], then package tdx.
package attest
