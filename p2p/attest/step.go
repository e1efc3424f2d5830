package attest

// StepResult is what one step of a checklist found, for people who want to see
// all of them and not only the first refusal.
type StepResult struct {
	Name    string
	Refusal *Refusal // what the step refuses with
	Err     error    // why it does; nil if it does not
	Skipped bool     // an earlier step failed that this one relies on
}
