package probe

import (
	"slices"
	"sync"

	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/vm"
)

// Step is an instruction about to run.
type Step struct {
	Op    vm.OP     // decoded: its SerializeText has the arguments
	State *vm.State // as the instruction finds it. Reading only.
	// Code is the cell the instruction stands in, Offset its first bit there.
	Code   *cell.Cell
	Offset uint
	// Used is the gas used before this instruction, whose own encoding was
	// charged already.
	Used int64
}

// Machine returns a machine that shows every instruction to observe before it
// runs it. An error from observe ends the execution, see [Wrap].
func Machine(observe func(Step) error) *tvm.TVM {
	return build(func(vm.OP) bool { return true }, observe)
}

// Wrap returns a machine that calls before when it comes to one of the
// instructions that pick chose; the others run at full speed. When pick is
// asked, an instruction is not decoded: its SerializeText has its name, but the
// arguments are meaningless.
func Wrap(pick func(op vm.OP) bool, before func(op vm.OP, s *vm.State) error) *tvm.TVM {
	return build(pick, func(s Step) error { return before(s.Op, s.State) })
}

// building is held while the list of instructions is not what it should be.
var building sync.Mutex

func build(pick func(vm.OP) bool, before func(Step) error) *tvm.TVM {
	building.Lock()
	defer building.Unlock()
	// The first machine of a process makes the table all plain machines share.
	// It must be made from the list as it is.
	tvm.NewTVM()

	plain := vm.List
	defer func() { vm.List = plain }()
	done := false
	list := slices.Clone(plain)
	for i, getter := range list {
		if pick(getter()) {
			list[i] = wrap(getter, before, &done)
		}
	}
	// Only a list of another length makes NewTVM build a table of its own. To
	// list an instruction twice changes nothing, if nothing comes between.
	vm.List = append(list, list[len(list)-1])
	machine := tvm.NewTVM()
	done = true
	return machine
}

// wrap makes the getter that takes another's place. What it gives before the
// machine is done serves as the description of an instruction, and may be
// shared; afterwards, the machine asks for a new one each time it decodes.
func wrap(getter vm.OPGetter, before func(Step) error, done *bool) vm.OPGetter {
	op := getter()
	if r, ok := op.(interface{ Reusable() bool }); ok && r.Reusable() {
		getter = func() vm.OP { return op }
	}
	if _, ok := op.(vm.GasPricedOp); ok {
		return func() vm.OP { return &priced{wrapper{OP: getter(), before: before, shared: !*done}} }
	}
	return func() vm.OP { return &wrapper{OP: getter(), before: before, shared: !*done} }
}

// wrapper stands in for one instruction, once: it remembers where it was read
// from, so unlike some of those it wraps, it is not reusable.
type wrapper struct {
	vm.OP
	before func(Step) error
	shared bool
	code   *cell.Cell
	offset uint
}

// MinGlobalVersion hides the instruction from networks that do not have it yet.
func (w *wrapper) MinGlobalVersion() int {
	if v, ok := w.OP.(vm.VersionedOp); ok {
		return v.MinGlobalVersion()
	}
	return 0
}

func (w *wrapper) Deserialize(code *cell.Slice) error {
	w.locate(code)
	return w.OP.Deserialize(code)
}

// DeserializeMatched is Deserialize of an instruction whose prefix is known to
// be right. Some instructions have only this one right.
func (w *wrapper) DeserializeMatched(code *cell.Slice) error {
	m, ok := w.OP.(interface{ DeserializeMatched(*cell.Slice) error })
	if !ok {
		return w.Deserialize(code)
	}
	w.locate(code)
	return m.DeserializeMatched(code)
}

func (w *wrapper) locate(code *cell.Slice) {
	if w.shared {
		return // an instruction this version does not have: it will not run
	}
	w.code = code.WithoutTrace().BaseCell()
	w.offset, _ = code.BitRange()
}

func (w *wrapper) Interpret(s *vm.State) error { return w.interpret(s, 0) }

func (w *wrapper) interpret(s *vm.State, charged int64) error {
	step := Step{Op: w.OP, State: s, Code: w.code, Offset: w.offset, Used: s.Gas.Used() - charged}
	if err := w.before(step); err != nil {
		return &stop{err}
	}
	return w.OP.Interpret(s)
}

// priced is a wrapper for an instruction the machine charges for. Those that
// have no price charge by themselves.
type priced struct{ wrapper }

func (p *priced) InstructionBits() int64 { return p.OP.(vm.GasPricedOp).InstructionBits() }

func (p *priced) Interpret(s *vm.State) error {
	return p.interpret(s, vm.InstructionBaseGasPrice+p.InstructionBits())
}
