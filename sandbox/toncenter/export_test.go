package toncenter

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/tlb/get"
)

// Methods are the names of all methods.
func Methods() []string { return slices.Sorted(maps.Keys(methods)) }

// PostOnly tells whether GET is refused.
func PostOnly(name string) bool { return methods[name].postOnly }

// ReadStack reads arguments from a JSON array, in either notation.
func ReadStack(stack []byte, std bool) ([]any, error) {
	p, err := parseParams(append(append([]byte(`{"stack":`), stack...), '}'))
	if err != nil {
		return nil, err
	}
	return readStack(p, std)
}

// WriteStack writes values in the typed notation.
func WriteStack(s get.Stack) ([]byte, error) {
	out := []any{}
	w := newStackWriter()
	for i := range s.Len() {
		entry, err := w.typed(s, i, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, entry)
	}
	return json.Marshal(out)
}

// ParseAddress and Friendly read and write addresses.
var ParseAddress = parseAddress

func Friendly(a *address.Address) string { return friendly{a}.text() }

// What the limits are.
const (
	MaxBody       = maxBody
	MaxURL        = maxURL
	MaxStack      = maxStack
	MaxStackDepth = maxStackDepth
	MaxInFlight   = maxInFlight
)

// InFlight is how many requests are being worked on.
func (h *Handler) InFlight() int { return len(h.turns) }
