package toncenter_test

import (
	"bytes"
	"math/big"
	"strconv"
	"testing"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	foreign "github.com/xssnick/tonutils-go/toncenter"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

// TestGoClient compares what tonutils-go's client for toncenter reads with the
// chain itself.
func TestGoClient(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	client := foreign.New(w.url).V2()
	check := func(what string, err error, ok bool) {
		t.Helper()
		if err != nil || !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	head := w.MasterHead()
	same := func(got foreign.BlockID, want sandbox.BlockID) bool {
		return got.Workchain == want.Workchain && got.Shard == want.Shard && uint32(got.Seqno) == want.SeqNo &&
			bytes.Equal(got.RootHash, want.RootHash) && bytes.Equal(got.FileHash, want.FileHash)
	}

	info, err := client.GetMasterchainInfo(ctx)
	check("masterchain info", err, err == nil && same(info.Last, head))
	shard, err := w.Lookup(0, -1<<63, sandbox.Lookup{Seqno: 1})
	if err != nil {
		t.Fatal(err)
	}
	seqno := uint64(1)
	block, err := client.LookupBlock(ctx, 0, -1<<63, &foreign.LookupBlockV2Options{Seqno: &seqno})
	check("lookup", err, err == nil && same(*block, shard))
	shards, err := client.GetShards(ctx, uint64(head.SeqNo))
	check("shards", err, len(shards) == 1 && shards[0].Workchain == 0)
	header, err := client.GetBlockHeader(ctx, 0, -1<<63, 1, &foreign.GetBlockHeaderOptions{RootHash: shard.RootHash, FileHash: shard.FileHash})
	check("header", err, err == nil && same(header.ID, shard) && header.GlobalId == sandbox.DefaultGlobalID && header.EndLt > header.StartLt)
	signatures, err := client.GetMasterchainBlockSignatures(ctx, uint64(head.SeqNo))
	check("signatures", err, err == nil && len(signatures.Signatures) == 1 && len(signatures.Signatures[0].Signature) == 64)
	consensus, err := client.GetConsensusBlock(ctx)
	check("consensus block", err, err == nil && consensus.Seqno == uint64(head.SeqNo))
	queues, err := client.GetOutMsgQueueSizes(ctx)
	check("queues", err, err == nil && len(queues.Shards) == 2)

	account, err := client.GetAddressInformation(ctx, w.counter)
	check("account", err, err == nil && account.Code.HashKey() == counterCode.HashKey() && account.State == "active")
	extended, err := client.GetExtendedAddressInformation(ctx, w.counter)
	check("extended", err, err == nil && extended.LastTransactionId.LT == account.LastTransactionID.LT)
	wallet, err := client.GetWalletInformation(ctx, w.counter)
	check("wallet", err, err == nil && !wallet.IsWallet)
	balance, err := client.GetAddressBalance(ctx, w.counter)
	check("balance", err, err == nil && balance.MustCoins(9).Nano().Cmp(account.Balance.MustCoins(9).Nano()) == 0)
	state, err := client.GetAddressState(ctx, w.counter)
	check("state", err, state == "active")

	limit := 2
	txs, err := client.GetTransactions(ctx, sandbox.Giver(), &foreign.GetTransactionsV2Opts{Limit: &limit})
	check("transactions", err, len(txs) == 1 && len(txs[0].OutMessages) == 1 && txs[0].OutMessages[0].Destination.Addr.Equals(w.counter))
	list, err := client.GetBlockTransactions(ctx, 0, -1<<63, 1, nil)
	check("block transactions", err, err == nil && len(list.Transactions) == 2 && !list.Incomplete)
	ext, err := client.GetBlockTransactionsExt(ctx, 0, -1<<63, 1, nil)
	check("block transactions, extended", err, err == nil && len(ext.Transactions) == 2 && ext.Transactions[0].Data.HashKey() == [32]byte(list.Transactions[0].Hash))
	//lint:ignore SA1019 The API has the method, so it is tested.
	result, err := client.TryLocateResultTx(ctx, sandbox.Giver(), w.counter, w.created)
	check("result", err, err == nil && result.InMsg.CreatedLt == w.created)
	//lint:ignore SA1019 The API has the method, so it is tested.
	source, err := client.TryLocateSourceTx(ctx, sandbox.Giver(), w.counter, w.created)
	check("source", err, err == nil && source.TransactionID.LT == txs[0].TransactionID.LT)

	all, err := client.GetConfigAll(ctx, nil)
	check("config", err, err == nil && all.HashKey() == w.Config().HashKey())
	param, err := client.GetConfigParam(ctx, 0, nil)
	value, dictErr := w.Config().AsDict(32).LoadValueByIntKey(big.NewInt(0))
	if dictErr != nil {
		t.Fatal(dictErr)
	}
	check("config parameter", err, err == nil && param.HashKey() == value.MustLoadRef().MustToCell().HashKey())

	//lint:ignore SA1019 The API has the method, so it is tested.
	run, err := client.RunGetMethod(ctx, w.counter, "echo", []any{big.NewInt(1 << 40)}, nil)
	check("get method", err, err == nil && len(run.Stack) == 1 && run.Stack[0].(*big.Int).Int64() == 1<<40)
	fees, err := client.EstimateFee(ctx, foreign.EstimateFeeRequest{Address: w.counter, Body: count(1)})
	check("fees", err, err == nil && fees.SourceFees.GasFee > 0)
	if err := client.SendBoc(ctx, external(t, w.counter, 30).ToBOC()); err != nil {
		t.Errorf("send: %v", err)
	}
	//lint:ignore SA1019 The API has the method, so it is tested.
	after, err := client.RunGetMethod(ctx, w.counter, "counter", nil, nil)
	check("after sending", err, err == nil && after.Stack[0].(*big.Int).Int64() == 10)
	if _, err := client.GetTokenData(ctx, w.counter); err == nil {
		t.Error("the counter is a token")
	}
}

// TestShardBlockProof follows a proof from a master block to every shard block.
func TestShardBlockProof(t *testing.T) {
	w := newWorld(t)
	client := foreign.New(w.url).V2()
	head := w.MasterHead()
	top, err := w.Lookup(0, -1<<63, sandbox.Lookup{Mode: sandbox.ByLT, LT: w.created})
	if err != nil {
		t.Fatal(err)
	}
	for seqno := uint64(1); seqno <= uint64(top.SeqNo)+2; seqno++ {
		proof, err := client.GetShardBlockProof(t.Context(), 0, -1<<63, seqno, nil)
		if err != nil {
			t.Fatalf("shard block %d: %v", seqno, err)
		}
		if proof.From.Seqno != uint64(head.SeqNo) {
			t.Errorf("shard block %d: proven from %d", seqno, proof.From.Seqno)
		}
		if len(proof.McProof) == 0 && proof.MasterID.Seqno != proof.From.Seqno || len(proof.McProof) > 1 {
			t.Fatalf("shard block %d: %d links back", seqno, len(proof.McProof))
		}
		for _, link := range proof.McProof {
			checkLinkBack(t, link)
			if !bytes.Equal(link.From.RootHash, proof.From.RootHash) || !bytes.Equal(link.To.RootHash, proof.MasterID.RootHash) {
				t.Errorf("shard block %d: link back from %d to %d", seqno, link.From.Seqno, link.To.Seqno)
			}
		}
		from := proof.MasterID
		for i, link := range proof.Links {
			body, err := cell.UnwrapProof(link.Proof, from.RootHash)
			if err != nil {
				t.Fatalf("shard block %d, link %d: %v", seqno, i, err)
			}
			if named := names(t, body, from); !contains(named, link.ID) {
				t.Fatalf("shard block %d, link %d: proof names %v, not %v", seqno, i, named, link.ID)
			}
			from = link.ID
		}
		if want, err := w.Lookup(0, -1<<63, sandbox.Lookup{Seqno: uint32(seqno)}); err != nil || !bytes.Equal(from.RootHash, want.RootHash) {
			t.Errorf("shard block %d: the proof ends at %d", seqno, from.Seqno)
		}
	}
}

// names are the blocks that a proof of a block leads on to.
func names(t *testing.T, body *cell.Cell, id foreign.BlockID) (list []*ton.BlockIDExt) {
	t.Helper()
	if id.Workchain == -1 {
		custom := body.MustPeekRef(3).MustPeekRef(3).MustBeginParse()
		custom.MustLoadUInt(17)
		list, err := ton.LoadShardsFromHashes(custom.MustLoadDict(32), true)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	var header tontlb.BlockHeader
	if err := header.LoadFromCell(body.MustPeekRef(0).MustBeginParse()); err != nil {
		t.Fatal(err)
	}
	list, err := ton.GetParentBlocks(&header)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func contains(list []*ton.BlockIDExt, id foreign.BlockID) bool {
	for _, b := range list {
		if b.SeqNo == uint32(id.Seqno) && bytes.Equal(b.RootHash, id.RootHash) && bytes.Equal(b.FileHash, id.FileHash) {
			return true
		}
	}
	return false
}

// checkLinkBack goes from a block to its state, and from there to an earlier
// block.
func checkLinkBack(t *testing.T, link foreign.McProofV2) {
	t.Helper()
	block, err := cell.UnwrapProof(link.Proof, link.From.RootHash)
	if err != nil {
		t.Fatalf("proof of block %d: %v", link.From.Seqno, err)
	}
	state := block.MustPeekRef(2).MustPeekRef(1).Hash(0)
	root, err := cell.UnwrapProof(link.StateProof, state)
	if err != nil {
		t.Fatalf("proof of the state after %d: %v", link.From.Seqno, err)
	}
	var extra tontlb.McStateExtra
	if err := tontlb.LoadFromCellAsProof(&extra, root.MustPeekRef(3).MustBeginParse()); err != nil {
		t.Fatal(err)
	}
	info := extra.Info.MustBeginParse()
	info.MustLoadSlice(16 + 65)
	var prev tontlb.OldMcBlocksInfoAugDict
	if err := prev.LoadFromCellAsProof(info); err != nil {
		t.Fatal(err)
	}
	value, err := prev.LoadValueByIntKey(new(big.Int).SetUint64(link.To.Seqno))
	if err != nil {
		t.Fatalf("block %d in the state after %d: %v", link.To.Seqno, link.From.Seqno, err)
	}
	var ref tontlb.KeyExtBlkRef
	if err := tontlb.LoadFromCell(&ref, value); err != nil || !bytes.Equal(ref.BlkRef.RootHash, link.To.RootHash) || ref.IsKey != link.ToKeyBlock {
		t.Errorf("block %d: %+v, %v", link.To.Seqno, ref, err)
	}
	if _, err := cell.UnwrapProof(link.DestProof, link.To.RootHash); err != nil {
		t.Errorf("header of block %d: %v", link.To.Seqno, err)
	}
}

// TestPagedHistory reads a long history in pages of every size.
func TestPagedHistory(t *testing.T) {
	w := newWorld(t)
	for n := range uint64(20) {
		if err := w.Send(t.Context(), external(t, w.counter, 100+n)); err != nil {
			t.Fatal(err)
		}
	}
	all := w.history(t, w.counter)
	if len(all) != 24 {
		t.Fatalf("%d transactions, want 24", len(all))
	}
	for size := 1; size <= 25; size += 8 {
		var std struct {
			Transactions []struct {
				ID struct{ LT, Hash string } `json:"transaction_id"`
			}
			Previous struct{ LT, Hash string } `json:"previous_transaction_id"`
		}
		call := object{"address": w.counter.String(), "limit": size}
		read := 0
		for {
			std.Transactions = nil
			w.rpc("getTransactionsStd", call).into(t, &std)
			for _, tx := range std.Transactions {
				if tx.ID != all[read].ID {
					t.Fatalf("pages of %d: number %d is %v, not %v", size, read, tx.ID, all[read].ID)
				}
				read++
			}
			if std.Previous.LT == "0" {
				break
			}
			call["lt"], call["hash"] = std.Previous.LT, std.Previous.Hash
		}
		if read != len(all) {
			t.Errorf("pages of %d: read %d", size, read)
		}
	}
	for i, tx := range all {
		var newer []transaction
		w.rpc("getTransactions", object{"address": w.counter.String(), "limit": 100, "to_lt": tx.ID.LT}).into(t, &newer)
		if len(newer) != i {
			t.Errorf("to %s: %d transactions, want %d", tx.ID.LT, len(newer), i)
		}
	}
}

// TestLookup finds a block by each of its three marks.
func TestLookup(t *testing.T) {
	w := newWorld(t)
	var header struct {
		EndLT string `json:"end_lt"`
		Time  int64  `json:"gen_utime"`
	}
	w.get("getBlockHeader", object{"workchain": 0, "shard": wholeShard, "seqno": 2}).into(t, &header)
	for name, p := range map[string]object{
		"seqno": {"seqno": "2"}, "lt": {"lt": header.EndLT}, "unsigned shard": {"seqno": 2, "shard": "9223372036854775808"},
	} {
		p["workchain"] = "0"
		if p["shard"] == nil {
			p["shard"] = wholeShard
		}
		var got struct{ Seqno int }
		if w.get("lookupBlock", p).into(t, &got); got.Seqno != 2 {
			t.Errorf("by %s: %d", name, got.Seqno)
		}
	}
	var got struct{ Seqno int }
	w.get("lookupBlock", object{"workchain": 0, "shard": wholeShard, "unixtime": strconv.FormatInt(header.Time, 10)}).into(t, &got)
	if got.Seqno < 0 || got.Seqno > 2 { // all may be of the same second
		t.Errorf("by time: %d", got.Seqno)
	}
}
