package kit

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/sandbox"
)

const (
	lastSteps     = 8  // instructions shown
	maxStackShown = 16 // entries shown
	maxTupleShown = 8
	maxTupleDepth = 3
)

// run is an execution done again, to see what it did.
type run struct {
	outcome sandbox.Outcome
	steps   []vm.TraceStep // the last instructions, the last one last
	// text is what the machine said of the exception the last one threw; THROW
	// says nothing.
	text string
	err  error
}

// again executes once more. It is done only for what is to be explained, since
// watching has its price.
func again(e sandbox.Execution) run {
	var r run
	r.outcome, r.err = e.Run(func(s vm.TraceStep) {
		if s.Opcode == "" {
			if text, ok := strings.CutPrefix(s.Message, "[EXCEPTION] "); ok {
				_, r.text, _ = strings.Cut(text, " ")
			}
			return
		}
		r.text = ""
		r.see(s)
	})
	return r
}

// see keeps an instruction among the last ones.
func (r *run) see(s vm.TraceStep) {
	if len(r.steps) == lastSteps {
		r.steps = append(r.steps[:0], r.steps[1:]...)
	}
	r.steps = append(r.steps, s)
}

// trail are the last instructions, and the stack the last one found.
func (r run) trail(p people) []section {
	if len(r.steps) == 0 {
		return nil
	}
	lines := make([]string, len(r.steps))
	for i, s := range r.steps {
		lines[i] = fmt.Sprintf("%d\t%s", s.GasRemaining, instruction(s.Opcode))
	}
	steps := section{"last steps", table(append([]string{"gas left\tinstruction"}, lines...))}
	if r.text != "" {
		steps.text += r.text + "\n"
	}
	return []section{steps, {"stack", p.stack(r.steps[len(r.steps)-1].Stack)}}
}

// instruction shortens those that carry code.
func instruction(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxShownText {
		return text
	}
	if i := strings.LastIndexByte(text, '>'); i >= 0 && strings.HasPrefix(text, "<") {
		return "<..>" + text[i+1:]
	}
	return text[:maxShownText] + ".."
}

// opName is an instruction without the code or data it carries.
func opName(text string) string {
	return strings.TrimSpace(text[strings.LastIndexAny(text, ">]")+1:])
}

func (p people) stack(s *vm.Stack) string {
	if s == nil || s.Len() == 0 {
		return "empty\n"
	}
	var lines []string
	for i := range min(s.Len(), maxStackShown) {
		v, err := s.Get(i)
		if err != nil {
			break
		}
		lines = append(lines, fmt.Sprintf("s%d\t%s", i, p.value(v, maxTupleDepth)))
	}
	if more := s.Len() - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("\tand %d more", more))
	}
	return table(lines)
}

// value writes an entry of the stack.
func (p people) value(v any, depth int) string {
	switch v := v.(type) {
	case nil, vm.Null:
		return "null"
	case *big.Int:
		return v.String()
	case *cell.Cell:
		return "cell " + showCell(v)
	case *cell.Slice:
		if a := addressIn(v); a != nil {
			return "address " + p.name(a)
		}
		return "slice " + showSlice(v)
	case *cell.Builder:
		return "builder " + showCell(v.WithoutTrace().EndCell())
	case tuple.Tuple:
		if depth == 0 {
			return fmt.Sprintf("tuple of %d", v.Len())
		}
		var items []string
		for i := range min(v.Len(), maxTupleShown) {
			item, err := v.Index(i)
			if err != nil {
				break
			}
			items = append(items, p.value(item, depth-1))
		}
		if v.Len() > len(items) {
			items = append(items, "..")
		}
		return "[" + strings.Join(items, ", ") + "]"
	case vm.NaN:
		return "NaN"
	case vm.Continuation:
		return "continuation"
	}
	return fmt.Sprintf("%T", v)
}
