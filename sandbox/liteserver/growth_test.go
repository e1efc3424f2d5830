package liteserver

import (
	"os"
	"testing"

	"github.com/xssnick/tonutils-go/ton"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Proofs grow with the depth of the dictionary of accounts, not with the number
// of accounts: a hundred times as many add seven levels, of one pruned branch
// each.
func TestProofsDoNotGrowWithTheWorld(t *testing.T) {
	small, large := uint32(1000), uint32(10_000)
	if os.Getenv("TUSSAH_CI") != "" && !raceDetector {
		large = 100_000 // a quarter of a minute
	}
	const perLevel = 160 // bytes: an opened fork with its sum, and what stands for its other branch
	levels := 0
	for n := large / small; n > 0; n /= 2 {
		levels++
	}
	a, b := answerSizes(t, small), answerSizes(t, large)
	for name := range a {
		t.Logf("%s: %d bytes of %d accounts, %d of %d", name, a[name], small, b[name], large)
		if b[name] > a[name]+levels*perLevel {
			t.Errorf("%s grew from %d to %d bytes", name, a[name], b[name])
		}
	}
}

// answerSizes are the bytes of answers in a world of n accounts.
func answerSizes(t testing.TB, n uint32) map[string]int {
	t.Helper()
	o := sandbox.Options{}
	for i := range n {
		o.Genesis = append(o.Genesis, sandbox.GenesisAccount{Address: numbered(i), Balance: tlb.TON})
	}
	chain, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chain.Close() })
	if err = chain.Faucet(t.Context(), numbered(0), tlb.TON); err != nil {
		t.Fatal(err)
	}
	head := chain.MasterHead()
	sizes := make(map[string]int)
	answers := newAnswerer(chain, 1, 1)
	for name, q := range map[string]any{
		"account": ton.GetAccountState{ID: &head, Account: ton.AccountID{ID: numbered(1).Data()}},
		"absent":  ton.GetAccountState{ID: &head, Account: ton.AccountID{ID: numbered(n + 1).Data()}},
		"shards":  ton.GetAllShardsInfo{ID: &head},
		"config":  ton.GetConfigAll{BlockID: &head},
		"block":   ton.GetBlockData{ID: &head},
	} {
		answer, err := answers.answer(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		sizes[name] = len(serialized(t, answer))
	}
	return sizes
}
