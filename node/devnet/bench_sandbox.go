package devnet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/bench"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
)

// The load on the sandbox: in each block every wallet sends one signed message,
// and with it a transfer to the next one, which makes two transactions each.
const benchWallets = 250

// benchSandbox measures transactions through the whole chain, from the message
// taken to the sealed block, and beside it the same messages through the emulator
// that the chain is made of.
func benchSandbox(ctx context.Context, blocks int) (bench.Row, error) {
	wallets, err := ring(benchWallets)
	if err != nil {
		return bench.Row{}, err
	}
	var genesis []sandbox.GenesisAccount
	for _, w := range wallets {
		genesis = append(genesis, sandbox.GenesisAccount{Address: w.Address(), Balance: 100 * tlb.TON})
	}
	chain, err := sandbox.Open(sandbox.Options{Mode: sandbox.Manual, Genesis: genesis})
	if err != nil {
		return bench.Row{}, err
	}
	defer chain.Close()

	var bare *emulation
	var whole, alone time.Duration
	for seqno := range uint32(1 + blocks) {
		messages, err := transfers(ctx, wallets, seqno)
		if err != nil {
			return bench.Row{}, err
		}
		took, err := sealRound(ctx, chain, messages)
		if err != nil {
			return bench.Row{}, err
		}
		if seqno == 0 { // deploys the wallets and warms up; here the emulation joins
			if bare, err = newEmulation(chain, wallets); err != nil {
				return bench.Row{}, err
			}
			continue
		}
		whole += took
		if took, err = bare.round(messages); err != nil {
			return bench.Row{}, err
		}
		alone += took
	}
	transactions := float64(2 * benchWallets * blocks)
	return bench.Compared("sandbox_tx_per_second", transactions/whole.Seconds(), "1/s", peerEmulation, transactions/alone.Seconds()), nil
}

// ring is n wallets, the same in every run.
func ring(n int) ([]wallet.Wallet, error) {
	var all []wallet.Wallet
	for i := range n {
		var seed [32]byte
		binary.BigEndian.PutUint32(seed[:], uint32(i))
		w, err := wallet.New(wallet.KeyFromSeed(seed), wallet.V5R1, sandbox.DefaultGlobalID)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// transfers is one signed message of each wallet, paying the next one.
func transfers(ctx context.Context, wallets []wallet.Wallet, seqno uint32) ([]*cell.Cell, error) {
	var all []*cell.Cell
	for i, w := range wallets {
		next := wallets[(i+1)%len(wallets)]
		message, err := w.Sign(ctx, []contracts.Message{{To: next.Address(), Amount: tlb.TON / 100}},
			wallet.Once{ID: seqno, Until: time.Now().Add(time.Hour), Deploy: seqno == 0})
		if err != nil {
			return nil, err
		}
		all = append(all, message)
	}
	return all, nil
}

// sealRound puts messages into a block.
func sealRound(ctx context.Context, chain *sandbox.Chain, messages []*cell.Cell) (time.Duration, error) {
	start := time.Now()
	for _, m := range messages {
		if err := chain.Send(ctx, m); err != nil {
			return 0, err
		}
	}
	if _, err := chain.Seal(ctx); err != nil {
		return 0, err
	}
	took := time.Since(start)
	id, err := chain.Lookup(0, wholeShard, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: chain.MasterHead().SeqNo})
	if err != nil {
		return 0, err
	}
	done, err := chain.BlockTransactions(id)
	if err == nil && len(done) != 2*len(messages) {
		err = fmt.Errorf("block %d has %d transactions, expected %d", id.SeqNo, len(done), 2*len(messages))
	}
	return took, err
}

// emulation runs messages on accounts and nothing else: no queue, no block, no state.
type emulation struct {
	machine  *tvm.TVM
	config   *tvm.PreparedBlockchainConfig
	accounts map[string]*emulated
	time     int64 // logical
}

type emulated struct {
	account *tvm.PreparedAccount
	stat    *cell.Cell
}

// newEmulation begins with the accounts as the chain has them.
func newEmulation(chain *sandbox.Chain, wallets []wallet.Wallet) (*emulation, error) {
	id, err := chain.Lookup(0, wholeShard, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: chain.MasterHead().SeqNo})
	if err != nil {
		return nil, err
	}
	root, err := chain.State(id)
	if err != nil {
		return nil, err
	}
	var state tontlb.ShardStateUnsplit
	if err := tontlb.Parse(&state, root); err != nil {
		return nil, err
	}
	e := &emulation{machine: tvm.NewTVM(), accounts: map[string]*emulated{}, time: int64(state.GenLT)}
	if e.config, err = tvm.PrepareBlockchainConfig(chain.Config()); err != nil {
		return nil, err
	}
	for _, w := range wallets {
		entry := state.Accounts.ShardAccounts.Get(cell.BeginCell().MustStoreSlice(w.Address().Data(), 256).EndCell())
		if entry == nil {
			return nil, fmt.Errorf("wallet %s is not in the state", w)
		}
		var shard tontlb.ShardAccount
		if err := tontlb.Parse(&shard, entry); err != nil {
			return nil, err
		}
		account, err := tvm.PrepareAccount(&shard, w.Address())
		if err != nil {
			return nil, err
		}
		e.accounts[w.Address().StringRaw()] = &emulated{account: account}
	}
	return e, nil
}

// round does what sealRound does, without a chain.
func (e *emulation) round(messages []*cell.Cell) (time.Duration, error) {
	start := time.Now()
	e.time += 1_000_000
	block, err := e.config.NewBlockContext(tvm.BlockOptions{BlockLT: e.time, RandSeed: make([]byte, 32), GlobalID: sandbox.DefaultGlobalID})
	if err != nil {
		return 0, err
	}
	for _, m := range messages {
		message, err := tvm.PrepareMessage(m)
		if err != nil {
			return 0, err
		}
		sent, err := e.run(block, message.Message().AsExternalIn().DstAddr, message)
		if err != nil {
			return 0, err
		}
		if len(sent.OutMessages) != 1 {
			return 0, fmt.Errorf("the wallet sent %d messages, exit code %d", len(sent.OutMessages), sent.ExitCode)
		}
		out := sent.OutMessages[0]
		if message, err = tvm.PrepareParsedMessage(out.Cell, out.Msg); err != nil {
			return 0, err
		}
		if _, err := e.run(block, out.Msg.AsInternal().DstAddr, message); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func (e *emulation) run(block *tvm.BlockContext, to *address.Address, message *tvm.PreparedMessage) (*tvm.TransactionExecutionResult, error) {
	at, ok := e.accounts[to.StringRaw()]
	if !ok {
		return nil, fmt.Errorf("message to %s, which is no wallet", to)
	}
	result, err := e.machine.EmulateTransaction(block, at.account, message, tvm.TransactionOptions{LogicalTime: e.time, AccountStorageStat: at.stat})
	if err != nil {
		return nil, err
	}
	if result.TransactionCell == nil {
		return nil, errors.New("the wallet refused its message")
	}
	at.account, at.stat = result.NextAccount, result.AccountStorageStat
	return result, nil
}
