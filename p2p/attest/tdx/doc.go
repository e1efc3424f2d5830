// Package tdx decides what an Intel TDX quote is worth.
//
// A quote is a VM's report about itself (measurements, attributes, 64 bytes of
// its own choice), signed by a quoting enclave, whose key is signed by the
// platform, whose key is signed by the manufacturer. This package parses the
// quote, follows that chain and compares the report with a policy.
//
// The flow of [Verifier.Appraise], one table in checklist.go, first refusal wins:
//
//  1. form: size, kind, layout, three certificates; one accepted encoding
//  2. binding: REPORTDATA is what the caller expects
//  3. genuine: root, certificate profile, dates, chain, platform extension,
//     quoting enclave's signature, its identity, attestation key, quote
//  4. acceptable: no debug, exact attributes, no service TD, SVN order, XFAM,
//     SEAM, then image and platform as the policy says
//
// Invariants:
//
//   - the zero Policy accepts nothing, nil hooks deny, an empty list denies;
//   - whether a root is genuine is computed from its key ([IntelRootKeyID]),
//     never configured: every other root is simulated and is refused unless
//     AllowSimulated is set, whichever roots are loaded;
//   - simulated evidence (package sim) runs through exactly the same code;
//     nothing skips verification;
//   - nothing is fetched, logged, cached or kept: same input, same answer;
//   - each step has its own sentinel error and a test that provokes it.
//
// What it does not know yet: manufacturer collateral. TCB levels, revocation
// lists and the quoting enclave's version are not judged, so a platform that
// is genuine but out of date passes. Collateral has its place in the checklist
// after the signatures and before the report is judged.
//
// The two encodings real hardware produces differ in padding and in a NUL after
// the certificates. Whoever obtains a quote passes it through [Canonical] once
// before showing it; whoever receives one accepts nothing else.
//
// Start reading at [Verifier.Appraise], then checklist.go, then quote.go.
package tdx
