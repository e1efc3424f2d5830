package tolk

import "context"

// BuildIn is Build with a compiler that is open already, which saves a second or more each time.
var BuildIn = build

// Overrun is a call that writes below the stack and then answers as if nothing had happened.
func (c *Compiler) Overrun(ctx context.Context) error {
	return c.run(ctx, new(sources), new(reply), func(m *machine) (uint32, error) {
		m.writeUint32(m.stackEnd+guardSize/2, 0)
		return m.call(ctx, "_tolk_version")
	})
}

// Allocate has the C++ side allocate memory, and reports whether it got it and can use all of it.
func (c *Compiler) Allocate(ctx context.Context, size uint32) (ok bool, err error) {
	err = c.run(ctx, new(sources), new(reply), func(m *machine) (uint32, error) {
		at, err := m.call(ctx, "_malloc", size)
		if err != nil {
			return 0, err
		}
		ok = at != 0 && m.compiler.Memory().WriteByte(at+size-1, 1)
		return m.call(ctx, "_tolk_version")
	})
	return ok, err
}

var BuildFilesWith = buildFiles
