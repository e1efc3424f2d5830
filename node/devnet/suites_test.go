package devnet

import (
	"errors"
	"testing"
)

// TestSuite runs one test of another package, and one that is not there.
func TestSuite(t *testing.T) {
	t.Parallel()
	s := suite{where: "github.com/tussah-network/tussah/tlb", test: "TestParseNano", count: "TUSSAH_NOTHING"}
	if failures, err := s.run(t.Context()); err != nil || failures != 0 {
		t.Errorf("a test that passes: %d failures, %v", failures, err)
	}
	s.test = "TestThatIsNotThere"
	if _, err := s.run(t.Context()); !errors.Is(err, ErrNotRun) {
		t.Errorf("a test that is not there: %v", err)
	}
}
