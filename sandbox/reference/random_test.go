//go:build reference && cgo

package reference_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/reference"
)

// TestMain lets the test binary be the worker of TestRandomPrograms.
func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		work(os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

const (
	workerEnv = "TUSSAH_DIFF_WORKER"
	// defaultCases is how many transactions a run compares, if TUSSAH_DIFF does not say.
	defaultCases = 20_000
	// patience is how long one case may take: a hundred times the longest that
	// uses all gas there is.
	patience = 3 * time.Second
	// maxHeap is when a worker gives up on a case.
	maxHeap = 1 << 30
)

// TestRandomPrograms runs random programs on random accounts with random
// messages, on both executors. TUSSAH_DIFF is the number of cases,
// TUSSAH_DIFF_SEED chooses others; a case is known by seed and number. What
// differs and is not known (known_test.go) is written as a fixture to
// TUSSAH_DIFF_OUT, by default a folder that the test names.
//
// The cases run in other processes, since both executors have inputs that they
// do not survive.
func TestRandomPrograms(t *testing.T) {
	t.Parallel()
	cases, seed := setting(t, "TUSSAH_DIFF", defaultCases), setting(t, "TUSSAH_DIFF_SEED", 1)
	out := os.Getenv("TUSSAH_DIFF_OUT")
	if out == "" {
		out = filepath.Join(os.TempDir(), "tussah-differences")
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases of seed %d", cases, seed)
	start := time.Now()
	var (
		mu      sync.Mutex
		group   sync.WaitGroup
		counts  = make(map[string]int)
		classes = make(map[string][]result)
		unknown = 0
	)
	workers := uint64(runtime.GOMAXPROCS(0))
	for w := range workers {
		group.Go(func() {
			l := lane{t: t, seed: seed, next: cases * w / workers, end: cases * (w + 1) / workers, out: out}
			l.run(func(r result) {
				mu.Lock()
				defer mu.Unlock()
				counts[r.kind()]++
				if r.Known == "" && r.Different != "" {
					unknown++
					classes[r.class()] = append(classes[r.class()], r)
				}
			})
		})
	}
	group.Wait()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%7d %s", counts[kind], kind)
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		all := classes[class]
		var numbers []string
		for _, r := range all[:min(len(all), 5)] {
			numbers = append(numbers, fmt.Sprintf("%d (v%d)", r.Case, r.Version))
		}
		t.Errorf("%d times: %s\ncases %s of seed %d; the first: %s", len(all), class, strings.Join(numbers, ", "), seed, all[0].Different)
	}
	if unknown > 0 {
		t.Errorf("%d cases differ; fixtures are in %s", unknown, out)
	}
	t.Logf("%d cases in %v", cases, time.Since(start).Round(time.Second))
}

func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// A result is a line that a worker writes.
type result struct {
	Case    uint64
	Version uint32
	// Begun is a line before the reference ran ("reference") and one before
	// ours ran ("ours"): if it is the last, that executor did not survive.
	Begun string `json:",omitempty"`

	Refused   bool   `json:",omitempty"` // by both
	Exit      int    `json:",omitempty"`
	Skipped   bool   `json:",omitempty"`
	Accepted  bool   `json:",omitempty"`
	Different string `json:",omitempty"` // in what, or nothing
	Ours      string `json:",omitempty"` // how it ended, if different
	Theirs    string `json:",omitempty"`
	Culprit   string `json:",omitempty"` // the instruction that the machines differ in
	Known     string `json:",omitempty"` // the name of the known difference
}

func (r result) kind() string {
	switch {
	case r.Known != "":
		return "known to differ: " + r.Known
	case r.Different != "":
		return "DIFFERENT"
	case r.Refused:
		return "refused by both"
	case !r.Accepted:
		return "external, not accepted by both"
	case r.Exit == 0:
		return "equal, exit 0"
	case r.Exit == -14:
		return "equal, out of gas"
	default:
		return "equal, another exit code"
	}
}

// class tells one kind of difference from another: how the two transactions
// ended or, if that is the same, the fields that differ.
func (r result) class() string {
	if r.Culprit != "" {
		return r.Culprit
	}
	if r.Ours != r.Theirs {
		return fmt.Sprintf("reference: %s; ours: %s", r.Theirs, r.Ours)
	}
	if !strings.HasPrefix(r.Different, reference.ErrMismatch.Error()) {
		return digits.ReplaceAllString(r.Different, "…")
	}
	return r.Theirs + ": " + strings.Join(r.fields(), ", ")
}

// fields are the names of those that differ, but for hashes.
func (r result) fields() (out []string) {
	hashes := []string{"hash", "state update.new hash", "account after", "account after: last hash"}
	for line := range strings.Lines(r.Different) {
		if field, _, ok := strings.Cut(strings.TrimSpace(line), ": want"); ok && !slices.Contains(hashes, field) {
			out = append(out, field)
		}
	}
	return out
}

var digits = regexp.MustCompile(`[0-9A-Fa-f]{8,}|[EU][Qf][\w-]{40,}|[0-9]+`)

// summary is how a transaction ended.
func summary(o reference.Outcome, err error) string {
	if err != nil {
		return "refused"
	}
	if o.Transaction == nil {
		return "not accepted"
	}
	phases := read(o.Transaction)
	if phases.action == nil {
		return fmt.Sprintf("exit %d %s", o.Exit, phases.skipped)
	}
	return fmt.Sprintf("exit %d, action code %d, valid %t", o.Exit, phases.action.ResultCode, phases.action.Valid)
}

// phases are the parts of a transaction that known differences ask for.
type phases struct {
	skipped string
	compute *tontlb.ComputePhaseVM
	action  *tontlb.ActionPhase
}

func read(transaction *cell.Cell) (p phases) {
	var tx tontlb.Transaction
	if tontlb.Parse(&tx, transaction) != nil {
		return p
	}
	ordinary, ok := tx.Description.(tontlb.TransactionDescriptionOrdinary)
	if !ok {
		return p
	}
	switch phase := ordinary.ComputePhase.Phase.(type) {
	case tontlb.ComputePhaseSkipped:
		p.skipped = string(phase.Reason.Type)
	case tontlb.ComputePhaseVM:
		p.compute = &phase
	}
	p.action = ordinary.ActionPhase
	return p
}

// A lane is a range of cases, and the process that works on it.
type lane struct {
	t         *testing.T
	seed      uint64
	next, end uint64
	out       string
}

func (l *lane) run(report func(result)) {
	for l.next < l.end {
		last, err := l.process(report)
		if err == nil {
			return
		}
		// The case that ended the process is a difference, and the next process goes on after it.
		r := result{Case: last.Case, Version: last.Version, Different: fmt.Sprintf("%s did not survive: %v", cmp.Or(last.Begun, "nothing"), err)}
		if last.Begun == "" {
			l.t.Errorf("worker from case %d: %v", l.next, err)
			return
		}
		r.Known = knownEnd(last.Begun)
		if r.Known == "" {
			writeFixture(l.out, l.seed, r.Case, reference.Outcome{})
		}
		report(r)
		l.next = last.Case + 1
	}
}

var errStuck = errors.New("took too long")

func (l *lane) process(report func(result)) (last result, err error) {
	self, err := os.Executable()
	if err != nil {
		return last, err
	}
	cmd := exec.CommandContext(l.t.Context(), self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d %d %s", workerEnv, l.seed, l.next, l.end, l.out))
	var words strings.Builder
	cmd.Stderr = &beginning{b: &words}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return last, err
	}
	if err := cmd.Start(); err != nil {
		return last, err
	}
	stuck := false
	var mu sync.Mutex
	watchdog := time.AfterFunc(time.Minute, func() { // the first line takes longest
		mu.Lock()
		stuck = true
		mu.Unlock()
		_ = cmd.Process.Kill()
	})
	defer watchdog.Stop()
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		watchdog.Reset(patience)
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return last, fmt.Errorf("%w: %q", err, lines.Text())
		}
		last = r
		if r.Begun == "" {
			report(r)
		}
	}
	err = cmd.Wait()
	mu.Lock()
	defer mu.Unlock()
	switch {
	case stuck:
		return last, errStuck
	case err != nil:
		return last, fmt.Errorf("%w: %s", err, words.String())
	}
	return last, nil
}

