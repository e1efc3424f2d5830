package engine

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		data         []string // one per event
	}{
		{"plain", "data: a\n\ndata: b\n\n", []string{"a", "b"}},
		{"crlf", "data: a\r\n\r\ndata: b\r\n\r\n", []string{"a", "b"}},
		{"mixed ends", "data: a\n\r\ndata: b\r\n\n", []string{"a", "b"}},
		{"no space", "data:a\n\n", []string{"a"}},
		{"two spaces", "data:  a\n\n", []string{" a"}},
		{"several lines", "data: a\ndata: b\n\n", []string{"a\nb"}},
		{"other fields", "event: x\nid: 1\nretry: 5\ndata: a\n\n", []string{"a"}},
		{"comment", ": keep alive\n\ndata: a\n\n", []string{"", "a"}},
		{"blank lines", "\n\ndata: a\n\n", []string{"", "", "a"}},
		{"no blank line at the end", "data: a\n\ndata: [DONE]", []string{"a", "[DONE]"}},
		{"empty data", "data\n\ndata:\n\n", []string{"", ""}},
		{"long line", "data: " + strings.Repeat("x", 10000) + "\n\n", []string{strings.Repeat("x", 10000)}},
		{"nothing", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.stream), iotest.OneByteReader(strings.NewReader(c.stream))} {
				all, data, err := readEvents(r)
				if err != nil {
					t.Fatal(err)
				}
				if all != c.stream {
					t.Errorf("events hold %q, the stream was %q", all, c.stream)
				}
				if strings.Join(data, "|") != strings.Join(c.data, "|") || len(data) != len(c.data) {
					t.Errorf("data %q, want %q", data, c.data)
				}
			}
		})
	}
}

func readEvents(r io.Reader) (all string, data []string, err error) {
	s := newEvents(r)
	for {
		e, err := s.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return all, data, err
		}
		all += string(e.raw)
		data = append(data, string(e.data))
	}
}

func TestEventsRefuse(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		r    io.Reader
		want error
	}{
		{"bare CR", strings.NewReader("data: a\rdata: b\n\n"), errBareCR},
		{"no field", strings.NewReader("{}\n\n"), errNoField},
		{"large line", strings.NewReader("data: " + strings.Repeat("x", maxEvent)), errEventTooLarge},
		{"large event", strings.NewReader(strings.Repeat("data: x\n", maxEvent/8+1)), errEventTooLarge},
		{"broken connection", io.MultiReader(strings.NewReader("data: a\n"), iotest.ErrReader(broken)), broken},
	} {
		if _, _, err := readEvents(c.r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// FuzzEvents: whatever comes, and however it is cut into reads, the events are the stream, and each ends at its first
// blank line.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{"data: a\n\ndata: [DONE]\n\n", "data: a\r\n\r\n", ": x\n\n\n", "data: a\ndata: b\n\n", "a\rb", "\r\n", "data"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		all, data, err := readEvents(bytes.NewReader(stream))
		again, dataAgain, errAgain := readEvents(iotest.OneByteReader(bytes.NewReader(stream)))
		if all != again || strings.Join(data, "|") != strings.Join(dataAgain, "|") || (err == nil) != (errAgain == nil) {
			t.Fatal("the cut into reads makes a difference")
		}
		if err == nil && all != string(stream) {
			t.Fatalf("events hold %q, the stream was %q", all, stream)
		}
		if err != nil && !errors.Is(err, errNoField) && !errors.Is(err, errBareCR) {
			t.Fatal(err)
		}
	})
}
