package explore

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestNumberIsPath: each path has a number of its own, and the number makes
// the same choices again.
func TestNumberIsPath(t *testing.T) {
	seen := map[string]bool{}
	for range 2_000 {
		n := rand.IntN(40)
		of, chosen := make([]int, n), make([]int, n)
		p := newPath()
		for i := range n {
			of[i] = 1 + rand.IntN(7)
			chosen[i] = rand.IntN(of[i])
			p.step(chosen[i], of[i])
		}
		again, err := ParseNumber(p.number().String())
		if err != nil {
			t.Fatal(err)
		}
		choose := again.chooser()
		for i := range n {
			if got := choose(of[i]); got != chosen[i] {
				t.Fatalf("choice %d of %v is %d, was %d", i, of, got, chosen[i])
			}
		}
	}
	for a := range 3 {
		for b := range 2 {
			for c := range 4 {
				p := newPath()
				p.step(a, 3)
				p.step(b, 2)
				p.step(c, 4)
				seen[p.number().String()] = true
			}
		}
	}
	if len(seen) != 24 {
		t.Errorf("24 paths have %d numbers", len(seen))
	}
	if got := newPath().number().String(); got != "0" {
		t.Errorf("no choice is %s", got)
	}
}

func TestSeedIsOrder(t *testing.T) {
	n, err := ParseNumber("-5")
	if err != nil {
		t.Fatal(err)
	}
	a, b := n.chooser(), n.chooser()
	for range 100 {
		if x, y := a(10), b(10); x != y || x < 0 || x >= 10 {
			t.Fatalf("%d and %d", x, y)
		}
	}
}

func TestParseNumberRefuses(t *testing.T) {
	for _, s := range []string{"", "x", "1.5", "-9223372036854775809", strings.Repeat("1", maxDigits+1)} {
		if _, err := ParseNumber(s); !errors.Is(err, ErrNumber) {
			t.Errorf("%.20q: %v, want %v", s, err, ErrNumber)
		}
	}
}
