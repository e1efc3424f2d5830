package sandbox

import (
	"errors"
	"fmt"
	"sync"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/sandbox/probe"
	"github.com/tussah-network/tussah/tlb/get"
)

// executor carries out one transaction; tonutils is the library's. Its methods
// are what chains use: they put right two things that contracts can bring about.
// An account that is destroyed though an action failed is kept, and where the
// executor panics there is an [ErrExecutor].
type executor func(*tvm.TVM, *tvm.BlockContext, *tvm.PreparedAccount, *tvm.PreparedMessage, tvm.TransactionOptions) (*tvm.TransactionExecutionResult, error)

var tonutils executor = (*tvm.TVM).EmulateTransaction

func (x executor) run(m *tvm.TVM, block *tvm.BlockContext, account *tvm.PreparedAccount, msg *tvm.PreparedMessage, o tvm.TransactionOptions) (r *tvm.TransactionExecutionResult, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r, err = nil, fmt.Errorf("%w: %v", ErrExecutor, cause)
		}
	}()
	r, err = x(m, block, account, msg, o)
	if err != nil {
		return nil, err
	}
	lost, err := loses(r)
	if err != nil || !lost {
		return r, err
	}
	return x.keep(block, account, msg, o, r)
}

// skip carries out a transaction as if there was no gas: the contract does not
// run, and the message bounces if it can. That is what remains of a message at
// which the executor breaks down.
func (x executor) skip(block *tvm.BlockContext, account *tvm.PreparedAccount, msg *tvm.PreparedMessage, o tvm.TransactionOptions) (*tvm.TransactionExecutionResult, error) {
	o.Gas = vm.Gas{Max: 1} // and no limit, which is what counts
	return x.run(machine(), block, account, msg, o)
}

// loses tells whether the executor destroyed an account whose actions failed:
// it had sent a message of mode 128+32 before the action that failed. On TON
// that action undoes everything.
func loses(r *tvm.TransactionExecutionResult) (bool, error) {
	if r.TransactionCell == nil || r.Actions == nil || r.NextAccount.State().IsValid && r.NextAccount.State().Status == tontlb.AccountStatusActive {
		return false, nil
	}
	_, phases, err := parse(r)
	return err == nil && phases.Destroyed && phases.ActionPhase != nil && !phases.ActionPhase.Success, err
}

func parse(r *tvm.TransactionExecutionResult) (tx *tontlb.Transaction, phases tontlb.TransactionDescriptionOrdinary, err error) {
	if tx, err = r.ParseTransaction(); err != nil {
		return nil, phases, err
	}
	phases, ok := tx.Description.(tontlb.TransactionDescriptionOrdinary)
	if !ok {
		return nil, phases, errors.New("not an ordinary transaction")
	}
	return tx, phases, nil
}

// keep is the transaction of an account that loses, put right: it is carried
// out once more, without the +32 that makes the executor destroy, and gets the
// list of actions that the contract really left.
func (x executor) keep(block *tvm.BlockContext, account *tvm.PreparedAccount, msg *tvm.PreparedMessage, o tvm.TransactionOptions, lost *tvm.TransactionExecutionResult) (*tvm.TransactionExecutionResult, error) {
	o.TraceHook = nil // it has seen everything
	r, err := x(keepingMachine(), block, account, msg, o)
	if err != nil {
		return nil, err
	}
	_, was, err := parse(lost)
	if err != nil {
		return nil, err
	}
	tx, is, err := parse(r)
	if err != nil {
		return nil, err
	}
	if is.Destroyed || is.ActionPhase == nil || is.ActionPhase.ResultCode != was.ActionPhase.ResultCode || r.ExitCode != lost.ExitCode || r.GasUsed != lost.GasUsed {
		return nil, fmt.Errorf("%w: %w", ErrExecutor, ErrDestroys)
	}
	is.ActionPhase.ActionListHash = was.ActionPhase.ActionListHash
	description, err := is.ToCell()
	if err != nil {
		return nil, err
	}
	if r.TransactionCell, err = describeAnew(r.TransactionCell, description); err != nil {
		return nil, err
	}
	shard := *r.NextAccount.ShardAccount()
	shard.LastTransHash, shard.LastTransLT = r.TransactionCell.Hash(), tx.LT
	r.Actions = lost.Actions
	r.NextAccount, err = tvm.PrepareParsedAccount(&shard, r.NextAccount.State(), r.NextAccount.Address())
	return r, err
}

// describeAnew replaces the description of a transaction, its last reference.
func describeAnew(tx, description *cell.Cell) (*cell.Cell, error) {
	s, err := tx.BeginParse()
	if err != nil {
		return nil, err
	}
	bits, err := s.LoadSlice(s.BitsLeft())
	if err != nil {
		return nil, err
	}
	b := cell.BeginCell()
	if err := b.StoreSlice(bits, tx.BitsSize()); err != nil {
		return nil, err
	}
	for range tx.RefsNum() - 1 {
		ref, err := s.LoadRefCell()
		if err != nil {
			return nil, err
		}
		if err := b.StoreRef(ref); err != nil {
			return nil, err
		}
	}
	if err := b.StoreRef(description); err != nil {
		return nil, err
	}
	return b.EndCell(), nil
}

// keepingMachine sends no message with the +32 in its mode. Made when the first
// account would be lost.
var keepingMachine = sync.OnceValue(func() *tvm.TVM {
	get.Prepare() // while a machine is wrapped, no other may be made
	carefulMachine()
	return probe.Wrap(sends, func(_ vm.OP, s *vm.State) error {
		if s.Stack.Len() < 2 {
			return nil
		}
		mode, err := s.Stack.PopIntFinite()
		if err != nil {
			return nil // the contract fails here, which it did not
		}
		if mode.Sign() >= 0 {
			mode.SetBit(mode, 5, 0)
		}
		return s.Stack.PushInt(mode)
	})
})

// sends picks the instructions that send messages, whose mode is on top of the
// stack.
func sends(op vm.OP) bool {
	name := op.SerializeText()
	return name == "SENDRAWMSG" || name == "SENDMSG"
}
