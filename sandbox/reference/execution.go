package reference

import (
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"

	"github.com/tussah-network/tussah/tlb/get"
)

// Execution is everything a transaction follows from. It converts from and to
// the sandbox's type of that name.
type Execution struct {
	Account   *address.Address
	Before    *cell.Cell // ShardAccount
	Message   *cell.Cell
	Config    *cell.Cell // the configuration dictionary
	GlobalID  int32
	Libraries []*cell.Cell // dictionaries of public libraries
	Now       uint32       // Unix seconds
	BlockLT   uint64
	LT        uint64      // the earliest the transaction may have
	Seed      [32]byte    // the block's; the account's follows from it
	Previous  tuple.Tuple // what a contract learns of earlier master blocks
}

// Outcome is what an execution leads to. It converts from and to the sandbox's
// type of that name.
type Outcome struct {
	Transaction *cell.Cell // nil: an external message that was not accepted
	After       *cell.Cell // ShardAccount; nil with Transaction
	Accepted    bool
	Exit        get.Exit
	Gas         uint64
	Actions     *cell.Cell // the list the contract left in c5
}

// An Executor runs transactions. An error means that it refused the input, or
// failed; a transaction that failed is an Outcome.
type Executor func(Execution) (Outcome, error)
