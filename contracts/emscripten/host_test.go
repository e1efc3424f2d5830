package emscripten

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// wazero leaves garbage above an i32, and a crash of the process is what came of letting it through.
func TestHostFunctionsSeeAndGiveCleanIntegers(t *testing.T) {
	const i32, i64 = api.ValueTypeI32, api.ValueTypeI64
	const dirt = 0xdead_beef_0000_0000
	var got []uint64
	echo := func(_ context.Context, _ *Machine, args []uint64) uint64 {
		got = append(got, args...)
		return dirt | 7
	}
	stack := []uint64{dirt | 1, dirt | 2, 99}
	clean(nil, echo, []api.ValueType{i32, i64}, []api.ValueType{i32})(t.Context(), stack)
	if len(got) != 2 || got[0] != 1 || got[1] != dirt|2 {
		t.Errorf("the function saw %x, want 1 and all of %x", got, uint64(dirt|2))
	}
	if stack[0] != 7 {
		t.Errorf("it gave %x, want 7", stack[0])
	}
	clean(nil, echo, nil, []api.ValueType{i64})(t.Context(), stack)
	if stack[0] != dirt|7 {
		t.Errorf("it gave %x, want %x", stack[0], uint64(dirt|7))
	}
	stack[0] = 5
	clean(nil, echo, nil, nil)(t.Context(), stack)
	if stack[0] != 5 {
		t.Error("a function without result wrote one")
	}
}

func TestTrampolineIsValid(t *testing.T) {
	runtime := wazero.NewRuntime(t.Context())
	defer runtime.Close(t.Context())
	i32, i64, f64 := api.ValueTypeI32, api.ValueTypeI64, api.ValueTypeF64
	many := make([]api.ValueType, 200) // counts and sizes of more than one byte
	for i := range many {
		many[i] = i32
	}
	code, err := runtime.CompileModule(t.Context(), trampoline([]signature{
		{"invoke_v", []api.ValueType{i32}, nil},
		{"invoke_jijd", []api.ValueType{i32, i32, i64, f64}, []api.ValueType{i64}},
		{"invoke_many", many, []api.ValueType{i32}},
	}, trampolineImports{stackSave: "Wa", table: "Pa"}))
	if err != nil {
		t.Fatal(err)
	}
	exports := code.ExportedFunctions()
	if len(exports) != 4 || len(exports["invoke_many"].ParamTypes()) != 201 || exports[installExport] == nil {
		t.Errorf("it exports %v", exports)
	}
}
