package sandbox_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// delivered runs a scenario, two messages from each of three senders to one
// account that sends everything back, and returns who was heard in which order.
func delivered(t *testing.T, order func([]sandbox.Choice) int) (heard []sandbox.Choice, chain *sandbox.Chain) {
	t.Helper()
	to := account(base, 20)
	genesis := []sandbox.GenesisAccount{{Address: to, Balance: tlb.TON, Code: echo}}
	chain, err := sandbox.Open(sandbox.Options{
		Mode: sandbox.Manual, Genesis: genesis, Now: func() time.Time { return start },
		Order: func(ready []sandbox.Choice) int {
			i := order(ready)
			if i >= 0 && i < len(ready) {
				heard = append(heard, ready[i])
			}
			return i
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	for range 2 {
		for from := range byte(3) {
			if err := chain.Post(t.Context(), sandbox.Internal{From: account(base, 30+from), To: to, Amount: tlb.TON, Bounce: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := chain.Seal(t.Context()); err != nil && !errors.Is(err, sandbox.ErrOrder) {
		t.Fatal(err)
	}
	return heard, chain
}

func TestOrder(t *testing.T) {
	last := func(ready []sandbox.Choice) int { return len(ready) - 1 }
	heard, _ := delivered(t, last)
	if len(heard) != 12 {
		t.Fatalf("%d messages were delivered, want 12", len(heard))
	}
	// What the last sender sent comes first, and the answer to it next.
	if !heard[0].From.Equals(account(base, 32)) || heard[0].Cause != ([32]byte{}) || heard[1].Cause != heard[0].Message {
		t.Errorf("the first two are %+v", heard[:2])
	}
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 0))
		heard, chain := delivered(t, func(ready []sandbox.Choice) int { return random.IntN(len(ready)) })
		if len(heard) != 12 {
			t.Fatalf("seed %d: %d messages were delivered, want 12", seed, len(heard))
		}
		for i, early := range heard {
			for _, late := range heard[i+1:] {
				if early.From.Equals(late.From) && early.To.Equals(late.To) && early.CreatedLT > late.CreatedLT {
					t.Errorf("seed %d: %s was heard in another order than it spoke", seed, early.From)
				}
				if early.Cause == late.Message {
					t.Errorf("seed %d: a message was delivered before it was sent", seed)
				}
			}
		}
		// The block says so too: it can be made, and its sums are right.
		if _, err := chain.Head(t.Context()); err != nil {
			t.Fatal(err)
		}
		balances, flight, fees := chain.Balances(), chain.InFlight(), chain.Fees()
		if got := balances + flight + fees; got != chain.Supply() {
			t.Errorf("seed %d: balances, messages and fees are %s of %s", seed, got, chain.Supply())
		}
	}
}

// TestOrderIsNoOrder: with nothing but one account's messages to another there
// is never a choice.
func TestOrderIsNoOrder(t *testing.T) {
	to := account(base, 21)
	chain, err := sandbox.Open(sandbox.Options{Mode: sandbox.Manual, Order: func(ready []sandbox.Choice) int {
		if len(ready) != 1 {
			t.Errorf("a choice of %d", len(ready))
		}
		return 0
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	for range 5 {
		if err := chain.Post(t.Context(), sandbox.Internal{From: account(base, 30), To: to, Amount: tlb.TON}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := chain.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestFirstIsUsual: whoever always chooses the first gets the chain there is
// without Order.
func TestFirstIsUsual(t *testing.T) {
	genesis, senders, all := actors()
	var heads [2]tlb.Block
	for i, choose := range []func([]sandbox.Choice) int{nil, func([]sandbox.Choice) int { return 0 }} {
		chain, err := sandbox.Open(sandbox.Options{Mode: sandbox.Manual, Genesis: genesis, Now: func() time.Time { return start }, Order: choose})
		if err != nil {
			t.Fatal(err)
		}
		defer chain.Close()
		for n := range 40 {
			from, to := senders[n%len(senders)], all[(n*7)%len(all)]
			if err := chain.Send(t.Context(), order(t, from, to, tlb.TON, 1, true, uint64(n))); err != nil {
				t.Fatal(err)
			}
		}
		if heads[i], err = chain.Mine(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
	}
	if heads[0] != heads[1] {
		t.Errorf("got %+v\nwant %+v", heads[1], heads[0])
	}
}

func TestOrderRefuses(t *testing.T) {
	for _, i := range []int{-1, 99} {
		_, chain := delivered(t, func([]sandbox.Choice) int { return i })
		if _, err := chain.Seal(t.Context()); !errors.Is(err, sandbox.ErrOrder) {
			t.Errorf("choice %d: %v, want %v", i, err, sandbox.ErrOrder)
		}
	}
}

// TestOrderDuplicates: the same message twice is still taken once per block.
func TestOrderDuplicates(t *testing.T) {
	from, to := account(base, 10), account(base, 21)
	var blocks []uint32
	chain, err := sandbox.Open(sandbox.Options{
		Mode: sandbox.Manual, Now: func() time.Time { return start },
		Genesis: []sandbox.GenesisAccount{{Address: from, Balance: 50 * tlb.TON, Code: forwarder}},
		Order: func(ready []sandbox.Choice) int {
			if slices.ContainsFunc(ready, func(c sandbox.Choice) bool { return c.From == (*address.Address)(nil) }) {
				blocks = append(blocks, ready[0].Block)
			}
			return 0
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	if err := chain.Send(t.Context(), order(t, from, to, tlb.TON, 1, false, 1)); err != nil {
		t.Fatal(err)
	}
	if err := chain.Duplicate(chain.Pending()[0].Hash); err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Mine(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 2 || blocks[0] == blocks[1] {
		t.Errorf("delivered in blocks %v, want two", blocks)
	}
}
