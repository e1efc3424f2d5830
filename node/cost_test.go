package node

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/tlb"
)

func prices() *rapid.Generator[tlb.Price] {
	n := rapid.Custom(func(t *rapid.T) tlb.Nano { return tlb.Nano(rapid.Uint64Max(1e12).Draw(t, "nano")) })
	return rapid.Custom(func(t *rapid.T) tlb.Price {
		return tlb.Price{Prompt: n.Draw(t, "prompt"), Cached: n.Draw(t, "cached"), Completion: n.Draw(t, "completion"), Reasoning: n.Draw(t, "reasoning")}
	})
}

// No usage within the bounds costs more than the worst, and a start never more than the whole.
func TestWorstCostBoundsEveryUsage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := prices().Draw(t, "price")
		prompt, completion := rapid.Uint64Max(1e6).Draw(t, "prompt bound"), rapid.Uint64Max(1e6).Draw(t, "max tokens")
		worst, err := worstCost(price, prompt, completion)
		if err != nil {
			t.Fatal(err)
		}
		u := tlb.Usage{Prompt: rapid.Uint64Max(prompt).Draw(t, "p"), Completion: rapid.Uint64Max(completion).Draw(t, "c")}
		u.Cached, u.Reasoning = rapid.Uint64Max(u.Prompt).Draw(t, "cached"), rapid.Uint64Max(u.Completion).Draw(t, "reasoning")
		cost, err := price.Cost(u)
		if err != nil {
			t.Fatal(err)
		}
		if cost > worst {
			t.Errorf("%+v costs %s, worst %s", u, cost, worst)
		}
		start, err := startCost(price, prompt, completion)
		if err != nil || start > worst {
			t.Errorf("start %s of %s: %v", start, worst, err)
		}
	})
}

// A proxy never sells below what it buys at, whatever the usage.
func TestMarginNeverLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		buy := prices().Draw(t, "price")
		sell, err := withMargin(buy, rapid.Uint64Max(100_000).Draw(t, "bps"))
		if err != nil {
			t.Fatal(err)
		}
		u := tlb.Usage{Prompt: rapid.Uint64Max(1e6).Draw(t, "p"), Completion: rapid.Uint64Max(1e6).Draw(t, "c")}
		paid, err := buy.Cost(u)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sell.Cost(u)
		if err != nil || got < paid {
			t.Errorf("sold for %s what cost %s: %v", got, paid, err)
		}
	})
}

// What a proxy has its client authorise covers what the worker is about to deliver.
func TestResoldCoversEveryUsage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bought, sold := prices().Draw(t, "bought"), prices().Draw(t, "sold")
		u := tlb.Usage{Prompt: rapid.Uint64Max(1e6).Draw(t, "p"), Completion: rapid.Uint64Max(1e6).Draw(t, "c")}
		u.Cached, u.Reasoning = rapid.Uint64Max(u.Prompt).Draw(t, "cached"), rapid.Uint64Max(u.Completion).Draw(t, "reasoning")
		paid, err := bought.Cost(u)
		if err != nil {
			t.Fatal(err)
		}
		cost, err := sold.Cost(u)
		if err != nil {
			t.Fatal(err)
		}
		if most := resold(paid, bought, sold); cost > most {
			t.Errorf("%+v costs %s, bounded by %s", u, cost, most)
		}
	})
}
