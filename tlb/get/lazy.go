package get

import (
	"strings"

	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/tuple"
	"github.com/xssnick/tonutils-go/tvm/vm"
)

// To make c7, and to bind it to the gas of an execution, takes longer than most
// methods, few of which look at it. A machine that calls [MakeC7] before each
// instruction that [TouchesC7] chose can do without until then.

// RunLazily is [RunOn] on such a machine.
func RunLazily(on *tvm.TVM, s State, id uint64, args ...any) (Result, error) {
	return run(on, s, id, args, true)
}

// unmade stands in c7 for what is made of it when it is needed. It is no value
// of the virtual machine, so an instruction that came upon it would throw.
type unmade struct {
	state  *State
	config *tvm.PreparedBlockchainConfig
}

// TouchesC7 tells whether an instruction can read or write c7: those that deal
// with control registers (ED), with the application (F8) and with actions (FB).
func TouchesC7(op vm.OP) bool {
	for _, prefix := range op.GetPrefixes() {
		b, err := prefix.PreloadUInt(8)
		if err != nil || b == 0xed || b == 0xf8 || b == 0xfb {
			return true
		}
	}
	return false
}

// MakeC7 is called before a decoded instruction runs, in any execution: what
// [RunLazily] left out is made, unless the instruction has to do with another
// register.
func MakeC7(op vm.OP, s *vm.State) error {
	first, err := s.Reg.C7.RawIndex(0)
	if err != nil {
		return nil
	}
	missing, ok := first.(*unmade)
	if !ok {
		return nil
	}
	if register, action, _ := strings.Cut(op.SerializeText(), " "); action == "PUSH" && register != "c7" {
		return nil
	}
	c7, err := missing.state.c7(missing.config)
	if err != nil {
		return err
	}
	return s.SetC7(c7)
}

// c7OrNot is c7 at the start of a run.
func (s *State) c7OrNot(config *tvm.PreparedBlockchainConfig, lazily bool) (tuple.Tuple, error) {
	if lazily {
		return tuple.NewTupleOwned([]any{&unmade{s, config}}), nil
	}
	return s.c7(config)
}
