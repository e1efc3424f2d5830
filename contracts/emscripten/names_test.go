package emscripten

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	glueJS = `wasmExports["Ma"]();_tolk_version=Module["_tolk_version"]=wasmExports["Na"];_free=wasmExports["Qa"];` +
		`memory=wasmMemory=wasmExports["La"]}var wasmImports={v:___cxa_begin_catch,$:invoke_ii};`
	stringJS = "// packed\nmodule.exports = 'AGFzbQ==';\n"
	objectJS = "module.exports = { EmulatorEmscriptenWasm: 'AGFzbQ=='}"
)

func TestParse(t *testing.T) {
	n, err := ParseNames(glueJS)
	want := Names{
		imports:     map[string]string{"v": "___cxa_begin_catch", "$": "invoke_ii"},
		exports:     map[string]string{"_tolk_version": "Na", "_free": "Qa", "memory": "La"},
		constructor: "Ma",
	}
	if diff := cmp.Diff(want, n, cmp.AllowUnexported(Names{})); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	for _, js := range []string{stringJS, objectJS} {
		if wasm, err := ParseWasm(js); err != nil || string(wasm) != "\x00asm" {
			t.Errorf("%s: %q, %v", js, wasm, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, js := range []string{"wasmExports[\"Ma\"]()", "var wasmImports={v:___cxa_begin_catch}", "wasmExports[\"Ma\"]();var wasmImports={v}"} {
		if _, err := ParseNames(js); err == nil {
			t.Errorf("names in %s", js)
		}
	}
	for _, js := range []string{"module.exports = 1", "module.exports = '?';", "'AGFzbQ=='", ""} {
		if wasm, err := ParseWasm(js); err == nil {
			t.Errorf("wasm in %s: %q", js, wasm)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(glueJS)
	f.Add(stringJS)
	f.Add(objectJS)
	f.Fuzz(func(t *testing.T, js string) {
		if wasm, err := ParseWasm(js); err == nil && len(wasm) > len(js) {
			t.Error("more wasm than text")
		}
		_, _ = ParseNames(js)
	})
}
