package tolk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	glueJS = `wasmExports["Ma"]();_tolk_version=Module["_tolk_version"]=wasmExports["Na"];_free=wasmExports["Qa"];` +
		`memory=wasmMemory=wasmExports["La"]}var wasmImports={v:___cxa_begin_catch,$:invoke_ii};`
	libraryJS = "// strings\nmodule.exports = {\n\n'@stdlib/a.tolk':`tolk \\`x\\` \\\\ \\${y} $z`,\n\n'@fiftlib/B.fif':``,\n\n};\n"
	wasmJS    = "// packed\nmodule.exports = 'AGFzbQ==';\n"
)

func packed(t testing.TB, files map[string]string) []byte {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for name, text := range files {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOpenBundle(t *testing.T) {
	got, err := openBundle(packed(t, map[string]string{
		glueFile: glueJS, libraryFile: libraryJS, wasmFile: wasmJS, "package/LICENSE": "MIT",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if string(got.wasm) != "\x00asm" {
		t.Errorf("wasm is %q", got.wasm)
	}
	want := map[string]string{"@stdlib/a.tolk": "tolk `x` \\ ${y} $z", "@fiftlib/B.fif": ""}
	if diff := cmp.Diff(want, got.library); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOpenBundleRefuses(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"no string":       {wasmFile: "module.exports = 1"},
		"no base64":       {wasmFile: "module.exports = '?';"},
		"no imports":      {glueFile: "wasmExports[\"Ma\"]()"},
		"no constructor":  {glueFile: "var wasmImports={v:___cxa_begin_catch}"},
		"nameless import": {glueFile: "wasmExports[\"Ma\"]();var wasmImports={v}"},
		"no library":      {libraryFile: "exports = {}"},
		"library open":    {libraryFile: "module.exports = {'a':`x`,"},
		"literal open":    {libraryFile: "module.exports = {'a':`x"},
		"no literal":      {libraryFile: "module.exports = {'a':'x'};"},
		"expression":      {libraryFile: "module.exports = {'a':`${x}`};"},
		"unknown escape":  {libraryFile: "module.exports = {'a':`\\n`};"},
		"escape at end":   {libraryFile: "module.exports = {'a':`\\"},
	} {
		files := map[string]string{glueFile: glueJS, libraryFile: libraryJS, wasmFile: wasmJS}
		for file, text := range change {
			files[file] = text
		}
		if _, err := openBundle(packed(t, files)); !errors.Is(err, ErrPackage) {
			t.Errorf("%s: got %v, want ErrPackage", name, err)
		}
	}
	missing := packed(t, map[string]string{glueFile: glueJS, libraryFile: libraryJS})
	if _, err := openBundle(missing); !errors.Is(err, ErrPackage) {
		t.Errorf("missing file: got %v, want ErrPackage", err)
	}
}

func FuzzParseLibrary(f *testing.F) {
	f.Add(libraryJS)
	f.Fuzz(func(t *testing.T, js string) {
		library, err := parseLibrary(js)
		if err != nil && library != nil {
			t.Error("a library with an error")
		}
		for name, text := range library {
			if len(name)+len(text) > len(js) {
				t.Error("more library than text")
			}
		}
	})
}
