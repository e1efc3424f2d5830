package sandbox

import (
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/op/funcs"
	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/sandbox/probe"
	"github.com/tussah-network/tussah/tlb/get"
)

// errLooksBack: a contract asked for earlier master blocks in a round that is
// executed without them.
var errLooksBack = errors.New("contract looks at earlier blocks")

// The machines of all chains of a process: making one takes a while, and they
// keep nothing. The careful one ends an execution with errLooksBack when a
// contract comes near the earlier blocks in c7, and there are none.
var (
	machine        = sync.OnceValue(tvm.NewTVM)
	carefulMachine = sync.OnceValue(func() *tvm.TVM {
		get.Prepare() // while a machine is wrapped, no other may be made
		machine()
		return probe.Wrap(get.TouchesC7, func(op vm.OP, s *vm.State) error {
			if err := get.MakeC7(op, s); err != nil {
				return err
			}
			return refuseToLookBack(op, s)
		})
	})
)

// paramPreviousBlocks is their place among the parameters in c7.
const paramPreviousBlocks = 13

// refuseToLookBack is called before each instruction that touches c7.
func refuseToLookBack(op vm.OP, s *vm.State) error {
	switch op.(type) {
	case *funcs.OpGETGLOB, *funcs.OpSETGLOB:
		return nil // they have no business with the first entry of c7, and long names
	}
	switch name, argument, _ := strings.Cut(op.SerializeText(), " "); name {
	case "PREVMCBLOCKS", "PREVKEYBLOCK", "PREVMCBLOCKS_100", "PREVBLOCKSINFOTUPLE", "GETGLOBVAR", "PUSHCTRX":
	case "GETPARAM", "GETPARAMLONG":
		if argument != strconv.Itoa(paramPreviousBlocks) {
			return nil
		}
	case "c7":
		if argument != "PUSH" {
			return nil
		}
	default:
		return nil
	}
	if blocks, err := s.GetParam(paramPreviousBlocks); err == nil && blocks == nil {
		return errLooksBack
	}
	return nil
}

// machine is the one to execute this block's messages on.
func (c *collation) machine() *tvm.TVM {
	if c.world.Previous.Len() > 0 {
		return machine()
	}
	return carefulMachine()
}

// lookBack makes blocks of everything before this one, so that a contract can
// look at them.
func (c *collation) lookBack() error {
	if err := c.chain.build(); err != nil {
		return err
	}
	c.block = nil
	var err error
	c.world.Previous, err = c.chain.prevBlocks()
	return err
}
