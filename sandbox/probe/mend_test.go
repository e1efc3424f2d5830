package probe_test

import (
	"encoding/hex"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// TestHashWithoutGas: a contract that hashes a slice and cannot pay for it ends
// as out of gas, like any other, and the network goes on.
func TestHashWithoutGas(t *testing.T) {
	// ACCEPT, PUSHREFSLICE, 500 SETGASLIMIT, HASHSU
	raw, err := hex.DecodeString("f800898101f4f801f901")
	if err != nil {
		t.Fatal(err)
	}
	root := code(raw...).ToBuilder().MustStoreRef(cell.BeginCell().MustStoreUInt(7, 80).EndCell()).EndCell()
	hasher := address.NewAddress(0, 0, make([]byte, 32))
	chain := sandbox.New(t)
	if err := chain.SetBalance(t.Context(), hasher, tlb.TON); err != nil {
		t.Fatal(err)
	}
	if err := chain.SetCode(t.Context(), hasher, root); err != nil {
		t.Fatal(err)
	}
	trace, err := chain.SendInternal(t.Context(), sandbox.Internal{From: sandbox.Giver(), To: hasher, Amount: tlb.TON})
	if err != nil {
		t.Fatal(err)
	}
	if trace.Exit != get.ExitOutOfGas {
		t.Errorf("from outside: %s", trace.Exit)
	}
	if err := chain.Faucet(t.Context(), hasher, tlb.TON); err != nil {
		t.Errorf("from another account: %v", err)
	}
	if _, err := chain.Mine(t.Context(), 1); err != nil {
		t.Errorf("the next block: %v", err)
	}
	a, err := chain.Account(t.Context(), tlb.Block{}, hasher)
	if err != nil || a.LastLT <= trace.Tx.LT || a.LastLT == 0 {
		t.Errorf("the account's last transaction is at %d, %v", a.LastLT, err)
	}
	got, err := chain.RunGet(t.Context(), hasher, "any")
	if err != nil || got.Exit.OK() {
		t.Errorf("as a get method: %v, %v", got.Exit, err)
	}
}
