package devnet

import (
	"github.com/tussah-network/tussah/sandbox/bench"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	hundred := make(sample, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i) // unsorted: 100, 99, … 1
	}
	for _, tt := range []struct {
		name string
		s    sample
		p    int
		want time.Duration
	}{
		{"nothing", nil, 50, 0},
		{"one", sample{7}, 50, 7},
		{"one, high", sample{7}, 99, 7},
		{"two", sample{9, 1}, 50, 1},
		{"two, high", sample{9, 1}, 99, 9},
		{"three", sample{3, 1, 2}, 50, 2},
		{"lowest", hundred, 0, 1},
		{"median", hundred, 50, 50},
		{"ninety-nine", hundred, 99, 99},
		{"highest", hundred, 100, 100},
	} {
		if got := tt.s.percentile(tt.p); got != tt.want {
			t.Errorf("%s: percentile %d is %d, want %d", tt.name, tt.p, got, tt.want)
		}
	}
	if hundred[0] != 100 {
		t.Error("percentile sorted its sample in place")
	}
}

func TestRound(t *testing.T) {
	for _, tt := range []struct{ in, want float64 }{
		{0, 0}, {1234.56, 1235}, {123456, 123500}, {0.00123456, 0.001235}, {-1234.56, -1235}, {1 / zero, 0}, {zero / zero, 0},
	} {
		if got := bench.Round(tt.in); got != tt.want {
			t.Errorf("bench.Round(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

var zero float64
