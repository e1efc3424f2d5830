package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Param is a parameter of a verb. It is made from a field of the verb's struct
// of parameters:
//
//	Amount Amount `json:"amount,omitzero" doc:"…" cli:"flag"`
//
// With omitzero it is optional. On the command line it has a place among the
// arguments, or is a flag.
type Param struct {
	Name     string
	Doc      string
	Kind     Kind
	Optional bool
	Flag     bool

	field int
}

// Kind is what texts a parameter takes. It is how help calls it.
type Kind string

// The kinds of parameters.
const (
	KindAddress   Kind = "ADDRESS"
	KindAmount    Kind = "AMOUNT"
	KindCell      Kind = "FILE" // the command line reads a BoC from a file
	KindHash      Kind = "HASH"
	KindTime      Kind = "TIME"
	KindDuration  Kind = "DURATION"
	KindMode      Kind = "MODE"
	KindNumber    Kind = "NUMBER"
	KindText      Kind = "TEXT"
	KindSwitch    Kind = "SWITCH"
	KindArguments Kind = "ARGUMENTS" // any number, the last on the command line
)

var kinds = map[reflect.Type]Kind{
	reflect.TypeFor[Address](): KindAddress, reflect.TypeFor[Amount](): KindAmount, reflect.TypeFor[Cell](): KindCell,
	reflect.TypeFor[Hash](): KindHash, reflect.TypeFor[Time](): KindTime, reflect.TypeFor[Duration](): KindDuration,
	reflect.TypeFor[*Mode](): KindMode, reflect.TypeFor[int](): KindNumber, reflect.TypeFor[int32](): KindNumber, reflect.TypeFor[*int32](): KindNumber,
	reflect.TypeFor[uint32](): KindNumber, reflect.TypeFor[uint64](): KindNumber, reflect.TypeFor[string](): KindText,
	reflect.TypeFor[bool](): KindSwitch, reflect.TypeFor[[]Argument](): KindArguments,
}

// paramsOf reads the table of parameters off a struct.
func paramsOf[P any]() (params []Param) {
	t := reflect.TypeFor[P]()
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind, known := kinds[f.Type]
		if !known || name == "" || f.Tag.Get("doc") == "" {
			panic(fmt.Sprintf("control: internal error: parameter %s of %s", f.Name, t))
		}
		params = append(params, Param{
			Name: name, Doc: f.Tag.Get("doc"), Kind: kind, Optional: options == "omitzero", Flag: f.Tag.Get("cli") == "flag", field: i,
		})
	}
	return params
}

// JSON is the parameter's value made of a text, as a command line has it.
func (p Param) JSON(text string) (json.RawMessage, error) {
	switch p.Kind {
	case KindNumber:
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("%s: %w: %q is no number", p.Name, ErrValue, text)
		}
		return json.RawMessage(text), nil
	case KindSwitch:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %q is not true or false", p.Name, ErrValue, text)
		}
		return json.Marshal(on)
	}
	return json.Marshal(text)
}

// decodeParams decodes parameters, by name or by place, into the struct that
// params was made from.
func decodeParams(data []byte, params []Param, into any) error {
	target := reflect.ValueOf(into).Elem()
	given := make([]bool, len(params))
	set := func(i int, d *json.Decoder) error {
		if given[i] {
			return fmt.Errorf("%s is given twice", params[i].Name)
		}
		given[i] = true
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if string(raw) == "null" {
			return fmt.Errorf("%s is null; leave it out instead", params[i].Name)
		}
		if err := json.Unmarshal(raw, target.Field(params[i].field).Addr().Interface()); err != nil {
			return fmt.Errorf("%s: %w", params[i].Name, err)
		}
		return nil
	}
	if err := eachParam(data, params, set); err != nil {
		return err
	}
	for i, p := range params {
		if !given[i] && !p.Optional {
			return fmt.Errorf("%s is missing", p.Name)
		}
	}
	return nil
}

// eachParam calls set for each value, with the place of its parameter and the
// decoder in front of the value. No data is no parameters.
func eachParam(data []byte, params []Param, set func(int, *json.Decoder) error) error {
	if len(data) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	open, err := d.Token()
	if err != nil {
		return err
	}
	switch open {
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if i == len(params) {
				return fmt.Errorf("there are more than %d", len(params))
			}
			if err := set(i, d); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			i := slices.IndexFunc(params, func(p Param) bool { return p.Name == key })
			if i < 0 {
				return fmt.Errorf("there is no %q; there is %s", key, names(params))
			}
			if err := set(i, d); err != nil {
				return err
			}
		}
	default:
		return errors.New("neither an object nor an array")
	}
	return nil
}

func names(params []Param) string {
	if len(params) == 0 {
		return "none"
	}
	var all []string
	for _, p := range params {
		all = append(all, p.Name)
	}
	return strings.Join(all, ", ")
}
