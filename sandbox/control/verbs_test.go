package control_test

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
	"github.com/tussah-network/tussah/tlb"
)

func TestAccounts(t *testing.T) {
	c := start(t)
	if a := call[control.Account](c, "account", params{"address": alice}); a.Status != "absent" || a.Balance != 0 {
		t.Errorf("before: %+v", a)
	}
	given := call[control.Changed](c, "faucet", control.FaucetParams{Address: alice, Amount: control.Amount(3 * tlb.TON / 2)})
	if given.Waits || given.Account.Balance.String() != "1.5 TON" || given.Account.Status != "uninit" {
		t.Errorf("after the faucet: %+v", given)
	}
	// A balance is set, not added to; for one that does not exist too.
	for _, a := range []control.Address{alice, echo} {
		if set := call[control.Changed](c, "setBalance", params{"address": a, "balance": "7 nano"}); set.Account.Balance != 7 {
			t.Errorf("balance: %s", set.Account.Balance)
		}
	}
	if set := call[control.Changed](c, "setCode", params{"address": echo, "code": echoCode}); set.Account.Status != "active" ||
		set.Account.CodeHash != control.Hash(echoCode.HashKey()) || set.Account.Balance != 7 {
		t.Errorf("after setCode: %+v", set.Account)
	}
	data := control.Cell{Cell: cell.BeginCell().MustStoreUInt(42, 32).EndCell()}
	set := call[control.Changed](c, "setData", params{"address": echo, "data": data})
	if set.Account.DataHash != control.Hash(data.HashKey()) || set.Account.CodeHash != control.Hash(echoCode.HashKey()) {
		t.Errorf("after setData: %+v", set.Account)
	}
	// What the client reads is what the chain has.
	a, err := c.chain.Account(t.Context(), tlb.Block{}, echo.Address)
	if err != nil || a.Balance != 7 || a.Code.HashKey() != echoCode.HashKey() {
		t.Errorf("chain has %+v, %v", a, err)
	}
	if err := c.refused("account", params{"address": "5:" + strings.Repeat("00", 32)}); !errors.Is(err, sandbox.ErrNoWorkchain) {
		t.Errorf("other workchain: %v", err)
	}
}

func TestTransactions(t *testing.T) {
	c := start(t)
	if all := call[control.Transactions](c, "transactions", params{"address": alice}); len(all) != 0 {
		t.Errorf("before: %v", all)
	}
	for i := range 3 {
		call[control.Changed](c, "faucet", params{"address": alice, "amount": strconv.Itoa(i + 1)})
	}
	all := call[control.Transactions](c, "transactions", params{"address": alice})
	if len(all) != 3 || all[0].Value.String() != "3 TON" || all[2].PrevLT != 0 || all[0].Exit != nil || !all[0].Aborted {
		t.Fatalf("all: %v", all)
	}
	if got := control.Hash(all[0].BoC.HashKey()); got != all[0].Hash {
		t.Errorf("BoC has hash %s, want %s", got, all[0].Hash)
	}
	from := call[control.Transactions](c, "transactions", params{"address": alice, "lt": all[1].LT, "hash": all[1].Hash, "limit": 1})
	if diff := cmp.Diff(all[1:2].String(), from.String()); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []params{{"limit": -1}, {"limit": control.MaxTransactions + 1}, {"lt": 5}, {"hash": all[1].Hash}} {
		bad["address"] = alice
		if err := c.refused("transactions", bad); !errors.Is(err, control.ErrParams) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := c.refused("transactions", params{"address": alice, "lt": 5, "hash": all[1].Hash}); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("no such transaction: %v", err)
	}
	giver := control.Address{Address: sandbox.Giver()}
	if of := call[control.Transactions](c, "transactions", params{"address": giver}); len(of) != 3 || of[0].From.Address != nil || *of[0].Exit != 0 || of[0].Sent != 1 {
		t.Errorf("of the giver: %v", of)
	}
}

// deploy puts a contract that holds coins in place.
func (c caller) deploy(at control.Address, code control.Cell) {
	c.Helper()
	call[control.Changed](c, "setBalance", params{"address": at, "balance": "100"})
	call[control.Changed](c, "setCode", params{"address": at, "code": code})
}

