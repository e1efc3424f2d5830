package toncenter

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
)

// stackReader reads a get method's arguments. There are two notations, one for
// each of the two methods:
//
//	["num", "0x1"]                                        runGetMethod
//	{"@type": "tvm.stackEntryNumber", "number": {…}}      runGetMethodStd
//
// Both can hold tuples and lists, whose elements are always in the second.
type stackReader struct{ left int }

// readStack reads the arguments of a call, first to last.
func readStack(p *params, std bool) ([]any, error) {
	v, ok := p.value("stack")
	if !ok {
		return nil, nil
	}
	entries, ok := v.([]any)
	if !ok {
		return nil, badRequest("stack: expected an array")
	}
	r := stackReader{left: maxStack}
	args := make([]any, 0, min(len(entries), maxStack))
	for i, entry := range entries {
		read := r.pair
		if std {
			read = func(v any) (any, error) { return r.typed(v, 0) }
		}
		arg, err := read(entry)
		if err != nil {
			return nil, fmt.Errorf("stack entry %d: %w", i, err)
		}
		args = append(args, arg)
	}
	return args, nil
}

// pair reads ["type", value].
func (r *stackReader) pair(v any) (any, error) {
	entry, ok := v.([]any)
	if !ok || len(entry) != 2 {
		return nil, badRequest("expected an array of 2 elements")
	}
	kind, ok := entry[0].(string)
	if !ok {
		return nil, badRequest("expected a string as first element")
	}
	if err := r.count(); err != nil {
		return nil, err
	}
	value := entry[1]
	switch kind {
	case "num", "int", "number", "integer":
		return readNumber(value)
	case "null":
		return nil, nil
	case "tvm.Cell", "tvm.Slice", "tvm.Builder", "cell", "slice", "builder":
		c, err := readBytes(value)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(strings.ToLower(kind), "slice") {
			return c.BeginParse()
		}
		if strings.HasSuffix(strings.ToLower(kind), "builder") {
			return nil, badRequest("unsupported stack entry type: %s", kind)
		}
		return c, nil
	case "tuple", "tvm.Tuple":
		return r.tuple(value, 0)
	case "list", "tvm.List":
		return r.list(value, 0)
	}
	return nil, badRequest("unsupported stack entry type: %s", clip(kind))
}

// typed reads {"@type": …}.
func (r *stackReader) typed(v any, depth int) (any, error) {
	if err := r.count(); err != nil {
		return nil, err
	}
	if depth > maxStackDepth {
		return nil, badRequest("deeper than %d", maxStackDepth)
	}
	entry, ok := v.(map[string]any)
	if !ok {
		return nil, badRequest("expected an object")
	}
	switch kind := entry["@type"]; kind {
	case "tvm.stackEntryNumber":
		number, ok := entry["number"].(map[string]any)
		if !ok {
			return nil, badRequest("number: expected an object")
		}
		return readNumber(number["number"])
	case "tvm.stackEntryCell":
		return readBytes(entry["cell"])
	case "tvm.stackEntrySlice":
		c, err := readBytes(entry["slice"])
		if err != nil {
			return nil, err
		}
		return c.BeginParse()
	case "tvm.stackEntryTuple":
		return r.tuple(entry["tuple"], depth)
	case "tvm.stackEntryList":
		return r.list(entry["list"], depth)
	default:
		return nil, badRequest("unsupported stack entry type: %s", clip(fmt.Sprint(kind)))
	}
}

func (r *stackReader) count() error {
	if r.left--; r.left < 0 {
		return badRequest("more than %d values", maxStack)
	}
	return nil
}

func (r *stackReader) elements(v any, depth int) ([]any, error) {
	object, _ := v.(map[string]any)
	list, ok := object["elements"].([]any)
	if !ok {
		return nil, badRequest("expected an object with elements")
	}
	out := make([]any, 0, min(len(list), maxStack))
	for _, v := range list {
		element, err := r.typed(v, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, element)
	}
	return out, nil
}

// maxTuple is the TVM's limit for the length of a tuple.
const maxTuple = 255

func (r *stackReader) tuple(v any, depth int) (any, error) {
	elements, err := r.elements(v, depth)
	if err != nil {
		return nil, err
	}
	if len(elements) > maxTuple {
		return nil, badRequest("tuple of more than %d elements", maxTuple)
	}
	return tuple.NewTupleValue(elements...), nil
}

// list makes a list in the way of Lisp: pairs of an element and the rest, and
// null at the end.
func (r *stackReader) list(v any, depth int) (any, error) {
	elements, err := r.elements(v, depth)
	if err != nil {
		return nil, err
	}
	var rest any
	for i := len(elements) - 1; i >= 0; i-- {
		rest = tuple.NewTupleValue(elements[i], rest)
	}
	return rest, nil
}

// maxDigits is enough for 257 bits in decimals, and for a prefix.
const maxDigits = 80

// readNumber reads an integer, decimal or hexadecimal. Whether the TVM can hold
// it is for the run to say.
func readNumber(v any) (*big.Int, error) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	default:
		return nil, badRequest("wrong type of number")
	}
	digits, negative := strings.CutPrefix(text, "-")
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "0x"); ok {
		digits, base = hex, 16
	}
	// SetString would also take a second sign.
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || len(text) > maxDigits || strings.ContainsAny(digits, "+-_") {
		return nil, badRequest("invalid number: %s", clip(text))
	}
	if negative {
		n.Neg(n)
	}
	return n, nil
}

// readBytes reads a cell: base64 text, or an object that has it in "bytes".
func readBytes(v any) (*cell.Cell, error) {
	if object, ok := v.(map[string]any); ok {
		v = object["bytes"]
	}
	text, ok := v.(string)
	if !ok {
		return nil, badRequest("expected a base64 string")
	}
	data, err := decodeBase64(text)
	if err != nil {
		return nil, badRequest("invalid base64 encoded bytes")
	}
	return parseCell(data, maxMessage)
}
