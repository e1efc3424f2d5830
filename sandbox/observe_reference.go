//go:build reference && cgo

package sandbox

import "github.com/tussah-network/tussah/sandbox/reference"

// Built with the tag "reference", every chain has each of its transactions
// executed once more by the C++ reference, and stops at a difference: so do all
// tests that use a chain, whatever they are about.
func init() {
	secondOpinion = func(e Execution, o Outcome) error {
		return reference.Check(reference.Execution(e), reference.Outcome(o))
	}
}