func TestSend(t *testing.T) {
	c := start(t)
	c.deploy(echo, echoCode)
	m := message(t, echo, 1)
	sent := call[control.Delivery](c, "send", params{"message": m})
	if sent.Waits || sent.Hash != control.Hash(m.HashKey()) || sent.Trace == nil || sent.Trace.From.Address != nil ||
		sent.Trace.Aborted || !sent.Trace.Account.Equals(echo.Address) {
		t.Errorf("sent: %v", sent)
	}
	c.deploy(alice, deafCode)
	err := c.refused("send", params{"message": message(t, alice, 1)})
	refused, ok := errors.AsType[*control.Error](err)
	if !ok || !errors.Is(err, sandbox.ErrNotAccepted) || refused.Data.Exit == nil || !refused.Data.Account.Equals(alice.Address) {
		t.Errorf("not accepted: %+v", err)
	}
	if err := c.refused("send", params{"message": echoCode}); !errors.Is(err, sandbox.ErrMessage) {
		t.Errorf("no message: %v", err)
	}
}

func TestImpersonate(t *testing.T) {
	c := start(t)
	c.deploy(echo, echoCode)
	body := control.Cell{Cell: cell.BeginCell().MustStoreUInt(0xcafe, 32).EndCell()}
	d := call[control.Delivery](c, "impersonate", control.ImpersonateParams{From: alice, To: echo, Amount: control.Amount(tlb.TON), Body: body})
	if d.Trace == nil || !d.Trace.From.Equals(alice.Address) || d.Trace.Op != "0x0000cafe" || d.Trace.Value != control.Amount(tlb.TON) ||
		d.Trace.Status != "active" || d.Trace.Exit != 0 || d.Trace.Gas == 0 || d.Trace.Body.HashKey() != body.HashKey() {
		t.Errorf("delivered: %+v", d.Trace)
	}
	// One that nobody is there for comes back.
	d = call[control.Delivery](c, "impersonate", params{"from": echo, "to": alice, "amount": "1", "bounce": true})
	if len(d.Trace.Caused) != 1 || !d.Trace.Caused[0].Bounced || d.Trace.Skipped != "no state" || !d.Trace.Aborted ||
		strings.Count(d.String(), "\n") != 1 || !strings.Contains(d.String(), "bounced") {
		t.Errorf("bounced: %v", d)
	}
	// With a state init, it deploys.
	init := cell.BeginCell().MustStoreUInt(0b00110, 5).MustStoreRef(echoCode.Cell).MustStoreRef(body.Cell).EndCell()
	to := control.Address{Address: address.NewAddress(0, 0, init.Hash())}
	d = call[control.Delivery](c, "impersonate", params{"from": alice, "to": to, "amount": "1", "init": control.Cell{Cell: init}})
	if d.Trace.Status != "active" || d.Trace.Aborted {
		t.Errorf("deployed: %v", d)
	}
	if err := c.refused("impersonate", params{"from": alice, "to": to, "amount": "4611686018427387904 nano"}); !errors.Is(err, tlb.ErrOverflow) {
		t.Errorf("more coins than there can be: %v", err)
	}
}

