package tdx

import "slices"

// Steps is how many there are.
func Steps() int { return len(checklist) }

// WithoutStep makes a step ask its question and ignore the answer, until restored.
func WithoutStep(i int) (name string, restore func(), refusal error) {
	whole := checklist
	checklist = slices.Clone(whole)
	check := checklist[i].check
	checklist[i].check = func(c *candidate) error {
		_ = check(c)
		return nil
	}
	return checklist[i].name, func() { checklist = whole }, checklist[i].refusal
}

// Known is how many platforms a verifier remembers.
func (v *Verifier) Known() int { return len(v.known.mu.entries) }
