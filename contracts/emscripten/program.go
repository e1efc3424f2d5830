package emscripten

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Options are what a program needs.
type Options struct {
	// CacheDir keeps the native code, some 25 MB.
	CacheDir string
	// Memory bounds each machine, in bytes.
	Memory uint64
	// Stack is the size of the C++ stack the program was built with (TOTAL_STACK), in bytes.
	Stack uint32
}

// A Program is a wasm with native code made of it, ready to run. It is good for concurrent use.
type Program struct {
	options          Options
	names            Names
	cache            wazero.CompilationCache
	runtime          wazero.Runtime
	code, trampoline wazero.CompiledModule
	importModule     string // the one module name that the program imports from
}

// Open makes native code of a program, or takes it from the cache. The first time that takes seconds,
// later a tenth of one.
func Open(ctx context.Context, wasm []byte, n Names, o Options) (*Program, error) {
	p := &Program{options: o, names: n}
	var err error
	if p.cache, err = wazero.NewCompilationCacheWithDir(o.CacheDir); err != nil {
		return nil, err
	}
	p.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesThreads). // they have atomic instructions
		WithMemoryLimitPages(uint32(o.Memory>>16)).
		WithDebugInfoEnabled(false).
		WithCompilationCache(p.cache))
	if err := p.prepare(ctx, wasm); err != nil {
		return nil, errors.Join(fmt.Errorf("native code in %s: %w", o.CacheDir, err), p.Close())
	}
	return p, nil
}

func (p *Program) prepare(ctx context.Context, wasm []byte) (err error) {
	workers := experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
	if p.code, err = p.runtime.CompileModule(workers, wasm); err != nil {
		return err
	}
	var invokes []signature
	for _, def := range p.code.ImportedFunctions() {
		module, minified, _ := def.Import()
		p.importModule = module
		if name := p.names.imports[minified]; strings.HasPrefix(name, "invoke_") {
			invokes = append(invokes, signature{name, def.ParamTypes(), def.ResultTypes()})
		}
	}
	p.trampoline, err = p.runtime.CompileModule(ctx, trampoline(invokes, trampolineImports{
		stackSave: p.names.exports["_emscripten_stack_get_current"],
		table:     p.names.exports["__indirect_function_table"],
	}))
	return err
}

// Close frees the native code. No machine may be in use.
func (p *Program) Close() error {
	ctx := context.Background() // wazero asks for one, and uses it for nothing
	return errors.Join(p.runtime.Close(ctx), p.cache.Close(ctx))
}
