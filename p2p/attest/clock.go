package attest

import (
	"fmt"
	"time"
)

const (
	maxBehind = 10 * time.Minute // this machine's clock behind the chain's
	maxStale  = 2 * time.Hour    // the chain's newest known block behind this machine's clock
)

// Now is the time to judge evidence at: the later of this machine's clock and the
// time of the newest block of the chain, which a host cannot turn back.
//
// Errors: [ErrClock] if the clock is more than 10 minutes behind the chain, or the
// view of the chain is older than 2 hours.
func Now(local, chain time.Time) (time.Time, error) {
	switch {
	case chain.Sub(local) > maxBehind:
		return time.Time{}, fmt.Errorf("%w: the clock says %s, the newest block %s; set the clock", ErrClock, local.UTC().Format(time.RFC3339), chain.UTC().Format(time.RFC3339))
	case local.Sub(chain) > maxStale:
		return time.Time{}, fmt.Errorf("%w: the newest block known is of %s; wait until the chain is followed again", ErrClock, chain.UTC().Format(time.RFC3339))
	case chain.After(local):
		return chain, nil
	}
	return local, nil
}
