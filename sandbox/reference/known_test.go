//go:build reference && cgo

package reference_test

import (
	"regexp"
	"slices"
	"strings"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/reference"
)

// A found difference, with what it takes to recognise it.
type found struct {
	in           reference.Execution
	version      uint32
	culprit      string // see divergence
	fields       []string
	ours, theirs phases

	ourGas, theirGas uint64
}

// knownDifferences are those that random programs still run into. The others
// have their triggers left out of the programs and stand, with these, in
// testdata/known.txt. In each, it is the reference that follows the chain: it
// is the node's own code.
var knownDifferences = []struct {
	name string
	is   func(found) bool
}{
	// Ours checks less of a dictionary on the way to a key, and does not see that it is none.
	{"malformed dictionary", func(d found) bool { return dictionaryCulprit.MatchString(d.culprit) }},
	// Ours takes messages to nobody, and amounts with leading zeros.
	{"SENDMSG of a malformed message", func(d found) bool {
		return strings.HasPrefix(d.culprit, "SENDMSG ") && strings.HasSuffix(d.culprit, ", reference throws 11")
	}},
	// Out of gas, either shows what it would have needed; where an instruction is paid for in steps, these are not the same.
	// Ours also counts an exception that is too dear as a step.
	{"gas that was not there", func(d found) bool {
		return d.theirs.compute != nil && d.theirs.compute.Details.ExitCode == -14 && d.only("compute phase.phase.details.exit arg", "compute phase.phase.details.vmsteps")
	}},
	// Ours forgets the signatures that were checked before an isolated machine within the machine.
	{"signatures before an isolated machine", func(d found) bool {
		return d.culprit == "RUNVM costs otherwise" || d.culprit == "RUNVMX costs otherwise"
	}},
	// Ours does not charge for the cell that cannot be made.
	{"cell too deep", func(d found) bool {
		return d.theirs.compute != nil && d.theirs.compute.Details.ExitCode == 8 && d.theirGas-d.ourGas == cellPrice
	}},
	// Where a machine within the machine runs out of gas, ours counts the instruction that was too dear.
	{"steps of an inner machine", func(d found) bool {
		return d.only("compute phase.phase.details.vmsteps")
	}},
	// The product of no pairings is one, says ours; the reference says no.
	{"BLS_PAIRING of nothing", func(d found) bool {
		return strings.HasPrefix(d.culprit, "BLS_PAIRING goes on otherwise") || d.runs("PUSHINT 0", "BLS_PAIRING")
	}},
	// Ours charges for the instruction that is not all there.
	{"instruction cut short", func(d found) bool { return strings.HasSuffix(d.culprit, " otherwise, reference throws 6") }},
	// The reference looks at all actions before it carries out the first; ours notices a malformed one when it comes to it, or not at all.
	{"malformed action", func(d found) bool {
		return d.theirs.action != nil && d.theirs.action.ResultCode == 34 && !d.theirs.action.Valid
	}},
	// The same, of one that may be skipped.
	{"malformed action skipped", func(d found) bool {
		return d.version >= 8 && d.theirs.action != nil && (d.ours.action == nil || d.theirs.action.SkippedActions > d.ours.action.SkippedActions)
	}},
	// Ours shows the fees of messages that were never sent, as those of a failed action phase.
	{"fees of a failed action phase", func(d found) bool {
		return d.failed() && d.only("action phase.total action fees")
	}},
	// Before version 8, mode 2 ignored failures without counting them.
	{"mode 2 before version 8", func(d found) bool {
		return d.version < 8 && d.sends(2) && d.ours.action != nil && d.ours.action.ResultCode >= 37
	}},
	// Before version 9, the balance to reserve on top of could be below zero.
	{"reserve of mode 4 before version 9", func(d found) bool {
		return d.version < 9 && d.failed() && d.theirs.action.ResultCode == 34 && d.reserves(4)
	}},
	// For a message with too many extra currencies, ours has the account pay by the cell.
	{"too many extra currencies", func(d found) bool { return d.theirs.action != nil && d.theirs.action.ResultCode == 44 }},
	// Before version 10, an account over its limits kept the logical time of the messages that were not sent.
	{"state limits before version 10", func(d found) bool {
		return d.version < 10 && d.theirs.action != nil && d.theirs.action.ResultCode == 50
	}},
	// Of a message with two faults, either names the one it finds first.
	{"two faults in a message", func(d found) bool {
		return d.failed() && d.ours.action != nil && d.ours.action.ResultCode >= 34 && d.theirs.action.ResultCode >= 34 &&
			d.ours.action.ResultCode != d.theirs.action.ResultCode && d.theirs.action.ResultCode <= 45 && d.ours.action.ResultCode <= 45
	}},
	{"two faults in a message that may be skipped", func(d found) bool {
		return d.failed() && d.theirs.action.ResultCode == 34 && d.ours.action != nil && d.ours.action.SkippedActions > d.theirs.action.SkippedActions
	}},
	// The reference stops to count a message where it is over a limit, and fines the sender for that much; ours counts all of it.
	{"size of a message over its limits", func(d found) bool {
		return d.theirs.action != nil && (d.theirs.action.ResultCode == 40 || d.theirs.action.SkippedActions > 0) &&
			d.only("action phase.total action fees", "total fees.coins", "account after.account storage.balance")
	}},
	// Before version 10, whoever is deployed with a fixed prefix has an anycast address, and sends from it.
	{"fixed prefix before version 10", func(d found) bool { return d.version < 10 && d.prefixed() }},
	{"action named for the limits of the state", func(d found) bool {
		return d.failed() && d.theirs.action.ResultCode == 50 && d.only("action phase.result arg")
	}},
}

