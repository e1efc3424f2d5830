package sandbox_test

import (
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// forwarder is the giver's code: it sends whatever it is told to.
var forwarder = cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0xdd, 0xf8, 0x00, 0xd4, 0xd3, 0x07, 0x30, 0xfb, 0x00}, 88).EndCell()

// echo sends what it receives back to where it came from, with all the coins
// that came with it (mode 64):
//
//	SETCP0 DROP DROP CTOS 4 LDU LDMSGADDR DROP 16 INT NEWC 6 STU STSLICE
//	0 INT STGRAMS 0 INT SWAP 107 STU ENDC 64 INT SENDRAWMSG
var echo = cell.BeginCell().MustStoreSlice([]byte{
	0xff, 0x00, 0x30, 0x30, 0xd0, 0xd3, 0x03, 0xfa, 0x40, 0x30, 0x80, 0x10, 0xc8, 0xcb, 0x05, 0xce,
	0x70, 0xfa, 0x02, 0x70, 0x01, 0xcb, 0x6a, 0xc9, 0x80, 0x40, 0xfb, 0x00,
}, 28*8).EndCell()

// actors are contracts in both chains: forwarders, one that echoes in each
// chain, and an address with nothing in each.
func actors() (genesis []sandbox.GenesisAccount, senders, all []*address.Address) {
	for _, workchain := range []int32{base, master} {
		for n := range byte(3) {
			a := account(workchain, 10+n)
			senders = append(senders, a)
			genesis = append(genesis, sandbox.GenesisAccount{Address: a, Balance: 50 * tlb.TON, Code: forwarder})
		}
		genesis = append(genesis, sandbox.GenesisAccount{Address: account(workchain, 20), Balance: tlb.TON, Code: echo})
		all = append(all, account(workchain, 20), account(workchain, 21))
	}
	return genesis, senders, append(all, senders...)
}

// order tells a forwarder to send.
func order(t testing.TB, from, to *address.Address, amount tlb.Nano, mode uint8, bounce bool, nonce uint64) *cell.Cell {
	t.Helper()
	msg, err := tontlb.ToCell(&tontlb.InternalMessage{
		IHRDisabled: true, Bounce: bounce, SrcAddr: address.NewAddressNone(), DstAddr: to,
		Amount: tontlb.FromNanoTONU(uint64(amount)), Body: cell.BeginCell().EndCell(),
	})
	if err != nil {
		t.Fatal(err)
	}
	body := cell.BeginCell().MustStoreRef(msg).MustStoreUInt(uint64(mode), 8).MustStoreUInt(nonce, 64).EndCell()
	out, err := tontlb.ToCell(&tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: from, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestConservation sends coins about at random, within and between the chains,
// with bounces, failures and destroyed accounts, while months go by. After
// every step, balances, messages under way and fees are the supply.
func TestConservation(t *testing.T) {
	modes := []uint8{0, 1, 2, 3, 64, 128, 128 + 32, 1 + 16}
	rapid.Check(t, func(rt *rapid.T) {
		genesis, senders, all := actors()
		now := start
		mode := rapid.SampledFrom([]sandbox.Mode{sandbox.Instant, sandbox.Manual}).Draw(rt, "mode")
		chain, err := sandbox.Open(sandbox.Options{Mode: mode, Genesis: genesis, Now: func() time.Time { return now }})
		if err != nil {
			rt.Fatal(err)
		}
		defer chain.Close()
		for n := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.Uint32Max(10_000_000).Draw(rt, "seconds")) * time.Second)
			from, to := rapid.SampledFrom(senders).Draw(rt, "from"), rapid.SampledFrom(all).Draw(rt, "to")
			amount := tlb.Nano(rapid.Uint64Max(uint64(60*tlb.TON)).Draw(rt, "amount"))
			bounce := rapid.Bool().Draw(rt, "bounce")
			if rapid.IntRange(0, 4).Draw(rt, "kind") == 0 && mode == sandbox.Instant {
				m := sandbox.Internal{From: from, To: to, Amount: amount, Bounce: bounce}
				if _, err := chain.SendInternal(t.Context(), m); err != nil {
					rt.Fatal(err)
				}
			} else {
				// A forwarder that is gone, or broke, refuses; that is fine.
				_ = chain.Send(t.Context(), order(t, from, to, amount, rapid.SampledFrom(modes).Draw(rt, "send mode"), bounce, uint64(n)))
			}
			if rapid.Bool().Draw(rt, "seal") {
				if _, err := chain.Seal(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
			if got, want := chain.Balances()+chain.InFlight()+chain.Fees(), chain.Supply(); got != want {
				rt.Fatalf("balances %s + under way %s + fees %s = %s, supply is %s", chain.Balances(), chain.InFlight(), chain.Fees(), got, want)
			}
		}
	})
}

// TestCascadeSpreads lets two contracts echo each other until the coins are
// spent: too much for one block, so the rest goes through the queue.
func TestCascadeSpreads(t *testing.T) {
	genesis := []sandbox.GenesisAccount{
		{Address: account(base, 1), Balance: tlb.TON, Code: echo}, {Address: account(base, 2), Balance: tlb.TON, Code: echo},
	}
	chain, err := sandbox.Open(sandbox.Options{Genesis: genesis})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	chain.Shrink(sandbox.MaxPool, sandbox.MaxCascadeBlocks, 20)
	trace, err := chain.SendInternal(t.Context(), sandbox.Internal{From: account(base, 1), To: account(base, 2), Amount: tlb.TON / 5})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for each := range trace.All() {
		n++
		for _, child := range each.Caused {
			if child.Tx.LT <= each.Tx.LT {
				t.Fatalf("a message sent at %d arrived at %d", each.Tx.LT, child.Tx.LT)
			}
		}
	}
	head, err := chain.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n < 100 || int(head.Seqno) < n/20 {
		t.Errorf("%d transactions in %d blocks", n, head.Seqno)
	}
	checkConserved(t, chain)
	checkBlocks(t, chain) // these have messages entering and leaving the queue
}

func TestEndlessCascade(t *testing.T) {
	genesis := []sandbox.GenesisAccount{
		{Address: account(base, 1), Balance: tlb.TON, Code: echo}, {Address: account(base, 2), Balance: tlb.TON, Code: echo},
	}
	chain, err := sandbox.Open(sandbox.Options{Genesis: genesis})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	chain.Shrink(sandbox.MaxPool, 2, 20)
	m := sandbox.Internal{From: account(base, 1), To: account(base, 2), Amount: 3 * tlb.TON}
	if _, err := chain.SendInternal(t.Context(), m); !isErr(err, sandbox.ErrEndless) {
		t.Errorf("got %v", err)
	}
	checkConserved(t, chain)
}
