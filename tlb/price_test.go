package tlb_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/tussah-network/tussah/tlb"
	"pgregory.net/rapid"
)

func TestUsageCheck(t *testing.T) {
	for _, c := range []struct {
		usage tlb.Usage
		want  error
	}{
		{tlb.Usage{}, nil},
		{tlb.Usage{Prompt: 5, Cached: 5, Completion: 3, Reasoning: 3}, nil},
		{tlb.Usage{Prompt: 5, Cached: 6}, tlb.ErrUsage},
		{tlb.Usage{Completion: 5, Reasoning: 6}, tlb.ErrUsage},
	} {
		if err := c.usage.Check(); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.usage, err, c.want)
		}
	}
}

func TestPriceCost(t *testing.T) {
	price := tlb.Price{Prompt: 1_000_000, Cached: 100_000, Completion: 4_000_000, Reasoning: 2_000_000}
	for _, c := range []struct {
		name  string
		price tlb.Price
		usage tlb.Usage
		want  tlb.Nano
		err   error
	}{
		{"nothing used", price, tlb.Usage{}, 0, nil},
		{"free", tlb.Price{}, tlb.Usage{Prompt: math.MaxUint64, Completion: math.MaxUint64}, 0, nil},
		{"each class once", price, tlb.Usage{Prompt: 30, Cached: 10, Completion: 7, Reasoning: 2}, 20 + 1 + 20 + 4, nil},
		{"a fraction is rounded up", tlb.Price{Prompt: 1}, tlb.Usage{Prompt: 1}, 1, nil},
		{"once, not per class", tlb.Price{Prompt: 1, Completion: 1}, tlb.Usage{Prompt: 1, Completion: 1}, 1, nil},
		{"a whole number is not", tlb.Price{Prompt: 1}, tlb.Usage{Prompt: 1_000_000}, 1, nil},
		{"one token over it is", tlb.Price{Prompt: 1}, tlb.Usage{Prompt: 1_000_001}, 2, nil},
		{"the maximum", tlb.Price{Prompt: tlb.MaxNano}, tlb.Usage{Prompt: 1_000_000}, tlb.MaxNano, nil},
		{"above it", tlb.Price{Prompt: tlb.MaxNano}, tlb.Usage{Prompt: 1_000_001}, 0, tlb.ErrOverflow},
		{"far above it", tlb.Price{Prompt: tlb.MaxNano, Completion: tlb.MaxNano},
			tlb.Usage{Prompt: math.MaxUint64, Completion: math.MaxUint64}, 0, tlb.ErrOverflow},
		{"price above the maximum", tlb.Price{Cached: tlb.MaxNano + 1}, tlb.Usage{}, 0, tlb.ErrOverflow},
		{"impossible usage", price, tlb.Usage{Cached: 1}, 0, tlb.ErrUsage},
	} {
		if got, err := c.price.Cost(c.usage); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, uint64(got), err, uint64(c.want), c.err)
		}
	}
}

func anyUsage() *rapid.Generator[tlb.Usage] {
	return rapid.Custom(func(t *rapid.T) tlb.Usage {
		limit := uint64(1)<<rapid.IntRange(0, 63).Draw(t, "bits") - 1
		if rapid.Bool().Draw(t, "any") {
			limit = math.MaxUint64
		}
		var u tlb.Usage
		u.Prompt = rapid.Uint64Range(0, limit).Draw(t, "prompt")
		u.Cached = rapid.Uint64Range(0, u.Prompt).Draw(t, "cached")
		u.Completion = rapid.Uint64Range(0, limit).Draw(t, "completion")
		u.Reasoning = rapid.Uint64Range(0, u.Completion).Draw(t, "reasoning")
		return u
	})
}

func anyPrice() *rapid.Generator[tlb.Price] {
	return rapid.Custom(func(t *rapid.T) tlb.Price {
		return tlb.Price{
			Prompt:     anyNano().Draw(t, "prompt price"),
			Cached:     anyNano().Draw(t, "cached price"),
			Completion: anyNano().Draw(t, "completion price"),
			Reasoning:  anyNano().Draw(t, "reasoning price"),
		}
	})
}

func TestPriceCostAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, u := anyPrice().Draw(t, "price"), anyUsage().Draw(t, "usage")
		sum := new(big.Int)
		add := func(price tlb.Nano, tokens uint64) {
			product := new(big.Int).SetUint64(uint64(price))
			sum.Add(sum, product.Mul(product, new(big.Int).SetUint64(tokens)))
		}
		add(p.Prompt, u.Prompt-u.Cached)
		add(p.Cached, u.Cached)
		add(p.Completion, u.Completion-u.Reasoning)
		add(p.Reasoning, u.Reasoning)
		want, rest := new(big.Int).QuoRem(sum, big.NewInt(1_000_000), new(big.Int))
		if rest.Sign() > 0 {
			want.Add(want, big.NewInt(1))
		}

		got, err := p.Cost(u)
		if want.Cmp(new(big.Int).SetUint64(uint64(tlb.MaxNano))) > 0 {
			if !errors.Is(err, tlb.ErrOverflow) || got != 0 {
				t.Fatalf("cost = %d, %v; the true %v is too much", uint64(got), err, want)
			}
		} else if err != nil || uint64(got) != want.Uint64() {
			t.Fatalf("cost = %d, %v; want %v", uint64(got), err, want)
		}
	})
}

func ExamplePrice_Cost() {
	price := tlb.Price{ // per million tokens
		Prompt:     200_000_000,
		Cached:     20_000_000,
		Completion: 800_000_000,
		Reasoning:  800_000_000,
	}
	cost, err := price.Cost(tlb.Usage{Prompt: 1_200, Cached: 1_000, Completion: 350})
	fmt.Println(cost, err)
	// Output: 0.00034 TON <nil>
}
