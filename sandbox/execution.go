package sandbox

import (
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/tlb/get"
)

// Execution is everything a transaction follows from. Whoever executes it, on
// whatever machine, must come to the same [Outcome].
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

// Outcome is what an execution leads to.
type Outcome struct {
	Transaction *cell.Cell // nil: an external message that was not accepted
	After       *cell.Cell // ShardAccount; nil with Transaction
	Accepted    bool
	Exit        get.Exit
	Gas         uint64
	Actions     *cell.Cell // the list the contract left in c5
}

// Run executes once more, and shows the hook every instruction. The hook may
// be nil.
func (e Execution) Run(hook vm.TraceHook) (Outcome, error) {
	return e.RunOn(machine(), hook)
}

// RunOn is [Execution.Run] on a machine of the caller's, for instance one that
// counts.
func (e Execution) RunOn(m *tvm.TVM, hook vm.TraceHook) (Outcome, error) {
	config, err := tvm.PrepareBlockchainConfig(e.Config)
	if err != nil {
		return Outcome{}, fmt.Errorf("configuration: %w", err)
	}
	block, err := config.NewBlockContext(tvm.BlockOptions{
		Now: e.Now, BlockLT: int64(e.BlockLT), RandSeed: e.Seed[:], GlobalID: e.GlobalID, PrevBlocks: e.Previous, Libraries: e.Libraries,
	})
	if err != nil {
		return Outcome{}, err
	}
	var before tontlb.ShardAccount
	if err := tontlb.Parse(&before, e.Before); err != nil {
		return Outcome{}, fmt.Errorf("account %s: %w", e.Account, err)
	}
	account, err := tvm.PrepareAccount(&before, e.Account)
	if err != nil {
		return Outcome{}, fmt.Errorf("account %s: %w", e.Account, err)
	}
	message, err := tvm.PrepareMessage(e.Message)
	if err != nil {
		return Outcome{}, fmt.Errorf("%w: %v", ErrMessage, err) // the library's text only: callers match ErrMessage
	}
	result, err := tonutils.run(m, block, account, message, tvm.TransactionOptions{LogicalTime: int64(e.LT), TraceHook: hook})
	if err != nil {
		return Outcome{}, fmt.Errorf("transaction of %s: %w", e.Account, err)
	}
	return outcome(result)
}

func outcome(r *tvm.TransactionExecutionResult) (Outcome, error) {
	o := Outcome{
		Transaction: r.TransactionCell, Accepted: r.Accepted, Exit: get.Exit(r.ExitCode), Gas: uint64(max(r.GasUsed, 0)), Actions: r.Actions,
	}
	if o.Transaction == nil {
		return o, nil
	}
	o.After = r.NextAccount.ShardAccountCell()
	return o, nil
}