func TestRunGet(t *testing.T) {
	c := start(t)
	c.deploy(echo, echoCode)
	number := cell.BeginCell().MustStoreUInt(7, 8).EndCell()
	boc := control.Cell{Cell: number}.String()
	r := call[control.GetResult](c, "runGet", params{"address": echo, "method": "echo", "arguments": []any{
		12, "-0x1f", "115792089237316195423570985008687907853269984665640564039457584007913129639935", nil, alice, "cell:" + boc, "slice:" + boc,
	}})
	want := []control.Value{
		{Type: "int", Value: "12"}, {Type: "int", Value: "-31"},
		{Type: "int", Value: "115792089237316195423570985008687907853269984665640564039457584007913129639935"},
		{Type: "null"}, {Type: "slice", Address: alice}, {Type: "cell", Value: boc}, {Type: "slice", Value: boc},
	}
	want[4].Value = r.Stack[4].Value // the address as a BoC
	same := cmp.Comparer(func(a, b control.Address) bool {
		return a.Address == nil && b.Address == nil || a.Address != nil && b.Address != nil && a.Equals(b.Address)
	})
	if diff := cmp.Diff(want, r.Stack, same); diff != "" || r.Exit != 0 || r.Gas == 0 {
		t.Errorf("%+v: %s", r, diff)
	}
	// What it prints can be asked again.
	again := call[control.GetResult](c, "runGet", params{"address": echo, "method": "echo", "arguments": strings.Split(r.String(), "\n")})
	if diff := cmp.Diff(r.Stack, again.Stack, same); diff != "" {
		t.Error(diff)
	}
	// A method that fails is no error of the call: RAISE 35 here.
	c.deploy(alice, control.Cell{Cell: cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0xf2, 0x23}, 32).EndCell()})
	if r := call[control.GetResult](c, "runGet", params{"address": alice, "method": "x"}); r.Exit != 35 || r.String() != "exit 35, gas "+strconv.FormatUint(r.Gas, 10) {
		t.Errorf("failing method: %+v", r)
	}
	for _, arg := range []any{"x", "1_000", true, 1.5, []int{1}, params{"raw": "x"}, strings.Repeat("9", 81), "cell:x"} {
		if err := c.refused("runGet", params{"address": echo, "method": "echo", "arguments": []any{arg}}); !errors.Is(err, control.ErrParams) {
			t.Errorf("argument %v: %v", arg, err)
		}
	}
	if err := c.refused("runGet", params{"address": echo, "method": "echo", "arguments": make([]int, 257)}); !errors.Is(err, control.ErrParams) {
		t.Errorf("many arguments: %v", err)
	}
	if err := c.refused("runGet", params{"address": "0:" + strings.Repeat("11", 32), "method": "seqno"}); !errors.Is(err, sandbox.ErrNotActive) {
		t.Errorf("no contract: %v", err)
	}
}

func TestPool(t *testing.T) {
	c := start(t)
	c.deploy(echo, echoCode)
	call[control.Status](c, "pause", nil)
	hashes := func(all control.PendingMessages) (out []control.Hash) {
		for _, m := range all {
			out = append(out, m.Hash)
		}
		return out
	}
	var sent []control.Hash
	for i := range 3 {
		d := call[control.Delivery](c, "send", params{"message": message(t, echo, uint64(i))})
		if !d.Waits || d.Trace != nil {
			t.Fatalf("while paused: %+v", d)
		}
		sent = append(sent, d.Hash)
	}
	if got := hashes(call[control.PendingMessages](c, "pending", nil)); !slices.Equal(got, sent) {
		t.Fatalf("pending %v, want %v", got, sent)
	}
	if got := hashes(call[control.PendingMessages](c, "drop", params{"hash": sent[0]})); !slices.Equal(got, sent[1:]) {
		t.Errorf("after drop: %v", got)
	}
	held := call[control.PendingMessages](c, "delay", params{"hash": sent[1], "blocks": 2})
	head := call[control.Status](c, "status", nil).Block
	if i := slices.IndexFunc(held, func(m control.PendingMessage) bool { return m.Hash == sent[1] }); i < 0 || held[i].NotBefore <= head {
		t.Errorf("after delay: %v", held)
	}
	if got := call[control.PendingMessages](c, "duplicate", params{"hash": sent[2]}); len(got) != 3 {
		t.Errorf("after duplicate: %v", got)
	}
	call[control.Status](c, "mine", nil)
	// A block takes a message once, so the second of two waits for another.
	if got := hashes(call[control.PendingMessages](c, "pending", nil)); !slices.Equal(got, sent[1:]) {
		t.Errorf("after a block: %v", got)
	}
	call[control.Status](c, "mine", params{"blocks": 3})
	if got := call[control.PendingMessages](c, "pending", nil); len(got) != 0 {
		t.Errorf("after more blocks: %v", got)
	}
	if all := call[control.Transactions](c, "transactions", params{"address": echo}); len(all) != 3 {
		t.Errorf("%d transactions, want one of the delayed message and two of the duplicated one:\n%v", len(all), all)
	}
	for _, verb := range []string{"drop", "duplicate", "delay"} {
		p := params{"hash": sent[0]}
		if verb == "delay" {
			p["blocks"] = 1
		}
		if err := c.refused(verb, p); !errors.Is(err, sandbox.ErrNotFound) {
			t.Errorf("%s what is not there: %v", verb, err)
		}
	}
}

