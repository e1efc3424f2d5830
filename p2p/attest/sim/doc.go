// Package sim is a TDX quoting enclave in software, for development and tests.
//
// It has its own certificate authority in the manufacturer's format and makes
// quotes that differ from hardware's in one thing only: the root they lead to.
// So the verifier in package tdx runs unchanged in the sandbox, and refuses
// all of this where its policy does not allow simulation. A simulated quote
// proves that somebody holds the authority's key, nothing about a machine.
//
// The flow:
//
//  1. [NewCA] makes an authority, [CA.Save] and [LoadCA] keep it in a folder;
//     verifiers need only what is public there: [CA.Verifier] or [LoadVerifier]
//  2. [CA.Platform] is a machine: its identity, its PCK certificate, its
//     quoting enclave
//  3. [Measure] makes the measurements an image of some name would have
//  4. [Platform.VM] is a machine with these measurements: an attest.Provider
//  5. [CA.Collateral] is what the manufacturer would say about these machines,
//     and [CA.Handler] serves it as the manufacturer does
//
// Measurements are plain fields, [Faults] edits what the platform signs and
// [CollateralFaults] what the authority signs, so that a verifier's tests can
// produce every bad case with valid signatures.
//
// Quotes and collateral are put together here from their definitions, not with
// the verifier's code: a shared mistake would cancel itself out.
//
// Start reading at [Platform.VM], then quote.go; for collateral at document.go.
package sim
