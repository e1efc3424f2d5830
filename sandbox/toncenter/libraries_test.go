package toncenter_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// TestLibraries serves a library that is there, and runs a get method of code
// that is in it, which looks at earlier blocks.
func TestLibraries(t *testing.T) {
	library := code(0x30, 0xf8, 0x34, 0x00, 0x6f, 0x10, 0x6f, 0x12) // DROP PREVMCBLOCKS 0 INDEX 2 INDEX: the newest's number
	user, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(library.Hash(), 256).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	address, _ := contractAt(t, user, count(0))
	chain := newChain(t, sandbox.GenesisAccount{Address: address, Balance: tlb.TON, Code: user})
	if err := chain.SetLibrary(t.Context(), library); err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Mine(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	c := serve(t, chain)
	var found struct {
		Result []struct{ Hash, Data string }
	}
	c.post("getLibraries", object{"libraries": []string{hex.EncodeToString(library.Hash()), hex.EncodeToString(make([]byte, 32))}}).into(t, &found)
	if len(found.Result) != 1 || found.Result[0].Data != encodeBOC(library) || found.Result[0].Hash != base64.StdEncoding.EncodeToString(library.Hash()) {
		t.Errorf("got %+v, want %s", found, encodeBOC(library))
	}
	head := chain.MasterHead().SeqNo
	for seqno := head; seqno > 1; seqno-- {
		var ran struct {
			Exit  int `json:"exit_code"`
			Stack [][2]string
		}
		c.post("runGetMethod", object{"address": address.String(), "method": "any", "stack": []any{}, "seqno": seqno}).into(t, &ran)
		if ran.Exit != 0 || ran.Stack[0][1] != fmt.Sprintf("0x%x", seqno) {
			t.Errorf("at block %d: exit code %d, %v", seqno, ran.Exit, ran.Stack)
		}
	}
}
