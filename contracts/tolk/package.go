package tolk

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tussah-network/tussah/contracts/emscripten"
)

// The one package this driver runs. A new version is a change of these lines.
var npm = emscripten.Package{
	Name:      "@ton/tolk-js@1.3.0",
	File:      "tolk-js-1.3.0.tgz",
	Integrity: "sha512-joK9l5+zK+lU2jK2tWVqsYo08nTaCC/Y2N+KsnsoGkHCVyfTLh6ZhbEcZE37s53pmSgTp73PWf7DQy+Ekq4qMA==",
}

var (
	// ErrFetch means that the compiler's package is not in the cache and npm did not bring it.
	ErrFetch = emscripten.ErrFetch
	// ErrHash means that a file is not the package that this driver was written for. Nothing of it was run.
	ErrHash = emscripten.ErrHash
	// ErrPackage means that the package does not have the form this driver reads.
	ErrPackage = errors.New("unexpected form of the Tolk compiler's package")
)

// The package's files we read.
const (
	wasmFile    = "package/dist/tolkfiftlib.wasm.js" // one base64 string
	glueFile    = "package/dist/tolkfiftlib.js"      // emscripten's JavaScript; for its names only
	libraryFile = "package/dist/stdlib.tolk.js"      // the standard library, as template literals
)

// A bundle is what the driver needs from the package.
type bundle struct {
	wasm    []byte
	library map[string]string // text by name: "@stdlib/common.tolk", "@fiftlib/Asm.fif", …
	names   emscripten.Names
}

func openBundle(tarball []byte) (bundle, error) {
	files, err := emscripten.Unpack(tarball, wasmFile, glueFile, libraryFile)
	if err != nil {
		return bundle{}, fmt.Errorf("%w: %w", ErrPackage, err)
	}
	var b bundle
	if b.wasm, err = emscripten.ParseWasm(files[wasmFile]); err != nil {
		return bundle{}, fmt.Errorf("%w: %s: %w", ErrPackage, wasmFile, err)
	}
	if b.names, err = emscripten.ParseNames(files[glueFile]); err != nil {
		return bundle{}, fmt.Errorf("%w: %s: %w", ErrPackage, glueFile, err)
	}
	if b.library, err = parseLibrary(files[libraryFile]); err != nil {
		return bundle{}, fmt.Errorf("%w: %s: %w", ErrPackage, libraryFile, err)
	}
	return b, nil
}

// parseLibrary reads module.exports = { '<name>':`<text>`, … };
func parseLibrary(js string) (map[string]string, error) {
	library := make(map[string]string)
	_, rest, ok := strings.Cut(js, "module.exports = {")
	for ok {
		rest = strings.TrimLeft(rest, " \r\n,")
		if strings.HasPrefix(rest, "}") {
			return library, nil
		}
		var name, text string
		if rest, ok = strings.CutPrefix(rest, "'"); !ok {
			break
		}
		if name, rest, ok = strings.Cut(rest, "':`"); !ok {
			break
		}
		var err error
		if text, rest, err = templateLiteral(rest); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		library[name] = text
	}
	return nil, errors.New("not a map of template literals")
}

// templateLiteral reads up to the closing backquote and returns what follows it.
func templateLiteral(js string) (text, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(js); i++ {
		switch c := js[i]; {
		case c == '`':
			return b.String(), js[i+1:], nil
		case c == '\\':
			i++
			if i == len(js) || !strings.ContainsRune("`\\$", rune(js[i])) {
				return "", "", errors.New("unknown escape in a template literal")
			}
			b.WriteByte(js[i])
		case c == '$' && strings.HasPrefix(js[i:], "${"):
			return "", "", errors.New("expression in a template literal")
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("template literal without an end")
}
