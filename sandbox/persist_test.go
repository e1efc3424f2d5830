package sandbox_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

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