// While blocks are not made, nothing blocks a caller who did not ask to wait.
func TestPaused(t *testing.T) {
	c := start(t)
	c.deploy(echo, echoCode)
	if s := call[control.Status](c, "pause", nil); s.Mode.String() != "manual" {
		t.Fatalf("paused: %v", s)
	}
	call[control.Status](c, "pause", nil) // twice is as good as once
	if given := call[control.Changed](c, "faucet", params{"address": alice, "amount": "5"}); !given.Waits || given.Account.Balance != 0 {
		t.Errorf("faucet: %v", given)
	}
	if d := call[control.Delivery](c, "impersonate", params{"from": alice, "to": echo, "amount": "5"}); !d.Waits {
		t.Errorf("impersonate: %v", d)
	}
	waiting := call[control.PendingMessages](c, "pending", nil)
	if last := waiting[len(waiting)-1]; !last.From.Equals(alice.Address) || !strings.Contains(last.String(), "from "+alice.String()) {
		t.Errorf("pending: %v", waiting)
	}
	if set := call[control.Changed](c, "setBalance", params{"address": echo, "balance": "1"}); !set.Waits {
		t.Errorf("setBalance: %v", set)
	}
	// Who waits would wait in vain, and is told before anything is sent.
	before := call[control.PendingMessages](c, "pending", nil)
	_, err := c.client.Call(t.Context(), "send", params{"message": message(t, echo, 1), "wait": true})
	if waiting = call[control.PendingMessages](c, "pending", nil); !errors.Is(err, control.ErrPaused) || len(waiting) != len(before) {
		t.Errorf("to wait: %v, %v", err, waiting)
	}
	if _, err := c.client.Call(t.Context(), "mine", params{"blocks": 0}); !errors.Is(err, control.ErrParams) {
		t.Errorf("no blocks: %v", err)
	}
	if _, err := c.client.Call(t.Context(), "resume", params{"interval": "1ms"}); !errors.Is(err, control.ErrParams) {
		t.Errorf("an interval too short: %v", err)
	}
	call[control.Status](c, "mine", params{"blocks": 2})
	// In the mode interval, who waits waits for the block.
	call[control.Status](c, "resume", params{"interval": "1h"})
	done := make(chan error, 1)
	go func() {
		_, err := c.client.Call(t.Context(), "send", params{"message": message(t, echo, 1), "wait": true})
		done <- err
	}()
	for len(call[control.PendingMessages](c, "pending", nil)) < 1 {
		select {
		case err := <-done:
			t.Fatalf("did not wait: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	call[control.Status](c, "mine", nil)
	if err := <-done; err != nil {
		t.Error(err)
	}
	call[control.Status](c, "resume", params{"mode": "instant"})
	call[control.Status](c, "pause", nil)
	if a := call[control.Account](c, "account", params{"address": alice}); a.Balance.String() != "5 TON" {
		t.Errorf("after the block: %v", a)
	}
	if s := call[control.Status](c, "resume", nil); s.Mode.String() != "instant" {
		t.Errorf("resumed: %v", s)
	}
	if s := call[control.Status](c, "resume", params{"interval": "250ms"}); s.Mode.String() != "interval" || s.Interval.String() != "250ms" {
		t.Errorf("with an interval: %v", s)
	}
	call[control.Status](c, "pause", nil)
	if s := call[control.Status](c, "resume", nil); s.Mode.String() != "interval" || s.Interval.String() != "250ms" {
		t.Errorf("as before the pause: %v", s)
	}
	if s := call[control.Status](c, "resume", params{"mode": "manual"}); s.Mode.String() != "manual" {
		t.Errorf("with a mode: %v", s)
	}
	if err := c.refused("resume", params{"mode": "instant", "interval": "1s"}); !errors.Is(err, control.ErrParams) {
		t.Errorf("an interval for instant: %v", err)
	}
}

func TestTime(t *testing.T) {
	c := start(t)
	before := call[control.Status](c, "status", nil)
	after := call[control.Status](c, "advanceTime", params{"by": "1h30m"})
	if moved := after.Unix - before.Unix; moved < 5400 || moved > 5460 || after.Block != before.Block+1 {
		t.Errorf("moved %d seconds, from block %d to %d", moved, before.Block, after.Block)
	}
	to := time.Date(2040, 2, 29, 12, 0, 0, 0, time.UTC)
	for _, form := range []any{"2040-02-29T12:00:00Z", to.Unix() + 100, strconv.FormatInt(to.Unix()+200, 10)} {
		if s := call[control.Status](c, "setTime", params{"to": form}); s.Unix < to.Unix() || s.Unix > to.Unix()+260 || s.BlockTime.Before(to) {
			t.Errorf("to %v: %v", form, s)
		}
	}
	if err := c.refused("setTime", params{"to": 1}); !errors.Is(err, sandbox.ErrTimeBack) {
		t.Errorf("back: %v", err)
	}
	if err := c.refused("advanceTime", params{"by": "-1s"}); !errors.Is(err, sandbox.ErrTimeBack) {
		t.Errorf("back: %v", err)
	}
	block := call[control.Status](c, "status", nil).Block
	if s := call[control.Status](c, "mine", params{"blocks": 5}); s.Block != block+5 {
		t.Errorf("mined from %d to %d", block, s.Block)
	}
	for _, n := range []int{-1, control.MaxMine + 1} {
		if err := c.refused("mine", params{"blocks": n}); !errors.Is(err, control.ErrParams) {
			t.Errorf("mine %d: %v", n, err)
		}
	}
}

func TestSnapshots(t *testing.T) {
	c := start(t)
	balance := func() string { return call[control.Account](c, "account", params{"address": alice}).Balance.String() }
	call[control.Changed](c, "faucet", params{"address": alice, "amount": "1"})
	if s := call[control.SnapshotInfo](c, "snapshot", params{"name": "one"}); s.Name != "one" {
		t.Errorf("named: %v", s)
	}
	call[control.Changed](c, "faucet", params{"address": alice, "amount": "1"})
	if s := call[control.SnapshotInfo](c, "snapshot", nil); s.Name != "1" {
		t.Errorf("without a name: %v", s)
	}
	// Any of them, in any order, any number of times.
	for _, back := range []struct{ to, want string }{{"one", "1 TON"}, {"1", "2 TON"}, {"one", "1 TON"}, {"one", "1 TON"}} {
		call[control.Status](c, "restore", params{"name": back.to})
		if got := balance(); got != back.want {
			t.Errorf("after restore %s: %s, want %s", back.to, got, back.want)
		}
		call[control.Changed](c, "faucet", params{"address": alice, "amount": "1"})
	}
	if all := call[control.Snapshots](c, "snapshots", nil); len(all) != 2 || all[0].Name != "one" {
		t.Errorf("all: %v", all)
	}
	if err := c.refused("snapshot", params{"name": "one"}); !errors.Is(err, control.ErrSnapshotTaken) {
		t.Errorf("twice: %v", err)
	}
	for _, name := range []string{"a b", "../x", "ä", strings.Repeat("x", 65)} {
		if err := c.refused("snapshot", params{"name": name}); !errors.Is(err, control.ErrSnapshotName) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for range control.MaxSnapshots - 2 {
		call[control.SnapshotInfo](c, "snapshot", nil)
	}
	if err := c.refused("snapshot", nil); !errors.Is(err, control.ErrTooManySnapshots) {
		t.Errorf("too many: %v", err)
	}
	if all := call[control.Snapshots](c, "deleteSnapshot", params{"name": "one"}); len(all) != control.MaxSnapshots-1 {
		t.Errorf("after delete there are %d", len(all))
	}
	for _, verb := range []string{"restore", "deleteSnapshot"} {
		if err := c.refused(verb, params{"name": "one"}); !errors.Is(err, control.ErrNoSnapshot) {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

// A dump, by either way, is a world to begin with.
func TestDump(t *testing.T) {
	c := start(t)
	c.deploy(echo, echoCode)
	d := call[control.Dump](c, "dump", nil)
	var stream bytes.Buffer
	if err := c.client.Dump(t.Context(), &stream); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.Data, stream.Bytes()) {
		t.Error("the two ways differ")
	}
	chain, err := sandbox.Open(sandbox.Options{Load: &stream})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	a, err := chain.Account(t.Context(), tlb.Block{}, echo.Address)
	if err != nil || a.Status != tlb.AccountActive || a.Balance != 100*tlb.TON {
		t.Errorf("in the new world: %+v, %v", a, err)
	}
}

func TestConfig(t *testing.T) {
	c := start(t)
	all := call[control.Config](c, "config", nil)
	for _, id := range []int32{0, 8, 15, 34} {
		one := call[control.Config](c, "config", params{"id": id})
		if len(one) != 1 || one[0].ID != id || !slices.ContainsFunc(all, func(p control.ConfigParam) bool { return p.ID == id }) {
			t.Errorf("parameter %d: %v", id, one)
		}
	}
	value := control.Cell{Cell: cell.BeginCell().MustStoreUInt(42, 32).EndCell()}
	call[control.Status](c, "setConfig", params{"id": -1000, "value": value})
	if got := call[control.Config](c, "config", params{"id": -1000}); got[0].Value.HashKey() != value.HashKey() {
		t.Errorf("set: %v", got)
	}
	call[control.Status](c, "setConfig", params{"id": -1000, "remove": true})
	if err := c.refused("config", params{"id": -1000}); !errors.Is(err, control.ErrNoParam) {
		t.Errorf("removed: %v", err)
	}
	for _, bad := range []params{{"id": 8}, {"id": 8, "value": value, "remove": true}} {
		if err := c.refused("setConfig", bad); !errors.Is(err, control.ErrParams) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := c.refused("setConfig", params{"id": 34, "remove": true}); !errors.Is(err, sandbox.ErrConfig) {
		t.Errorf("no validators: %v", err)
	}
	call[control.Status](c, "setGlobalVersion", params{"version": 9})
	s := call[control.Config](c, "config", params{"id": 8})[0].Value.MustBeginParse()
	if tag, version := s.MustLoadUInt(8), s.MustLoadUInt(32); tag != 0xc4 || version != 9 {
		t.Errorf("global version: tag %x, %d", tag, version)
	}
}

func TestLibraries(t *testing.T) {
	c := start(t)
	library := control.Cell{Cell: cell.BeginCell().MustStoreUInt(42, 32).EndCell()}
	published := call[control.Published](c, "setLibrary", params{"library": library})
	if got, err := c.chain.Library(published.Hash); err != nil || got.HashKey() != library.HashKey() {
		t.Errorf("published: %v, %v", got, err)
	}
	call[control.Status](c, "removeLibrary", params{"hash": published.Hash})
	if _, err := c.chain.Library(published.Hash); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
	call[control.Status](c, "removeLibrary", params{"hash": published.Hash}) // it is gone either way
	reference, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(library.Hash(), 256).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.refused("setLibrary", params{"library": control.Cell{Cell: reference}}); !errors.Is(err, sandbox.ErrTree) {
		t.Errorf("a reference to a library: %v", err)
	}
}

// Who looks at the network learns that a contract could not be run.
func TestFault(t *testing.T) {
	c := start(t)
	if s := call[control.Status](c, "status", nil); s.Fault != "" || strings.Contains(s.String(), "fault") {
		t.Errorf("without one: %v", s)
	}
	server := httptest.NewServer(control.New(faulty{c.chain}, control.Options{}))
	defer server.Close()
	c.client.URL = server.URL
	if s := call[control.Status](c, "status", nil); s.Fault != sandbox.ErrExecutor.Error() || !strings.Contains(s.String(), "fault      executor broke down") {
		t.Errorf("with one: %v", s)
	}
}

// Every verb is asked in this file, or should be.
func TestEveryVerbIsTested(t *testing.T) {
	source := testSource(t)
	for _, v := range control.Verbs() {
		if !strings.Contains(source, strconv.Quote(v.Name)) {
			t.Errorf("no test asks for %s", v.Name)
		}
	}
}
