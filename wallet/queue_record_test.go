package wallet_test

import (
	"errors"
	"testing"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

func TestDamagedQueue(t *testing.T) {
	ctx := t.Context()
	chain, w := funded(t, wallet.HighloadV3, 10*tlb.TON)
	store := newMemory()
	chain.send = func(*cell.Cell) (bool, error) { return false, nil }
	q := queue(t, w, chain, store)
	for _, id := range []string{"one", "two"} {
		if err := q.Enqueue(ctx, id, []contracts.Message{gift(id, tlb.TON)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Step(ctx); err != nil {
		t.Fatal(err)
	}
	kinds := map[byte]bool{}
	for key, record := range store.rows {
		kinds[key[0]] = true
		for i := range record {
			damaged := append([]byte{}, record...)
			damaged[i] ^= 0x10
			_, err := wallet.Reencode(key[0], damaged)
			want := wallet.ErrRecordCorrupt
			if i == 0 {
				want = wallet.ErrRecordVersion
			}
			if !errors.Is(err, want) {
				t.Fatalf("%q, byte %d changed: %v, want %v", key, i, err, want)
			}
		}
		if key[0] == 'w' || key[0] == 'f' {
			broken := newMemory()
			for k, v := range store.rows {
				broken.rows[k] = v
			}
			broken.rows[key] = record[:len(record)-1]
			if _, err := wallet.NewQueue(w, chain, broken, wallet.Options{}); !errors.Is(err, wallet.ErrRecordCorrupt) {
				t.Errorf("NewQueue with %q cut: %v, want %v", key, err, wallet.ErrRecordCorrupt)
			}
		}
	}
	if len(kinds) != 4 {
		t.Errorf("records of %d kinds, want 4", len(kinds))
	}
}

func FuzzQueueRecord(f *testing.F) {
	chain, w := funded(f, wallet.HighloadV3, 10*tlb.TON)
	store := newMemory()
	q := queue(f, w, chain, store)
	chain.send = func(*cell.Cell) (bool, error) { return false, nil }
	for _, id := range []string{"one", "two"} {
		if err := q.Enqueue(f.Context(), id, []contracts.Message{gift(id, tlb.TON)}); err != nil {
			f.Fatal(err)
		}
	}
	if err := q.Step(f.Context()); err != nil {
		f.Fatal(err)
	}
	if len(store.rows) != 6 {
		f.Fatalf("%d seeds, want 6", len(store.rows))
	}
	for key, record := range store.rows {
		f.Add(key[0], record)
	}
	f.Fuzz(func(t *testing.T, kind byte, record []byte) {
		again, err := wallet.Reencode(kind, record)
		if err != nil {
			record = wallet.WithChecksum(record)
			if again, err = wallet.Reencode(kind, record); err != nil {
				return
			}
		}
		if string(again) != string(record) {
			t.Errorf("parsed %x, which is written %x", record, again)
		}
	})
}
