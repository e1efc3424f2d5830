package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

func number(n uint64) *cell.Cell { return cell.BeginCell().MustStoreUInt(n, 64).EndCell() }

func view(t *testing.T, chain *sandbox.Chain, n byte) tlb.Account {
	t.Helper()
	a, err := chain.Account(t.Context(), tlb.Block{}, account(base, n))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEdits sets balance, code and data of accounts that exist and that do not,
// in both kinds of chain, and checks that coins still add up.
func TestEdits(t *testing.T) {
	ctx := t.Context()
	for name, o := range modes() {
		t.Run(name, func(t *testing.T) {
			chain := openChain(t, o)
			supply := chain.Supply()
			if err := chain.SetBalance(ctx, account(base, 1), 5*tlb.TON); err != nil {
				t.Fatal(err)
			}
			if a := view(t, chain, 1); a.Status != tlb.AccountUninit || a.Balance != 5*tlb.TON {
				t.Errorf("new account is %s with %s", a.Status, a.Balance)
			}
			if err := chain.SetCode(ctx, account(base, 1), sink); err != nil {
				t.Fatal(err)
			}
			if err := chain.SetData(ctx, account(base, 1), number(7)); err != nil {
				t.Fatal(err)
			}
			a := view(t, chain, 1)
			if a.Status != tlb.AccountActive || a.Code.HashKey() != sink.HashKey() || a.Data.HashKey() != number(7).HashKey() || a.Balance != 5*tlb.TON {
				t.Errorf("account is %s with %s, code %s, data %s", a.Status, a.Balance, a.Code.Dump(), a.Data.Dump())
			}
			if err := chain.SetBalance(ctx, account(base, 1), tlb.TON); err != nil {
				t.Fatal(err)
			}
			if got := chain.Supply() - supply; got != tlb.TON {
				t.Errorf("supply rose by %s, want 1 TON", got)
			}
			if err := chain.SetBalance(ctx, account(master, 1), tlb.TON); err != nil {
				t.Fatal(err)
			}
			// It is a real account: it pays for gas, and clients see it.
			if err := chain.Faucet(ctx, account(base, 1), tlb.TON); err != nil {
				t.Fatal(err)
			}
			if a := view(t, chain, 1); a.Balance <= tlb.TON || a.LastLT == 0 {
				t.Errorf("after a transaction it has %s, lt %d", a.Balance, a.LastLT)
			}
			if err := chain.SetBalance(ctx, account(base, 1), tlb.MaxNano+1); !errors.Is(err, tlb.ErrOverflow) {
				t.Errorf("too much: %v", err)
			}
			checkConserved(t, chain)
			checkBlocks(t, chain)
		})
	}
}

// TestConfig changes the configuration, which makes key blocks and counts from
// then on.
func TestConfig(t *testing.T) {
	ctx := t.Context()
	chain := sandbox.New(t)
	price := func() uint64 {
		trace, err := chain.SendInternal(ctx, sandbox.Internal{From: account(base, 2), To: account(base, 1), Amount: tlb.TON})
		if err != nil {
			t.Fatal(err)
		}
		return uint64(trace.Fees) / max(trace.Gas, 1)
	}
	if err := chain.SetCode(ctx, account(base, 1), sink); err != nil {
		t.Fatal(err)
	}
	before := price()
	gas := tontlb.ConfigGasLimitsPrices{
		HasFlatPricing: true, FlatGasLimit: 0, FlatGasPrice: 0,
		HasSeparateSpecialLimit: true, GasPrice: 4_000_000 << 16, GasLimit: 1_000_000, SpecialGasLimit: 1_000_000,
		GasCredit: 10_000, BlockGasLimit: 10_000_000, FreezeDueLimit: 100_000_000, DeleteDueLimit: 1_000_000_000,
	}
	value, err := tontlb.ToCell(gas)
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.SetConfig(ctx, 21, value); err != nil {
		t.Fatal(err)
	}
	if after := price(); after < 100*before {
		t.Errorf("a unit of gas cost %d, now %d", before, after)
	}
	if err := chain.SetGlobalVersion(ctx, 9); err != nil {
		t.Fatal(err)
	}
	if err := chain.SetConfig(ctx, -7, number(1)); err != nil {
		t.Fatal(err)
	}
	if err := chain.SetConfig(ctx, -7, nil); err != nil {
		t.Fatal(err)
	}
	var keys []uint32
	head := chain.MasterHead()
	for seqno := uint32(1); seqno <= head.SeqNo; seqno++ {
		var block tontlb.Block
		if err := tontlb.Parse(&block, readBlock(t, chain, master, seqno)); err != nil {
			t.Fatal(err)
		}
		if block.BlockInfo.KeyBlock {
			keys = append(keys, seqno)
		}
	}
	if len(keys) != 5 {
		t.Errorf("key blocks %v, want the first and four more", keys)
	}
	checkConserved(t, chain)
	checkBlocks(t, chain)
}

func TestConfigRefuses(t *testing.T) {
	ctx := t.Context()
	chain := sandbox.New(t)
	before := chain.Config().HashKey()
	for name, change := range map[string]func() error{
		"validators":        func() error { return chain.SetConfig(ctx, 34, number(1)) },
		"network id":        func() error { return chain.SetConfig(ctx, 19, number(1)) },
		"no gas prices":     func() error { return chain.SetConfig(ctx, 21, nil) },
		"junk gas prices":   func() error { return chain.SetConfig(ctx, 20, number(1)) },
		"no forward prices": func() error { return chain.SetConfig(ctx, 25, nil) },
		"no block limits":   func() error { return chain.SetConfig(ctx, 23, nil) },
		"no version":        func() error { return chain.SetConfig(ctx, 8, nil) },
		"unknown version":   func() error { return chain.SetGlobalVersion(ctx, 10_000) },
	} {
		if err := change(); !errors.Is(err, sandbox.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if chain.Config().HashKey() != before {
		t.Error("a refused change took effect")
	}
	if err := chain.Faucet(ctx, account(base, 1), tlb.TON); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSetTime(t *testing.T) {
	ctx := t.Context()
	chain := sandbox.New(t)
	later := chain.Now().Add(1000 * time.Hour).Truncate(time.Second)
	if err := chain.SetTime(ctx, later); err != nil {
		t.Fatal(err)
	}
	if head, err := chain.Head(ctx); err != nil || !head.Time.Equal(later) {
		t.Errorf("block at %s, want %s: %v", head.Time, later, err)
	}
	if err := chain.SetTime(ctx, later.Add(-time.Hour)); !errors.Is(err, sandbox.ErrTimeBack) {
		t.Errorf("back: %v", err)
	}
	if err := chain.AdvanceTime(ctx, -1); !errors.Is(err, sandbox.ErrTimeBack) {
		t.Errorf("back: %v", err)
	}
}

// TestPool drops, delays and doubles messages that wait.
func TestPool(t *testing.T) {
	ctx := t.Context()
	chain := openChain(t, sandbox.Options{Mode: sandbox.Manual})
	var hashes [][32]byte
	for n := range uint64(3) {
		if err := chain.Send(ctx, give(t, n, account(base, byte(n)), tlb.TON, false)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range chain.Pending() {
		hashes = append(hashes, p.Hash)
	}
	if len(hashes) != 3 {
		t.Fatalf("%d messages wait, want 3", len(hashes))
	}
	if err := chain.Drop(hashes[0]); err != nil {
		t.Fatal(err)
	}
	if err := chain.Delay(hashes[1], 2); err != nil {
		t.Fatal(err)
	}
	if err := chain.Duplicate(hashes[2]); err != nil {
		t.Fatal(err)
	}
	balances := func() (out []tlb.Nano) {
		for n := range byte(3) {
			out = append(out, view(t, chain, n).Balance)
		}
		return out
	}
	for i, want := range [][]tlb.Nano{{0, 0, tlb.TON}, {0, 0, 2 * tlb.TON}, {0, tlb.TON, 2 * tlb.TON}} {
		seal(t, chain)
		if diff := cmp.Diff(want, balances()); diff != "" {
			t.Errorf("after block %d (-want +got):\n%s", i+1, diff)
		}
	}
	for name, err := range map[string]error{
		"drop": chain.Drop(hashes[0]), "delay": chain.Delay(hashes[0], 1), "duplicate": chain.Duplicate(hashes[0]),
	} {
		if !errors.Is(err, sandbox.ErrNotFound) {
			t.Errorf("%s what does not wait: %v", name, err)
		}
	}
	from, to := account(base, 7), account(base, 8)
	for range 2 {
		if err := chain.Post(ctx, sandbox.Internal{From: from, To: to, Amount: tlb.TON}); err != nil {
			t.Fatal(err)
		}
	}
	waits := chain.Pending()
	if len(waits) != 2 || !waits[0].From.Equals(from) || !waits[0].To.Equals(to) || waits[0].Hash == waits[1].Hash {
		t.Fatalf("%+v waits", waits)
	}
	if err := chain.Duplicate(waits[0].Hash); !errors.Is(err, sandbox.ErrMessage) {
		t.Errorf("duplicate an internal message: %v", err)
	}
	if err := errors.Join(chain.Drop(waits[0].Hash), chain.Delay(waits[1].Hash, 1)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []tlb.Nano{0, tlb.TON} {
		seal(t, chain)
		if got := view(t, chain, 8).Balance; got != want {
			t.Errorf("after block %d it has %s, want %s", i+1, got, want)
		}
	}
	checkConserved(t, chain)
	done := make(chan error)
	go func() {
		_, err := chain.Execute(ctx, give(t, 9, account(base, 1), tlb.TON, false))
		done <- err
	}()
	for len(chain.Pending()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := chain.Drop(chain.Pending()[0].Hash); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, sandbox.ErrDropped) {
		t.Errorf("who waited for a dropped message got %v", err)
	}
}

// TestModes changes the mode under way: what waits is taken when the chain
// becomes instant, and Run follows.
func TestModes(t *testing.T) {
	ctx := t.Context()
	chain := openChain(t, sandbox.Options{Mode: sandbox.Manual})
	go func() { _ = chain.Run(ctx) }()
	if err := chain.Send(ctx, give(t, 1, account(base, 1), tlb.TON, false)); err != nil {
		t.Fatal(err)
	}
	if err := chain.SetMode(sandbox.Instant, 0); err != nil {
		t.Fatal(err)
	}
	if got := view(t, chain, 1).Balance; got != tlb.TON {
		t.Errorf("balance %s after the chain became instant", got)
	}
	if err := chain.SetMode(sandbox.Interval, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if mode, every := chain.Mode(); mode != sandbox.Interval || every != sandbox.MinInterval {
		t.Errorf("mode %d every %s", mode, every)
	}
	if err := chain.Wait(ctx, chain.MasterHead().SeqNo+2); err != nil {
		t.Fatal(err)
	}
	if err := chain.SetMode(sandbox.Manual, 0); err != nil {
		t.Fatal(err)
	}
	at := chain.MasterHead().SeqNo
	time.Sleep(3 * sandbox.MinInterval)
	if now := chain.MasterHead().SeqNo; now != at {
		t.Errorf("a paused chain went from block %d to %d", at, now)
	}
}

// TestShards runs chains of several shards: messages cross between them, and
// every block parses, proves and adds up.
func TestShards(t *testing.T) {
	for depth := range uint8(sandbox.MaxSplitDepth + 1) {
		chain := openChain(t, sandbox.Options{SplitDepth: depth})
		for n := range byte(32) {
			if err := chain.Faucet(t.Context(), account(base, n*8), tlb.TON); err != nil {
				t.Fatal(err)
			}
			if got := view(t, chain, n*8).Balance; got != tlb.TON {
				t.Errorf("depth %d: account %d has %s", depth, n, got)
			}
		}
		checkConserved(t, chain)
		checkBlocks(t, chain)
	}
}

func TestDumpLoad(t *testing.T) {
	ctx := t.Context()
	old := busyChain(t, sandbox.Options{})
	if err := old.SetConfig(ctx, -7, number(1)); err != nil {
		t.Fatal(err)
	}
	if err := old.AdvanceTime(ctx, 1000*time.Hour); err != nil {
		t.Fatal(err)
	}
	var dump bytes.Buffer
	if err := old.Dump(&dump); err != nil {
		t.Fatal(err)
	}
	for depth := range uint8(3) {
		chain := openChain(t, sandbox.Options{Load: bytes.NewReader(dump.Bytes()), SplitDepth: depth})
		if got, want := chain.Balances(), old.Balances(); got != want || chain.Supply() != want {
			t.Errorf("loaded %s, supply %s, want %s", got, chain.Supply(), want)
		}
		if d := old.Now().Sub(chain.Now()).Abs(); d > time.Minute {
			t.Errorf("time differs by %s", d)
		}
		for n := range byte(4) {
			if got, want := view(t, chain, n), view(t, old, n); got.Balance != want.Balance || got.LastHash != want.LastHash {
				t.Errorf("account %d is %+v, want %+v", n, got, want)
			}
		}
		if err := chain.Faucet(ctx, account(base, 200), tlb.TON); err != nil {
			t.Fatal(err)
		}
		checkConserved(t, chain)
		checkBlocks(t, chain)
		if depth > 0 {
			continue
		}
		var again bytes.Buffer
		fresh := openChain(t, sandbox.Options{Load: bytes.NewReader(dump.Bytes())})
		if err := fresh.Dump(&again); err != nil {
			t.Fatal(err)
		}
		if len(again.Bytes()) != dump.Len() {
			t.Errorf("dumped again it has %d bytes, not %d", again.Len(), dump.Len())
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	var dump bytes.Buffer
	if err := sandbox.New(t).Dump(&dump); err != nil {
		t.Fatal(err)
	}
	good := dump.Bytes()
	for name, bad := range map[string][]byte{
		"empty": nil, "other file": []byte("hello, this is a text and no world"),
		"cut": good[:len(good)-9], "more": append(bytes.Clone(good), 0x01), "another version": bytes.Replace(good, []byte("world 1"), []byte("world 2"), 1),
	} {
		if _, err := sandbox.Open(sandbox.Options{Load: bytes.NewReader(bad)}); !errors.Is(err, sandbox.ErrDump) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string][]byte{
		"no gas prices": withConfig(t, good, 20, nil), "no forward fees": withConfig(t, good, 25, nil), "strange gas prices": withConfig(t, good, 21, number(1)),
		"burning": withConfig(t, good, 5, number(1)),
	} {
		_, err := sandbox.Open(sandbox.Options{Load: bytes.NewReader(bad)})
		if !errors.Is(err, sandbox.ErrDump) || !errors.Is(err, sandbox.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sandbox.Open(sandbox.Options{Load: bytes.NewReader(withExtra(t, good))}); !errors.Is(err, sandbox.ErrDump) || !strings.Contains(err.Error(), "extra currencies") {
		t.Errorf("extra currencies: %v", err)
	}
	if _, err := sandbox.Open(sandbox.Options{Load: bytes.NewReader(good), GlobalID: -3}); !errors.Is(err, sandbox.ErrNetwork) {
		t.Errorf("another network: %v", err)
	}
	fs := vfs.NewMem()
	_ = openChain(t, sandbox.Options{FS: fs}).Close()
	if _, err := sandbox.Open(sandbox.Options{FS: fs, Load: bytes.NewReader(good)}); !errors.Is(err, sandbox.ErrExists) {
		t.Errorf("over a stored chain: %v", err)
	}
	chain := openChain(t, sandbox.Options{Mode: sandbox.Manual})
	if err := chain.Send(t.Context(), give(t, 1, account(master, 1), tlb.TON, false)); err != nil {
		t.Fatal(err)
	}
	seal(t, chain)
	if chain.InFlight() == 0 {
		t.Skip("nothing is under way")
	}
	if err := chain.Dump(&dump); !errors.Is(err, sandbox.ErrUnsettled) {
		t.Errorf("messages under way: %v", err)
	}
}

// redump decodes a dump, changes head and first account, and encodes it again.
func redump(t *testing.T, dump []byte, change func(head, first map[int]any)) []byte {
	t.Helper()
	magic, rest, _ := bytes.Cut(dump, []byte("\n"))
	dec, out := cbor.NewDecoder(bytes.NewReader(rest)), bytes.NewBuffer(append(bytes.Clone(magic), '\n'))
	var all []map[int]any
	for {
		item := map[int]any{}
		if err := dec.Decode(&item); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, item)
	}
	change(all[0], all[1])
	for _, item := range all {
		if err := cbor.NewEncoder(out).Encode(item); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// withConfig is a dump with another parameter, or without.
func withConfig(t *testing.T, dump []byte, id uint64, param *cell.Cell) []byte {
	t.Helper()
	return redump(t, dump, func(head, _ map[int]any) {
		root, err := cell.FromBOC(head[4].([]byte))
		if err != nil {
			t.Fatal(err)
		}
		dict, key := root.AsDict(32), cell.BeginCell().MustStoreUInt(id, 32).EndCell()
		if param == nil {
			err = dict.Delete(key)
		} else {
			err = dict.SetBuilder(key, cell.BeginCell().MustStoreRef(param))
		}
		if err != nil {
			t.Fatal(err)
		}
		head[4] = dict.AsCell().ToBOC()
	})
}

// withExtra is a dump whose first account has another currency.
func withExtra(t *testing.T, dump []byte) []byte {
	t.Helper()
	return redump(t, dump, func(_, first map[int]any) {
		root, err := cell.FromBOC(first[3].([]byte))
		if err != nil {
			t.Fatal(err)
		}
		var outer tontlb.ShardAccount
		var state tontlb.AccountState
		if err := tontlb.Parse(&outer, root); err != nil {
			t.Fatal(err)
		}
		if err := tontlb.Parse(&state, outer.Account); err != nil {
			t.Fatal(err)
		}
		state.ExtraCurrencies = cell.NewDict(32)
		if err := state.ExtraCurrencies.SetBuilder(cell.BeginCell().MustStoreUInt(7, 32).EndCell(), cell.BeginCell().MustStoreVarUInt(5, 32)); err != nil {
			t.Fatal(err)
		}
		if outer.Account, err = tontlb.ToCell(state); err != nil {
			t.Fatal(err)
		}
		if root, err = tontlb.ToCell(outer); err != nil {
			t.Fatal(err)
		}
		first[3] = root.ToBOC()
	})
}

func FuzzLoad(f *testing.F) {
	var dump bytes.Buffer
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		f.Fatal(err)
	}
	if err := chain.Dump(&dump); err != nil {
		f.Fatal(err)
	}
	f.Add(dump.Bytes())
	f.Fuzz(func(t *testing.T, text []byte) {
		if chain, err := sandbox.Open(sandbox.Options{Load: bytes.NewReader(text)}); err == nil {
			_ = chain.Close()
		}
	})
}

// TestControlRefuses what a state, a block or a balance cannot hold.
func TestControlRefuses(t *testing.T) {
	ctx := t.Context()
	chain := openChain(t, sandbox.Options{Mode: sandbox.Manual})
	deep := cell.BeginCell().EndCell()
	for range 1000 {
		deep = cell.BeginCell().MustStoreRef(deep).EndCell()
	}
	burn := cell.BeginCell().MustStoreUInt(1, 8).EndCell()
	_, bodyErr := chain.SendInternal(ctx, sandbox.Internal{From: account(base, 1), To: account(base, 2), Body: deep})
	for name, c := range map[string]struct{ got, want error }{
		"deep code":    {chain.SetCode(ctx, account(base, 1), deep), sandbox.ErrTree},
		"deep data":    {chain.SetData(ctx, account(base, 1), deep), sandbox.ErrTree},
		"deep body":    {bodyErr, sandbox.ErrTree},
		"deep config":  {chain.SetConfig(ctx, 100, deep), sandbox.ErrConfig},
		"burning":      {chain.SetConfig(ctx, 5, burn), sandbox.ErrConfig},
		"no catchain":  {chain.SetConfig(ctx, 28, nil), sandbox.ErrConfig},
		"after 2106":   {chain.SetTime(ctx, time.Unix(1<<32+1, 0)), sandbox.ErrTimeFar},
		"far too late": {chain.AdvanceTime(ctx, 200*365*24*time.Hour), sandbox.ErrTimeFar},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	rest := tlb.MaxNano - chain.Supply()
	if err := chain.SetBalance(ctx, account(base, 1), rest); err != nil {
		t.Fatal(err)
	}
	if err := chain.SetBalance(ctx, account(base, 2), rest); !errors.Is(err, tlb.ErrOverflow) {
		t.Errorf("more coins than there can be, in two edits: %v", err)
	}
	seal(t, chain)
	if err := chain.SetBalance(ctx, account(base, 1), rest-1); err != nil {
		t.Errorf("lowered: %v", err)
	}
	seal(t, chain)
	checkConserved(t, chain)
}

// TestFailedSealEndsWaits: who waits for a message of a chain that stops hears
// of it.
func TestFailedSealEndsWaits(t *testing.T) {
	disagree := errors.New("no")
	chain := openChain(t, sandbox.Options{
		Mode: sandbox.Manual, Observe: func(sandbox.Execution, sandbox.Outcome) error { return disagree },
	})
	done := make(chan error)
	go func() {
		_, err := chain.Execute(t.Context(), give(t, 1, account(base, 1), tlb.TON, false))
		done <- err
	}()
	for len(chain.Pending()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := chain.Seal(t.Context()); !errors.Is(err, disagree) {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, disagree) {
		t.Errorf("who waited got %v", err)
	}
}

// TestRunAfterRestore: a block that cannot be sealed ends Run, which goes on
// once the chain was taken back to before.
func TestRunAfterRestore(t *testing.T) {
	disagree := errors.New("no")
	var strict atomic.Bool
	strict.Store(true)
	chain := openChain(t, sandbox.Options{
		Mode: sandbox.Interval, Interval: sandbox.MinInterval,
		Observe: func(sandbox.Execution, sandbox.Outcome) error {
			if strict.Load() {
				return disagree
			}
			return nil
		},
	})
	good := chain.Snapshot()
	if err := chain.Send(t.Context(), give(t, 1, account(base, 1), tlb.TON, false)); err != nil {
		t.Fatal(err)
	}
	if err := chain.Run(t.Context()); !errors.Is(err, disagree) {
		t.Fatalf("got %v, want %v", err, disagree)
	}
	strict.Store(false)
	if err := chain.Restore(good); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- chain.Run(ctx) }()
	if err := chain.Wait(ctx, 2); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// TestCloseSays that something is lost, if it is.
func TestCloseSays(t *testing.T) {
	for _, waits := range []bool{false, true} {
		var log bytes.Buffer
		chain := openChain(t, sandbox.Options{FS: vfs.NewMem(), Mode: sandbox.Manual, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if waits {
			if err := chain.Send(t.Context(), give(t, 1, account(base, 1), tlb.TON, false)); err != nil {
				t.Fatal(err)
			}
		}
		if err := chain.Close(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "messages=1"); got != waits {
			t.Errorf("said %q", log.String())
		}
	}
}

// TestSignatureIsNoOp: a tree shows no operation where there is a signature.
func TestSignatureIsNoOp(t *testing.T) {
	body := func(op uint64, bits uint) *cell.Cell {
		return cell.BeginCell().MustStoreUInt(op, 32).MustStoreSlice(make([]byte, 128), bits-32).EndCell()
	}
	for _, test := range []struct {
		message sandbox.Message
		shown   bool
	}{
		{sandbox.Message{External: true, Body: body(0x12345678, 600)}, false},
		{sandbox.Message{External: true, Body: body(0x12345678, 64)}, true},
		{sandbox.Message{External: true, Body: body(0x7369676e, 600)}, true}, // a wallet of version 5
		{sandbox.Message{From: account(base, 1), Body: body(0x12345678, 600)}, true},
	} {
		test.message.To = account(base, 2)
		if got := (&sandbox.Trace{Message: test.message}).String(); strings.Contains(got, "op 0x") != test.shown {
			t.Errorf("%+v: %s", test.message, got)
		}
	}
}
