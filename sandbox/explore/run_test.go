package explore_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/explore"
	"github.com/tussah-network/tussah/tlb"
)

// double is a test that fails without the test that runs it failing.
type double struct {
	name   string
	ctx    context.Context
	log    strings.Builder
	failed bool
}

func (d *double) Helper()                         {}
func (d *double) Name() string                    { return d.name }
func (d *double) Context() context.Context        { return d.ctx }
func (d *double) Logf(format string, args ...any) { fmt.Fprintf(&d.log, format+"\n", args...) }
func (d *double) Fatalf(format string, args ...any) {
	d.Logf(format, args...)
	d.failed = true
	runtime.Goexit()
}

// attempt runs something that may end its goroutine.
func attempt(t testing.TB, run func(explore.TB)) *double {
	d := &double{name: t.Name(), ctx: t.Context()}
	over := make(chan struct{})
	go func() {
		defer close(over)
		run(d)
	}()
	<-over
	return d
}

// TestKnownRaces: each is found, and the contract without it is found to be
// without it. In the order of logical time none of them shows.
func TestKnownRaces(t *testing.T) {
	for _, r := range races {
		t.Run(r.name, func(t *testing.T) {
			if d := attempt(t, func(d explore.TB) { r.run(t, false, d, explore.Options{Order: "0"}) }); d.failed {
				t.Errorf("fails in the order of logical time:\n%s", d.log.String())
			}
			d := attempt(t, func(d explore.TB) { r.run(t, false, d, explore.Options{}) })
			if !d.failed {
				t.Errorf("not found:\n%s", d.log.String())
			}
			t.Log(d.log.String())
			result := r.run(t, true, t, explore.Options{})
			if !result.Exhaustive {
				t.Errorf("the fixed contract was not explored to the end: %s", result)
			}
		})
	}
}

var update = flag.Bool("update", false, "write the golden files")

// TestFailuresAreReadable holds what is said of each race against a file.
func TestFailuresAreReadable(t *testing.T) {
	var got strings.Builder
	for _, r := range races {
		d := attempt(t, func(d explore.TB) { r.run(t, false, d, explore.Options{}) })
		fmt.Fprintf(&got, "== %s\n%s\n", r.name, d.log.String())
	}
	const file = "testdata/races.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got, or run with -update:\n%s", diff)
	}
}

// TestReplay: the number of a failure has that failure again, whether it is
// given or in the environment.
func TestReplay(t *testing.T) {
	number := regexp.MustCompile(`TUSSAH_ORDER=(-?\d+)`)
	deliveries := regexp.MustCompile(`(?s)deliveries:.*`)
	for _, r := range races {
		first := attempt(t, func(d explore.TB) { r.run(t, false, d, explore.Options{}) }).log.String()
		n := number.FindStringSubmatch(first)
		if n == nil {
			t.Fatalf("no number in:\n%s", first)
		}
		given := attempt(t, func(d explore.TB) { r.run(t, false, d, explore.Options{Order: n[1]}) }).log.String()
		t.Setenv("TUSSAH_ORDER", n[1])
		inherited := attempt(t, func(d explore.TB) { r.run(t, false, d, explore.Options{}) }).log.String()
		os.Unsetenv("TUSSAH_ORDER")
		for _, again := range []string{given, inherited} {
			if want := deliveries.FindString(first); deliveries.FindString(again) != want {
				t.Errorf("%s: got\n%s\nwant\n%s", r.name, again, want)
			}
		}
	}
}

