//go:build reference && cgo

package reference

/*
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// The functions of the node's libemulator that are used here. They are the
// library's stable C interface; tongo's own header lacks some of them.
void *transaction_emulator_create(const char *config, int log_verbosity);
void transaction_emulator_destroy(void *emulator);
bool transaction_emulator_set_unixtime(void *emulator, uint32_t unixtime);
bool transaction_emulator_set_lt(void *emulator, uint64_t lt);
bool transaction_emulator_set_rand_seed(void *emulator, const char *hex);
bool transaction_emulator_set_libs(void *emulator, const char *libraries);
bool transaction_emulator_set_prev_blocks_info(void *emulator, const char *tuple);
const char *transaction_emulator_emulate_transaction(void *emulator, const char *shard_account, const char *message);
bool emulator_set_verbosity_level(int level);
*/
import "C"

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	_ "github.com/tonkeeper/tongo/txemulator" // its linker flags find the library
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb/get"
)

var (
	// ErrConfig means that the C++ side does not take a configuration.
	ErrConfig = errors.New("the reference emulator refuses the configuration")
	// ErrInput means that the C++ side does not take an account or a message.
	ErrInput = errors.New("the reference emulator refuses the input")
)

// An Emulator is the C++ emulator with one configuration. It is good for
// concurrent use.
type Emulator struct {
	config    string // base64
	verbosity int    // of the machine's log
	mu        struct {
		sync.Mutex
		free   []unsafe.Pointer // instances nobody uses now; one serves one call at a time
		closed bool
	}
}

var quiet = sync.OnceFunc(func() { C.emulator_set_verbosity_level(0) })

// Open prepares the emulator for a configuration.
func Open(config *cell.Cell) (*Emulator, error) { return open(config, 0) }

func open(config *cell.Cell, verbosity int) (*Emulator, error) {
	quiet()
	// The C++ side ends the process over a dictionary that is none.
	if _, err := tvm.PrepareBlockchainConfig(config); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	e := &Emulator{verbosity: verbosity, config: base64.StdEncoding.EncodeToString(config.ToBOC())}
	instance, err := e.take()
	if err != nil {
		return nil, err
	}
	e.giveBack(instance)
	return e, nil
}

// Close frees the C++ side. Runs under way end well.
func (e *Emulator) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.closed = true
	for _, instance := range e.mu.free {
		C.transaction_emulator_destroy(instance)
	}
	e.mu.free = nil
}

func (e *Emulator) take() (unsafe.Pointer, error) {
	e.mu.Lock()
	if n := len(e.mu.free); n > 0 {
		instance := e.mu.free[n-1]
		e.mu.free = e.mu.free[:n-1]
		e.mu.Unlock()
		return instance, nil
	}
	e.mu.Unlock()
	config := C.CString(e.config)
	defer C.free(unsafe.Pointer(config))
	instance := C.transaction_emulator_create(config, C.int(e.verbosity))
	if instance == nil {
		return nil, ErrConfig
	}
	return instance, nil
}

func (e *Emulator) giveBack(instance unsafe.Pointer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mu.closed {
		C.transaction_emulator_destroy(instance)
		return
	}
	e.mu.free = append(e.mu.free, instance)
}

// Run executes a transaction. It is an [Executor]; the execution's
// configuration is that of [Open]. The logical time of the block is not told
// to the C++ side, which takes the last whole million before LT.
func (e *Emulator) Run(in Execution) (Outcome, error) {
	a, err := e.run(in)
	if err != nil {
		return Outcome{}, err
	}
	return a.outcome()
}

// Log is what the C++ machine writes while it executes: instructions by the
// cell and the bit they stand at, the gas left, exceptions.
func Log(in Execution) (string, error) {
	e, err := open(in.Config, 3)
	if err != nil {
		return "", err
	}
	defer e.Close()
	a, err := e.run(in)
	return a.Log, err
}

