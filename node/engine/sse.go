package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// events splits a stream of server-sent events into whole events, keeping every byte.
//
// Lines end in LF or CRLF. A bare CR, which the standard would also take for a line end, is refused: no engine sends it,
// and a client that reads it otherwise than the meter would see other events.
type events struct {
	r *bufio.Reader
}

func newEvents(r io.Reader) *events {
	return &events{r: bufio.NewReader(r)} // 4 KiB: there may be ten thousand of these
}

// event is one server-sent event.
type event struct {
	raw  []byte // all its bytes, with the blank line that ends it
	data []byte // its data lines, joined by LF; nil if it has none
}

var (
	errEventTooLarge = fmt.Errorf("%w: event larger than %d bytes", ErrGarbage, maxEvent)
	errNoField       = fmt.Errorf("%w: a line that is no event field", ErrGarbage)
	errBareCR        = fmt.Errorf("%w: bare carriage return in an event", ErrGarbage)
)

// next returns the next event. The last may lack its blank line: then it is what stood between the one before and the end
// of the stream. The event is the caller's to keep.
func (s *events) next() (event, error) {
	var (
		e         event
		lineStart int
		lines     int // data lines
	)
	for {
		piece, err := s.r.ReadSlice('\n')
		e.raw = append(e.raw, piece...)
		switch {
		case len(e.raw) > maxEvent:
			return event{}, errEventTooLarge
		case errors.Is(err, bufio.ErrBufferFull):
			continue // the line goes on
		case errors.Is(err, io.EOF) && len(e.raw) == 0:
			return event{}, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return event{}, err
		}
		line := e.raw[lineStart:]
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		lineStart = len(e.raw)
		if bytes.IndexByte(line, '\r') >= 0 {
			return event{}, errBareCR
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch string(name) {
		case "", "event", "id", "retry": // a comment, the end of the event, or nothing to us
		case "data":
			data := bytes.TrimPrefix(value, []byte(" "))
			if lines++; lines == 1 {
				e.data = slices.Clip(data) // so that appending copies, and raw stays whole
			} else {
				e.data = append(append(e.data, '\n'), data...)
			}
		default: // not even wrong: an engine that sends bare JSON, for example
			return event{}, errNoField
		}
		if err != nil || len(line) == 0 {
			return e, nil
		}
	}
}
