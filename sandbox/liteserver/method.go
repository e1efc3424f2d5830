package liteserver

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// Bits of a runSmcMethod query's mode: what the answer is to have. Two more,
// the initial c7 and the libraries used, are not served and come back cleared.
const (
	methodProof      = 1 << 0 // shard_proof and proof
	methodStateProof = 1 << 1 // of what the method read in the account
	methodResult     = 1 << 2 // the stack
	methodModes      = methodProof | methodStateProof | methodResult
	methodKnown      = 1<<6 - 1
)

// exitNoContract is the exit code for an account without code, as clients know it.
const exitNoContract = -256

// maxResultValues bounds a result: a tuple that holds itself many times over
// takes little space in the virtual machine and a lot when written out.
const maxResultValues = 4096

// ErrResult is a run that broke the virtual machine, or left what has no
// serialized form, or a huge one.
var ErrResult = errors.New("method has no result that can be sent")

// runMethod runs a get method on an account as of a block.
func (a *answerer) runMethod(q ton.RunSmcMethod) (tl.Serializable, error) {
	if q.Mode&^methodKnown != 0 {
		return nil, badQuery("unsupported mode in runSmcMethod")
	}
	args, err := parseStack(q.Params)
	if err != nil {
		return nil, err
	}
	l, err := a.locate(q.ID, q.Account)
	if err != nil {
		return nil, err
	}
	surroundings, err := a.surroundings(l.ref)
	if err != nil {
		return nil, err
	}
	answer := ton.RunMethodResult{
		Mode: q.Mode & methodModes, ID: &l.ref.block.id, ShardBlock: l.shardID(), ExitCode: exitNoContract,
	}
	if q.Mode&methodProof != 0 {
		answer.Proof, answer.ShardProof = l.proof, l.shardProof()
	}
	if l.account == nil {
		return answer, nil
	}

	// The account is read through a proof builder, so that the proof has the
	// cells the method read.
	var result get.Result
	ran := false
	proof, err := prove(l.account, func(root *cell.Cell) error {
		state, err := parseAccount(root)
		if err != nil || state.Code == nil {
			return err
		}
		header := l.shard.block.header
		state.Address = address.NewAddress(0, byte(q.Account.Workchain), q.Account.ID)
		state.Config, state.Libraries, state.Previous = surroundings.Config, surroundings.Libraries, surroundings.Previous
		state.Now, state.LT = time.Unix(int64(header.GenUtime), 0), header.EndLt
		ran = true
		result, err = get.RunID(state, q.MethodID, args...)
		return err
	})
	switch {
	case errors.Is(err, get.ErrArgument):
		return nil, badQuery("%v", err)
	case errors.Is(err, get.ErrVM):
		return nil, fmt.Errorf("%w: %w", ErrResult, err)
	case err != nil:
		return nil, err
	}
	if q.Mode&methodStateProof != 0 {
		answer.StateProof = proof
	}
	if !ran {
		return answer, nil
	}
	answer.ExitCode = int32(result.Exit)
	if q.Mode&methodResult != 0 {
		answer.Result, err = encodeStack(result)
	}
	return answer, err
}

// surroundings are what a method sees of the network: that of the masterchain
// block the client refers to, or the one that the shard block it refers to had
// seen.
func (a *answerer) surroundings(ref *view) (out get.State, err error) {
	id, root := ref.block.id, ref.state
	if at := ref.block.header.MasterRef; at != nil {
		if id, err = a.masterID(at.SeqNo); err != nil {
			return out, err
		}
		if root, err = a.stateAt(&id); err != nil {
			return out, err
		}
	}
	config, err := stateConfig(root)
	if err != nil {
		return out, err
	}
	if out.Config, err = a.vmConfig.load(config.AsCell()); err != nil {
		return out, err
	}
	libraries, err := stateLibraries(root)
	if err != nil {
		return out, err
	}
	if !libraries.IsEmpty() {
		whole, err := a.vmLibraries.load(libraries.AsCell())
		if err != nil {
			return out, err
		}
		out.Libraries = []*cell.Cell{whole}
	}
	keySeqno, err := stateKeySeqno(root, id.SeqNo)
	if err != nil {
		return out, err
	}
	key, err := a.masterID(keySeqno)
	if err != nil {
		return out, err
	}
	out.Previous, err = sandbox.PreviousBlocks(id, key, a.masterID)
	return out, err
}

