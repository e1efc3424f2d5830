package kit

import (
	"fmt"
	"io"
	"sync"

	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/sandbox/probe"
	"github.com/tussah-network/tussah/tlb/get"
)

// Profile writes where the gas of a result went, in the format that
// `go tool pprof` reads. A sample is the gas of an instruction; its stack, from
// the outside in, is the contract, the message, the place in the code (the
// beginning of its cell's hash, and the bit) and the instruction. Gas of a jump
// or return without an instruction counts for the instruction before. The
// test's own treasuries are left out.
//
// Every transaction is executed once more for it.
func Profile(w io.Writer, results ...*Result) error {
	p := newPprof()
	for _, r := range results {
		for _, t := range r.All {
			if r.world.isTreasury(t.Message.To) {
				continue
			}
			if err := t.profile(p); err != nil {
				return fmt.Errorf("profile transaction of %s: %w", r.people.name(t.Message.To), err)
			}
		}
	}
	return p.write(w)
}

func (t *Transaction) profile(p *pprof) error {
	contract := t.result.people.name(t.Message.To)
	message := t.what()
	if t.Message.External {
		message = "external, " + message
	}
	m := meter{charge: func(s spent) {
		p.add(int64(s.gas), s.text, s.at, message, contract)
	}}
	outcome, err := watched(func(machine *tvm.TVM) (uint64, error) {
		o, err := t.Execution.RunOn(machine, nil)
		return o.Gas, err
	}, m.step)
	if err != nil {
		return err
	}
	m.end(outcome)
	return nil
}

// spent is what an instruction used.
type spent struct {
	text, at string
	gas      int64
}

// meter charges each instruction with the gas used until the next one. A child
// of RUNVM has an account of its own, and its gas is the parent's RUNVM's only
// as far as it is not its own instructions'.
type meter struct {
	charge func(spent)
	open   []frame // the machine that runs, below those that wait for it
}

// frame is a machine at an instruction.
type frame struct {
	state    *vm.State
	now      spent
	since    int64 // gas used before the instruction
	children int64 // gas of the children it ran
}

func (m *meter) step(s probe.Step) error {
	for len(m.open) > 0 && m.top().state != s.State && m.waiting(s.State) {
		m.popChild()
	}
	if len(m.open) == 0 || m.top().state != s.State {
		m.open = append(m.open, frame{state: s.State})
	} else {
		m.settle(s.Used)
	}
	top := m.top()
	hash := s.Code.HashKey()
	top.now = spent{text: opName(s.Op.SerializeText()), at: fmt.Sprintf("%x:%d", hash[:4], s.Offset)}
	top.since = s.Used
	return nil
}

func (m *meter) top() *frame { return &m.open[len(m.open)-1] }

func (m *meter) waiting(s *vm.State) bool {
	for _, f := range m.open {
		if f.state == s {
			return true
		}
	}
	return false
}

// settle charges the instruction that ran until now.
func (m *meter) settle(used int64) {
	f := m.top()
	f.now.gas = used - f.since - f.children
	f.children = 0
	m.charge(f.now)
}

// popChild settles a child that ended. Its parent pays no more than the child's
// limit and one.
func (m *meter) popChild() {
	gas := m.top().state.Gas
	used := min(gas.Used(), gas.Limit+1)
	m.settle(used)
	m.open = m.open[:len(m.open)-1]
	m.top().children += used
}

// end settles what is left when the transaction used that much gas.
func (m *meter) end(gas uint64) {
	for len(m.open) > 1 {
		m.popChild()
	}
	if len(m.open) == 1 {
		m.settle(int64(gas))
	}
}

// observed is the machine all profiles share, as it takes a while to make. It
// has one observer, so profiles take turns.
var observed struct {
	sync.Mutex
	step func(probe.Step) error
}

var observedMachine = sync.OnceValue(func() *tvm.TVM {
	// The machine of get methods must not be made while the list of
	// instructions is not as it should be; that of transactions exists, as
	// there is a result.
	get.Prepare()
	return probe.Machine(func(s probe.Step) error { return observed.step(s) })
})

func watched(run func(*tvm.TVM) (uint64, error), step func(probe.Step) error) (uint64, error) {
	observed.Lock()
	defer observed.Unlock()
	observed.step = step
	return run(observedMachine())
}
