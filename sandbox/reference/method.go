//go:build reference && cgo

package reference

/*
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void *tvm_emulator_create(const char *code, const char *data, int log_verbosity);
void tvm_emulator_destroy(void *emulator);
bool tvm_emulator_set_libraries(void *emulator, const char *libraries);
bool tvm_emulator_set_c7(void *emulator, const char *address, uint32_t unixtime, uint64_t balance, const char *seed, const char *config);
bool tvm_emulator_set_gas_limit(void *emulator, int64_t limit);
const char *tvm_emulator_run_get_method(void *emulator, int method, const char *stack);
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"strings"
	"unsafe"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb/get"
)

// A Method is everything a get method's result follows from. The random seed
// and the logical times are zero, earlier blocks are not known.
type Method struct {
	Account    *address.Address
	Code, Data *cell.Cell
	Balance    uint64
	Config     *cell.Cell
	Libraries  []*cell.Cell
	Now        uint32
	ID         int32
	Arguments  *cell.Cell // VmStack; nil is none
}

// MethodResult is what it left.
type MethodResult struct {
	Exit  get.Exit
	Gas   uint64
	Stack *cell.Cell // VmStack
}

// RunMethod runs a get method with the C++ emulator.
func RunMethod(m Method) (MethodResult, error) {
	quiet()
	if _, err := tvm.PrepareBlockchainConfig(m.Config); err != nil {
		return MethodResult{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	libraries, err := oneDictionary(m.Libraries)
	if err != nil {
		return MethodResult{}, err
	}
	if m.Arguments == nil {
		if m.Arguments, err = tontlb.NewStack().ToCell(); err != nil {
			return MethodResult{}, err
		}
	}
	var all cStrings
	defer all.free()
	emulator := C.tvm_emulator_create(all.boc(m.Code), all.boc(m.Data), 0)
	if emulator == nil {
		return MethodResult{}, fmt.Errorf("%w: code or data", ErrInput)
	}
	defer C.tvm_emulator_destroy(emulator)
	if !C.tvm_emulator_set_c7(emulator, all.text(m.Account.StringRaw()), C.uint32_t(m.Now), C.uint64_t(m.Balance),
		all.text(strings.Repeat("0", 64)), all.boc(m.Config)) {
		return MethodResult{}, ErrConfig
	}
	if !C.tvm_emulator_set_libraries(emulator, all.boc(libraries)) || !C.tvm_emulator_set_gas_limit(emulator, C.int64_t(get.GasLimit)) {
		return MethodResult{}, fmt.Errorf("%w: libraries or gas", ErrInput)
	}
	text := C.tvm_emulator_run_get_method(emulator, C.int(m.ID), all.boc(m.Arguments))
	defer C.free(unsafe.Pointer(text))
	var a struct {
		Success bool   `json:"success"`
		Error   string `json:"error"`
		Exit    int    `json:"vm_exit_code"`
		Gas     uint64 `json:"gas_used,string"`
		Stack   BoC    `json:"stack"`
	}
	if err := json.Unmarshal([]byte(C.GoString(text)), &a); err != nil {
		return MethodResult{}, fmt.Errorf("answer of the reference emulator: %w", err)
	}
	if !a.Success {
		return MethodResult{}, fmt.Errorf("%w: %s", ErrInput, a.Error)
	}
	return MethodResult{Exit: get.Exit(a.Exit), Gas: a.Gas, Stack: a.Stack.Cell}, nil
}
