// Package policyfile reads what an operator accepts of other machines.
//
// The file is TOML and is one half of a policy: the other is what the registry
// allows. They are intersected, so a file can forbid what the registry allows,
// and nothing else.
//
//  1. [Parse] reads a file strictly and lists every fault by its key.
//  2. [File.Policy] joins it with a [View] of the registry into an
//     attest.Policy; [File.Model], [File.GPU] and [File.SNP] are for what that has
//     no place for.
//
// Invariants:
//
//   - the zero File and the zero View allow nothing: an empty list denies, a nil
//     hook denies. The word "any" leaves the decision to the registry;
//   - a platform that its manufacturer calls out of date or revoked is never
//     accepted; lesser states need a [Grace] that names each advisory and ends;
//   - nothing is relied on past the end of a grace;
//   - what a VM's attributes and features must be has no key here: it is fixed.
//
// Start reading at [File], then policy.go.
package policyfile
