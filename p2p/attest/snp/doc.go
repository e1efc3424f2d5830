// Package snp decides what an AMD SEV-SNP attestation report is worth.
//
// A report is what a processor's firmware says about a VM (measurement, policy,
// 64 bytes of the VM's choice), signed with a key of this chip at this firmware
// (VCEK), whose certificate leads over the product line's ASK to AMD's root, the
// ARK. Evidence carries the report and the chip's certificate, see [Encode]; ASK
// and ARK are the verifier's own and never come from the peer.
//
// The flow of [Verifier.Appraise], one table in checklist.go, first refusal wins:
//
//  1. form: size, kind, reserved bits; one accepted encoding
//  2. binding: REPORT_DATA is what the caller expects
//  3. genuine: root, certificate profile, chain, dates, the report's signature,
//     chip, firmware and product as certified; then a second, independent
//     verifier must agree
//  4. acceptable, first what no list could heal: no debugging, no migration, the
//     product; then revocation; then the VM's policy, platform, firmware, image
//     and events
//
// Invariants, beside those of package attest:
//
//   - EPYC 7003 (Milan) is never accepted: its chip keys can be had by software
//   - a chip without a certified id is nobody: masked or zero CHIP_ID is refused
//   - the least firmware of report, launch and key counts, not the newest
//   - a second verifier never sees bytes that the first has not passed, never
//     reaches a network, and cannot make a refusal an acceptance
//
// # Events
//
// A VM of this TEE cannot extend a register while it runs. All it has is
// HOST_DATA: 32 bytes that whoever starts it sets, fixed from then on. So a VM's
// events are decided before its launch, and HOST_DATA must be [HostData] of them.
// The image's part is to refuse to run when its configuration is not what
// HOST_DATA says, before it uses any of it; which images do is what a registry's
// list of images states. A verifier is shown the events and replays them as it
// does for every TEE, at gate B. Zero HOST_DATA stands for no list at all, and is
// refused there.
//
// Start reading at [Verifier], then checklist.go. Package snpsim makes evidence
// of simulated chips.
package snp
