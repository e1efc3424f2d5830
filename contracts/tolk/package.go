package tolk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// ErrPackage means that the package does not have the form this driver reads.
var ErrPackage = errors.New("unexpected form of the Tolk compiler's package")

// The package's files we read. The hash has vouched for them; the bounds keep a mistake in pinning cheap.
const (
	wasmFile    = "package/dist/tolkfiftlib.wasm.js" // one base64 string
	glueFile    = "package/dist/tolkfiftlib.js"      // emscripten's JavaScript; for its names only
	libraryFile = "package/dist/stdlib.tolk.js"      // the standard library, as template literals

	maxFile     = 12 << 20
	maxUnpacked = 24 << 20
)

// A bundle is what the driver needs from the package.
type bundle struct {
	wasm    []byte
	library map[string]string // text by name: "@stdlib/common.tolk", "@fiftlib/Asm.fif", …
	names   names
}

// names undoes the minifying of the wasm's imports and exports, which differs from build to build.
type names struct {
	imports     map[string]string // minified name to the one in the JavaScript: "m" to "___cxa_throw"
	exports     map[string]string // the JavaScript's name to the minified one: "_malloc" to "Ra"
	constructor string            // minified export that runs the C++ constructors
}

func openBundle(tarball []byte) (bundle, error) {
	files, err := unpack(tarball, wasmFile, glueFile, libraryFile)
	if err != nil {
		return bundle{}, fmt.Errorf("%w: %w", ErrPackage, err)
	}
	var b bundle
	if b.wasm, err = parseWasm(files[wasmFile]); err != nil {
		return bundle{}, fmt.Errorf("%w: %s: %w", ErrPackage, wasmFile, err)
	}
	if b.names, err = parseNames(files[glueFile]); err != nil {
		return bundle{}, fmt.Errorf("%w: %s: %w", ErrPackage, glueFile, err)
	}
	if b.library, err = parseLibrary(files[libraryFile]); err != nil {
		return bundle{}, fmt.Errorf("%w: %s: %w", ErrPackage, libraryFile, err)
	}
	return b, nil
}

func unpack(tarball []byte, wanted ...string) (map[string]string, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		return nil, err
	}
	files := make(map[string]string)
	archive := tar.NewReader(io.LimitReader(unzipped, maxUnpacked))
	for len(files) < len(wanted) {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("of %s it has only %d", strings.Join(wanted, ", "), len(files))
		}
		if err != nil {
			return nil, err
		}
		for _, name := range wanted {
			if header.Name != name {
				continue
			}
			if header.Size > maxFile {
				return nil, fmt.Errorf("%s has %d bytes, more than %d", name, header.Size, maxFile)
			}
			text, err := io.ReadAll(archive)
			if err != nil {
				return nil, err
			}
			files[name] = string(text)
		}
	}
	return files, nil
}

// parseWasm reads module.exports = '<base64>';
func parseWasm(js string) ([]byte, error) {
	_, text, _ := strings.Cut(js, "module.exports = '")
	text, _, ok := strings.Cut(text, "'")
	if !ok {
		return nil, errors.New("no string is exported")
	}
	return base64.StdEncoding.DecodeString(text)
}

var (
	importTable = regexp.MustCompile(`var wasmImports=\{([^{}]*)\}`)
	exportName  = regexp.MustCompile(`([\w$]+)=(?:Module\["[^"]*"\]=|[\w$]+=)?wasmExports\["([^"]+)"\]`)
	constructor = regexp.MustCompile(`wasmExports\["([^"]+)"\]\(\)`)
)

func parseNames(js string) (names, error) {
	table, start := importTable.FindStringSubmatch(js), constructor.FindStringSubmatch(js)
	if table == nil || start == nil {
		return names{}, errors.New("no table of imports, or no call of the constructors")
	}
	n := names{imports: make(map[string]string), exports: make(map[string]string), constructor: start[1]}
	for pair := range strings.SplitSeq(table[1], ",") {
		minified, name, ok := strings.Cut(pair, ":")
		if !ok {
			return names{}, fmt.Errorf("import %q has no name", pair)
		}
		n.imports[minified] = name
	}
	for _, match := range exportName.FindAllStringSubmatch(js, -1) {
		n.exports[match[1]] = match[2]
	}
	return n, nil
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
