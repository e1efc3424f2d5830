package explore

import "errors"

var (
	// ErrNotTheSame: the scenario, run again with the same choices, did
	// something else. It depends on something but the chain: the time, a random
	// number, the order of a map.
	ErrNotTheSame = errors.New("the scenario is not the same when it is run again")
	// ErrNumber: no number of an order.
	ErrNumber = errors.New("not the number of an order")
)