// TestSeeds: where there are too many orders, random ones find what is wrong,
// and their number has it again.
func TestSeeds(t *testing.T) {
	for _, r := range races {
		found := ""
		for seed := 1; seed < 200 && found == ""; seed++ {
			n := fmt.Sprint(-seed)
			if d := attempt(t, func(d explore.TB) { r.run(t, false, d, explore.Options{Order: n}) }); d.failed {
				found = n
				if !strings.Contains(d.log.String(), "TUSSAH_ORDER="+n+" ") {
					t.Errorf("%s: the report does not tell the seed:\n%s", r.name, d.log.String())
				}
			}
		}
		if found == "" {
			t.Errorf("%s: no seed finds it", r.name)
		}
	}
	w := &world{t: t}
	to := w.add("to", quiet, nil, nil)
	result := w.run(t, explore.Options{Max: 50}, func(t *explore.T, chain *sandbox.Chain) {
		var messages []sandbox.Internal
		for i := range 8 {
			messages = append(messages, sandbox.Internal{From: named(fmt.Sprint(i)), To: to, Amount: tlb.TON})
		}
		together(t, chain, messages...)
	})
	if result.Exhaustive || result.Runs != 50 {
		t.Errorf("40,320 orders in 50 runs: %+v", result)
	}
}

// six are six messages under way from as many accounts.
func six(to func(i int) string) []sandbox.Internal {
	out := make([]sandbox.Internal, 6)
	for i := range out {
		out[i] = sandbox.Internal{From: named(fmt.Sprint(i)), To: named(to(i)), Amount: tlb.TON}
	}
	return out
}

func toOne(int) string { return "to" }

// TestSixMessages counts the runs that six messages take to as many accounts,
// to two and to one.
func TestSixMessages(t *testing.T) {
	for _, test := range []struct {
		name string
		to   func(i int) string
		want int
	}{
		{"to six", func(i int) string { return fmt.Sprint("to ", i) }, 1},
		{"to two", func(i int) string { return fmt.Sprint("to ", i%2) }, 6 * 6},
		{"to one", toOne, 720},
	} {
		t.Run(test.name, func(t *testing.T) {
			messages := six(test.to)
			result := explore.Run(t, explore.Options{}, func(t *explore.T, chain *sandbox.Chain) { together(t, chain, messages...) })
			if want := (explore.Result{Runs: test.want, Exhaustive: true}); result != want {
				t.Errorf("got %+v, want %+v", result, want)
			}
		})
	}
}

// BenchmarkSixMessages is the measure of the package: all 720 orders of six
// messages to one account.
func BenchmarkSixMessages(b *testing.B) {
	messages := six(toOne)
	for b.Loop() {
		explore.Run(b, explore.Options{}, func(t *explore.T, chain *sandbox.Chain) { together(t, chain, messages...) })
	}
}

// network is contracts at random, and messages to them, step by step.
type network struct {
	world *world
	names []string
	steps [][]sandbox.Internal
}

func networks(t *testing.T) *rapid.Generator[network] {
	relay := code(t, "relay")
	return rapid.Custom(func(rt *rapid.T) network {
		n := network{world: &world{t: t}, names: []string{"a", "b", "c", "d"}}
		for i, name := range n.names {
			next := n.names[rapid.IntRange(0, i).Draw(rt, "next of "+name)]
			if next == name {
				n.world.add(name, quiet, nil, nil)
				continue
			}
			n.world.add(name, relay, cell.BeginCell().MustStoreAddr(named(next)).EndCell(), nil)
		}
		for range rapid.IntRange(1, 2).Draw(rt, "steps") {
			var step []sandbox.Internal
			for range rapid.IntRange(1, 3).Draw(rt, "messages") {
				step = append(step, sandbox.Internal{
					From: named(rapid.SampledFrom([]string{"x", "y", "a"}).Draw(rt, "from")), Amount: tlb.TON,
					To: named(rapid.SampledFrom(n.names).Draw(rt, "to")), Bounce: true,
				})
			}
			n.steps = append(n.steps, step)
		}
		return n
	})
}

