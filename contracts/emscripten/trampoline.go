package emscripten

import (
	"bytes"
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
)

// The trampoline is a small wasm module that we generate, because two things cannot be done from Go:
//
//   - calling a function by its index in the program's table. For each invoke_SIG that the program
//     imports there is an export of the same name with the parameters (index, arguments of SIG …, slot).
//     It first saves the C++ stack pointer at slot in the trampoline's own memory, where Go finds it if
//     the call throws. (experimental/table.LookupFunction of wazero v1.12.0 is no way around this: it resolves those
//     functions wrongly that the program itself has imported.)
//   - putting a Go function into that table: install appends the callback and returns its index.
const (
	installExport = "install"
	savedExport   = "saved"
	callbackName  = "tussah_callback"

	maxDepth = 65536 / 4 // of nested invokes: as many slots as the one page of "saved" has
)

// A signature is one invoke_SIG import; its first parameter is the index in the table.
type signature struct {
	name            string
	params, results []api.ValueType
}

// trampolineImports names what the trampoline needs from the program.
type trampolineImports struct{ stackSave, table string }

// The modules that the trampoline imports from, as its import resolver knows them.
const (
	programModule = "program"
	hostModule    = "host"
)

func trampoline(invokes []signature, from trampolineImports) []byte {
	const (
		i32, funcref                           = api.ValueTypeI32, 0x70
		kindFunc, kindTable, kindMemory        = 0, 1, 2
		toI32, callbackType                    = 0, 1    // indices of types,
		stackSaveFunc, callbackFunc, firstFunc = 0, 1, 2 // and of functions
	)
	types := [][]byte{
		funcType(nil, []api.ValueType{i32}),
		funcType([]api.ValueType{i32, i32, i32, i32, i32}, nil),
	}
	var funcs, exports, bodies [][]byte
	for i, s := range invokes {
		called, ours := len(types), len(types)+1
		types = append(types,
			funcType(s.params[1:], s.results),
			funcType(append(bytes.Clone(s.params), i32), s.results))
		funcs = append(funcs, number(ours))
		exports = append(exports, join(name(s.name), number(kindFunc), number(firstFunc+i)))

		slot := len(s.params)
		code := join(localGet(slot), []byte{0x10, stackSaveFunc}, []byte{0x36, 2, 0}) // call; i32.store
		for arg := 1; arg < len(s.params); arg++ {
			code = append(code, localGet(arg)...)
		}
		code = join(code, localGet(0), []byte{0x11}, number(called), []byte{0}) // call_indirect in table 0
		bodies = append(bodies, body(code))
	}
	funcs = append(funcs, number(toI32))
	exports = append(exports,
		join(name(installExport), number(kindFunc), number(firstFunc+len(invokes))),
		join(name(savedExport), number(kindMemory), number(0)))
	bodies = append(bodies, body([]byte{0xd2, callbackFunc, 0x41, 1, 0xfc, 15, 0})) // ref.func; i32.const; table.grow

	return join([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, types),
		section(2, [][]byte{
			join(name(programModule), name(from.stackSave), number(kindFunc), number(toI32)),
			join(name(hostModule), name(callbackName), number(kindFunc), number(callbackType)),
			join(name(programModule), name(from.table), []byte{kindTable, funcref, 0, 0}),
		}),
		section(3, funcs),
		section(5, [][]byte{{1, 1, 1}}), // a memory of one page, and never more
		section(7, exports),
		section(9, [][]byte{{3, 0, 1, callbackFunc}}), // declares that there is a ref.func of it
		section(10, bodies))
}

func localGet(index int) []byte { return join([]byte{0x20}, number(index)) }

// number is an unsigned LEB128, which Go calls a varint.
func number(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func name(s string) []byte { return append(number(len(s)), s...) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func section(id byte, items [][]byte) []byte {
	content := join(number(len(items)), join(items...))
	return join([]byte{id}, number(len(content)), content)
}

func funcType(params, results []api.ValueType) []byte {
	return join([]byte{0x60}, number(len(params)), params, number(len(results)), results)
}

// body has no locals beside the parameters.
func body(code []byte) []byte {
	content := join([]byte{0}, code, []byte{0x0b})
	return join(number(len(content)), content)
}
