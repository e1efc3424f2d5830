package kit

// Updating tells golden tests to write what they get.
func Updating() bool { return updating() }

// FlowGap is what the explanation of a transaction does not account for.
func FlowGap(t *Transaction) Change {
	f := t.flow()
	return Gain(f.before) + Gain(f.received) - Gain(f.sent) - Gain(f.fees) - Gain(f.after)
}
