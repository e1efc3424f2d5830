package sandbox_test

import (
	"errors"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

func TestFaucetReaches(t *testing.T) {
	chain := sandbox.New(t)
	alice := address.NewAddress(0, 0, make([]byte, 32))
	if err := chain.Faucet(t.Context(), alice, 5*tlb.TON); err != nil {
		t.Fatal(err)
	}
	acc, err := chain.Account(t.Context(), tlb.Block{}, alice)
	if err != nil {
		t.Fatal(err)
	}
	if acc.Balance != 5*tlb.TON || acc.Status != tlb.AccountUninit {
		t.Errorf("alice has %s, %s", acc.Balance, acc.Status)
	}
	checkConserved(t, chain)
}

func TestFaucetReachesMasterchain(t *testing.T) {
	chain := sandbox.New(t)
	alice := address.NewAddress(0, 255, make([]byte, 32))
	if err := chain.Faucet(t.Context(), alice, 5*tlb.TON); err != nil {
		t.Fatal(err)
	}
	acc, err := chain.Account(t.Context(), tlb.Block{}, alice)
	if err != nil {
		t.Fatal(err)
	}
	if acc.Balance != 5*tlb.TON {
		t.Errorf("alice has %s, %s", acc.Balance, acc.Status)
	}
	checkConserved(t, chain)
}

func TestNotAccepted(t *testing.T) {
	chain := sandbox.New(t)
	nobody := address.NewAddress(0, 0, make([]byte, 32))
	msg, err := tontlb.ToCell(&tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: nobody, Body: cell.BeginCell().EndCell()})
	if err != nil {
		t.Fatal(err)
	}
	err = chain.Send(t.Context(), msg)
	if !errors.Is(err, sandbox.ErrNotAccepted) {
		t.Errorf("got %v", err)
	}
	t.Log(err)
}

func checkConserved(t *testing.T, chain *sandbox.Chain) {
	t.Helper()
	if got, want := chain.Balances()+chain.InFlight()+chain.Fees(), chain.Supply(); got != want {
		t.Errorf("balances %s + in flight %s + fees %s = %s, supply is %s", chain.Balances(), chain.InFlight(), chain.Fees(), got, want)
	}
}
