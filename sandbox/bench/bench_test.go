package bench_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tussah-network/tussah/sandbox/bench"
)

// TestRun measures for a moment: every figure is there and is one. What needs
// Node is left to those who run the benchmark.
func TestRun(t *testing.T) {
	rows, err := bench.Run(t.Context(), bench.Options{Period: 50 * time.Millisecond, NoPeer: true})
	if !errors.Is(err, bench.ErrNoPeer) {
		t.Fatal(err)
	}
	if want := 2; len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	for _, r := range rows {
		t.Logf("%+v", r)
		if r.Value <= 0 || r.Peer != "" && r.Ratio <= 0 {
			t.Errorf("%s is no figure: %+v", r.Name, r)
		}
	}
}

func TestRunNetwork(t *testing.T) {
	rows, err := bench.RunNetwork(t.Context(), bench.Options{Period: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		t.Logf("%+v", r)
		if r.Value <= 0 {
			t.Errorf("%s is no figure: %+v", r.Name, r)
		}
	}
}
