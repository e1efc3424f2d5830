package control

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Verb is one thing that can be asked of a network.
type Verb struct {
	// Name of the JSON-RPC method.
	Name string
	// Command of `tussah sandbox` that reaches it.
	Command string
	// Doc is one line.
	Doc string
	// Params in order: by name in a JSON object, or by place in an array.
	Params []Param

	run    func(context.Context, *world, []byte) (Result, error)
	result func([]byte) (Result, error)
}

// Result is what a verb answers. It has a JSON form for programs, and for
// people its String: lines without the last line's end.
type Result interface{ String() string }

// verb makes an entry of the table. P is a struct as params.go describes it.
func verb[P any, R Result](name, command, doc string, run func(context.Context, *world, P) (R, error)) Verb {
	params := paramsOf[P]()
	return Verb{
		Name: name, Command: command, Doc: doc, Params: params,
		run: func(ctx context.Context, w *world, data []byte) (Result, error) {
			var p P
			if err := decodeParams(data, params, &p); err != nil {
				return nil, fmt.Errorf("%w of %s: %w", ErrParams, name, err)
			}
			return run(ctx, w, p)
		},
		result: func(data []byte) (Result, error) {
			var r R
			err := json.Unmarshal(data, &r)
			return r, err
		},
	}
}

// Verbs are all there are, in the order in which help lists them.
func Verbs() []Verb { return slices.Clone(verbs) }

var verbs = slices.Concat(accountVerbs, messageVerbs, poolVerbs, timeVerbs, worldVerbs, configVerbs)

// Find returns a verb by its name.
func Find(name string) (Verb, error) {
	for _, v := range verbs {
		if v.Name == name {
			return v, nil
		}
	}
	return Verb{}, fmt.Errorf("%w: %q", ErrUnknownVerb, name)
}

// Empty are the parameters of a verb that has none.
type Empty struct{}
