package tolk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/tussah-network/tussah/contracts/emscripten"
)

// Far above any contract; they only stop a file that is none.
const (
	maxSource  = 1 << 20
	maxSources = 16 << 20
)

var (
	// ErrOutside means that a source imports a file outside the folder that is compiled.
	ErrOutside = errors.New("imports stay inside the compiled folder, or name @stdlib/…")
	// ErrSource means that a file cannot be the text of a contract.
	ErrSource = errors.New("not a Tolk source")
)

// sources answers the compiler's questions about files during one compile.
type sources struct {
	fsys    fs.FS
	library map[string]string
	size    int
	refused error // the first refusal, as the compiler repeats only its text
}

// The kinds of question the compiler's callback asks (ReadCallback::Kind in the compiler's tolk-wasm.cpp).
const (
	askPath = 0
	askText = 1
)

// callback is answer for the compiler: the question's kind and name, where to put the address of the
// answer, the same for an error, and a number that it does not use.
func (s *sources) callback(ctx context.Context, m *emscripten.Machine, args [5]uint32) error {
	name, err := m.ReadString(args[1])
	if err != nil {
		return err
	}
	answer, err := s.answer(args[0], name)
	to := args[2]
	if err != nil {
		answer, to = err.Error(), args[3]
	}
	at, err := m.NewString(ctx, answer)
	if err != nil {
		return err
	}
	return m.WriteUint32(to, at)
}

func (s *sources) answer(kind uint32, name string) (answer string, err error) {
	switch kind {
	case askPath:
		answer, err = s.path(name)
	case askText:
		answer, err = s.text(name)
	default:
		err = fmt.Errorf("the compiler asks question %d, which this driver does not know", kind)
	}
	if err != nil && s.refused == nil {
		s.refused = err
	}
	return answer, err
}

// path gives each file the one name by which the compiler recognises it. The compiler has already put
// the importing file's folder in front of relative names.
func (s *sources) path(name string) (string, error) {
	if !strings.HasSuffix(name, ".tolk") && !strings.HasSuffix(name, ".fif") {
		name += ".tolk"
	}
	if strings.HasPrefix(name, "@") {
		if _, ok := s.library[name]; !ok {
			return "", fmt.Errorf("%s: %w", name, ErrOutside)
		}
		return name, nil
	}
	clean := path.Clean(name)
	if !fs.ValidPath(clean) {
		return "", fmt.Errorf("%s: %w", name, ErrOutside)
	}
	return clean, nil
}

// text takes names that came from path; fs.FS itself refuses all others.
func (s *sources) text(name string) (string, error) {
	if text, ok := s.library[name]; ok {
		return text, nil
	}
	f, err := s.fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return "", err
	}
	s.size += len(text)
	switch {
	case len(text) > maxSource:
		return "", fmt.Errorf("%s: %w: it has more than %d bytes", name, ErrSource, maxSource)
	case s.size > maxSources:
		return "", fmt.Errorf("%s: %w: with it the sources have more than %d bytes", name, ErrSource, maxSources)
	case bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text):
		// The compiler sees a C string: a zero would hide the rest of the file.
		return "", fmt.Errorf("%s: %w: it is not UTF-8 text", name, ErrSource)
	}
	return string(text), nil
}
