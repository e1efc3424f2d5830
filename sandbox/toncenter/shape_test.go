package toncenter_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// shapes says what toncenter's OpenAPI description says: which fields a result
// has, and what kind of value is in each. In testdata/shapes.json, a string is
// a kind below or, with $, another shape; a list has elements of one kind; a
// field with ? may be absent; "=x" is the constant x. Nothing else may be there.
type shapes map[string]any

func readShapes(t *testing.T) shapes {
	t.Helper()
	data, err := os.ReadFile("testdata/shapes.json")
	if err != nil {
		t.Fatal(err)
	}
	var s shapes
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// kinds are the checks of plain values.
var kinds = map[string]func(v any) bool{
	"any":  func(any) bool { return true },
	"bool": is[bool],
	"text": is[string],
	"int": func(v any) bool {
		n, ok := v.(json.Number)
		return ok && decimal.MatchString(n.String())
	},
	"decimal": text(decimal.MatchString),
	"nothing": text(func(s string) bool { return s == "" }),
	"hash": text(func(s string) bool {
		data, err := base64.StdEncoding.DecodeString(s)
		return err == nil && len(data) == 32
	}),
	"boc": text(func(s string) bool {
		data, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return false
		}
		_, err = cell.FromBOC(data)
		return err == nil
	}),
	"address": text(func(s string) bool {
		_, err := address.ParseAddr(s)
		return err == nil
	}),
	"address?": text(func(s string) bool {
		_, err := address.ParseAddr(s)
		return err == nil || s == ""
	}),
	"raw": text(regexp.MustCompile(`^(0|-1):([0-9a-f]{64}|[0-9A-F]{64})$`).MatchString),
}

func is[T any](v any) bool { _, ok := v.(T); return ok }

func text(check func(string) bool) func(any) bool {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && check(s)
	}
}

// check compares a result with the shape of a method.
func (s shapes) check(method string, result json.RawMessage) error {
	d := json.NewDecoder(bytes.NewReader(result))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	shape, ok := s[method]
	if !ok {
		return fmt.Errorf("no shape for %s", method)
	}
	return s.match(method, shape, v)
}

func (s shapes) match(path string, shape, v any) error {
	switch shape := shape.(type) {
	case string:
		if constant, ok := strings.CutPrefix(shape, "="); ok {
			if v != constant {
				return fmt.Errorf("%s is %v, not %q", path, v, constant)
			}
			return nil
		}
		if check, ok := kinds[shape]; ok {
			if !check(v) {
				return fmt.Errorf("%s: %v is no %s", path, v, shape)
			}
			return nil
		}
		named, ok := s["$"+shape]
		if !ok {
			return fmt.Errorf("%s: no shape %q", path, shape)
		}
		return s.match(path, named, v)
	case []any:
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s is no list: %v", path, v)
		}
		for i, element := range list {
			if err := s.match(fmt.Sprintf("%s[%d]", path, i), shape[0], element); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		fields, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is no object: %v", path, v)
		}
		for name, kind := range shape {
			name, optional := strings.CutSuffix(name, "?")
			value, there := fields[name]
			if !there && optional {
				continue
			}
			if !there {
				return fmt.Errorf("%s has no field %s", path, name)
			}
			if err := s.match(path+"."+name, kind, value); err != nil {
				return err
			}
			delete(fields, name)
		}
		for name := range fields {
			return fmt.Errorf("%s has a field %s, which toncenter does not know", path, name)
		}
		return nil
	}
	return fmt.Errorf("%s: bad shape %v", path, shape)
}