func (e *Emulator) run(in Execution) (a answer, err error) {
	instance, err := e.take()
	if err != nil {
		return a, err
	}
	defer e.giveBack(instance)
	var strings cStrings
	defer strings.free()
	set := func(ok C.bool, what string) {
		if !ok && err == nil {
			err = fmt.Errorf("%w: %s", ErrInput, what)
		}
	}
	libraries, err := oneDictionary(in.Libraries)
	if err != nil {
		return a, err
	}
	previous := cell.BeginCell().MustStoreUInt(0, 8).EndCell() // null, as VmStackValue
	if in.Previous.Len() > 0 {
		if previous, err = storeTuple(in.Previous); err != nil {
			return a, err
		}
	}
	// All are set each time: an instance keeps what the last run set.
	set(C.transaction_emulator_set_unixtime(instance, C.uint32_t(in.Now)), "time")
	set(C.transaction_emulator_set_lt(instance, C.uint64_t(in.LT)), "logical time")
	set(C.transaction_emulator_set_rand_seed(instance, strings.text(hex.EncodeToString(in.Seed[:]))), "seed")
	set(C.transaction_emulator_set_libs(instance, strings.boc(libraries)), "libraries")
	set(C.transaction_emulator_set_prev_blocks_info(instance, strings.boc(previous)), "previous blocks")
	if err != nil {
		return a, err
	}
	text := C.transaction_emulator_emulate_transaction(instance, strings.boc(in.Before), strings.boc(in.Message))
	if text == nil {
		return a, ErrInput
	}
	defer C.free(unsafe.Pointer(text))
	if err := json.Unmarshal([]byte(C.GoString(text)), &a); err != nil {
		return a, fmt.Errorf("answer of the reference emulator: %w", err)
	}
	return a, nil
}

// An answer is the JSON that the emulator gives, whatever it was built for.
type answer struct {
	Success             bool   `json:"success"`
	Error               string `json:"error"`
	ExternalNotAccepted bool   `json:"external_not_accepted"`
	ExitCode            int    `json:"vm_exit_code"`
	Transaction         BoC    `json:"transaction"`
	After               BoC    `json:"shard_account"`
	Actions             *BoC   `json:"actions"`
	Log                 string `json:"vm_log"`
}

func (a answer) outcome() (Outcome, error) {
	if a.ExternalNotAccepted {
		return Outcome{Exit: get.Exit(a.ExitCode)}, nil
	}
	if !a.Success {
		return Outcome{}, fmt.Errorf("%w: %s", ErrInput, a.Error)
	}
	o := Outcome{Transaction: a.Transaction.Cell, After: a.After.Cell, Accepted: true}
	if a.Actions != nil {
		o.Actions = a.Actions.Cell
	}
	var tx tontlb.Transaction
	if err := tontlb.Parse(&tx, o.Transaction); err != nil {
		return Outcome{}, fmt.Errorf("transaction of the reference emulator: %w", err)
	}
	ordinary, ok := tx.Description.(tontlb.TransactionDescriptionOrdinary)
	if !ok {
		return Outcome{}, fmt.Errorf("transaction of the reference emulator is a %T", tx.Description)
	}
	if ran, ok := ordinary.ComputePhase.Phase.(tontlb.ComputePhaseVM); ok {
		o.Exit, o.Gas = get.Exit(ran.Details.ExitCode), ran.Details.GasUsed.Uint64()
	}
	return o, nil
}

// oneDictionary joins dictionaries of libraries: the C++ side takes one, and
// has no way to take none. So there is always an entry, under a hash that
// nothing has; the C++ side compares hashes before it takes a library.
func oneDictionary(all []*cell.Cell) (*cell.Cell, error) {
	if len(all) == 1 && all[0] != nil {
		return all[0], nil
	}
	joined := cell.NewDict(256)
	nothing := cell.BeginCell().MustStoreRef(cell.BeginCell().EndCell()).EndCell()
	if err := joined.Set(cell.BeginCell().MustStoreSlice(make([]byte, 32), 256).EndCell(), nothing); err != nil {
		return nil, err
	}
	for _, root := range all {
		if root == nil {
			continue
		}
		entries, err := root.AsDict(256).LoadAll()
		if err != nil {
			return nil, fmt.Errorf("libraries: %w", err)
		}
		for _, entry := range entries {
			value, err := entry.Value.ToCell()
			if err == nil {
				err = joined.Set(entry.Key.MustToCell(), value)
			}
			if err != nil {
				return nil, fmt.Errorf("libraries: %w", err)
			}
		}
	}
	return joined.AsCell(), nil
}

// cStrings are copies for C that are freed together.
type cStrings []*C.char

func (s *cStrings) text(text string) *C.char {
	c := C.CString(text)
	*s = append(*s, c)
	return c
}

func (s *cStrings) boc(c *cell.Cell) *C.char {
	return s.text(base64.StdEncoding.EncodeToString(c.ToBOC()))
}

func (s *cStrings) free() {
	for _, c := range *s {
		C.free(unsafe.Pointer(c))
	}
}
