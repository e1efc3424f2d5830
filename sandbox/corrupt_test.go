package sandbox_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

func seeded(n int64) *rand.Rand { return rand.New(rand.NewPCG(uint64(n), 1)) }

// checkStates reads the state after every block from one on, whole, and compares
// it with what the block says.
func checkStates(t *testing.T, chain *sandbox.Chain, from uint32) {
	t.Helper()
	if _, err := readStates(chain, from); err != nil {
		t.Error(err)
	}
}

func readStates(chain *sandbox.Chain, from uint32) (sum [32]byte, err error) {
	head := chain.MasterHead()
	for _, workchain := range []int32{master, base} {
		for seqno := from; seqno <= head.SeqNo; seqno++ {
			id, err := chain.Lookup(workchain, -1<<63, sandbox.Lookup{Seqno: seqno})
			if err != nil {
				return sum, err
			}
			lazy, err := chain.State(id)
			if err != nil {
				return sum, err
			}
			state, err := lazy.PrewarmRecursive(0)
			if err != nil {
				return sum, err
			}
			want := [32]byte(id.RootHash) // of a zero state
			if seqno > 0 {
				block, err := chain.Block(id)
				if err != nil {
					return sum, err
				}
				want = block.MustPeekRef(2).MustPeekRef(1).HashKey(0)
			}
			// From its bytes, since the hashes of what was read are taken on trust.
			again, err := cell.FromBOC(state.ToBOC())
			if err != nil || [32]byte(again.HashKey()) != want {
				return sum, fmt.Errorf("state after block %d of %d is %x, not %x", seqno, workchain, state.Hash(), want)
			}
			sum = sha256.Sum256(append(sum[:], want[:]...))
		}
	}
	return sum, nil
}

// transcript is what can be read from a chain, and what becomes of it.
func transcript(t *testing.T, o sandbox.Options) (text string, err error) {
	chain, err := sandbox.Open(o)
	if err != nil {
		return "", err
	}
	defer chain.Close()
	for n := range byte(4) {
		for _, workchain := range []int32{master, base} {
			a, err := chain.Account(t.Context(), tlb.Block{}, account(workchain, n))
			if err != nil {
				return "", err
			}
			text += fmt.Sprintf("%s %s %d\n", a.Status, a.Balance, a.LastLT)
			txs, err := chain.Transactions(t.Context(), account(workchain, n), a.LastLT, a.LastHash, 100)
			if err != nil {
				return "", err
			}
			for _, tx := range txs {
				text += fmt.Sprintf("%x\n", tx.Hash)
			}
		}
	}
	states, err := readStates(chain, 0)
	if err != nil {
		return "", err
	}
	if err := chain.Send(t.Context(), give(t, 100, account(base, 1), tlb.TON, false)); err != nil {
		return "", err
	}
	if _, err := chain.Seal(t.Context()); err != nil {
		return "", err
	}
	return text + fmt.Sprintf("%x %s %s %v", states, chain.Supply(), chain.Fees(), chain.MasterHead()), nil
}

// TestCorruption flips bits in each record of a stored chain, and loses it. What
// is read then is right, or ErrCorrupt.
func TestCorruption(t *testing.T) {
	t.Parallel()
	good := vfs.NewCrashableMem()
	o := manual(good)
	o.Dir = "chain"
	chain, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		takeStep(t, chain, n)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	onCopy := func(change func(*pebble.DB) error) sandbox.Options {
		o := o
		o.FS = good.CrashClone(vfs.CrashCloneCfg{})
		db, err := pebble.Open(o.Dir, &pebble.Options{FS: o.FS, Logger: quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(change(db), db.Close()); err != nil {
			t.Fatal(err)
		}
		return o
	}
	type record struct{ key, value []byte }
	var records []record
	want, err := transcript(t, onCopy(func(db *pebble.DB) error {
		it, err := db.NewIter(nil)
		if err != nil {
			return err
		}
		for it.First(); it.Valid(); it.Next() {
			records = append(records, record{append([]byte(nil), it.Key()...), append([]byte(nil), it.Value()...)})
		}
		return it.Close()
	}))
	if err != nil {
		t.Fatal(err)
	}
	found, random := 0, seeded(1)
	check := func(r record, what string, change func(*pebble.DB) error) {
		t.Helper()
		got, err := transcript(t, onCopy(change))
		switch {
		case errors.Is(err, sandbox.ErrCorrupt):
			found++
		case err != nil && r.key[0] == 't' && errors.Is(err, sandbox.ErrVersion): // it says so, in a way
			found++
		case err != nil:
			t.Errorf("record %c%x, %s: %v", r.key[0], r.key[1:], what, err)
		case got != want:
			t.Errorf("record %c%x, %s: reads\n%s\nwant\n%s", r.key[0], r.key[1:], what, got, want)
		}
	}
	tries := 0
	for _, r := range records {
		if r.key[0] == 'k' && random.IntN(3) > 0 {
			continue // these are all alike
		}
		tries++
		bit := random.IntN(8 * len(r.value))
		flipped := append([]byte(nil), r.value...)
		flipped[bit/8] ^= 1 << (bit % 8)
		check(r, fmt.Sprintf("bit %d", bit), func(db *pebble.DB) error { return db.Set(r.key, flipped, pebble.Sync) })
		if r.key[0] == 't' || r.key[0] == 'k' && random.IntN(3) > 0 {
			continue // without a tip, there is no chain
		}
		tries++
		check(r, "lost", func(db *pebble.DB) error { return db.Delete(r.key, pebble.Sync) })
	}
	t.Logf("%d records, %d of %d faults found", len(records), found, tries)
}
