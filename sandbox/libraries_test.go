package sandbox_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// libraryCell is a reference to a library, which stands in for it.
func libraryCell(t testing.TB, library *cell.Cell) *cell.Cell {
	t.Helper()
	body := append([]byte{2}, library.Hash()...)
	c, err := cell.BeginCell().MustStoreSlice(body, 264).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answers is code that says 42 to any get method, and takes any message.
func answers(t testing.TB) *cell.Cell { return instructions(t, "802a") }

// TestLibraries: code that is only a reference to a public library runs while
// there is one, in a chain in memory and in a stored one that is opened again,
// restored, dumped and loaded.
func TestLibraries(t *testing.T) {
	for _, fs := range []vfs.FS{nil, vfs.NewMem()} {
		library, user := answers(t), account(base, 1)
		o := sandbox.Options{
			FS: fs, Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
			Genesis: []sandbox.GenesisAccount{{Address: user, Balance: tlb.TON, Code: libraryCell(t, library)}},
		}
		chain := openChain(t, o)
		works := func(chain *sandbox.Chain, want bool) {
			t.Helper()
			got, err := chain.RunGet(t.Context(), user, "anything")
			if err != nil || got.Exit.OK() != want {
				t.Fatalf("get method ends with %s, %v", got.Exit, err)
			}
			trace, err := chain.SendInternal(t.Context(), sandbox.Internal{From: account(base, 2), To: user, Amount: tlb.TON})
			if err != nil || trace.Aborted == want {
				t.Fatalf("message: aborted %t, %v", trace.Aborted, err)
			}
			if _, err := chain.Library(library.HashKey()); (err == nil) != want || err != nil && !errors.Is(err, sandbox.ErrNotFound) {
				t.Fatal(err)
			}
		}
		works(chain, false)
		before := chain.Snapshot()
		if err := chain.SetLibrary(t.Context(), library); err != nil {
			t.Fatal(err)
		}
		works(chain, true)
		if err := chain.Restore(before); err != nil {
			t.Fatal(err)
		}
		works(chain, false)
		if err := chain.SetLibrary(t.Context(), library); err != nil {
			t.Fatal(err)
		}
		var dump bytes.Buffer
		if err := chain.Dump(&dump); err != nil {
			t.Fatal(err)
		}
		works(openChain(t, sandbox.Options{Load: &dump, Now: o.Now}), true)
		if fs != nil {
			if err := chain.Close(); err != nil {
				t.Fatal(err)
			}
			o.Genesis = nil
			chain = openChain(t, o)
		}
		works(chain, true)
		if err := chain.RemoveLibrary(t.Context(), library.HashKey()); err != nil {
			t.Fatal(err)
		}
		works(chain, false)
		works(openChain(t, sandbox.Options{
			Libraries: []*cell.Cell{library, answers(t)}, Genesis: []sandbox.GenesisAccount{{Address: user, Balance: tlb.TON, Code: libraryCell(t, library)}},
		}), true)
	}
}

// TestPublish: accounts of the masterchain publish what they set with
// SETLIBCODE; the library stays until its last publisher takes it back. In the
// basechain the same does nothing.
func TestPublish(t *testing.T) {
	library := answers(t)
	// The mode is the body's first byte, the library the code's first reference:
	// DROP 8 PLDU PUSHREF SWAP SETLIBCODE.
	code := instructions(t, "30d70b078801fb06").ToBuilder().MustStoreRef(library).EndCell()
	first, second, low := account(master, 1), account(master, 2), account(base, 3)
	chain := openChain(t, sandbox.Options{Genesis: []sandbox.GenesisAccount{
		{Address: first, Balance: 100 * tlb.TON, Code: code}, {Address: second, Balance: 100 * tlb.TON, Code: code}, {Address: low, Balance: 100 * tlb.TON, Code: code},
	}})
	const remove, private, public = 0, 1, 2
	for n, step := range []struct {
		who  byte
		mode uint64
		want bool
	}{
		{3, public, false}, {1, private, false}, {1, public, true}, {2, public, true}, {1, private, true}, {2, remove, false},
		{1, public, true}, {1, remove, false},
	} {
		to := map[byte]int32{1: master, 2: master, 3: base}[step.who]
		trace, err := chain.SendInternal(t.Context(), sandbox.Internal{
			From: account(base, 9), To: account(to, step.who), Amount: 10 * tlb.TON,
			Body: cell.BeginCell().MustStoreUInt(step.mode, 8).EndCell(),
		})
		if err != nil || trace.Aborted {
			t.Fatalf("step %d: %v, %+v", n, err, trace)
		}
		if _, err := chain.Library(library.HashKey()); (err == nil) != step.want {
			t.Errorf("step %d: %v", n, err)
		}
	}
	checkConserved(t, chain)
}

func TestLibraryRefused(t *testing.T) {
	chain := openChain(t, sandbox.Options{})
	deep := cell.BeginCell().EndCell()
	for range 600 {
		deep = cell.BeginCell().MustStoreRef(deep).EndCell()
	}
	for _, bad := range []*cell.Cell{nil, libraryCell(t, answers(t)), deep} {
		if err := chain.SetLibrary(t.Context(), bad); !errors.Is(err, sandbox.ErrTree) {
			t.Errorf("got %v, want %v", err, sandbox.ErrTree)
		}
		if _, err := sandbox.Open(sandbox.Options{Libraries: []*cell.Cell{bad}}); !errors.Is(err, sandbox.ErrTree) {
			t.Errorf("from the start: got %v, want %v", err, sandbox.ErrTree)
		}
	}
}
