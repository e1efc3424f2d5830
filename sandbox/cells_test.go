package sandbox

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// shelf is a store of cells in a map.
type shelf map[cell.Hash][]byte

func (s shelf) load(hash cell.Hash) (*cell.Cell, error) { return decodeCell(hash, s[hash], s.load) }

func (s shelf) put(t testing.TB, c *cell.Cell) {
	t.Helper()
	record, err := encodeCell(c)
	if err != nil {
		t.Fatal(err)
	}
	s[c.HashKey()] = record
	for i := range int(c.RefsNum()) {
		if !c.IsSpecial() {
			s.put(t, c.MustPeekRef(i))
		}
	}
}

// sampleCells are a cell of every kind there is in a state.
func sampleCells(t testing.TB) map[string]*cell.Cell {
	t.Helper()
	leaf := cell.BeginCell().MustStoreUInt(5, 3).EndCell()
	tree := cell.BeginCell().MustStoreUInt(0xff, 8).MustStoreRef(leaf).MustStoreRef(cell.BeginCell().MustStoreRef(leaf).EndCell()).EndCell()
	pruned, err := cell.CreatePrunedBranch(tree, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := cell.CreateMerkleProof(cell.BeginCell().MustStoreRef(pruned).MustStoreRef(leaf).EndCell())
	if err != nil {
		t.Fatal(err)
	}
	library, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(make([]byte, 32), 256).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	four := cell.BeginCell().MustStoreSlice(make([]byte, 128), 1023)
	for i := range uint64(4) {
		four.MustStoreRef(cell.BeginCell().MustStoreUInt(i, 8).EndCell())
	}
	return map[string]*cell.Cell{
		"empty": cell.BeginCell().EndCell(), "bits": leaf, "bytes": cell.BeginCell().MustStoreUInt(0xff80, 16).EndCell(),
		"full": cell.BeginCell().MustStoreSlice(make([]byte, 128), 1016).EndCell(), "four": four.EndCell(), "tree": tree,
		"proof": proof, "holds a proof": cell.BeginCell().MustStoreRef(proof).EndCell(), "library": library,
	}
}

func TestCellRecords(t *testing.T) {
	for name, c := range sampleCells(t) {
		stored := shelf{}
		stored.put(t, c)
		lazy, err := stored.load(c.HashKey())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if lazy.Depth() != c.Depth() || lazy.GetType() != c.GetType() || lazy.BitsSize() != c.BitsSize() {
			t.Errorf("%s: came back as %s", name, lazy.Dump())
		}
		back, err := lazy.PrewarmRecursive(0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// The hashes of the lazy form are taken on trust; these are not.
		if again, err := cell.FromBOC(back.ToBOC()); err != nil || again.HashKey() != c.HashKey() {
			t.Errorf("%s: came back as\n%s\nnot\n%s", name, back.Dump(), c.Dump())
		}
	}
}

// TestCellRecordFlips changes every bit of every record.
func TestCellRecordFlips(t *testing.T) {
	for name, c := range sampleCells(t) {
		record, err := encodeCell(c)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(record) {
			bad := append([]byte(nil), record...)
			bad[bit/8] ^= 1 << (bit % 8)
			if _, err := decodeCell(c.HashKey(), bad, nil); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s, bit %d: %v", name, bit, err)
			}
		}
		for n := range record {
			if _, err := decodeCell(c.HashKey(), record[:n], nil); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s, %d bytes: %v", name, n, err)
			}
		}
	}
}

// FuzzCellRecord decodes anything, under the hash it would have.
func FuzzCellRecord(f *testing.F) {
	for _, c := range sampleCells(f) {
		record, err := encodeCell(c)
		if err != nil {
			f.Fatal(err)
		}
		hash := c.HashKey()
		f.Add(hash[:], record)
	}
	f.Fuzz(func(t *testing.T, name, record []byte) {
		if len(record) > 0 && record[0] == plainCell {
			hash := sha256.Sum256(record[1:])
			name = hash[:]
		}
		if len(name) != 32 {
			return
		}
		c, err := decodeCell(cell.Hash(name), record, nil)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		again, err := encodeCell(c)
		if err != nil || c.HashKey() != cell.Hash(name) {
			t.Fatalf("%x became %s: %v", record, c.Dump(), err)
		}
		if record[0] == plainCell && string(again) != string(record) {
			t.Fatalf("%x became %x", record, again)
		}
	})
}

// TestCacheBounded measures what the cells in a full cache take.
func TestCacheBounded(t *testing.T) {
	const size = 16 << 20
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	cache := newCellCache(size)
	random := rand.New(rand.NewPCG(1, 2))
	var last cell.Hash
	for n := range uint64(200_000) {
		b := cell.BeginCell().MustStoreUInt(n, 64).MustStoreSlice(make([]byte, 32), 256)
		for range random.IntN(3) {
			b.MustStoreRef(cell.BeginCell().MustStoreUInt(random.Uint64(), 64).EndCell())
		}
		c := b.EndCell()
		record, err := encodeCell(c)
		if err != nil {
			t.Fatal(err)
		}
		last = c.HashKey()
		if c, err = decodeCell(last, record, nil); err != nil {
			t.Fatal(err)
		}
		cache.put(last, c)
	}
	if cache.get(last) == nil {
		t.Error("the newest is gone")
	}
	took := int(heap() - before)
	runtime.KeepAlive(cache)
	reckoned := cache.used + cache.half // the old half was full when it became that
	t.Logf("%d cells, reckoned to take %d bytes, take %d", len(cache.young)+len(cache.old), reckoned, took)
	if reckoned > size || took > reckoned*5/4 || took < reckoned/2 {
		t.Errorf("cells reckoned to take %d of %d bytes take %d", reckoned, size, took)
	}
}

// TestForeignCells stores a tree that lies in another chain's database.
func TestForeignCells(t *testing.T) {
	one, err := openDatabase(vfs.NewMem(), "one", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer one.close()
	two, err := openDatabase(vfs.NewMem(), "two", 1)
	if err != nil {
		t.Fatal(err)
	}
	tree := sampleCells(t)["tree"]
	lazy, err := one.keep(tree)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := two.keep(cell.BeginCell().MustStoreRef(lazy).EndCell())
	if err != nil {
		t.Fatal(err)
	}
	if err := one.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := lazy.MustPeekRef(0).BeginParse(); !errors.Is(err, ErrClosed) {
		t.Errorf("read from a closed chain: %v", err)
	}
	if back, err := copied.PrewarmRecursive(0); err != nil || back.MustPeekRef(0).HashKey() != tree.HashKey() {
		t.Errorf("the copy: %v", err)
	}
	if err := two.close(); err != nil {
		t.Fatal(err)
	}
}

// TestUnstorable refuses a cell with a part missing.
func TestUnstorable(t *testing.T) {
	pruned, err := cell.CreatePrunedBranch(sampleCells(t)["tree"], 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*cell.Cell{"pruned": pruned, "above it": cell.BeginCell().MustStoreRef(pruned).EndCell()} {
		if record, err := encodeCell(c); err == nil {
			t.Errorf("%s is stored as %x", name, record)
		}
	}
}
