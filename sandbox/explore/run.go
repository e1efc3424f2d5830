package explore

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/tussah-network/tussah/sandbox"
)

// Options say how much [Run] tries, and on what.
type Options struct {
	// Max bounds the runs. Default 10,000. When the orders are more, the second
	// half of the runs tries random ones.
	Max int
	// Full tries all orders, also those that cannot make a difference.
	Full bool
	// Order is the number of the only order to try. Default: that in the
	// environment variable TUSSAH_ORDER; without it, all.
	Order string
	// Chain are the options of the chain each run begins with. Its clock stands
	// still by default, so that all runs are alike.
	Chain sandbox.Options
	// Accounts are shown by name when a run fails.
	Accounts []Account
}

// DefaultMax is how many runs there are at most.
const DefaultMax = 10_000

// epoch is when runs begin, unless the options have a clock.
var epoch = time.Unix(1_750_000_000, 0)

func (o Options) withDefaults() Options {
	if o.Max <= 0 {
		o.Max = DefaultMax
	}
	if o.Order == "" {
		o.Order = os.Getenv("TUSSAH_ORDER")
	}
	if o.Chain.Now == nil {
		o.Chain.Now = func() time.Time { return epoch }
	}
	return o
}

// Result is what a [Run] came to.
type Result struct {
	Runs int
	// Cut is how many of them ended early, since all that would have followed
	// was seen.
	Cut int
	// Exhaustive: every order that can make a difference was tried.
	Exhaustive bool
}

func (r Result) String() string {
	if r.Exhaustive {
		return fmt.Sprintf("all orders, in %d runs (%d of them cut short)", r.Runs, r.Cut)
	}
	return fmt.Sprintf("some orders, in %d runs", r.Runs)
}

// Run runs a scenario under every order in which its messages can be delivered,
// each on a chain of its own, until one fails; the test fails then, with the
// number of the order. A scenario must do the same in every run, but for what
// the order of deliveries changes, and call the chain from its own goroutine.
func Run(t TB, o Options, scenario func(t *T, chain *sandbox.Chain)) Result {
	t.Helper()
	e := &explorer{t: t, o: o.withDefaults(), scenario: scenario}
	result, failed := e.explore()
	if failed != "" {
		t.Fatalf("%s", failed)
		return result
	}
	t.Logf("explored %s", result)
	return result
}

type explorer struct {
	t        TB
	o        Options
	scenario func(t *T, chain *sandbox.Chain)
	result   Result
}

// explore returns what failed, empty if nothing did.
func (e *explorer) explore() (Result, string) {
	if e.o.Order != "" {
		n, err := ParseNumber(e.o.Order)
		if err != nil {
			return e.result, err.Error()
		}
		return e.result, e.numbered(n)
	}
	half := (e.o.Max + 1) / 2
	if failed := e.systematic(half); failed != "" || e.result.Exhaustive {
		return e.result, failed
	}
	for seed := int64(1); e.result.Runs < e.o.Max; seed++ {
		n, err := ParseNumber(fmt.Sprint(-seed))
		if err != nil {
			return e.result, err.Error()
		}
		if failed := e.numbered(n); failed != "" {
			return e.result, failed
		}
	}
	return e.result, ""
}

// systematic walks the tree of orders, for at most so many runs.
func (e *explorer) systematic(runs int) string {
	s := &search{full: e.o.Full}
	for range runs {
		r := e.run(s.choose)
		if r.cut {
			e.result.Cut++
		}
		if r.failed() {
			return r.report(r.path.number())
		}
		if !s.next() {
			e.result.Exhaustive = true
			return ""
		}
	}
	return ""
}

// numbered runs one order.
func (e *explorer) numbered(n Number) string {
	choose := n.chooser()
	r := e.run(func(ready []sandbox.Choice) (int, bool, error) { return choose(len(ready)), true, nil })
	if !r.failed() {
		return ""
	}
	return r.report(n)
}

// run is one run of the scenario.
type run struct {
	explorer *explorer
	t        *T
	path     *path
	steps    []step
	cut      bool
	err      error // of the exploration, not of the scenario
}

// step is a delivery, with what came of it.
type step struct {
	choice    sandbox.Choice
	execution sandbox.Execution
	outcome   sandbox.Outcome
	executed  bool
}

func (r *run) failed() bool { return r.t.failed || r.err != nil }

func (e *explorer) run(choose func([]sandbox.Choice) (int, bool, error)) *run {
	e.result.Runs++
	r := &run{explorer: e, t: &T{outer: e.t}, path: newPath()}
	o := e.o.Chain
	o.Order = func(ready []sandbox.Choice) int {
		i, ok, err := choose(ready)
		if err != nil || !ok {
			r.err, r.cut = err, err == nil
			panic(stop{})
		}
		r.path.step(i, len(ready))
		r.steps = append(r.steps, step{choice: ready[i]})
		return i
	}
	observe := o.Observe
	o.Observe = func(execution sandbox.Execution, outcome sandbox.Outcome) error {
		if n := len(r.steps); n > 0 && r.steps[n-1].choice.Message == execution.Message.HashKey() {
			last := &r.steps[n-1]
			last.execution, last.outcome, last.executed = execution, outcome, true
		}
		if observe != nil {
			return observe(execution, outcome)
		}
		return nil
	}
	chain, err := sandbox.Open(o)
	if err != nil {
		r.err = err
		return r
	}
	defer chain.Close()
	r.play(chain)
	return r
}

// play plays the scenario to its end, however it ends.
func (r *run) play(chain *sandbox.Chain) {
	over := false
	defer func() {
		switch p := recover().(type) {
		case nil:
			if !over {
				// The goroutine ends: the scenario failed the test itself.
				r.explorer.t.Logf("%s", r.report(r.path.number()))
			}
		case stop:
		default:
			r.t.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		r.t.cleanup()
	}()
	r.explorer.scenario(r.t, chain)
	over = true
}

// Together has messages under way at the same time: those that send hands to
// the chain with Send and Post are delivered only when it returns, and then
// with all they set off.
func Together(chain *sandbox.Chain, send func() error) error {
	mode, interval := chain.Mode()
	if err := chain.SetMode(sandbox.Manual, 0); err != nil {
		return err
	}
	sent := send()
	return errors.Join(sent, chain.SetMode(mode, interval))
}
