package tolk

import (
	"bytes"
	"context"
	"errors"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// A machine is one instance of the compiler's wasm. It serves one compile: after a failed assertion the
// C++ side is of no use any more.
type machine struct {
	names   names
	sources *sources

	host, compiler, trampoline api.Module
	calls                      map[string]*calls
	callback                   uint32 // index in the compiler's table
	saved                      api.Memory
	stackEnd                   uint32 // lowest address of the C++ stack
	depth, invokes             int
	exceptions                 exceptions
	output                     bytes.Buffer // what it prints; its last words when it fails
}

var (
	errMemory = errors.New("address outside the memory")
	errDepth  = errors.New("the sources nest too deeply for its stack")
)

// newMachine always returns a machine to close, also with an error.
func (c *Compiler) newMachine(ctx context.Context, s *sources) (*machine, error) {
	m := &machine{names: c.bundle.names, sources: s, calls: make(map[string]*calls)}
	instantiate := func(code wazero.CompiledModule, from map[string]api.Module) (api.Module, error) {
		ctx := experimental.WithImportResolver(ctx, func(name string) api.Module { return from[name] })
		// No name, as there may be many of them at a time; no start functions, as there is no _start.
		return c.runtime.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	}
	host, err := c.hostModule(ctx, m)
	if err != nil {
		return m, err
	}
	defer host.Close(ctx)
	if m.host, err = instantiate(host, nil); err != nil {
		return m, err
	}
	if m.compiler, err = instantiate(c.compiler, map[string]api.Module{c.importModule: m.host}); err != nil {
		return m, err
	}
	from := map[string]api.Module{compilerModule: m.compiler, hostModule: m.host}
	if m.trampoline, err = instantiate(c.trampoline, from); err != nil {
		return m, err
	}
	m.saved = m.trampoline.ExportedMemory(savedExport)
	index, err := m.trampoline.ExportedFunction(installExport).Call(ctx)
	if err != nil {
		return m, err
	}
	m.callback = uint32(index[0])
	if err := m.guardStack(ctx); err != nil {
		return m, err
	}
	_, err = m.callMinified(ctx, m.names.constructor)
	return m, err
}

// The compiler's stack has 128 KiB (TOTAL_STACK in its build), with its data right below and nothing
// between. Some hundred nested ifs are enough to overwrite that data, and then to go round in circles
// or to give out wrong code. So invoke looks at the stack pointer, and at the end the last stretch of
// the stack, which the guard fills, must still be untouched.
const (
	stackSize = 128 << 10
	guardSize = 1 << 10
	guardByte = 0xa5
)

func (m *machine) guardStack(ctx context.Context) error {
	top, err := m.call(ctx, "_emscripten_stack_get_current")
	if err != nil {
		return err
	}
	m.stackEnd = top - stackSize
	if !m.compiler.Memory().Write(m.stackEnd, bytes.Repeat([]byte{guardByte}, guardSize)) {
		return errMemory
	}
	return nil
}

func (m *machine) checkGuard() error {
	guard, ok := m.compiler.Memory().Read(m.stackEnd, guardSize)
	if !ok || bytes.Count(guard, []byte{guardByte}) != guardSize {
		return errDepth
	}
	return nil
}

func (m *machine) close(ctx context.Context) {
	for _, module := range []api.Module{m.trampoline, m.compiler, m.host} {
		if module != nil {
			module.Close(ctx)
		}
	}
}

func (m *machine) readByte(at uint32) byte {
	value, ok := m.compiler.Memory().ReadByte(at)
	m.check(ok)
	return value
}

func (m *machine) writeByte(at uint32, value byte) {
	m.check(m.compiler.Memory().WriteByte(at, value))
}

func (m *machine) readUint32(at uint32) uint32 {
	value, ok := m.compiler.Memory().ReadUint32Le(at)
	m.check(ok)
	return value
}

func (m *machine) writeUint32(at, value uint32) {
	m.check(m.compiler.Memory().WriteUint32Le(at, value))
}

// bytes is a view of the memory, good until the compiler runs on.
func (m *machine) bytes(at, size uint32) []byte {
	view, ok := m.compiler.Memory().Read(at, size)
	m.check(ok)
	return view
}

func (m *machine) check(ok bool) {
	if !ok {
		panic(&fault{errMemory})
	}
}

// readString copies a C string.
func (m *machine) readString(at uint32) (string, error) {
	memory := m.compiler.Memory()
	view, ok := memory.Read(at, memory.Size()-min(at, memory.Size()))
	end := bytes.IndexByte(view, 0)
	if !ok || end < 0 {
		return "", errMemory
	}
	return string(view[:end]), nil
}

// newString is a C string that the compiler's side owns; it goes with the machine.
func (m *machine) newString(ctx context.Context, s string) (uint32, error) {
	at, err := m.call(ctx, "_malloc", uint32(len(s)+1))
	if err != nil {
		return 0, err
	}
	if !m.compiler.Memory().WriteString(at, s+"\x00") {
		return 0, errMemory
	}
	return at, nil
}

func (m *machine) print(text []byte) {
	const maxOutput = 64 << 10
	m.output.Write(text[:min(len(text), maxOutput-m.output.Len())])
}

// lastWords is what the compiler printed last, to explain a failure.
func (m *machine) lastWords() string {
	if words := lastLines(m.output.Bytes(), 5); words != "" {
		return "\n" + words
	}
	return ""
}
