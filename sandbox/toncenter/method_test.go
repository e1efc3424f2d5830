package toncenter_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	tonwallet "github.com/xssnick/tonutils-go/ton/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/toncenter"
	"github.com/tussah-network/tussah/tlb"
)

// world is a chain on which something happened: a counter exists from the
// start; it got a comment, a plain message and one from outside.
type world struct {
	*sandbox.Chain
	caller
	counter *address.Address
	created uint64 // logical time of a message from the giver to the counter
}

func newWorld(t testing.TB) *world {
	t.Helper()
	counter, _ := contractAt(t, counterCode, count(5))
	w := &world{
		Chain:   newChain(t, sandbox.GenesisAccount{Address: counter, Balance: 10 * tlb.TON, Code: counterCode, Data: count(5)}),
		counter: counter,
	}
	w.caller = serve(t, w.Chain)
	if err := w.Faucet(t.Context(), counter, tlb.TON); err != nil {
		t.Fatal(err)
	}
	comment, err := tonwallet.CreateCommentCell("grüezi")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []*cell.Cell{comment, cell.BeginCell().MustStoreUInt(0xdeadbeef, 32).EndCell()} {
		if _, err := w.SendInternal(t.Context(), sandbox.Internal{From: sandbox.Giver(), To: counter, Amount: tlb.TON, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Send(t.Context(), external(t, counter, 1)); err != nil {
		t.Fatal(err)
	}
	w.created = w.giver(t).OutMsgs[0].created(t)
	return w
}

func count(n uint64) *cell.Cell { return cell.BeginCell().MustStoreUInt(n, 64).EndCell() }

// external is a message to the counter, different for each n.
func external(t testing.TB, to *address.Address, n uint64) *cell.Cell {
	t.Helper()
	c, err := tontlb.ToCell(&tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: to, Body: count(n)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// transaction and message are what tests look at of them.
type transaction struct {
	ID      struct{ LT, Hash string } `json:"transaction_id"`
	Account string
	Fee     string    `json:"fee"`
	Storage string    `json:"storage_fee"`
	Other   string    `json:"other_fee"`
	In      message   `json:"in_msg"`
	OutMsgs []message `json:"out_msgs"`
	Data    string
}

type message struct {
	Hash, Source, Destination, Value string
	CreatedLT                        string `json:"created_lt"`
	BodyHash                         string `json:"body_hash"`
	Message                          string
	Data                             map[string]string `json:"msg_data"`
}

func (m message) created(t testing.TB) uint64 {
	t.Helper()
	lt, err := strconv.ParseUint(m.CreatedLT, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return lt
}

func (w *world) history(t testing.TB, a *address.Address) (list []transaction) {
	t.Helper()
	w.rpc("getTransactions", object{"address": a.String(), "limit": 100}).into(t, &list)
	return list
}

// giver is the newest transaction of the giver.
func (w *world) giver(t testing.TB) transaction { return w.history(t, sandbox.Giver())[0] }

func encodeBOC(c *cell.Cell) string { return base64.StdEncoding.EncodeToString(c.ToBOC()) }

const wholeShard = "-9223372036854775808"

// calls are one call of each method that succeeds.
func (w *world) calls(t *testing.T) map[string]object {
	at := object{"address": w.counter.String()}
	last := w.history(t, w.counter)[0]
	hash, err := base64.StdEncoding.DecodeString(last.ID.Hash)
	if err != nil {
		t.Fatal(err)
	}
	page := object{"address": w.counter.StringRaw(), "limit": 2, "lt": last.ID.LT, "hash": hex.EncodeToString(hash), "to_lt": "1", "archival": true}
	seqno := w.MasterHead().SeqNo
	master := object{"seqno": seqno - 1}
	block := object{"workchain": 0, "shard": wholeShard, "seqno": 1}
	route := object{"source": sandbox.Giver().String(), "destination": w.counter.String(), "created_lt": strconv.FormatUint(w.created, 10)}
	method := object{"address": w.counter.String(), "method": "counter", "stack": []any{}}
	query := object{"address": w.counter.String(), "body": encodeBOC(count(77))}
	return map[string]object{
		"detectAddress": at, "detectHash": {"hash": last.ID.Hash}, "packAddress": {"address": w.counter.StringRaw()}, "unpackAddress": at,
		"getAddressInformation": at, "getExtendedAddressInformation": at, "getWalletInformation": at, "getAddressBalance": at,
		"getAddressState": at, "getShardAccountCell": at, "getTokenData": {"address": tokens[0].String()},
		"getMasterchainInfo": {}, "getMasterchainBlockSignatures": master, "getShardBlockProof": block, "getConsensusBlock": {},
		"lookupBlock": block, "shards": master, "getShards": master, "getBlockHeader": block, "getOutMsgQueueSize": {}, "getOutMsgQueueSizes": {},
		"getBlockTransactions": block, "getBlockTransactionsExt": block, "getTransactions": page, "getTransactionsStd": page,
		"tryLocateTx": route, "tryLocateResultTx": route, "tryLocateSourceTx": route,
		"getConfigParam": {"config_id": 0}, "getConfigAll": {}, "getLibraries": {"libraries": last.ID.Hash},
		"runGetMethod": method, "runGetMethodStd": method,
		"sendBoc":           {"boc": encodeBOC(external(t, w.counter, 10))},
		"sendBocReturnHash": {"boc": encodeBOC(external(t, w.counter, 11))},
		"sendQuery":         query, "estimateFee": query,
	}
}

// changing are the methods that can be called but once with the same effect.
var changing = []string{"sendBoc", "sendBocReturnHash", "sendQuery"}

// TestMethods calls each method in each way it can be called, and compares what
// comes with toncenter's description.
func TestMethods(t *testing.T) {
	w := newWorld(t)
	shapes := readShapes(t)
	calls := w.calls(t)
	if diff := cmp.Diff(toncenter.Methods(), slices.Sorted(maps.Keys(calls))); diff != "" {
		t.Fatalf("methods that are tested (-all +tested):\n%s", diff)
	}
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		p := calls[name]
		if name == "getTokenData" {
			continue // has four shapes: TestTokenData
		}
		rpc := w.rpc(name, p)
		if !rpc.OK {
			t.Errorf("%s: error %d: %s", name, rpc.Code, rpc.Error)
			continue
		}
		if err := shapes.check(name, rpc.Result); err != nil {
			t.Errorf("%s: %v\n%s", name, err, rpc.Result)
		}
		if rpc.JSONRPC != "2.0" || string(rpc.ID) != `"7"` || rpc.Extra == "" {
			t.Errorf("%s: JSON-RPC envelope has version %q, id %s, extra %q", name, rpc.JSONRPC, rpc.ID, rpc.Extra)
		}
		if slices.Contains(changing, name) {
			continue
		}
		ways := []func(string, object) reply{w.post}
		if !toncenter.PostOnly(name) {
			ways = append(ways, w.get)
		}
		for _, way := range ways {
			if r := way(name, p); !bytes.Equal(r.Result, rpc.Result) || r.JSONRPC != "" || r.ID != nil || r.Extra == "" {
				t.Errorf("%s by REST: %d %s %s, by JSON-RPC %s", name, r.Status, r.Error, r.Result, rpc.Result)
			}
		}
	}
}

// TestMountPoints finds the same method under every path clients use.
func TestMountPoints(t *testing.T) {
	w := newWorld(t)
	body := encode(t, object{"method": "getMasterchainInfo", "params": object{}, "id": 1})
	for _, path := range []string{"/", "/api/v2", "/api/v2/", "/jsonRPC", "/api/v2/jsonRPC", "/some/proxy/api/v2/jsonRPC"} {
		if r := w.send("POST", path, body); !r.OK || string(r.ID) != "1" {
			t.Errorf("%s: %d %s", path, r.Status, r.Error)
		}
	}
	for _, path := range []string{"/getMasterchainInfo", "/api/v2/getMasterchainInfo/"} {
		if r := w.send("GET", path, nil); !r.OK {
			t.Errorf("%s: %d %s", path, r.Status, r.Error)
		}
	}
}

func TestMessages(t *testing.T) {
	w := newWorld(t)
	list := w.history(t, w.counter)
	if len(list) != 4 {
		t.Fatalf("%d transactions, want 4", len(list))
	}
	outside, plain, comment, faucet := list[0], list[1], list[2], list[3]
	if outside.In.Source != "" || outside.In.Destination != w.counter.String() || outside.In.Value != "0" {
		t.Errorf("message from outside: %+v", outside.In)
	}
	if plain.In.Data["@type"] != "msg.dataRaw" || plain.In.Message != "3q2+7w==\n" {
		t.Errorf("plain message: %+v", plain.In)
	}
	if body := cell.BeginCell().MustStoreUInt(0xdeadbeef, 32).EndCell(); plain.In.BodyHash != base64.StdEncoding.EncodeToString(body.Hash()) ||
		plain.In.Data["body"] != encodeBOC(body) || plain.In.Data["init_state"] != "" {
		t.Errorf("plain message: %+v", plain.In)
	}
	if comment.In.Data["@type"] != "msg.dataText" || comment.In.Message != "grüezi" || comment.In.Data["text"] != "Z3LDvGV6aQ==" {
		t.Errorf("comment: %+v", comment.In)
	}
	if faucet.In.Value != "1000000000" || faucet.In.Source != sandbox.Giver().String() {
		t.Errorf("from the giver: %+v", faucet.In)
	}
	// The hash of a message leads from the transaction that sent it to the one
	// that received it.
	sent := w.giver(t)
	if len(sent.OutMsgs) != 1 || sent.OutMsgs[0].Hash != faucet.In.Hash {
		t.Errorf("sent %+v, received %+v", sent.OutMsgs, faucet.In)
	}
	for _, tx := range list {
		fee, storage, other := parseInt(t, tx.Fee), parseInt(t, tx.Storage), parseInt(t, tx.Other)
		if fee <= 0 || fee != storage+other {
			t.Errorf("fees of %+v do not add up", tx)
		}
	}
}

func parseInt(t testing.TB, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAtSeqno asks for the past.
func TestAtSeqno(t *testing.T) {
	w := newWorld(t)
	head := w.MasterHead().SeqNo
	before := head - 1
	var now, then struct {
		Block struct{ Seqno uint32 } `json:"block_id"`
		Stack [][2]string
	}
	call := object{"address": w.counter.String(), "method": "counter", "stack": []any{}}
	w.post("runGetMethod", call).into(t, &now)
	call["seqno"] = before
	w.post("runGetMethod", call).into(t, &then)
	if now.Stack[0][1] != "0x9" || then.Stack[0][1] != "0x8" || now.Block.Seqno != head || then.Block.Seqno != before {
		t.Errorf("now %+v, before %+v", now, then)
	}
	var state string
	w.get("getAddressState", object{"address": w.counter.String(), "seqno": 1}).into(t, &state)
	if state != "active" {
		t.Errorf("state at 1 is %s", state)
	}
}

// TestBlockPages reads a block's transactions one by one.
func TestBlockPages(t *testing.T) {
	w := newWorld(t)
	call := object{"workchain": 0, "shard": wholeShard, "seqno": 1, "count": 1}
	var seen []string
	for {
		var page struct {
			Incomplete   bool
			Transactions []struct{ Account, LT, Hash string }
		}
		r := w.get("getBlockTransactions", call)
		r.into(t, &page)
		for _, tx := range page.Transactions {
			seen = append(seen, tx.LT)
			call["after_lt"], call["after_hash"] = tx.LT, tx.Account
		}
		if !page.Incomplete {
			break
		}
		if len(seen) > 10 {
			t.Fatal("no end")
		}
	}
	if len(seen) != 2 { // of the giver and of the counter
		t.Errorf("transactions at %v", seen)
	}
}

func TestReturnedHashes(t *testing.T) {
	w := newWorld(t)
	msg := external(t, w.counter, 20)
	var got struct{ Hash, HashNorm string }
	var raw map[string]string
	w.post("sendBocReturnHash", object{"boc": encodeBOC(msg)}).into(t, &raw)
	got.Hash, got.HashNorm = raw["hash"], raw["hash_norm"]
	if want := base64.StdEncoding.EncodeToString(msg.Hash()); got.Hash != want {
		t.Errorf("hash %s, want %s", got.Hash, want)
	}
	norm := cell.BeginCell().MustStoreUInt(0b1000, 4).MustStoreAddr(w.counter).MustStoreUInt(0, 4).MustStoreUInt(0b01, 2).
		MustStoreRef(count(20)).EndCell()
	if want := base64.StdEncoding.EncodeToString(norm.Hash()); got.HashNorm != want {
		t.Errorf("normal hash %s, want %s", got.HashNorm, want)
	}
	if in := w.history(t, w.counter)[0].In; in.Hash != got.Hash {
		t.Errorf("the transaction's message has hash %s", in.Hash)
	}
}

// TestWallets deploys wallets and asks what they are.
func TestWallets(t *testing.T) {
	for _, c := range []struct {
		version  tonwallet.VersionConfig
		kind     string
		extended string
	}{
		{tonwallet.V3R1, "wallet v3 r1", "wallet.v3.accountState"},
		{tonwallet.V3R2, "wallet v3 r2", "wallet.v3.accountState"},
		{tonwallet.V4R1, "wallet v4 r1", "wallet.v4.accountState"},
		{tonwallet.V4R2, "wallet v4 r2", "wallet.v4.accountState"},
		{tonwallet.ConfigV5R1Final{NetworkGlobalID: mainnetID}, "wallet v5 r1", "raw.accountState"},
	} {
		state, err := tonwallet.GetStateInit(make([]byte, 32), c.version, 0)
		if err != nil {
			t.Fatal(err)
		}
		a := state.CalcAddress(0)
		api := serve(t, newChain(t, sandbox.GenesisAccount{Address: a, Balance: tlb.TON, Code: state.Code, Data: state.Data}))
		var got struct {
			Wallet bool
			Kind   string `json:"wallet_type"`
			Seqno  *int
			ID     *int `json:"wallet_id"`
		}
		api.get("getWalletInformation", object{"address": a.String()}).into(t, &got)
		if !got.Wallet || got.Kind != c.kind || got.Seqno == nil || *got.Seqno != 0 || got.ID == nil {
			t.Errorf("%s: %+v", c.kind, got)
		}
		var extended struct {
			State struct {
				Type string `json:"@type"`
			} `json:"account_state"`
		}
		api.get("getExtendedAddressInformation", object{"address": a.String()}).into(t, &extended)
		if extended.State.Type != c.extended {
			t.Errorf("%s is a %s", c.kind, extended.State.Type)
		}
	}
}

// TestEstimateIsWhatItCosts compares an estimate with the transaction.
func TestEstimateIsWhatItCosts(t *testing.T) {
	w := newWorld(t)
	var got struct {
		Source struct {
			Import  int64 `json:"in_fwd_fee"`
			Storage int64 `json:"storage_fee"`
			Gas     int64 `json:"gas_fee"`
			Forward int64 `json:"fwd_fee"`
		} `json:"source_fees"`
	}
	query := object{"address": w.counter.String(), "body": encodeBOC(count(77))}
	w.post("estimateFee", query).into(t, &got)
	w.post("sendQuery", query).into(t, new(json.RawMessage))
	tx := w.history(t, w.counter)[0]
	s := got.Source
	if s.Import <= 0 || s.Gas <= 0 || s.Import+s.Gas != parseInt(t, tx.Other) || s.Forward != 0 {
		t.Errorf("estimate %+v, transaction cost %s without storage", s, tx.Other)
	}
}

// TestFrozen lets an account run out of coins.
func TestFrozen(t *testing.T) {
	large := cell.BeginCell().EndCell()
	for i := range uint64(500) { // storage is paid by the cell
		large = cell.BeginCell().MustStoreUInt(i, 64).MustStoreRef(large).EndCell()
	}
	// Not at the address of its code, or it would not need to be remembered.
	a := tokens[8]
	_, init := contractAt(t, counterCode, large)
	chain := newChain(t, sandbox.GenesisAccount{Address: a, Balance: 1, Code: counterCode, Data: large})
	if err := chain.AdvanceTime(t.Context(), 2*365*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	// A message finds it in debt.
	if _, err := chain.SendInternal(t.Context(), sandbox.Internal{From: sandbox.Giver(), To: a}); err != nil {
		t.Fatal(err)
	}
	c := serve(t, chain)
	var got map[string]any
	c.get("getAddressInformation", object{"address": a.String()}).into(t, &got)
	hash := base64.StdEncoding.EncodeToString(init.Hash())
	if got["state"] != "frozen" || got["frozen_hash"] != hash || got["code"] != "" {
		t.Errorf("frozen account: %v, want hash %s", got, hash)
	}
	var extended struct {
		State map[string]any `json:"account_state"`
	}
	c.get("getExtendedAddressInformation", object{"address": a.String()}).into(t, &extended)
	if extended.State["@type"] != "uninited.accountState" || extended.State["frozen_hash"] != hash {
		t.Errorf("frozen account: %v", extended.State)
	}
}
