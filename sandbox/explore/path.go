package explore

import (
	"fmt"
	"math/big"
	"math/rand/v2"
)

// Number names one order of deliveries of a scenario. From zero up it is a path:
// the choice at each delivery, written as the digits of a number, the first the
// lowest, with as many values as there were choices. Zero is the order of
// logical time. Below zero it seeds a random order.
type Number struct{ n *big.Int }

// maxDigits bounds the text of a number.
const maxDigits = 10_000

// ParseNumber reads a number as String writes it.
func ParseNumber(s string) (Number, error) {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || len(s) > maxDigits || n.Sign() < 0 && !n.IsInt64() {
		return Number{}, fmt.Errorf("order %.40q: %w", s, ErrNumber)
	}
	return Number{n}, nil
}

func (n Number) String() string {
	if n.n == nil {
		return "0"
	}
	return n.n.String()
}

// path becomes a number while a run makes its choices.
type path struct{ sum, unit *big.Int }

func newPath() *path { return &path{new(big.Int), big.NewInt(1)} }

// step notes the choice of i among n.
func (p *path) step(i, n int) {
	p.sum.Add(p.sum, new(big.Int).Mul(p.unit, big.NewInt(int64(i))))
	p.unit.Mul(p.unit, big.NewInt(int64(n)))
}

func (p *path) number() Number { return Number{new(big.Int).Set(p.sum)} }

// chooser makes the choices of a number.
func (n Number) chooser() func(of int) int {
	if n.n == nil || n.n.Sign() >= 0 {
		left := new(big.Int)
		if n.n != nil {
			left.Set(n.n)
		}
		return func(of int) int {
			digit := new(big.Int)
			left.QuoRem(left, big.NewInt(int64(of)), digit)
			return int(digit.Int64())
		}
	}
	random := rand.New(rand.NewPCG(uint64(-n.n.Int64()), 0))
	return random.IntN
}