// beginning keeps the first words of a crash.
type beginning struct{ b *strings.Builder }

func (w *beginning) Write(p []byte) (int, error) {
	w.b.Write(p[:min(len(p), max(0, 400-w.b.Len()))])
	return len(p), nil
}

// work is the worker.
func work(_ io.Reader, w io.Writer) {
	var seed, from, to uint64
	var out string
	if _, err := fmt.Sscan(os.Getenv(workerEnv), &seed, &from, &to, &out); err != nil {
		panic(err)
	}
	go watchHeap()
	lines := json.NewEncoder(w)
	say := func(r result) {
		if err := lines.Encode(r); err != nil {
			os.Exit(1)
		}
	}
	for n := from; n < to; n++ {
		in, version := randomCase(seed, n)
		r := result{Case: n, Version: version}
		begin := func(who string) { say(result{Case: n, Version: version, Begun: who}) }
		begin("reference")
		theirs, theirErr := cpp()(in)
		begin("ours")
		ours, ourErr := goVM(in)
		compareCase(&r, in, ours, theirs, ourErr, theirErr)
		if r.Different != "" && r.Known == "" {
			writeFixture(out, seed, n, theirs)
		}
		say(r)
	}
}

func compareCase(r *result, in reference.Execution, ours, theirs reference.Outcome, ourErr, theirErr error) {
	switch {
	case ourErr != nil && theirErr != nil:
		r.Refused = true
	// A refusal of the input keeps an external message out of a block like one that is not accepted.
	case ourErr != nil && theirs.Transaction == nil || theirErr != nil && ours.Transaction == nil:
		r.Refused = true
	case ourErr != nil:
		r.Different = "only ours refuses: " + ourErr.Error()
		// What ours would get wrong it does not run, see RATIONALE.md.
		if errors.Is(ourErr, sandbox.ErrDestroys) {
			r.Known = "refused: an account destroyed though an action failed"
		}
	case theirErr != nil:
		r.Different = "only the reference refuses: " + theirErr.Error()
	default:
		r.Accepted, r.Exit = ours.Transaction != nil, int(ours.Exit)
		if err := reference.Compare(in, ours, theirs); err != nil {
			r.Different = err.Error()
		}
	}
	if r.Different != "" {
		r.Ours, r.Theirs = summary(ours, ourErr), summary(theirs, theirErr)
		if ours.Exit != theirs.Exit || ours.Gas != theirs.Gas || strings.Contains(r.Different, "exit arg") {
			r.Culprit = divergence(in)
		}
		if r.Known == "" {
			r.Known = known(in, r, ours, theirs)
		}
	}
}

// writeFixture leaves a reproducer.
func writeFixture(dir string, seed, n uint64, expected reference.Outcome) {
	in, _ := randomCase(seed, n)
	f, err := reference.NewFixture(in, expected)
	if err != nil {
		return
	}
	f.Name = fmt.Sprintf("random case %d of seed %d", n, seed)
	file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d-%d.json", seed, n)))
	if err != nil {
		return
	}
	defer file.Close()
	_ = f.Write(file)
}

func watchHeap() {
	var m runtime.MemStats
	for range time.Tick(100 * time.Millisecond) {
		if runtime.ReadMemStats(&m); m.HeapAlloc > maxHeap {
			fmt.Fprintf(os.Stderr, "the heap has %d bytes", m.HeapAlloc)
			os.Exit(3)
		}
	}
}
