package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

func isErr(err, target error) bool { return errors.Is(err, target) }

func external(t *testing.T, to *address.Address) *cell.Cell {
	t.Helper()
	msg, err := tontlb.ToCell(&tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: to, Body: cell.BeginCell().EndCell()})
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestRefusals(t *testing.T) {
	chain := sandbox.New(t)
	internal, err := tontlb.ToCell(&tontlb.InternalMessage{SrcAddr: account(base, 1), DstAddr: account(base, 2), Body: cell.BeginCell().EndCell()})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := address.NewAddress(0, 5, make([]byte, 32))
	for name, c := range map[string]struct {
		got, want error
	}{
		"no message":        {chain.Send(t.Context(), cell.BeginCell().EndCell()), sandbox.ErrMessage},
		"nil":               {chain.Send(t.Context(), nil), sandbox.ErrMessage},
		"internal message":  {chain.Send(t.Context(), internal), sandbox.ErrMessage},
		"unknown workchain": {chain.Send(t.Context(), external(t, elsewhere)), sandbox.ErrNoWorkchain},
		"nobody there":      {chain.Send(t.Context(), external(t, account(base, 9))), sandbox.ErrNotAccepted},
		"too many coins":    {second(chain.SendInternal(t.Context(), sandbox.Internal{From: account(base, 1), To: account(base, 2), Amount: tlb.MaxNano})), tlb.ErrOverflow},
		"from nowhere":      {second(chain.SendInternal(t.Context(), sandbox.Internal{To: account(base, 2)})), sandbox.ErrMessage},
		"get on nothing":    {second(chain.RunGet(t.Context(), account(base, 9), "seqno")), sandbox.ErrNotActive},
		"unknown tx":        {second(chain.Transactions(t.Context(), sandbox.Giver(), 77, [32]byte{}, 1)), sandbox.ErrNotFound},
		"unknown block":     {second(chain.Lookup(base, wholeSide, sandbox.Lookup{Seqno: 99})), sandbox.ErrNotFound},
		"unknown shard":     {second(chain.Lookup(base, 1<<62, sandbox.Lookup{})), sandbox.ErrNotFound},
		"zero block":        {second(chain.Block(lookup(t, chain, base, 0))), sandbox.ErrNotFound},
		"zero signature":    {second(chain.Signatures(0)), sandbox.ErrNotFound},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
	if head, _ := chain.Head(t.Context()); head.Seqno != 0 {
		t.Errorf("refusals made %d blocks", head.Seqno)
	}
	if err := chain.AdvanceTime(t.Context(), -time.Second); err == nil {
		t.Error("time went back")
	}
	if _, err := sandbox.Open(sandbox.Options{Genesis: []sandbox.GenesisAccount{{Address: elsewhere}}}); !errors.Is(err, sandbox.ErrNoWorkchain) {
		t.Errorf("genesis account elsewhere: %v", err)
	}
	twice := []sandbox.GenesisAccount{{Address: account(base, 1)}, {Address: account(base, 1)}}
	if _, err := sandbox.Open(sandbox.Options{Genesis: twice}); !errors.Is(err, sandbox.ErrDuplicate) {
		t.Errorf("genesis account twice: %v", err)
	}
	if _, err := sandbox.Open(sandbox.Options{Genesis: []sandbox.GenesisAccount{{Address: account(base, 1), Balance: tlb.MaxNano}}}); !errors.Is(err, tlb.ErrOverflow) {
		t.Errorf("genesis with too many coins: %v", err)
	}
}

// TestTwiceInABlock sends the same message twice before a seal: one block takes
// one of them, the next the other.
func TestTwiceInABlock(t *testing.T) {
	chain, err := sandbox.Open(manual(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	for range 2 {
		if err := chain.Send(t.Context(), give(t, 1, account(base, 1), tlb.TON, false)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []tlb.Nano{tlb.TON, 2 * tlb.TON} {
		seal(t, chain)
		if got, err := chain.Account(t.Context(), tlb.Block{}, account(base, 1)); err != nil || got.Balance != want {
			t.Errorf("%s arrived (%v), want %s", got.Balance, err, want)
		}
	}
	checkBlocks(t, chain)
}

func second[T any](_ T, err error) error { return err }

// TestNotAcceptedSays has the exit code of a contract that threw.
func TestNotAcceptedSays(t *testing.T) {
	// SETCP0 42 THROW
	thrower := cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0xf2, 42}, 32).EndCell()
	chain, err := sandbox.Open(sandbox.Options{Genesis: []sandbox.GenesisAccount{{Address: account(base, 1), Balance: tlb.TON, Code: thrower}}})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	err = chain.Send(t.Context(), external(t, account(base, 1)))
	refused, ok := errors.AsType[*sandbox.NotAcceptedError](err)
	if !ok || refused.Exit != 42 || refused.Reason != "" {
		t.Errorf("got %v", err)
	}
}

func TestPoolFull(t *testing.T) {
	chain, err := sandbox.Open(manual(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	chain.Shrink(1, 1, 1)
	if err := chain.Send(t.Context(), give(t, 1, account(base, 1), tlb.TON, false)); err != nil {
		t.Fatal(err)
	}
	if err := chain.Send(t.Context(), give(t, 2, account(base, 1), tlb.TON, false)); !errors.Is(err, sandbox.ErrPoolFull) {
		t.Errorf("got %v", err)
	}
}

// TestInterval lets time pass: blocks come by the clock, empty ones too.
func TestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chain, err := sandbox.Open(sandbox.Options{Mode: sandbox.Interval})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- chain.Run(ctx) }()

		if err := chain.Faucet(ctx, account(master, 1), tlb.TON); err != nil {
			t.Fatal(err)
		}
		if err := chain.Wait(ctx, 5); err != nil {
			t.Fatal(err)
		}
		head, err := chain.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Now().Unix(); head.Seqno != 5 || head.Time.Unix() != got {
			t.Errorf("head is %+v at %d", head, got)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
		if err := chain.Wait(t.Context(), 99); !errors.Is(err, sandbox.ErrClosed) {
			t.Errorf("wait on a closed chain: %v", err)
		}
	})
}

// TestTimeStands: a clock that goes back does not take block time with it.
func TestTimeStands(t *testing.T) {
	now := start
	chain, err := sandbox.Open(sandbox.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	if err := chain.AdvanceTime(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-24 * time.Hour)
	seal(t, chain)
	if head, _ := chain.Head(t.Context()); !head.Time.Equal(start.Add(time.Hour)) {
		t.Errorf("block time is %s", head.Time)
	}
}