// TestReductionMissesNothing: on networks of contracts at random, the orders
// that are tried lead to all the states that any order leads to, each to
// another one.
func TestReductionMissesNothing(t *testing.T) {
	compared, orders, runs := 0, 0, 0
	for seed := range 25 {
		n := networks(t).Example(seed)
		ends := func(full bool) (map[string]bool, explore.Result) {
			states := map[string]bool{}
			result := n.world.run(t, explore.Options{Full: full, Max: 400}, func(t *explore.T, chain *sandbox.Chain) {
				for _, step := range n.steps {
					together(t, chain, step...)
				}
				var state strings.Builder
				for _, name := range n.names {
					a, err := chain.Account(t.Context(), tlb.Block{}, named(name))
					if err != nil {
						t.Fatal(err)
					}
					fmt.Fprintf(&state, "%x ", a.LastHash) // which says all that ever happened there
				}
				states[state.String()] = true
			})
			return states, result
		}
		all, fully := ends(true)
		some, reduced := ends(false)
		if !fully.Exhaustive || !reduced.Exhaustive {
			continue // too many orders
		}
		if diff := cmp.Diff(all, some); diff != "" {
			t.Fatalf("seed %d, -all +reduced:\n%s", seed, diff)
		}
		if whole := reduced.Runs - reduced.Cut; whole != len(some) {
			t.Errorf("seed %d: %d whole runs for %d states", seed, whole, len(some))
		}
		compared, orders, runs = compared+1, orders+fully.Runs, runs+reduced.Runs
	}
	t.Logf("%d networks, %d orders, %d runs with reduction", compared, orders, runs)
	if compared < 15 {
		t.Errorf("only %d networks were compared", compared)
	}
}

func TestRunTellsWhatIsWrong(t *testing.T) {
	w := &world{t: t}
	a, b := w.add("a", quiet, nil, nil), w.add("b", quiet, nil, nil)
	both := func(t *explore.T, chain *sandbox.Chain, first *address.Address) {
		together(t, chain, sandbox.Internal{From: b, To: first, Amount: tlb.TON}, sandbox.Internal{From: named("x"), To: a, Amount: tlb.TON})
	}
	runs := 0
	for _, test := range []struct {
		name     string
		o        explore.Options
		scenario func(*explore.T, *sandbox.Chain)
		want     string
	}{
		{"number", explore.Options{Order: "many"}, nil, explore.ErrNumber.Error()},
		{"another scenario each time", explore.Options{}, func(t *explore.T, chain *sandbox.Chain) {
			runs++
			if runs == 1 {
				both(t, chain, a)
			}
			both(t, chain, b)
		}, explore.ErrNotTheSame.Error()},
		{"panic", explore.Options{}, func(*explore.T, *sandbox.Chain) { panic("oh no") }, "panic: oh no"},
		{"fatal", explore.Options{}, func(t *explore.T, _ *sandbox.Chain) { t.Fatal("no", "way") }, "no way"},
		{"chain", explore.Options{Chain: sandbox.Options{Genesis: []sandbox.GenesisAccount{{Address: a}, {Address: a}}}}, nil, sandbox.ErrDuplicate.Error()},
	} {
		d := attempt(t, func(d explore.TB) {
			if test.o.Chain.Genesis == nil {
				test.o.Chain.Genesis = w.genesis
			}
			explore.Run(d, test.o, test.scenario)
		})
		if !d.failed || !strings.Contains(d.log.String(), test.want) {
			t.Errorf("%s: got\n%s\nwant %s", test.name, d.log.String(), test.want)
		}
	}
}

// TestCleanup: what a run asked to be cleaned up is, last first, however the
// run ends.
func TestCleanup(t *testing.T) {
	var done []int
	attempt(t, func(d explore.TB) {
		explore.Run(d, explore.Options{}, func(t *explore.T, _ *sandbox.Chain) {
			t.Cleanup(func() { done = append(done, 1) })
			t.Cleanup(func() { done = append(done, 2) })
			t.FailNow()
		})
	})
	if !slices.Equal(done, []int{2, 1}) {
		t.Errorf("cleaned up %v", done)
	}
}
