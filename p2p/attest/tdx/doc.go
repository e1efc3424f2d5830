// Package tdx decides what an Intel TDX quote is worth.
//
// A quote is a VM's report about itself (measurements, attributes, 64 bytes of
// its own choice), signed by a quoting enclave, whose key is signed by the
// platform, whose key is signed by the manufacturer. This package parses the
// quote, follows that chain and compares the report with a policy.
//
// The flow of [Verifier.Appraise], one table in checklist.go, first refusal wins:
//
//  1. form: size, kind, layout; one accepted encoding
//  2. binding: REPORTDATA is what the caller expects
//  3. genuine: root, certificate profile, dates, chain, platform extension,
//     quoting enclave's signature, its identity, attestation key, quote
//  4. genuine now, by the manufacturer's collateral: whose it is, dates, family
//     of platforms, evaluation, revocations, quoting enclave, TDX module, and
//     how up to date all of them are, which is how up to date the worst is
//  5. acceptable: no debug, exact attributes, no service TD, SVN order, XFAM,
//     SEAM, then image and platform as the policy says
//
// [ParseCollateral] verifies collateral once, ahead of time; a [Source] hands it
// out from memory. [Verifier.Explain] is the same table for people, all steps of
// it, and [Inspect] reads a quote without judging it.
//
// Invariants:
//
//   - the zero Policy accepts nothing, nil hooks deny, an empty list denies;
//   - whether a root is genuine is computed from its key ([IntelRootKeyID]),
//     never configured: every other root is simulated and is refused unless
//     AllowSimulated is set, whichever roots are loaded;
//   - collateral counts only under the root of the quote, and there is no way
//     around it; OutOfDate and Revoked never pass, whatever a policy says;
//   - of what is signed exactly the signed bytes are read, in one form;
//   - simulated evidence (package sim) runs through exactly the same code;
//     nothing skips verification;
//   - nothing is fetched or logged, and what a verifier remembers about
//     platforms alters no answer: same input, same answer;
//   - each step has its own sentinel error and a test that provokes it.
//
// The two encodings real hardware produces differ in padding and in a NUL after
// the certificates. Whoever obtains a quote passes it through [Canonical] once
// before showing it; whoever receives one accepts nothing else.
//
// Start reading at [Verifier.Appraise], then checklist.go, collateral.go, quote.go.
package tdx
