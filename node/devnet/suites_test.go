package devnet

import (
	"errors"
	"testing"
)

// TestSuite runs one test of another package, and one that is not there.
func TestSuite(t *testing.T) {
	t.Parallel()
	s := suite{where: "github.com/tussah-network/tussah/tlb", test: "TestParseNano", count: "TUSSAH_NOTHING", runs: 3, times: 2}
	if runs, failures, err := s.run(t.Context()); err != nil || failures != 0 || runs != 6 {
		t.Errorf("a test that passes: %d runs, %d failures, %v", runs, failures, err)
	}
	s.test = "TestThatIsNotThere"
	if _, _, err := s.run(t.Context()); !errors.Is(err, ErrNotRun) {
		t.Errorf("a test that is not there: %v", err)
	}
}

func TestSuiteCounts(t *testing.T) {
	const text = "=== RUN   TestA\n    a_test.go:1: 120 malformed quotes\n    b_test.go:1: 3 malformed quotes\n" +
		"--- PASS: TestA (0.00s)\n    --- PASS: TestA/x (0.00s)\n    --- PASS: TestA/y (0.00s)\n    --- SKIP: TestA/z (0.00s)\n"
	for _, c := range []struct {
		s        suite
		failures int
		want     int
	}{
		{suite{runs: 5}, 1, 5},
		{suite{runs: 5, times: 3}, 0, 15},
		{suite{}, 0, 2},
		{suite{}, 1, 3},
		{suite{said: `(\d+) malformed quotes`}, 0, 123},
		{suite{said: `(?m)^--- PASS: TestA`}, 0, 1},
		{suite{said: `nothing`}, 0, 0},
	} {
		if got := c.s.counted(text, c.failures); got != c.want {
			t.Errorf("%+v: %d runs, want %d", c.s, got, c.want)
		}
	}
}
