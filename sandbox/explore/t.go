package explore

import (
	"context"
	"fmt"
	"strings"
)

// TB is the part of testing.TB that [Run] needs.
type TB interface {
	Helper()
	Name() string
	Context() context.Context
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// T is what a scenario reports to in one run. It has the methods of testing.T
// that test kits ask for.
type T struct {
	outer    TB
	cleanups []func()
	logs     strings.Builder
	failed   bool
}

// stop is what ends a run from within, by panicking.
type stop struct{}

// Helper does nothing: what a run says is not said where it is called.
func (t *T) Helper() {}

// Name is the name of the test.
func (t *T) Name() string { return t.outer.Name() }

// Context is that of the test.
func (t *T) Context() context.Context { return t.outer.Context() }

// Cleanup has a function called at the end of the run.
func (t *T) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Failed tells whether the run has failed.
func (t *T) Failed() bool { return t.failed }

// Log and Logf note something. It is shown if the run fails.
func (t *T) Log(args ...any)                 { t.logs.WriteString(fmt.Sprintln(args...)) }
func (t *T) Logf(format string, args ...any) { fmt.Fprintf(&t.logs, format+"\n", args...) }

// Error and Errorf fail the run, and let it go on.
func (t *T) Error(args ...any)                 { t.Log(args...); t.failed = true }
func (t *T) Errorf(format string, args ...any) { t.Logf(format, args...); t.failed = true }

// Fatal, Fatalf and FailNow fail the run and end it. They must be called from
// the goroutine of the scenario.
func (t *T) Fatal(args ...any)                 { t.Error(args...); panic(stop{}) }
func (t *T) Fatalf(format string, args ...any) { t.Errorf(format, args...); panic(stop{}) }
func (t *T) FailNow()                          { t.failed = true; panic(stop{}) }

func (t *T) cleanup() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}
