package devnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tussah-network/tussah/sandbox/bench"
)

// suite is a test of this repository that does as much as its environment says.
type suite struct {
	row   string
	where string // packages
	test  string // a regular expression: one test, or several
	count string // environment variable; empty: the test takes none
	runs  int    // 0: the test does what it does, and its output is counted
	times int    // how many parts of the test do that much each; 0: one
	// said is what to count in the output: the sum of the numbers in its group, or
	// its matches if it has none. Empty: subtests that passed.
	said string
	tags string
}

var suites = []suite{
	{row: "strict_client_calls", where: "./sandbox/strict", test: "TestWalk", count: "TUSSAH_STRICT_CALLS", runs: 5_000, times: 3},
	{row: "sandbox_kill_points", where: "./sandbox", test: "TestKill", count: "TUSSAH_KILLS", runs: 200},
	{row: "reference_differential", where: "./sandbox/reference", test: "TestRandomPrograms", count: "TUSSAH_DIFF", runs: 20_000, tags: "reference"},
	{row: "attested_channel_attacks", where: "./p2p/ratls", test: "TestAttacks", count: "TUSSAH_ATTACKS", runs: 100, times: 7},
	{row: "malformed_evidence", where: "./p2p/attest/tdx", test: "TestMalformed", said: `(\d+) malformed quotes`},
	{row: "sample_quotes", where: "./p2p/attest/tdx", test: "TestRealQuotes"},
	{row: "synthetic_quotes", where: "./p2p/attest/sim", test: "TestSynthetic"},
	{row: "appraisal_mutations", where: "./p2p/attest/tdx", test: "TestMutations", count: "TUSSAH_MUTATIONS", said: `without ".*": [1-9]\d* cases notice`},
	{row: "gpu_and_snp_samples", where: "./p2p/attest/gpu ./p2p/attest/snp", test: "TestReal.*", said: `(?m)^--- PASS: TestReal`},
}

// ErrNotRun: a suite did not run here.
var ErrNotRun = errors.New("suite did not run")

// Suites runs the long tests of the sandbox and of attestation with the go command, in a checkout
// of this repository, and tells how much each did. Of a suite that cannot run
// here there is no row, and the error is [ErrNotRun]; the other rows are valid.
func Suites(ctx context.Context, progress func(format string, args ...any)) ([]AssuranceRow, error) {
	var rows []AssuranceRow
	var skipped []error
	for _, s := range suites {
		progress("%s: %s in %s", s.row, s.test, s.where)
		start := time.Now()
		runs, failures, err := s.run(ctx)
		if err != nil {
			skipped = append(skipped, fmt.Errorf("%s: %w", s.row, err))
			continue
		}
		rows = append(rows, AssuranceRow{Name: s.row, Runs: runs, Failures: failures, Seconds: bench.Round(time.Since(start).Seconds())})
	}
	return rows, errors.Join(skipped...)
}

func (s suite) run(ctx context.Context) (runs, failures int, err error) {
	arguments := append([]string{"test", "-count=1", "-v", "-timeout=1h", "-tags=" + s.tags, "-run=^" + s.test + "$"}, strings.Fields(s.where)...)
	c := exec.CommandContext(ctx, "go", arguments...)
	c.Env = os.Environ()
	if s.count != "" {
		c.Env = append(c.Env, s.count+"="+strconv.Itoa(max(s.runs, 1)))
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	ran := c.Run()
	text := out.String()
	if strings.Contains(text, "--- FAIL: ") {
		failures = max(1, strings.Count(text, "    --- FAIL: "))
	}
	runs = s.counted(text, failures)
	if runs == 0 || ran != nil && failures == 0 || !strings.Contains(text, "\n--- PASS: ") && failures == 0 {
		return 0, 0, fmt.Errorf("%w: %v: %s", ErrNotRun, ran, lastLines(text))
	}
	return runs, failures, nil
}

// counted is how much a suite did, as its output says.
func (s suite) counted(text string, failures int) (n int) {
	if s.runs > 0 {
		return s.runs * max(s.times, 1)
	}
	said := s.said
	if said == "" {
		said = `    --- PASS: `
	}
	for _, m := range regexp.MustCompile(said).FindAllStringSubmatch(text, -1) {
		if len(m) == 1 {
			n++
		} else if number, err := strconv.Atoi(m[1]); err == nil {
			n += number
		}
	}
	return n + failures
}

// lastLines is the end of a program's output, where the reason stands.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}
