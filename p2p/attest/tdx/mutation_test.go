package tdx_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// TestMutations takes every step out of the checklist in turn and demands that
// the table of refusals notices: a step that nothing misses is not tested. It is
// for nightly runs: TUSSAH_MUTATIONS=1.
func TestMutations(t *testing.T) {
	if os.Getenv("TUSSAH_MUTATIONS") == "" {
		t.Skip("SKIPPED: set TUSSAH_MUTATIONS=1 to take each step out of the checklist in turn")
	}
	l := newLab(t)
	cases := refusalCases(t, l)
	for i := range tdx.Steps() {
		name, restore, refusal := tdx.WithoutStep(i)
		noticed, accepted := 0, 0
		for _, c := range cases {
			if c.want != refusal {
				continue
			}
			switch err := runMutant(l, c); {
			case err == nil:
				noticed, accepted = noticed+1, accepted+1
			case !errors.Is(err, refusal):
				noticed++
			}
		}
		restore()
		t.Logf("without %q: %d cases notice, %d of them are accepted", name, noticed, accepted)
		if noticed == 0 {
			t.Errorf("nothing notices that step %q is gone", name)
		}
	}
}

// runMutant turns a panic, which a missing step of parsing may cause, into an error.
func runMutant(l *lab, c refusalCase) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	_, err = c.run(l)
	return err
}
