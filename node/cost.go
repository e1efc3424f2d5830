package node

import (
	"math/bits"

	"github.com/tussah-network/tussah/tlb"
)

// worstCost is the most that a request can cost: every prompt token and every
// completion token in its dearer class.
func worstCost(p tlb.Price, prompt, completion uint64) (tlb.Nano, error) {
	p.Prompt, p.Completion = max(p.Prompt, p.Cached), max(p.Completion, p.Reasoning)
	return p.Cost(tlb.Usage{Prompt: prompt, Completion: completion})
}

// firstStep is how many completion tokens must be authorised, beside the whole
// prompt, before a payee begins.
const firstStep = 16

// startCost is what a payee wants authorised before it begins.
func startCost(p tlb.Price, prompt, completion uint64) (tlb.Nano, error) {
	return worstCost(p, prompt, min(completion, firstStep))
}

// withMargin adds a proxy's margin to a price, each class rounded up.
func withMargin(p tlb.Price, bps uint64) (tlb.Price, error) {
	for _, class := range []*tlb.Nano{&p.Prompt, &p.Cached, &p.Completion, &p.Reasoning} {
		raised, err := class.Mul(10_000 + bps)
		if err != nil {
			return tlb.Price{}, err
		}
		*class = (raised + 9_999) / 10_000
	}
	return p, nil
}

// resold bounds what usage that cost at most paid at the price bought costs at the
// price sold: paid, scaled by the class whose price rises most.
func resold(paid tlb.Nano, bought, sold tlb.Price) tlb.Nano {
	var most tlb.Nano
	for _, class := range [][2]tlb.Nano{{bought.Prompt, sold.Prompt}, {bought.Cached, sold.Cached},
		{bought.Completion, sold.Completion}, {bought.Reasoning, sold.Reasoning}} {
		if class[0] == 0 {
			if class[1] > 0 {
				return tlb.MaxNano // any number of tokens may stand behind paid
			}
			continue
		}
		hi, lo := bits.Mul64(uint64(paid), uint64(class[1]))
		lo, carry := bits.Add64(lo, uint64(class[0])-1, 0) // rounded up
		hi += carry
		if hi >= uint64(class[0]) {
			return tlb.MaxNano
		}
		scaled, _ := bits.Div64(hi, lo, uint64(class[0]))
		most = max(most, min(tlb.Nano(scaled), tlb.MaxNano))
	}
	return most
}
