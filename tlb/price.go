package tlb

import (
	"fmt"
	"math/bits"
)

// Price is what a payee asks, in nanoTON per 1,000,000 tokens of each class. A token has one class:
// cached tokens are not also charged as prompt, nor reasoning tokens as completion.
//
//	price$_ prompt:Coins cached:Coins completion:Coins reasoning:Coins = Price;
type Price struct {
	Prompt     Nano
	Cached     Nano
	Completion Nano
	Reasoning  Nano
}

// priceUnit is the number of tokens that a Price is stated for.
const priceUnit = 1_000_000

// Cost returns what u costs, exact to the fraction and rounded up to a whole nanoTON once, at the
// end. It returns [ErrUsage] for impossible counts and [ErrOverflow] above [MaxNano].
func (p Price) Cost(u Usage) (Nano, error) {
	if err := u.Check(); err != nil {
		return 0, err
	}
	var hi, lo uint64 // a 128-bit sum; four products of at most 2^126 leave room for the rounding
	for _, class := range []struct {
		price  Nano
		tokens uint64
	}{
		{p.Prompt, u.Prompt - u.Cached},
		{p.Cached, u.Cached},
		{p.Completion, u.Completion - u.Reasoning},
		{p.Reasoning, u.Reasoning},
	} {
		if class.price > MaxNano {
			return 0, fmt.Errorf("price of %d nano: %w", uint64(class.price), ErrOverflow)
		}
		h, l := bits.Mul64(uint64(class.price), class.tokens)
		var carry uint64
		lo, carry = bits.Add64(lo, l, 0)
		hi, _ = bits.Add64(hi, h, carry)
	}
	lo, carry := bits.Add64(lo, priceUnit-1, 0)
	hi += carry
	if hi >= priceUnit { // the quotient would not fit in 64 bits
		return 0, fmt.Errorf("cost of %+v: %w", u, ErrOverflow)
	}
	cost, _ := bits.Div64(hi, lo, priceUnit)
	if Nano(cost) > MaxNano {
		return 0, fmt.Errorf("cost of %+v: %w", u, ErrOverflow)
	}
	return Nano(cost), nil
}

func (w *writer) price(p Price) {
	w.nano(p.Prompt)
	w.nano(p.Cached)
	w.nano(p.Completion)
	w.nano(p.Reasoning)
}

func (r *reader) price() Price {
	return Price{Prompt: r.nano(), Cached: r.nano(), Completion: r.nano(), Reasoning: r.nano()}
}
