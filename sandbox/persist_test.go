package sandbox_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func manual(fs vfs.FS) sandbox.Options {
	return sandbox.Options{FS: fs, Mode: sandbox.Manual, Now: func() time.Time { return start }}
}

// steps are what the chains of these tests go through, a seal after each. The
// message to the masterchain comes back one block later, so that there is
// something in the queues at a restart.
var steps = []struct {
	to     *address.Address
	amount tlb.Nano
	bounce bool
}{
	{account(base, 1), 3 * tlb.TON, false},
	{account(master, 1), tlb.TON, true},
	{account(base, 1), tlb.TON, false},
	{account(master, 2), 2 * tlb.TON, false},
	{account(base, 2), tlb.TON, true},
	{account(master, 3), tlb.TON, true},
}

// give is the message that makes the giver pay.
func give(t testing.TB, nonce uint64, to *address.Address, amount tlb.Nano, bounce bool) *cell.Cell {
	t.Helper()
	msg, err := tontlb.ToCell(&tontlb.InternalMessage{
		IHRDisabled: true, Bounce: bounce, SrcAddr: address.NewAddressNone(), DstAddr: to,
		Amount: tontlb.FromNanoTONU(uint64(amount)), Body: cell.BeginCell().EndCell(),
	})
	if err != nil {
		t.Fatal(err)
	}
	body := cell.BeginCell().MustStoreRef(msg).MustStoreUInt(1, 8).MustStoreUInt(nonce, 64).EndCell()
	out, err := tontlb.ToCell(&tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: sandbox.Giver(), Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func takeStep(t *testing.T, chain *sandbox.Chain, n int) {
	t.Helper()
	s := steps[n]
	if err := chain.Send(t.Context(), give(t, uint64(n), s.to, s.amount, s.bounce)); err != nil {
		t.Fatal(err)
	}
	seal(t, chain)
}

func seal(t *testing.T, chain *sandbox.Chain) {
	t.Helper()
	if _, err := chain.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestCrashResumes pulls the plug after every step, and finds the same chain
// as without: the same blocks, to the last hash.
func TestCrashResumes(t *testing.T) {
	straight, err := sandbox.Open(manual(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer straight.Close()

	disk := vfs.NewCrashableMem()
	crashed, err := sandbox.Open(manual(disk))
	if err != nil {
		t.Fatal(err)
	}
	sawQueue := false
	for n := range steps {
		takeStep(t, straight, n)
		takeStep(t, crashed, n)
		sawQueue = sawQueue || crashed.InFlight() > 0

		lost := crashed
		disk = disk.CrashClone(vfs.CrashCloneCfg{})
		if crashed, err = sandbox.Open(manual(disk)); err != nil {
			t.Fatalf("reopen after step %d: %v", n, err)
		}
		_ = lost.Close()
		if got, want := crashed.MasterHead(), straight.MasterHead(); !got.Equals(&want) {
			t.Fatalf("after step %d and a crash, the head is %v, want %v", n, got, want)
		}
		checkConserved(t, crashed)
		if got, want := crashed.Fees(), straight.Fees(); got != want {
			t.Errorf("fees are %s, want %s", got, want)
		}
	}
	seal(t, straight)
	seal(t, crashed)
	defer crashed.Close()
	if got, want := crashed.MasterHead(), straight.MasterHead(); !got.Equals(&want) {
		t.Errorf("the chains end at %v and %v", got, want)
	}
	if !sawQueue {
		t.Error("no message was under way at any crash")
	}
	if got := crashed.InFlight(); got != 0 {
		t.Errorf("%s still under way", got)
	}
}

// TestReopen closes a chain properly and finds everything in it.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	chain, err := sandbox.Open(sandbox.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	busy(t, chain)
	if err := chain.AdvanceTime(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	head, err := chain.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before, err := chain.Account(t.Context(), tlb.Block{}, sandbox.Giver())
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Seal(t.Context()); !errors.Is(err, sandbox.ErrClosed) {
		t.Errorf("seal after close: %v", err)
	}

	chain, err = sandbox.Open(sandbox.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	if got, err := chain.Head(t.Context()); err != nil || got != head {
		t.Errorf("head is %+v, want %+v", got, head)
	}
	if ahead := time.Until(chain.Now()); ahead < 59*time.Minute {
		t.Errorf("travelled time is lost: %s ahead", ahead)
	}
	after, err := chain.Account(t.Context(), head, sandbox.Giver())
	if err != nil {
		t.Fatal(err)
	}
	if after.LastHash != before.LastHash || after.Balance != before.Balance {
		t.Errorf("giver is %+v, want %+v", after, before)
	}
	txs, err := chain.Transactions(t.Context(), sandbox.Giver(), after.LastLT, after.LastHash, 1000)
	if err != nil {
		t.Fatal(err)
	}
	// A payment for each account, and one message that came back.
	if len(txs) != 2*busyAccounts+1 || txs[len(txs)-1].PrevLT != 0 {
		t.Errorf("%d transactions of the giver", len(txs))
	}
	busy(t, chain)
	checkConserved(t, chain)
}

// TestStoredLikeMemory does at random the same to a chain in memory and to a
// stored one, of which next to nothing is in memory and whose plug is pulled now
// and then: coins are sent, accounts edited, snapshots taken and gone back to.
// They are the same chain, to the last hash.
func TestStoredLikeMemory(t *testing.T) {
	modes := []uint8{0, 1, 64, 128, 128 + 32}
	rapid.Check(t, func(rt *rapid.T) {
		genesis, senders, all := actors()
		now := start
		o := sandbox.Options{
			Mode: sandbox.Manual, Genesis: genesis, Now: func() time.Time { return now },
			SplitDepth: rapid.Uint8Max(1).Draw(rt, "split"),
		}
		open := func(o sandbox.Options) *sandbox.Chain {
			chain, err := sandbox.Open(o)
			if err != nil {
				rt.Fatal(err)
			}
			return chain
		}
		memory := open(o)
		defer memory.Close()
		disk := vfs.NewCrashableMem()
		o.FS, o.CacheBytes = disk, 1
		stored := open(o)
		defer func() { _ = stored.Close() }()
		both := func(do func(*sandbox.Chain) error) {
			if err := errors.Join(do(memory), do(stored)); err != nil {
				rt.Fatal(err)
			}
		}
		type branch struct {
			chains [2]*sandbox.Snapshot
			edited bool
		}
		var snapshots []branch
		edited := false // and not sealed since
		seal := func() {
			both(func(c *sandbox.Chain) error { _, err := c.Seal(t.Context()); return err })
			edited = false
		}
		for n := range rapid.IntRange(1, 6).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.Uint32Max(1_000_000).Draw(rt, "seconds")) * time.Second)
			to := rapid.SampledFrom(all).Draw(rt, "to")
			switch what := rapid.IntRange(0, 9).Draw(rt, "what"); {
			case what == 0:
				if edited || len(memory.Pending()) > 0 {
					seal() // a crash loses what waits
				}
				disk = disk.CrashClone(vfs.CrashCloneCfg{})
				lost := stored
				o.FS = disk
				stored, snapshots = open(o), nil
				_ = lost.Close()
			case what == 1:
				snapshots = append(snapshots, branch{[2]*sandbox.Snapshot{memory.Snapshot(), stored.Snapshot()}, edited})
			case what < 4 && len(snapshots) > 0:
				back := snapshots[rapid.IntRange(0, len(snapshots)-1).Draw(rt, "back")]
				if err := errors.Join(memory.Restore(back.chains[0]), stored.Restore(back.chains[1])); err != nil {
					rt.Fatal(err)
				}
				edited = back.edited
			case what == 4:
				both(func(c *sandbox.Chain) error { return c.SetBalance(t.Context(), to, 70*tlb.TON) })
				edited = true
			default:
				from := rapid.SampledFrom(senders).Draw(rt, "from")
				amount := tlb.Nano(rapid.Uint64Max(uint64(60*tlb.TON)).Draw(rt, "amount"))
				msg := order(t, from, to, amount, rapid.SampledFrom(modes).Draw(rt, "send mode"), rapid.Bool().Draw(rt, "bounce"), uint64(n))
				if a, b := memory.Send(t.Context(), msg), stored.Send(t.Context(), msg); (a == nil) != (b == nil) {
					rt.Fatalf("sent: %v; to the stored chain: %v", a, b)
				}
			}
			if rapid.IntRange(0, 3).Draw(rt, "seal") > 0 {
				seal()
			}
			if got, want := stored.MasterHead(), memory.MasterHead(); !got.Equals(&want) {
				rt.Fatalf("the chains are at %v and %v", got, want)
			}
			if got, want := stored.InFlight()+stored.Fees()+stored.Balances(), stored.Supply(); got != want || want != memory.Supply() {
				rt.Fatalf("coins: %s of %s", got, want)
			}
		}
		if o.SplitDepth == 0 {
			if _, err := readStates(stored, 0); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// TestActionsFromData: a contract may take the list of its actions from its
// data, which in a stored chain is lazy.
func TestActionsFromData(t *testing.T) {
	msg, err := tontlb.ToCell(&tontlb.InternalMessage{
		IHRDisabled: true, SrcAddr: address.NewAddressNone(), DstAddr: account(base, 2), Amount: tontlb.FromNanoTONU(5),
		Body: cell.BeginCell().EndCell(),
	})
	if err != nil {
		t.Fatal(err)
	}
	list := cell.BeginCell().MustStoreRef(cell.BeginCell().EndCell()).MustStoreUInt(0x0ec3c86d, 32).MustStoreUInt(1, 8).MustStoreRef(msg).EndCell()
	o := manual(nil)
	o.Mode = sandbox.Instant
	o.Genesis = []sandbox.GenesisAccount{{
		Address: account(base, 1), Balance: tlb.TON, Data: list,
		// SETCP0 ACCEPT c4 PUSHCTR c5 POPCTR
		Code: cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0xf8, 0x00, 0xed, 0x44, 0xed, 0x55}, 64).EndCell(),
	}}
	heads := map[string]sandbox.BlockID{}
	for name, fs := range map[string]vfs.FS{"memory": nil, "stored": vfs.NewMem()} {
		o.FS, o.CacheBytes = fs, 1
		chain, err := sandbox.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer chain.Close()
		trace, err := chain.Execute(t.Context(), external(t, account(base, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if trace.Action != 0 || len(trace.Caused) != 1 {
			t.Errorf("%s: %s", name, trace)
		}
		heads[name] = chain.MasterHead()
	}
	if a, b := heads["memory"], heads["stored"]; !a.Equals(&b) {
		t.Errorf("the chains are at %v and %v", a, b)
	}
}

// TestStatesStay: the states of all blocks of a stored chain can be read.
func TestStatesStay(t *testing.T) {
	o := manual(vfs.NewMem())
	chain, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = chain.Close() }()
	first, err := chain.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before, err := chain.Account(t.Context(), first, sandbox.Giver())
	if err != nil {
		t.Fatal(err)
	}
	takeStep(t, chain, 0)
	for range 20 {
		seal(t, chain)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	if chain, err = sandbox.Open(o); err != nil {
		t.Fatal(err)
	}
	again, err := chain.Account(t.Context(), first, sandbox.Giver())
	if err != nil || again.Balance != before.Balance || again.LastLT != 0 {
		t.Errorf("the giver was %+v, is read as %+v, %v", before, again, err)
	}
}

// TestOtherVersions refuses what it cannot read, and says what to do.
func TestOtherVersions(t *testing.T) {
	for version, advice := range map[byte]string{1: "delete the folder", 3: "later version"} {
		fs := vfs.NewMem()
		o := manual(fs)
		o.Dir = "chain"
		db, err := pebble.Open(o.Dir, &pebble.Options{FS: fs, Logger: quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		// CBOR: {1: version, 4: 17}
		if err := db.Set([]byte("t"), []byte{0xa2, 1, version, 4, 17}, pebble.Sync); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := sandbox.Open(o); !errors.Is(err, sandbox.ErrVersion) || !strings.Contains(err.Error(), advice) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

func TestReopenRefuses(t *testing.T) {
	fs := vfs.NewMem()
	chain, err := sandbox.Open(manual(fs))
	if err != nil {
		t.Fatal(err)
	}
	takeStep(t, chain, 0)
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	other := manual(fs)
	other.GlobalID = -3
	if _, err := sandbox.Open(other); !errors.Is(err, sandbox.ErrNetwork) {
		t.Errorf("another global id: %v", err)
	}
}

func TestStateGone(t *testing.T) {
	chain, err := sandbox.Open(manual(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	first, err := chain.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * sandbox.StatesKept {
		seal(t, chain)
	}
	if _, err := chain.Account(t.Context(), first, sandbox.Giver()); !errors.Is(err, sandbox.ErrStateGone) {
		t.Errorf("account at an old block: %v", err)
	}
	first.RootHash[0] ^= 1
	if _, err := chain.Account(t.Context(), first, sandbox.Giver()); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("account at an unknown block: %v", err)
	}
}
