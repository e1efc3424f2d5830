package bench

import (
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// raw is the emulator alone: prepared messages, one after the other, on one
// account, and nothing made of the outcome.
type raw struct {
	machine  *tvm.TVM
	block    *tvm.BlockContext
	account  *tvm.PreparedAccount
	stat     *cell.Cell
	messages []*tvm.PreparedMessage
	lt       int64
}

// newRaw begins with an account of a chain, and its configuration.
func newRaw(chain *sandbox.Chain, counter *address.Address) (*raw, error) {
	r := &raw{machine: tvm.NewTVM(), lt: 1 << 40}
	config, err := tvm.PrepareBlockchainConfig(chain.Config())
	if err != nil {
		return nil, err
	}
	now := uint32(time.Now().Unix())
	if r.block, err = config.NewBlockContext(tvm.BlockOptions{Now: now, BlockLT: r.lt, RandSeed: make([]byte, 32), GlobalID: sandbox.DefaultGlobalID}); err != nil {
		return nil, err
	}
	head := chain.MasterHead()
	state, err := chain.Lookup(0, -1<<63, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: head.SeqNo})
	if err != nil {
		return nil, err
	}
	root, err := chain.State(state)
	if err != nil {
		return nil, err
	}
	var shard tontlb.ShardStateUnsplit
	if err := tontlb.Parse(&shard, root); err != nil {
		return nil, err
	}
	value, err := shard.Accounts.ShardAccounts.LoadValue(cell.BeginCell().MustStoreSlice(counter.Data(), 256).EndCell())
	if err != nil {
		return nil, err
	}
	var account tontlb.ShardAccount
	if err := tontlb.LoadFromCell(&account, value); err != nil {
		return nil, err
	}
	if r.account, err = tvm.PrepareAccount(&account, counter); err != nil {
		return nil, err
	}
	for n := range 1000 {
		m := increase(counter, n)
		root, err := tontlb.ToCell(&tontlb.InternalMessage{
			IHRDisabled: true, Bounce: true, SrcAddr: m.From, DstAddr: m.To, Amount: tontlb.FromNanoTONU(uint64(tlb.TON / 20)), Body: m.Body,
		})
		if err != nil {
			return nil, err
		}
		message, err := tvm.PrepareMessage(root)
		if err != nil {
			return nil, err
		}
		r.messages = append(r.messages, message)
	}
	return r, nil
}

func (r *raw) step(n int) error {
	result, err := r.machine.EmulateTransaction(r.block, r.account, r.messages[n%len(r.messages)],
		tvm.TransactionOptions{LogicalTime: r.lt, AccountStorageStat: r.stat})
	if err != nil {
		return err
	}
	if result.ExitCode != 0 || result.TransactionCell == nil {
		return errWrong
	}
	r.account, r.stat = result.NextAccount, result.AccountStorageStat
	r.lt = int64(result.EndLT)
	return nil
}
