package devnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/tussah-network/tussah/sandbox/bench"
)

// suite is a test of this repository that does as much as its environment says.
type suite struct {
	row   string
	where string // package
	test  string
	count string // environment variable
	runs  int
	times int // how many parts of the test do that much each; 0: one
	tags  string
}

var suites = []suite{
	{row: "strict_client_calls", where: "./sandbox/strict", test: "TestWalk", count: "TUSSAH_STRICT_CALLS", runs: 5_000, times: 3},
	{row: "sandbox_kill_points", where: "./sandbox", test: "TestKill", count: "TUSSAH_KILLS", runs: 200},
	{row: "reference_differential", where: "./sandbox/reference", test: "TestRandomPrograms", count: "TUSSAH_DIFF", runs: 20_000, tags: "reference"},
}

// ErrNotRun: a suite did not run here.
var ErrNotRun = errors.New("suite did not run")

// Suites runs the long tests of the sandbox with the go command, in a checkout
// of this repository, and tells how much each did. Of a suite that cannot run
// here there is no row, and the error is [ErrNotRun]; the other rows are valid.
func Suites(ctx context.Context, progress func(format string, args ...any)) ([]AssuranceRow, error) {
	var rows []AssuranceRow
	var skipped []error
	for _, s := range suites {
		progress("%s: %d runs of %s in %s", s.row, s.runs, s.test, s.where)
		start := time.Now()
		failures, err := s.run(ctx)
		if err != nil {
			skipped = append(skipped, fmt.Errorf("%s: %w", s.row, err))
			continue
		}
		rows = append(rows, AssuranceRow{Name: s.row, Runs: s.runs * max(s.times, 1), Failures: failures, Seconds: bench.Round(time.Since(start).Seconds())})
	}
	return rows, errors.Join(skipped...)
}

func (s suite) run(ctx context.Context) (failures int, err error) {
	c := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=1h", "-tags="+s.tags, "-run=^"+s.test+"$", s.where)
	c.Env = append(os.Environ(), s.count+"="+strconv.Itoa(s.runs))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	ran := c.Run()
	switch text := out.String(); {
	case ran == nil && strings.Contains(text, "\n--- PASS: "+s.test):
		return 0, nil
	case strings.Contains(text, "--- FAIL: "+s.test):
		return max(1, strings.Count(text, "    --- FAIL: ")), nil
	default:
		return 0, fmt.Errorf("%w: %v: %s", ErrNotRun, ran, lastLines(text))
	}
}

// lastLines is the end of a program's output, where the reason stands.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}
