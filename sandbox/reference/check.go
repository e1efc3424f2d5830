//go:build reference && cgo

package reference

import (
	"fmt"
	"slices"
	"sync"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// maxOpen bounds the emulators that [Check] keeps. Each new chain has its own
// configuration; what matters is that one chain's blocks share theirs.
const maxOpen = 16

// opened are the emulators of Check, by the hash of their configuration.
var opened struct {
	sync.Mutex
	byConfig map[cell.Hash]*Emulator
	age      []cell.Hash // oldest first
}

// Check executes once more with the C++ emulator and compares with what our
// executor made of it. It is meant for every transaction there is, and good
// for concurrent use.
func Check(in Execution, ours Outcome) error {
	e, err := emulator(in.Config)
	if err != nil {
		return err
	}
	theirs, err := e.Run(in)
	if err != nil {
		return fmt.Errorf("transaction of %s: %w", in.Account, err)
	}
	return Compare(in, ours, theirs)
}

func emulator(config *cell.Cell) (*Emulator, error) {
	key := config.HashKey()
	opened.Lock()
	defer opened.Unlock()
	if e, ok := opened.byConfig[key]; ok {
		return e, nil
	}
	e, err := Open(config)
	if err != nil {
		return nil, err
	}
	if opened.byConfig == nil {
		opened.byConfig = make(map[cell.Hash]*Emulator)
	}
	if len(opened.age) == maxOpen {
		opened.byConfig[opened.age[0]].Close()
		delete(opened.byConfig, opened.age[0])
		opened.age = slices.Delete(opened.age, 0, 1)
	}
	opened.byConfig[key] = e
	opened.age = append(opened.age, key)
	return e, nil
}
