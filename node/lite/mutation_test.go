package lite_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// mutations is how many answers TestMutations spoils.
const mutations = 10_000

// spoil changes an answer in a few places. Bags of cells in it get their checksums
// corrected half of the time, so that the damage comes further than the first look.
func spoil(r *rand.Rand, honest []byte) []byte {
	b := append([]byte(nil), honest...)
	for range 1 + r.IntN(3) {
		i := r.IntN(len(b))
		switch r.IntN(6) {
		case 0:
			b[i] ^= 1 << r.IntN(8)
		case 1:
			b[i] = byte(r.Uint32())
		case 2:
			b = b[:i+1] // cut short
		case 3:
			b = append(b, byte(r.Uint32())) // too long
		case 4: // swap two pieces
			j, n := r.IntN(len(b)), 1+r.IntN(64)
			for k := range min(n, len(b)-i, len(b)-j) {
				b[i+k], b[j+k] = b[j+k], b[i+k]
			}
		case 5:
			b[i] ^= 0x20 << r.IntN(3) // where it is a descriptor, the level mask
		}
	}
	if r.IntN(2) == 0 {
		fixChecksums(b)
	}
	return b
}

// fixChecksums corrects the checksum of each bag of cells in b whose header is as
// the honest server writes it: magic, flags with checksum, and sizes.
func fixChecksums(b []byte) {
	for i := 0; i+4 < len(b); i++ {
		if binary.BigEndian.Uint32(b[i:]) != 0xb5ee9c72 {
			continue
		}
		// The TL length in front tells where the bag ends.
		for _, header := range []int{1, 4} {
			if i < header {
				continue
			}
			bag, _, err := tl.FromBytesNoCopy(b[i-header:])
			if err == nil && len(bag) > 8 && &bag[0] == &b[i] && bag[4]&0x40 != 0 {
				body, sum := bag[:len(bag)-4], bag[len(bag)-4:]
				binary.LittleEndian.PutUint32(sum, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
			}
		}
	}
}

// Whatever an answer is spoiled to, what the client believes is the truth.
func TestMutations(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	for i := range 20 {
		w.faucet(t, testAddress(0, byte(i*11)), 1)
	}
	w.faucet(t, w.calculator, 10)
	c := w.open(t, lite.Options{})
	head, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := lite.IDOf(head)
	ask := func(query any) []byte {
		answer, err := c.Ask(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	acc, err := w.chain.Account(t.Context(), tlb.Block{}, w.calculator)
	if err != nil {
		t.Fatal(err)
	}
	first, err := w.chain.Lookup(-1, masterShard, sandbox.Lookup{Seqno: 1})
	if err != nil {
		t.Fatal(err)
	}
	key := keyBlockOf(first)
	calculator, nobody := accountIDOf(w.calculator), accountIDOf(w.nobody)

	readers := []struct {
		name   string
		honest []byte
		read   func(answer []byte) (any, error)
	}{
		{"account", ask(ton.GetAccountState{ID: id, Account: calculator}), func(b []byte) (any, error) { return c.ReadAccount(b, id, w.calculator) }},
		{"absent account", ask(ton.GetAccountState{ID: id, Account: nobody}), func(b []byte) (any, error) { return c.ReadAccount(b, id, w.nobody) }},
		{"transactions", ask(ton.GetTransactions{Limit: 10, AccID: &calculator, LT: int64(acc.LastLT), TxHash: acc.LastHash[:]}),
			func(b []byte) (any, error) {
				return lite.ReadTransactions(b, w.calculator, acc.LastLT, acc.LastHash, 10)
			}},
		{"config", ask(ton.GetConfigAll{BlockID: id}), func(b []byte) (any, error) { return c.ReadConfig(b, id) }},
		{"head", ask(ton.GetBlockProof{KnownBlock: &first}), func(b []byte) (any, error) { return c.ReadHead(b, key) }},
	}
	const seed = 20261122
	r := rand.New(rand.NewPCG(seed, 0))
	for _, reader := range readers {
		t.Run(reader.name, func(t *testing.T) {
			want, err := reader.read(reader.honest)
			if err != nil {
				t.Fatalf("honest answer: %v", err)
			}
			believed, slowest := 0, time.Duration(0)
			for n := range mutations / len(readers) {
				began := time.Now()
				got, err := reader.read(spoil(r, reader.honest))
				slowest = max(slowest, time.Since(began))
				if errors.Is(err, lite.ErrPanic) {
					t.Fatalf("seed %d, mutation %d: %v", seed, n, err)
				}
				if err != nil {
					continue
				}
				believed++
				// A shorter list of transactions is the truth, too.
				if txs, ok := got.([]tlb.Tx); ok {
					whole := want.([]tlb.Tx)
					if len(txs) > len(whole) || !cmp.Equal(txs, whole[:len(txs)], equal) {
						t.Fatalf("seed %d, mutation %d: believed other transactions", seed, n)
					}
					continue
				}
				if diff := cmp.Diff(want, got, equal); diff != "" {
					t.Fatalf("seed %d, mutation %d: believed %s", seed, n, diff)
				}
			}
			if slowest > 2*time.Second {
				t.Errorf("one answer took %s", slowest)
			}
			t.Logf("%d of %d still said the truth; the slowest took %s", believed, mutations/len(readers), slowest)
		})
	}
}

func accountIDOf(a *address.Address) ton.AccountID {
	return ton.AccountID{Workchain: a.Workchain(), ID: a.Data()}
}

func FuzzAnswer(f *testing.F) {
	w := newWorld(f, sandbox.Options{})
	w.faucet(f, w.calculator, 2)
	c := w.open(f, lite.Options{})
	head, err := c.Head(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	id := lite.IDOf(head)
	acc, err := w.chain.Account(f.Context(), tlb.Block{}, w.calculator)
	if err != nil {
		f.Fatal(err)
	}
	config := w.chain.Config().HashKey()
	calculator := accountIDOf(w.calculator)
	for _, query := range []any{
		ton.GetAccountState{ID: id, Account: calculator}, ton.GetConfigAll{BlockID: id}, ton.GetBlockProof{KnownBlock: id},
		ton.GetTransactions{Limit: 10, AccID: &calculator, LT: int64(acc.LastLT), TxHash: acc.LastHash[:]},
	} {
		answer, err := c.Ask(f.Context(), query)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(answer)
	}
	key := lite.KeyBlock{Seqno: head.Seqno, RootHash: head.RootHash, FileHash: head.FileHash}
	f.Fuzz(func(t *testing.T, answer []byte) {
		fixChecksums(answer)
		if got, err := c.ReadAccount(answer, id, w.calculator); errors.Is(err, lite.ErrPanic) || (err == nil && !cmp.Equal(got, acc, equal)) {
			t.Errorf("account: %+v, %v", got, err)
		}
		if got, err := c.ReadConfig(answer, id); errors.Is(err, lite.ErrPanic) || (err == nil && got.HashKey() != config) {
			t.Errorf("config: %v", err)
		}
		if got, err := lite.ReadTransactions(answer, w.calculator, acc.LastLT, acc.LastHash, 10); errors.Is(err, lite.ErrPanic) || (err == nil && got[0].Hash != acc.LastHash) {
			t.Errorf("transactions: %v", err)
		}
		if _, err := c.ReadHead(answer, key); errors.Is(err, lite.ErrPanic) {
			t.Errorf("head: %v", err)
		}
	})
}