// cellPrice is the gas that a new cell costs.
const cellPrice = 500

var dictionaryCulprit = regexp.MustCompile(`^[A-Z]*DICT[A-Z]* .*reference throws (9|10)$`)

// knownEnd is the name of a known way not to survive.
func knownEnd(begun string) string {
	if begun == "ours" {
		// Ours copies whole trees of continuations, for which nobody pays gas.
		return "copies of continuations without end"
	}
	return ""
}

func known(in reference.Execution, r *result, ours, theirs reference.Outcome) string {
	if ours.Transaction == nil || theirs.Transaction == nil {
		return ""
	}
	d := found{in: in, version: r.Version, culprit: r.Culprit, fields: r.fields(), ours: read(ours.Transaction), theirs: read(theirs.Transaction),
		ourGas: ours.Gas, theirGas: theirs.Gas}
	for _, k := range knownDifferences {
		if k.is(d) {
			return k.name
		}
	}
	return ""
}

// only reports whether nothing but some fields of the description differs.
func (d found) only(names ...string) bool {
	return !slices.ContainsFunc(d.fields, func(f string) bool { return !slices.Contains(names, strings.TrimPrefix(f, "description.")) })
}

func (d found) failed() bool { return d.theirs.action != nil && d.theirs.action.ResultCode != 0 }

// sends reports whether there is an action to send with all these bits of the mode.
func (d found) sends(mode uint8) bool { return d.does(0x0ec3c86d, mode) }

func (d found) reserves(mode uint8) bool { return d.does(0x36e6b809, mode) }

func (d found) does(tag uint64, mode uint8) bool {
	return slices.ContainsFunc(d.actions(), func(a *cell.Slice) bool {
		return a.BitsLeft() >= 40 && a.MustLoadUInt(32) == tag && uint8(a.MustLoadUInt(8))&mode == mode
	})
}

// runs reports whether the reference ran these instructions in a row.
func (d found) runs(names ...string) bool {
	steps, err := referenceSteps(d.in)
	for i := 0; err == nil && i+len(names) <= len(steps); i++ {
		if slices.EqualFunc(steps[i:i+len(names)], names, func(s step, name string) bool { return s.name == name }) {
			return true
		}
	}
	return false
}

// prefixed reports whether the message brings a StateInit with a fixed prefix.
func (d found) prefixed() bool {
	var m tontlb.Message
	if tontlb.Parse(&m, d.in.Message) != nil {
		return false
	}
	var init *tontlb.StateInit
	switch m := m.Msg.(type) {
	case *tontlb.InternalMessage:
		init = m.StateInit
	case *tontlb.ExternalMessage:
		init = m.StateInit
	}
	return init != nil && init.Depth != nil
}

// actions is the list that the contract left.
func (d found) actions() (out []*cell.Slice) {
	result, err := goVM(d.in)
	for list := result.Actions; err == nil && list != nil && list.RefsNum() > 0; {
		s := list.MustBeginParse()
		list = s.MustLoadRef().MustToCell()
		out = append(out, s)
	}
	return out
}
