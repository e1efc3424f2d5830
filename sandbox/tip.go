package sandbox

// tip is what the next step builds on, beside the accounts.
type tip struct{}

func (c *Chain) tip() (tip, error) { return tip{}, nil }
