package explore

import (
	"math/big"
	"slices"

	"github.com/tussah-network/tussah/sandbox/abi"
)

// maxPlays bounds the plans that are played to find a smaller one. It is a
// number and not a time, so that the same seed leads to the same plan.
const maxPlays = 600

// shrink finds a plan that breaks the same invariant and has no step too many,
// each as simple as it can be.
func (p player) shrink(steps []planned, b *broken) *broken {
	plays := 0
	try := func(candidate []planned) bool {
		if plays++; plays > maxPlays {
			return false
		}
		again := p.play(candidate)
		if again == nil || again.invariant != b.invariant {
			return false
		}
		steps, b = candidate, again
		return true
	}
	// Leave out ever smaller parts: halves, quarters, and at last single steps,
	// until none can be left out.
	for size := max(len(steps)/2, 1); ; {
		smaller := false
		for from := 0; from < len(steps); {
			if try(slices.Delete(slices.Clone(steps), from, min(from+size, len(steps)))) {
				smaller = true
			} else {
				from += size
			}
		}
		switch {
		case size > 1:
			size /= 2
		case !smaller:
			p.simplify(&steps, try)
			return b
		}
		if plays > maxPlays {
			return b
		}
	}
}

// simplify replaces steps by simpler ones, as long as it can.
func (p player) simplify(steps *[]planned, try func([]planned) bool) {
	for i := 0; i < len(*steps); {
		if (*steps)[i].simpler == nil || !slices.ContainsFunc((*steps)[i].simpler(), func(s planned) bool {
			candidate := slices.Clone(*steps)
			candidate[i] = s
			return try(candidate)
		}) {
			i++
		}
	}
}

// simpler are messages with the usual value, without bouncing, or with one
// field simpler.
func (s sending) simpler() (out []sending) {
	if s.Amount != s.usual {
		o := s
		o.Amount = s.usual
		out = append(out, o)
	}
	if s.Bounce {
		o := s
		o.Bounce = false
		out = append(out, o)
	}
	if s.body == nil {
		return out
	}
	for i, f := range s.values.Fields {
		for _, v := range simplerValues(f.Value) {
			o := s
			o.values.Fields = slices.Clone(s.values.Fields)
			o.values.Fields[i].Value = v
			body, err := abi.Pack(s.body, o.values)
			if err != nil {
				continue
			}
			o.Body = body
			out = append(out, o)
		}
	}
	return out
}

// simplerValues are values closer to nothing.
func simplerValues(v any) []any {
	switch v := v.(type) {
	case *big.Int:
		return smaller(v)
	case []any:
		if len(v) > 0 {
			return []any{v[:len(v)/2], v[1:]}
		}
	case []abi.Entry:
		if len(v) > 0 {
			return []any{v[:len(v)/2], v[1:]}
		}
	case string:
		if v != "" {
			return []any{"", v[:len(v)/2]}
		}
	case bool:
		if v {
			return []any{false}
		}
	}
	return nil
}

// smaller are numbers closer to zero, the boldest first. A large one is not
// counted down.
func smaller(n *big.Int) (out []any) {
	if n.Sign() == 0 {
		return nil
	}
	out = append(out, new(big.Int))
	for _, part := range [][2]int64{{1, 1000}, {1, 2}, {15, 16}} {
		less := new(big.Int).Mul(n, big.NewInt(part[0]))
		if less.Quo(less, big.NewInt(part[1])); less.Sign() != 0 && less.Cmp(n) != 0 {
			out = append(out, less)
		}
	}
	return out
}
