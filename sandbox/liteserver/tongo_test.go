package liteserver_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	tongoconfig "github.com/tonkeeper/tongo/config"
	"github.com/tonkeeper/tongo/liteapi"
	tongotlb "github.com/tonkeeper/tongo/tlb"
	tongoton "github.com/tonkeeper/tongo/ton"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	tonwallet "github.com/xssnick/tonutils-go/ton/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// tongo is an unmodified tongo client, an implementation of its own of nearly
// all that tonutils-go does.
func (w *world) tongo(t testing.TB) *liteapi.Client {
	t.Helper()
	data, err := w.server.GlobalConfig()
	if err != nil {
		t.Fatal(err)
	}
	config, err := tongoconfig.ParseConfig(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if len(config.LiteServers) != 1 || config.LiteServers[0].Host != w.server.Addr().String() {
		t.Fatalf("servers of the global config: %+v", config.LiteServers)
	}
	api, err := liteapi.NewClient(liteapi.WithConfigurationFile(*config), liteapi.WithProofPolicy(liteapi.ProofPolicyFast))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func accountID(a *address.Address) tongoton.AccountID {
	return tongoton.AccountID{Workchain: a.Workchain(), Address: [32]byte(a.Data())}
}

// inTongoProcess is set for the process that TestTongo starts.
const inTongoProcess = "TUSSAH_TEST_TONGO"

// A tongo client cannot be stopped: when its server is gone it tries to
// reconnect, and prints about it, for as long as the process lives. So this
// test has a process of its own.
func TestTongo(t *testing.T) {
	if os.Getenv(inTongoProcess) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTongo$", "-test.v")
		cmd.Env = append(os.Environ(), inTongoProcess+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	for split := range uint8(3) {
		t.Run(fmt.Sprintf("%d shards", 1<<split), func(t *testing.T) { testTongo(t, split) })
	}
}

func testTongo(t *testing.T, split uint8) {
	w := newWorld(t, split)
	api := w.tongo(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	info, err := api.GetMasterchainInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	master := info.Last.ToBlockIdExt()
	head := w.chain.MasterHead()
	if master.Seqno != head.SeqNo || !bytes.Equal(master.RootHash[:], head.RootHash) {
		t.Fatalf("head is %v, chain's is %v", master, head)
	}
	if ext, err := api.GetMasterchainInfoExt(ctx, 0); err != nil || ext.Last.Seqno != head.SeqNo {
		t.Errorf("extended info: %+v, %v", ext, err)
	}
	if now, err := api.GetTime(ctx); err != nil || now == 0 {
		t.Errorf("time: %d, %v", now, err)
	}
	if v, err := api.GetVersion(ctx); err != nil || v.Version != 0x101 {
		t.Errorf("version: %+v, %v", v, err)
	}

	var shards []tongoton.BlockIDExt
	t.Run("blocks", func(t *testing.T) {
		if shards, err = api.GetAllShardsInfo(ctx, master); err != nil {
			t.Fatal(err)
		}
		if len(shards) != 1<<split {
			t.Fatalf("shards: %v", shards)
		}
		for _, id := range append(shards, master) {
			block, err := api.GetBlock(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if block.Info.SeqNo != id.Seqno {
				t.Errorf("block %d has number %d", id.Seqno, block.Info.SeqNo)
			}
			header, err := api.GetBlockHeader(ctx, id, 0)
			if err != nil || header.SeqNo != id.Seqno {
				t.Errorf("header of %d: %+v, %v", id.Seqno, header, err)
			}
			for mode := range uint32(32) {
				if _, err := api.GetBlockHeader(ctx, id, mode); err != nil {
					t.Errorf("header in mode %d: %v", mode, err)
				}
			}
			found, _, err := api.LookupBlock(ctx, id.BlockID, 1, nil, nil)
			if err != nil || found != id {
				t.Errorf("look up by number: %v, %v", found, err)
			}
			lt, at := header.EndLt, header.GenUtime
			if found, _, err = api.LookupBlock(ctx, id.BlockID, 2, &lt, nil); err != nil || found != id {
				t.Errorf("look up by logical time: %v, %v", found, err)
			}
			if found, _, err = api.LookupBlock(ctx, id.BlockID, 4, nil, &at); err != nil || found.Seqno > id.Seqno {
				t.Errorf("look up by time: %v, %v", found, err)
			}
			data, root, file, err := api.GetState(ctx, id)
			if err != nil || len(data) == 0 || root == (tongoton.Bits256{}) || file == (tongoton.Bits256{}) {
				t.Errorf("state: %d bytes, %v", len(data), err)
			}
		}
		if _, err := api.GetShardInfo(ctx, master, 0, 1<<63, true); err != nil {
			t.Error(err)
		}
	})

	t.Run("accounts", func(t *testing.T) {
		for name, want := range map[string]struct {
			addr    *address.Address
			balance uint64
			status  tongotlb.AccountStatus
		}{
			"calculator": {calculator, uint64(7 * tlb.TON), tongotlb.AccountActive},
			"plain":      {plain, uint64(200 * tlb.TON), tongotlb.AccountUninit},
			"masterly":   {masterly, uint64(100 * tlb.TON), tongotlb.AccountUninit},
		} {
			acc, err := api.GetAccountState(ctx, accountID(want.addr))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := uint64(acc.Account.Account.Storage.Balance.Grams); got != want.balance || acc.Account.Status() != want.status {
				t.Errorf("%s has %d and is %s", name, got, acc.Account.Status())
			}
		}
		acc, err := api.GetAccountState(ctx, accountID(absent))
		if err != nil || acc.Account.Status() != tongotlb.AccountNone {
			t.Errorf("absent account: %s, %v", acc.Account.Status(), err)
		}
	})

	t.Run("transactions", func(t *testing.T) {
		txs, err := api.GetLastTransactions(ctx, accountID(plain), 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(txs) != 2 {
			t.Fatalf("%d transactions", len(txs))
		}
		for _, tx := range txs {
			one, err := api.GetOneTransactionFromBlock(ctx, accountID(plain), tx.BlockID, tx.Lt)
			if err != nil {
				t.Fatal(err)
			}
			if one.Hash() != tx.Hash() {
				t.Errorf("transaction %d differs in its block", tx.Lt)
			}
			ids, more, err := api.ListBlockTransactions(ctx, tx.BlockID, 7, 100, nil)
			if err != nil || more || len(ids) == 0 {
				t.Errorf("transactions of %v: %d, %v, %v", tx.BlockID, len(ids), more, err)
			}
		}
	})

	t.Run("config", func(t *testing.T) {
		all, err := api.GetConfigAll(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		some, err := api.GetConfigParams(ctx, 0, []uint32{8, 34})
		if err != nil {
			t.Fatal(err)
		}
		if len(all.Config.Keys()) < 20 || len(some.Config.Keys()) < 2 {
			t.Errorf("%d parameters, and 2 asked for: %d", len(all.Config.Keys()), len(some.Config.Keys()))
		}
		if _, err := api.GetConfigAll(ctx, 0x8000); err == nil {
			// tongo reads only states, not key blocks, as config proofs.
			t.Log("tongo reads a key block's configuration now")
		}
	})

	t.Run("get method", func(t *testing.T) {
		var args tongotlb.VmStack // the last one put is the last argument
		args.Put(tongotlb.VmStackValue{SumType: "VmStkTinyInt", VmStkTinyInt: 44})
		args.Put(tongotlb.VmStackValue{SumType: "VmStkTinyInt", VmStkTinyInt: 2})
		code, stack, err := api.RunSmcMethod(ctx, accountID(calculator), "difference", args)
		if err != nil || code != 0 || stack.Len() != 1 {
			t.Fatalf("exit %d, %d values, %v", code, stack.Len(), err)
		}
		if got := stack.Peek(0).VmStkTinyInt; got != 42 {
			t.Errorf("44 - 2 = %d", got)
		}
		if code, _, err = api.RunSmcMethod(ctx, accountID(calculator), "difference", tongotlb.VmStack{}); err != nil || code != 2 {
			t.Errorf("without arguments: exit %d, %v", code, err)
		}
		if _, _, err = api.RunSmcMethod(ctx, accountID(absent), "difference", tongotlb.VmStack{}); err != liteapi.ErrAccountNotFound {
			t.Errorf("absent account: %v", err)
		}
	})

	t.Run("proofs", func(t *testing.T) {
		first, _, err := api.LookupBlock(ctx, tongoton.BlockID{Workchain: -1, Shard: 1 << 63, Seqno: 1}, 1, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := api.GetBlockProof(ctx, first, &master)
		if err != nil || !proof.Complete || len(proof.Steps) == 0 {
			t.Errorf("forward: %+v, %v", proof, err)
		}
		if proof, err = api.GetBlockProof(ctx, master, &first); err != nil || len(proof.Steps) != 1 {
			t.Errorf("back: %+v, %v", proof, err)
		}
		if proof, err = api.GetBlockProof(ctx, first, nil); err != nil || proof.To.Seqno < master.Seqno {
			t.Errorf("to the head: %+v, %v", proof, err)
		}
		links, err := api.WithBlock(shards[0]).GetShardBlockProof(ctx)
		if err != nil || len(links.Links) == 0 {
			t.Errorf("shard block: %+v, %v", links, err)
		}
		if libs, err := api.GetLibraries(ctx, make([]tongoton.Bits256, 1)); err != nil || len(libs) != 0 {
			t.Errorf("libraries: %v, %v", libs, err)
		}
	})

	t.Run("send and wait", func(t *testing.T) {
		msg := w.transfer(t, absent, "3", 0)
		next := w.chain.MasterHead().SeqNo + 1
		waited := make(chan error, 1)
		go func() { waited <- api.WaitMasterchainSeqno(ctx, next, 5*time.Second) }()
		if status, err := api.SendMessage(ctx, msg); err != nil || status != 1 {
			t.Fatalf("send: status %d, %v", status, err)
		}
		if err := <-waited; err != nil {
			t.Fatal(err)
		}
		acc, err := api.WithBlock(tongoID(w.chain.MasterHead())).GetAccountState(ctx, accountID(absent))
		if err != nil || uint64(acc.Account.Account.Storage.Balance.Grams) != uint64(3*tlb.TON) {
			t.Errorf("receiver: %+v, %v", acc, err)
		}
		if seqno, err := api.GetSeqno(ctx, accountID(w.owner)); err != nil || seqno != 1 {
			t.Errorf("wallet's seqno: %d, %v", seqno, err)
		}
		if _, err := api.SendMessage(ctx, msg); err == nil {
			t.Error("the same message was accepted twice")
		}
	})
}

func tongoID(id ton.BlockIDExt) tongoton.BlockIDExt {
	return tongoton.BlockIDExt{
		BlockID:  tongoton.BlockID{Workchain: id.Workchain, Shard: uint64(id.Shard), Seqno: id.SeqNo},
		RootHash: tongoton.Bits256(id.RootHash), FileHash: tongoton.Bits256(id.FileHash),
	}
}

// transfer is a signed external message of the world's wallet; with seqno 0 it
// deploys the wallet.
func (w *world) transfer(t testing.TB, to *address.Address, amount string, seqno uint32) []byte {
	t.Helper()
	wallet, err := tonwallet.FromPrivateKey(w.tonutils(t, ton.ProofCheckPolicyFast), w.wallet, tonwallet.V4R2)
	if err != nil {
		t.Fatal(err)
	}
	transfer, err := wallet.BuildTransfer(to, tontlb.MustFromTON(amount), false, "")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := wallet.PrepareExternalMessageForMany(t.Context(), seqno == 0, []*tonwallet.Message{transfer})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tontlb.ToCell(msg)
	if err != nil {
		t.Fatal(err)
	}
	return c.ToBOCWithOptions(cell.BOCSerializeOptions{})
}
