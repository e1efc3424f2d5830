package tolk

import (
	"bytes"
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
)

// The trampoline is a small wasm module that we generate, because two things cannot be done from Go:
//
//   - calling a function by its index in the compiler's table. For each invoke_SIG that the compiler
//     imports there is an export of the same name with the parameters (index, arguments of SIG …, slot).
//     It first saves the C++ stack pointer at slot in the trampoline's own memory, where Go finds it if
//     the call throws. (wazero's experimental/table.LookupFunction resolves functions wrongly that the
//     compiler itself imported; see its issue list before replacing this.)
//   - putting a Go function into that table: install appends the file callback and returns its index.
const (
	installExport = "install"
	savedExport   = "saved"
	callbackName  = "tussah_read"

	maxDepth = 65536 / 4 // of nested invokes: as many slots as the one page of "saved" has
)

// A signature is one invoke_SIG import; its first parameter is the index in the table.
type signature struct {
	name            string
	params, results []api.ValueType
}

// trampolineImports names what the trampoline needs from the compiler.
type trampolineImports struct{ stackSave, table string }

// The modules that the trampoline imports from, as its import resolver knows them.
const (
	compilerModule = "compiler"
	hostModule     = "host"
)

func trampoline(invokes []signature, from trampolineImports) []byte {
	const (
		i32, funcref             = api.ValueTypeI32, 0x70
		voidToI32, callbackType  = 0, 1 // indices of types
		stackSaveFunc, readFunc  = 0, 1 // indices of functions
		firstFunc                = 2
		kindFunc, kindTab, kindM = 0, 1, 2
	)
	types := [][]byte{
		funcType(nil, []api.ValueType{i32}),
		funcType([]api.ValueType{i32, i32, i32, i32, i32}, nil),
	}
	var funcs, exports, bodies [][]byte
	for i, s := range invokes {
		called, ours := len(types), len(types)+1
		types = append(types, funcType(s.params[1:], s.results),
			funcType(append(bytes.Clone(s.params), i32), s.results))
		funcs = append(funcs, number(ours))
		exports = append(exports, join(name(s.name), number(kindFunc), number(firstFunc+i)))

		var b []byte
		slot := len(s.params)
		b = append(b, 0x20)
		b = append(b, number(slot)...)             // local.get slot
		b = append(b, 0x10, stackSaveFunc)         // call stackSave
		b = append(b, 0x36, 2, 0)                  // i32.store
		for arg := 1; arg < len(s.params); arg++ { //
			b = append(append(b, 0x20), number(arg)...) // local.get arg
		}
		b = append(b, 0x20, 0)                         // local.get index
		b = append(append(b, 0x11), number(called)...) // call_indirect of the type
		bodies = append(bodies, body(append(b, 0)))    // in table 0
	}
	funcs = append(funcs, number(voidToI32))
	exports = append(exports,
		join(name(installExport), number(kindFunc), number(firstFunc+len(invokes))),
		join(name(savedExport), number(kindM), number(0)))
	bodies = append(bodies, body([]byte{
		0xd2, readFunc, // ref.func
		0x41, 1, // i32.const
		0xfc, 15, 0, // table.grow
	}))

	return join([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, types),
		section(2, [][]byte{
			join(name(compilerModule), name(from.stackSave), number(kindFunc), number(voidToI32)),
			join(name(hostModule), name(callbackName), number(kindFunc), number(callbackType)),
			join(name(compilerModule), name(from.table), []byte{kindTab, funcref, 0, 0}),
		}),
		section(3, funcs),
		section(5, [][]byte{{1, 1, 1}}), // memory of one page, and never more
		section(7, exports),
		section(9, [][]byte{{3, 0, 1, readFunc}}), // declares that ref.func is used on it
		section(10, bodies))
}

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
