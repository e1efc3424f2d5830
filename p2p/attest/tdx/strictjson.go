package tdx

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// strictJSON reads JSON in the only form that the manufacturer writes: no white
// space, no escapes, printable ASCII, integers without sign or exponent, exactly
// the keys that are asked for, in their exact case, each once. A document has one
// reading, so what was signed is what is read.
//
// After the first error it reads nothing more; callers check once, at the end.
type strictJSON struct {
	rest []byte
	err  error
}

// field is one key of an object.
type field struct {
	key      string
	optional bool
	read     func()
}

var errJSON = errors.New("not in the manufacturer's form")

func (s *strictJSON) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: %w", errJSON, fmt.Errorf(format, args...))
	}
}

// skip reads one byte if it is the next one.
func (s *strictJSON) skip(b byte) bool {
	if s.err != nil || len(s.rest) == 0 || s.rest[0] != b {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *strictJSON) want(b byte) {
	if !s.skip(b) {
		s.fail("no %q where it must be", b)
	}
}

// object reads an object that has these fields, in any order.
func (s *strictJSON) object(fields ...field) {
	s.want('{')
	var seen uint32
	for i := 0; s.err == nil && !s.skip('}'); i++ {
		if i > 0 {
			s.want(',')
		}
		key := s.text()
		s.want(':')
		s.member(key, fields, &seen)
	}
	for i, f := range fields {
		if s.err == nil && !f.optional && seen&(1<<i) == 0 {
			s.fail("no key %q", f.key)
		}
	}
}

func (s *strictJSON) member(key string, fields []field, seen *uint32) {
	for i, f := range fields {
		if f.key != key || s.err != nil {
			continue
		}
		if *seen&(1<<i) != 0 {
			s.fail("key %q twice", key)
			return
		}
		*seen |= 1 << i
		f.read()
		return
	}
	s.fail("unknown key %q", key)
}

// array reads at most limit elements.
func (s *strictJSON) array(limit int, read func(i int)) {
	s.want('[')
	for i := 0; s.err == nil && !s.skip(']'); i++ {
		if i > 0 {
			s.want(',')
		}
		if i == limit {
			s.fail("more than %d elements", limit)
			return
		}
		if s.err == nil {
			read(i)
		}
	}
}

func (s *strictJSON) text() string {
	s.want('"')
	if s.err != nil {
		return ""
	}
	for i, b := range s.rest {
		switch {
		case b == '"':
			text := string(s.rest[:i])
			s.rest = s.rest[i+1:]
			return text
		case b < 0x20 || b > 0x7e || b == '\\':
			s.fail("byte %#x in a string", b)
			return ""
		}
	}
	s.fail("a string without end")
	return ""
}

// number reads an integer from 0 to limit.
func (s *strictJSON) number(limit uint32) uint32 {
	n, digits := uint64(0), 0
	for s.err == nil && digits < len(s.rest) && s.rest[digits] >= '0' && s.rest[digits] <= '9' {
		n = n*10 + uint64(s.rest[digits]-'0')
		digits++
		if n > uint64(limit) || (digits > 1 && s.rest[0] == '0') {
			s.fail("number above %d, or with a leading zero", limit)
		}
	}
	if digits == 0 {
		s.fail("no number where it must be")
	}
	if s.err != nil {
		return 0
	}
	s.rest = s.rest[digits:]
	return uint32(n)
}

// bytes reads hexadecimal text that fills to.
func (s *strictJSON) bytes(to []byte) {
	text := s.text()
	if s.err != nil {
		return
	}
	if len(text) != 2*len(to) {
		s.fail("%d hexadecimal digits instead of %d", len(text), 2*len(to))
		return
	}
	if _, err := hex.Decode(to, []byte(text)); err != nil {
		s.fail("%w", err)
	}
}

func (s *strictJSON) time() (t time.Time) {
	const layout = "2006-01-02T15:04:05Z"
	text := s.text()
	if s.err != nil {
		return t
	}
	t, err := time.Parse(layout, text)
	if err != nil || len(text) != len(layout) {
		s.fail("no time: %q", text)
	}
	return t
}

// exactly demands a text.
func (s *strictJSON) exactly(want string) func() {
	return func() {
		if got := s.text(); s.err == nil && got != want {
			s.fail("%q instead of %q", got, want)
		}
	}
}

// end demands that nothing is left.
func (s *strictJSON) end() error {
	if s.err == nil && len(s.rest) != 0 {
		s.fail("%d bytes after the end", len(s.rest))
	}
	return s.err
}
