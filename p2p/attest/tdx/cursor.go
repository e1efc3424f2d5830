package tdx

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errShort = errors.New("shorter than its lengths say")

// cursor reads nested length-prefixed data. After the first error it yields
// zeros, so a parser checks once at the end.
type cursor struct {
	rest []byte
	err  error
}

// zeros is what take returns after an error; longer requests fail before.
var zeros [body15Size + headerSize + 6]byte

func (c *cursor) take(n int) []byte {
	if c.err == nil && n > len(c.rest) {
		c.err = errShort
	}
	if c.err != nil {
		return zeros[:min(n, len(zeros))]
	}
	taken := c.rest[:n:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) u16() uint16 { return binary.LittleEndian.Uint16(c.take(2)) }
func (c *cursor) u32() uint32 { return binary.LittleEndian.Uint32(c.take(4)) }

func (c *cursor) want(kind uint16) {
	if got := c.u16(); c.err == nil && got != kind {
		c.err = fmt.Errorf("certification data of type %d instead of %d", got, kind)
	}
}

// enter narrows the cursor to the next n bytes.
func (c *cursor) enter(n uint32) {
	if c.err == nil && uint64(n) > uint64(len(c.rest)) {
		c.err = errShort
	}
	if c.err == nil {
		c.rest = c.rest[:n:n]
	}
}

// exactly is enter for data that must end where the outer data ends.
func (c *cursor) exactly(n uint32) {
	if c.err == nil && uint64(n) != uint64(len(c.rest)) {
		c.err = errors.New("lengths that do not add up")
	}
}
