package tolk

import (
	"context"

	"github.com/tussah-network/tussah/contracts/emscripten"
)

// BuildIn is Build with a compiler that is open already, which saves a second or more each time.
var BuildIn = build

// Overrun is a call that writes below the stack and then answers as if nothing had happened.
func (c *Compiler) Overrun(ctx context.Context) error {
	return c.run(ctx, new(sources), new(reply), func(m *emscripten.Machine) (uint32, error) {
		if err := m.WriteUint32(m.StackEnd()+512, 0); err != nil {
			return 0, err
		}
		return m.Call(ctx, "_tolk_version")
	})
}

// Allocate has the C++ side allocate memory, and reports whether it got it and can use all of it.
func (c *Compiler) Allocate(ctx context.Context, size uint32) (ok bool, err error) {
	err = c.run(ctx, new(sources), new(reply), func(m *emscripten.Machine) (uint32, error) {
		at, err := m.Call(ctx, "_malloc", size)
		if err != nil {
			return 0, err
		}
		ok = at != 0 && m.WriteUint32(at+size-4, 1) == nil
		return m.Call(ctx, "_tolk_version")
	})
	return ok, err
}

var BuildFilesWith = buildFiles
