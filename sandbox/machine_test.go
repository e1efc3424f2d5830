package sandbox_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// instructions makes a code cell of hex instructions.
func instructions(t testing.TB, text string) *cell.Cell {
	t.Helper()
	bytes, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return cell.BeginCell().MustStoreSlice(bytes, uint(len(bytes)*8)).EndCell()
}

// TestLooksBack: however a contract comes by earlier blocks, it sees the same
// ones in a chain that makes blocks at once and in one that makes them when
// asked.
func TestLooksBack(t *testing.T) {
	const keepRoot = "6f13c8cbffc9ed54" // 3 INDEX NEWC 256 STU ENDC c4 POP
	for name, look := range map[string]string{
		"PREVMCBLOCKS":        "f834006f10",             // 0 INDEX
		"PREVKEYBLOCK":        "f83401",                 //
		"PREVMCBLOCKS_100":    "f834026f10",             // 0 INDEX
		"PREVBLOCKSINFOTUPLE": "f82d6f106f10",           // 0 INDEX 0 INDEX
		"GETPARAMLONG":        "f8810d6f106f10",         // 13
		"PUSHCTR":             "ed476f106f1d6f106f10",   // c7, 0 INDEX 13 INDEX …
		"PUSHCTRX":            "77ede06f106f1d6f106f10", // 7
		"GETGLOBVAR":          "70f8406f1d6f106f10",     // 0
	} {
		t.Run(name, func(t *testing.T) {
			var data []*cell.Cell
			for _, fs := range []vfs.FS{nil, vfs.NewMem()} {
				now := time.Unix(1_800_000_000, 0)
				curious := account(base, 1)
				chain := openChain(t, sandbox.Options{
					FS: fs, Now: func() time.Time { return now },
					Genesis: []sandbox.GenesisAccount{{Address: curious, Balance: tlb.TON, Code: instructions(t, look+keepRoot)}},
				})
				for range 3 {
					if err := chain.Faucet(t.Context(), account(base, 9), tlb.TON); err != nil {
						t.Fatal(err)
					}
				}
				if got, err := chain.RunGet(t.Context(), curious, "anything"); err != nil || !got.Exit.OK() {
					t.Fatalf("as a get method: %v, %v", got.Exit, err)
				}
				if err := chain.Faucet(t.Context(), curious, tlb.TON); err != nil {
					t.Fatal(err)
				}
				a, err := chain.Account(t.Context(), tlb.Block{}, curious)
				if err != nil {
					t.Fatal(err)
				}
				if a.Data.BitsSize() != 256 {
					t.Fatalf("contract kept %s", a.Data.Dump())
				}
				data = append(data, a.Data)
			}
			if data[0].HashKey() != data[1].HashKey() {
				t.Errorf("saw %s in memory and %s in a stored chain", data[0].Dump(), data[1].Dump())
			}
		})
	}
}

// TestBuiltLate: a chain is the same to the last hash whether its blocks are
// made at once or all at the end.
func TestBuiltLate(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var heads []tlb.Block
	for _, eager := range []bool{false, true} {
		chain := openChain(t, sandbox.Options{Now: func() time.Time { return now }})
		for n := range byte(20) {
			if err := chain.Faucet(t.Context(), account(base, n%3), tlb.TON); err != nil {
				t.Fatal(err)
			}
			if n == 7 {
				if err := chain.AdvanceTime(t.Context(), time.Hour); err != nil {
					t.Fatal(err)
				}
			}
			if eager {
				chain.MasterHead()
			}
		}
		head, err := chain.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, head)
		checkConserved(t, chain)
		checkBlocks(t, chain)
	}
	if heads[0] != heads[1] {
		t.Errorf("built late: %+v, built at once: %+v", heads[0], heads[1])
	}
}
