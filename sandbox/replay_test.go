package sandbox_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// TestReplay runs every transaction of a chain again, from nothing but its
// blocks and states, as a node that received them would, and compares hashes.
// On the way it holds the transactions against the rules of logical time.
func TestReplay(t *testing.T) {
	genesis, senders, all := actors()
	now := start
	chain, err := sandbox.Open(sandbox.Options{Genesis: genesis, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	for n := range 40 {
		now = now.Add(time.Duration(n) * time.Hour)
		from, to := senders[n%len(senders)], all[n*7%len(all)]
		if err := chain.Send(t.Context(), order(t, from, to, tlb.TON/4, uint8(n%2), n%3 == 0, uint64(n))); err != nil {
			t.Fatal(err)
		}
	}

	head := chain.MasterHead()
	sent := map[cell.Hash]uint64{} // created lt of each internal message
	received := 0
	for _, workchain := range []int32{base, master} {
		last := map[[32]byte]uint64{}
		for seqno := uint32(1); seqno <= head.SeqNo; seqno++ {
			for _, tx := range replayBlock(t, chain, workchain, seqno) {
				who := [32]byte(tx.AccountAddr)
				if tx.LT <= last[who] {
					t.Errorf("account %x has transactions at %d and %d", who, last[who], tx.LT)
				}
				last[who] = tx.LT
				for i, out := range messages(t, tx) {
					if in := out.AsInternal(); in.CreatedLT != tx.LT+uint64(i)+1 {
						t.Errorf("message %d of the transaction at %d has lt %d", i, tx.LT, in.CreatedLT)
					}
					sent[cellOf(t, out).HashKey()] = out.AsInternal().CreatedLT
				}
				if tx.IO.In.MsgType == tontlb.MsgTypeInternal {
					received++
					if in := tx.IO.In.AsInternal(); in.CreatedLT >= tx.LT {
						t.Errorf("message of %d received at %d", in.CreatedLT, tx.LT)
					}
				}
			}
		}
	}
	if received != len(sent) || received == 0 {
		t.Errorf("%d messages sent, %d received", len(sent), received)
	}
}

func cellOf(t *testing.T, m tontlb.Message) *cell.Cell {
	t.Helper()
	c, err := tontlb.ToCell(m.Msg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func messages(t *testing.T, tx *tontlb.Transaction) []tontlb.Message {
	t.Helper()
	if tx.IO.Out == nil {
		return nil
	}
	list, err := tx.IO.Out.ToSlice()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// replayBlock executes a block's transactions anew, account by account.
func replayBlock(t *testing.T, chain *sandbox.Chain, workchain int32, seqno uint32) (out []*tontlb.Transaction) {
	t.Helper()
	root := readBlock(t, chain, workchain, seqno)
	var block tontlb.Block
	if err := tontlb.Parse(&block, root); err != nil {
		t.Fatal(err)
	}
	var before tontlb.ShardStateUnsplit
	if err := tontlb.Parse(&before, state(t, chain, lookup(t, chain, workchain, seqno-1))); err != nil {
		t.Fatal(err)
	}
	list, err := block.ListTransactions()
	if err != nil {
		t.Fatal(err)
	}
	config, err := tvm.PrepareBlockchainConfig(chain.Config())
	if err != nil {
		t.Fatal(err)
	}
	machine := tvm.NewTVM()
	accounts := map[[32]byte]*tvm.PreparedAccount{}
	for _, tx := range list {
		who := [32]byte(tx.AccountAddr)
		if accounts[who] == nil {
			shard := tontlb.ShardAccount{Account: cell.BeginCell().MustStoreBoolBit(false).EndCell(), LastTransHash: make([]byte, 32)}
			if value := before.Accounts.ShardAccounts.Get(cell.BeginCell().MustStoreSlice(who[:], 256).EndCell()); value != nil {
				if err := tontlb.Parse(&shard, value); err != nil {
					t.Fatal(err)
				}
			}
			if accounts[who], err = tvm.PrepareAccount(&shard, address.NewAddress(0, byte(workchain), who[:])); err != nil {
				t.Fatal(err)
			}
		}
		// These contracts do not look at previous blocks, so there are none here.
		ctx, err := config.NewBlockContext(tvm.BlockOptions{
			Now: tx.Now, BlockLT: int64(block.BlockInfo.StartLt), RandSeed: block.Extra.RandSeed, GlobalID: block.GlobalID,
		})
		if err != nil {
			t.Fatal(err)
		}
		msg, err := tvm.PrepareMessage(inMessage(t, root, tx))
		if err != nil {
			t.Fatal(err)
		}
		result, err := machine.EmulateTransaction(ctx, accounts[who], msg, tvm.TransactionOptions{LogicalTime: int64(block.BlockInfo.StartLt)})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(result.TransactionCell.Hash(), tx.Hash) {
			t.Errorf("transaction at %d of %x replays differently", tx.LT, who)
		}
		accounts[who] = result.NextAccount
		out = append(out, tx)
	}
	return out
}

// inMessage finds the cell of a transaction's message: written anew from its
// parsed form it might come out differently.
func inMessage(t *testing.T, block *cell.Cell, tx *tontlb.Transaction) *cell.Cell {
	t.Helper()
	var found *cell.Cell
	var walk func(*cell.Cell)
	seen := map[cell.Hash]bool{}
	walk = func(c *cell.Cell) {
		if found != nil || seen[c.HashKey()] {
			return
		}
		seen[c.HashKey()] = true
		if bytes.Equal(c.Hash(), tx.Hash) {
			io, err := c.PeekRef(0)
			if err == nil {
				found, err = io.PeekRef(0)
			}
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		for i := range int(c.RefsNum()) {
			walk(c.MustPeekRef(i))
		}
	}
	walk(block)
	return found
}
