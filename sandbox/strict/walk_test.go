package strict_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/liteserver"
	"github.com/tussah-network/tussah/sandbox/strict"
	"github.com/tussah-network/tussah/tlb"
)

// The accounts of a test world.
var (
	counter  = address.NewAddress(0, 0, bytes.Repeat([]byte{0xc0}, 32))
	plain    = address.NewAddress(0, 0, bytes.Repeat([]byte{0x11}, 32))
	masterly = address.NewAddress(0, 0xff, bytes.Repeat([]byte{0x22}, 32))
)

// serve is a chain with some history, several key blocks among it, whose
// basechain has 2^split shards, and a client of its liteserver.
func serve(t testing.TB, split uint8) (*sandbox.Chain, ton.LiteClient) {
	t.Helper()
	chain, err := sandbox.Open(sandbox.Options{SplitDepth: split, Genesis: []sandbox.GenesisAccount{{
		Address: counter, Balance: 7 * tlb.TON,
		// SETCP0 DROP ONE: every method returns 1.
		Code: cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0x30, 0x71}, 32).EndCell(), Data: cell.BeginCell().EndCell(),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chain.Close() })
	for n := range 4 {
		for _, to := range []*address.Address{counter, plain, masterly} {
			if err := chain.Faucet(t.Context(), to, tlb.TON); err != nil {
				t.Fatal(err)
			}
		}
		// A parameter nobody uses, so that every change makes a key block.
		if err := chain.SetConfig(t.Context(), 9999, cell.BeginCell().MustStoreUInt(uint64(n), 8).EndCell()); err != nil {
			t.Fatal(err)
		}
		if err := chain.Faucet(t.Context(), plain, tlb.TON); err != nil {
			t.Fatal(err)
		}
	}
	return chain, dial(t, chain)
}

func dial(t testing.TB, chain *sandbox.Chain) ton.LiteClient {
	t.Helper()
	s := liteserver.New(chain, ed25519.NewKeyFromSeed(make([]byte, 32)), liteserver.Options{})
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	pool := liteclient.NewConnectionPool()
	t.Cleanup(pool.Stop)
	if err := pool.AddConnection(t.Context(), s.Addr().String(), base64.StdEncoding.EncodeToString(s.Key())); err != nil {
		t.Fatal(err)
	}
	return pool
}

// first is the block that clients are told to trust.
func first(t testing.TB, chain *sandbox.Chain) *ton.BlockIDExt {
	t.Helper()
	id, err := chain.Lookup(-1, -1<<63, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: 1})
	if err != nil {
		t.Fatal(err)
	}
	return &id
}

// TUSSAH_STRICT_CALLS makes the walks longer.
func TestWalk(t *testing.T) {
	calls := 600
	if n, err := strconv.Atoi(os.Getenv("TUSSAH_STRICT_CALLS")); err == nil {
		calls = n
	}
	for split := range uint8(3) {
		t.Run(fmt.Sprintf("%d shards", 1<<split), func(t *testing.T) {
			chain, client := serve(t, split)
			r, err := strict.Walk(t.Context(), client, strict.Options{
				Trusted: first(t, chain), Calls: calls, Accounts: []*address.Address{counter, plain, masterly},
			})
			if err != nil {
				t.Fatalf("%v, after %+v", err, r)
			}
			if r.Total() < calls || r.KeyBlocks < 4 || r.Blocks == 0 || r.Shards < 1<<split || r.Accounts == 0 || r.Absent == 0 ||
				r.Transactions == 0 || r.Methods == 0 || r.Lookups == 0 {
				t.Errorf("%+v", r)
			}
			t.Logf("%d calls: %+v", r.Total(), r)
		})
	}
}

// liar changes answers on their way.
type liar struct {
	ton.LiteClient
	change func(query tl.Serializable, answer *tl.Serializable)
}

func (l liar) QueryLiteserver(ctx context.Context, query, answer tl.Serializable) error {
	err := l.LiteClient.QueryLiteserver(ctx, query, answer)
	if err == nil {
		l.change(query, answer.(*tl.Serializable))
	}
	return err
}

// A walk finds what does not fit, so that finding nothing means something.
func TestWalkFindsFault(t *testing.T) {
	chain, client := serve(t, 0)
	trusted := first(t, chain)
	for name, change := range map[string]func(query tl.Serializable, answer *tl.Serializable){
		"another block's bytes": func(_ tl.Serializable, answer *tl.Serializable) {
			if a, ok := (*answer).(ton.BlockData); ok {
				a.Payload = append(bytes.Clone(a.Payload), 0)
				*answer = a
			}
		},
		"another block found": func(_ tl.Serializable, answer *tl.Serializable) {
			if a, ok := (*answer).(ton.LookupBlockResult); ok {
				a.ID, a.MCBlockID = trusted, trusted
				*answer = a
			}
		},
		"another block found without proof": func(query tl.Serializable, answer *tl.Serializable) {
			if a, ok := (*answer).(ton.BlockHeader); ok {
				if _, lookup := query.(ton.LookupBlock); lookup {
					a.ID = a.ID.Copy()
					a.ID.RootHash[0] ^= 1
					*answer = a
				}
			}
		},
		"another result of a method": func(_ tl.Serializable, answer *tl.Serializable) {
			if a, ok := (*answer).(ton.RunMethodResult); ok {
				a.ExitCode = 11
				*answer = a
			}
		},
		"a shard proof cut short": func(_ tl.Serializable, answer *tl.Serializable) {
			if a, ok := (*answer).(ton.ShardBlockProof); ok {
				a.Links = nil
				*answer = a
			}
		},
		"a queue of another size": func(_ tl.Serializable, answer *tl.Serializable) {
			if a, ok := (*answer).(ton.OutMsgQueueSizes); ok {
				for i := range a.Shards {
					a.Shards[i].Size++
				}
			}
		},
	} {
		_, err := strict.Walk(t.Context(), liar{client, change}, strict.Options{
			Trusted: trusted, Calls: 200, Accounts: []*address.Address{counter, plain},
		})
		if err == nil {
			t.Errorf("%s was not noticed", name)
		}
	}
}

func TestAccountRate(t *testing.T) {
	chain, client := serve(t, 0)
	perSecond, err := strict.AccountRate(t.Context(), client, first(t, chain), counter, 2, 100*time.Millisecond)
	if err != nil || perSecond <= 0 {
		t.Fatalf("%f accounts/s, %v", perSecond, err)
	}
	t.Logf("%.0f accounts/s", perSecond)
}
