// Package gpu verifies NVIDIA GPUs on behalf of the far side of a connection:
// evidence travels to the peer that sends prompts, and that peer judges it itself.
//
//  1. [Nonce] makes the question: the TLS key of the machine, the peer's nonce and
//     the channel's exporter, so that an answer serves one channel only.
//  2. A [Collector] inside the machine has each device sign it: an SPDM exchange
//     and a certificate chain. [Encode] writes the list; its [Digest] is part of
//     what the machine's own quote is bound to.
//  3. [Appraise] takes the list through the checklist: form, binding, chain to the
//     manufacturer's root by key, signature, firmware id, revocations, policy, and
//     measurements against the manufacturer's signed documents (RIMs) about driver
//     and VBIOS.
//
// # Invariants
//
//   - A root is known by its key. What a peer sends last is not a root for that.
//   - What is compared was signed: the tree that a document's signature is checked
//     over is the tree that values are taken from, and a document has one form.
//   - Absence refuses: of a firmware id, a list of revocations, a document, a
//     policy's list, a measured mode.
//   - A report does not say whether confidential computing is on. The caller must
//     know it from an event that the machine measured at boot, see [MeasuredMode].
//   - Nothing is allocated by a length that was not bounded, and nothing panics.
//
// # What remains
//
// Nothing in this evidence proves that the GPU is in the machine that passed it
// on. Until devices are attached to a confidential VM by TDISP, a dishonest host
// can relay the question to a genuine GPU elsewhere and hand its answer over; the
// quote then binds evidence of a device that will never see the prompt. What
// stands against it:
//
//   - The measured image collects the evidence itself, and talks to the GPU over a
//     session whose keys that image negotiated with the driver; the relay has to
//     be at the level of the bus, below the VM.
//   - [attest.GPU.ID] outlives driver and firmware updates: registered per worker
//     and unique on chain, one device cannot stand in for several workers
//     ([Policy.Device]).
//   - A bound on the time from nonce to answer and to a challenge's result, and
//     the worker's stake, make a relay slow and costly. They do not exclude it.
//
// Machines whose GPUs exchange plain text through switches (protected PCIe) are
// refused: the switches would have to be appraised too.
//
// # Where to start
//
// Read the table in checklist.go, then the steps in device.go and rim.go.
package gpu
