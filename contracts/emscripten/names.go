package emscripten

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Names undoes the minifying of a wasm's imports and exports, which differs from build to build.
type Names struct {
	imports     map[string]string // minified name to the one in the JavaScript: "m" to "___cxa_throw"
	exports     map[string]string // the JavaScript's name to the minified one: "_malloc" to "Ra"
	constructor string            // minified export that runs the C++ constructors
}

var (
	importTable = regexp.MustCompile(`var wasmImports=\{([^{}]*)\}`)
	exportName  = regexp.MustCompile(`([\w$]+)=(?:Module\["[^"]*"\]=|[\w$]+=)?wasmExports\["([^"]+)"\]`)
	constructor = regexp.MustCompile(`wasmExports\["([^"]+)"\]\(\)`)
)

// ParseNames reads emscripten's JavaScript, the file that loads the wasm.
func ParseNames(js string) (Names, error) {
	table, start := importTable.FindStringSubmatch(js), constructor.FindStringSubmatch(js)
	if table == nil || start == nil {
		return Names{}, errors.New("no table of imports, or no call of the constructors")
	}
	n := Names{imports: make(map[string]string), exports: make(map[string]string), constructor: start[1]}
	for pair := range strings.SplitSeq(table[1], ",") {
		minified, name, ok := strings.Cut(pair, ":")
		if !ok {
			return Names{}, fmt.Errorf("import %q has no name", pair)
		}
		n.imports[minified] = name
	}
	for _, match := range exportName.FindAllStringSubmatch(js, -1) {
		n.exports[match[1]] = match[2]
	}
	return n, nil
}

// ParseWasm reads a wasm that stands in a JavaScript file as its only string, in base64.
func ParseWasm(js string) ([]byte, error) {
	_, exported, _ := strings.Cut(js, "module.exports = ")
	_, text, _ := strings.Cut(exported, "'")
	text, _, ok := strings.Cut(text, "'")
	if !ok {
		return nil, errors.New("no string is exported")
	}
	return base64.StdEncoding.DecodeString(text)
}
