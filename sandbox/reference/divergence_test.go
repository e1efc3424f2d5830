//go:build reference && cgo

package reference_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/xssnick/tonutils-go/tvm"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/probe"
	"github.com/tussah-network/tussah/sandbox/reference"
)

// A step is an instruction that ran, and what came of it.
type step struct {
	place     string // cell and offset
	name      string
	exception int   // that it threw, or -1
	gas       int64 // left after it, or -1 if not known
}

// divergence names the instruction that the machines differ in, and what the
// reference makes of it: the last one that both ran with the same gas left, at
// the same place in the code.
func divergence(in reference.Execution) string {
	theirs, err := referenceSteps(in)
	if err != nil {
		return ""
	}
	ours := ourSteps(in)
	same := 0
	for same < len(theirs) && same < len(ours) && theirs[same].place == ours[same].place {
		same++
	}
	if same == 0 {
		return ""
	}
	// Where a machine within the machine ends, the one gas is not the other's; so twice in a row.
	for i := range same - 1 {
		if costs(theirs, ours, i) && (i+2 >= same || costs(theirs, ours, i+1)) {
			if i > 0 && theirs[i-1].gas < 0 { // it threw, and what is left was not shown
				i--
			}
			return culprit(theirs[i], "costs otherwise")
		}
	}
	if same == len(theirs) && same == len(ours) {
		return culprit(theirs[same-1], "ends otherwise")
	}
	return culprit(theirs[same-1], "goes on otherwise")
}

func costs(theirs, ours []step, i int) bool {
	return theirs[i].gas >= 0 && ours[i].gas >= 0 && theirs[i].gas != ours[i].gas
}

func culprit(s step, how string) string {
	if s.exception >= 0 {
		how += fmt.Sprintf(", reference throws %d", s.exception)
	}
	return mnemonic(s.name) + " " + how
}

// mnemonic is an instruction without its arguments.
func mnemonic(name string) string {
	first, _, _ := strings.Cut(name, " ")
	if first == "implicit" {
		return name
	}
	return first
}

var (
	placeLine = regexp.MustCompile(`^code cell hash: ([0-9A-F]+) offset: (\d+)`)
	gasLine   = regexp.MustCompile(`^gas remaining: (-?\d+)`)
	throwLine = regexp.MustCompile(`^handling exception code (\d+)`)
)

// referenceSteps reads the log of the C++ machine.
func referenceSteps(in reference.Execution) (out []step, err error) {
	log, err := reference.Log(in)
	place := ""
	for line := range strings.Lines(log) {
		if m := placeLine.FindStringSubmatch(line); m != nil {
			place = strings.ToLower(m[1]) + ":" + m[2]
			continue
		}
		if name, ok := strings.CutPrefix(line, "execute "); ok {
			if name = strings.TrimSpace(name); !strings.HasPrefix(name, "implicit") { // ours does not show these
				out = append(out, step{place: place, name: name, exception: -1, gas: -1})
			}
			continue
		}
		if len(out) == 0 {
			continue
		}
		last := &out[len(out)-1]
		if m := gasLine.FindStringSubmatch(line); m != nil {
			last.gas, _ = strconv.ParseInt(m[1], 10, 64)
		}
		if m := throwLine.FindStringSubmatch(line); m != nil && last.exception < 0 {
			last.exception, _ = strconv.Atoi(m[1])
		}
	}
	return out, err
}

// watched is a machine that shows its steps; making one takes a while.
var watched = sync.OnceValue(func() (w struct {
	machine *tvm.TVM
	steps   *[]step
}) {
	w.steps = new([]step)
	w.machine = probe.Machine(func(s probe.Step) error {
		if n := len(*w.steps); n > 0 {
			(*w.steps)[n-1].gas = s.State.Gas.Limit - s.Used
		}
		*w.steps = append(*w.steps, step{place: fmt.Sprintf("%x:%d", s.Code.Hash(), s.Offset), exception: -1, gas: -1})
		return nil
	})
	return w
})

func ourSteps(in reference.Execution) []step {
	w := watched()
	*w.steps = nil
	_, _ = sandbox.Execution(in).RunOn(w.machine, nil)
	return *w.steps
}