func (a *answerer) masterID(seqno uint32) (BlockID, error) {
	return a.src.Lookup(masterchain, masterShard, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
}

// stateKeySeqno is the last key block up to the block a master state is after.
func stateKeySeqno(root *cell.Cell, seqno uint32) (uint32, error) {
	var state tontlb.ShardStateUnsplit
	var extra tontlb.McStateExtra
	var info tontlb.McStateExtraBlockInfo
	if err := tontlb.Parse(&state, root); err != nil {
		return 0, err
	}
	if err := tontlb.Parse(&extra, state.McStateExtra); err != nil {
		return 0, err
	}
	if err := tontlb.Parse(&info, extra.Info); err != nil {
		return 0, err
	}
	switch {
	case info.AfterKeyBlock:
		return seqno, nil
	case info.LastKeyBlock != nil:
		return info.LastKeyBlock.SeqNo, nil
	}
	return 0, nil
}

// wholeTree is a tree that was last used, read from end to end: the virtual
// machine's configuration is prepared from no less, and it takes no cells from
// disk.
type wholeTree struct {
	sync.Mutex
	root *cell.Cell
}

func (w *wholeTree) load(root *cell.Cell) (*cell.Cell, error) {
	w.Lock()
	defer w.Unlock()
	if w.root != nil && w.root.HashKey() == root.HashKey() {
		return w.root, nil
	}
	data, err := encode(root.WithoutTrace())
	if err != nil {
		return nil, fmt.Errorf("read a whole tree: %w", err)
	}
	if w.root, err = cell.FromBOC(data); err != nil {
		return nil, fmt.Errorf("read a whole tree: %w", err)
	}
	return w.root, nil
}

// parseAccount reads what a method's run needs of an account; without Code if
// the account has none.
func parseAccount(root *cell.Cell) (get.State, error) {
	var account tontlb.AccountState
	if err := tontlb.Parse(&account, root); err != nil {
		return get.State{}, fmt.Errorf("account: %w", err)
	}
	if account.Status != tontlb.AccountStatusActive || account.StateInit == nil {
		return get.State{}, nil
	}
	balance := account.Balance.Nano()
	if !balance.IsUint64() {
		return get.State{}, fmt.Errorf("account: balance of %s", balance)
	}
	return get.State{
		Code: account.StateInit.Code, Data: account.StateInit.Data, Balance: tlb.Nano(balance.Uint64()),
	}, nil
}

// parseStack reads a method's arguments, first to last.
func parseStack(data []byte) ([]any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	root, err := parseCell(data, maxMessage, maxStackCells)
	if err != nil {
		return nil, fmt.Errorf("arguments: %w", err)
	}
	var stack tontlb.Stack
	if err = tontlb.Parse(&stack, root); err != nil {
		return nil, badQuery("arguments: %v", err)
	}
	var args []any
	for stack.Depth() > 0 {
		arg, err := stack.Pop()
		if err != nil {
			return nil, badQuery("arguments: %v", err)
		}
		args = append(args, arg)
	}
	return args, nil
}

// encodeStack writes the values a method left; none if it failed.
func encodeStack(r get.Result) (*cell.Cell, error) {
	stack := tontlb.NewStack()
	budget := maxResultValues
	if r.Exit.OK() {
		for i := r.Len() - 1; i >= 0; i-- {
			v, err := stackValue(r.Stack, i, &budget)
			if err != nil {
				return nil, err
			}
			stack.Push(v)
		}
	}
	c, err := stack.ToCell()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResult, err)
	}
	return c, nil
}

// stackValue is value i as the TL-B writer takes it, tuples as lists.
func stackValue(s get.Stack, i int, budget *int) (any, error) {
	if *budget--; *budget < 0 {
		return nil, fmt.Errorf("%w: more than %d values", ErrResult, maxResultValues)
	}
	v, err := s.Value(i)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResult, err)
	}
	tuple, ok := v.(get.Stack)
	if !ok {
		return v, nil
	}
	list := make([]any, tuple.Len())
	for j := range list {
		if list[j], err = stackValue(tuple, j, budget); err != nil {
			return nil, err
		}
	}
	return list, nil
}
