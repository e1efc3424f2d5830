package snp

import "time"

// Confirm asks the second verifier alone.
func Confirm(evidence []byte, root Root, now time.Time) error {
	r, chip, err := split(evidence)
	if err != nil {
		return err
	}
	return confirm(r, chip, root, now)
}
