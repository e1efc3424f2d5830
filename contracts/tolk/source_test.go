package tolk

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSourcePath(t *testing.T) {
	s := &sources{library: map[string]string{"@stdlib/common.tolk": "", "@fiftlib/Asm.fif": ""}}
	for _, test := range []struct {
		name, want string
		err        error
	}{
		{"a", "a.tolk", nil},
		{"a.tolk", "a.tolk", nil},
		{"sub/../a", "a.tolk", nil},
		{"./sub//a.tolk", "sub/a.tolk", nil},
		{"@stdlib/common", "@stdlib/common.tolk", nil},
		{"@fiftlib/Asm.fif", "@fiftlib/Asm.fif", nil},
		{"../a", "", ErrOutside},
		{"sub/../../a", "", ErrOutside},
		{"/a", "", ErrOutside},
		{"@stdlib/../a", "", ErrOutside},
		{"@stdlib/nope", "", ErrOutside},
		{"@lib/a", "", ErrOutside},
	} {
		got, err := s.path(test.name)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("path %q: got %q, %v; want %q, %v", test.name, got, err, test.want, test.err)
		}
	}
}

func TestSourceText(t *testing.T) {
	s := &sources{library: map[string]string{"@stdlib/common.tolk": "common"}, fsys: fstest.MapFS{
		"a.tolk":      {Data: []byte("fun main() {}")},
		"zero.tolk":   {Data: []byte("fun main() {}\x00fun hidden() {}")},
		"latin1.tolk": {Data: []byte("// \xe9")},
		"large.tolk":  {Data: []byte(strings.Repeat(" ", maxSource+1))},
		"folder.tolk": {Mode: fs.ModeDir},
	}}
	for name, want := range map[string]string{"a.tolk": "fun main() {}", "@stdlib/common.tolk": "common"} {
		if got, err := s.text(name); got != want || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"zero.tolk", "latin1.tolk", "large.tolk"} {
		if got, err := s.text(name); got != "" || !errors.Is(err, ErrSource) {
			t.Errorf("%s: got %d bytes, %v; want ErrSource", name, len(got), err)
		}
	}
	for _, name := range []string{"folder.tolk", "../a.tolk", "/a.tolk"} {
		if got, err := s.text(name); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
	s.size = maxSources
	if _, err := s.text("a.tolk"); !errors.Is(err, ErrSource) {
		t.Errorf("sources over the total: got %v, want ErrSource", err)
	}
	if s.refused != nil {
		t.Errorf("text itself remembers %v", s.refused)
	}
	if _, err := s.answer(7, "a.tolk"); err == nil || s.refused == nil {
		t.Errorf("an unknown question gives %v and remembers %v", err, s.refused)
	}
}
