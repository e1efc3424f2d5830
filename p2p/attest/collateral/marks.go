package collateral

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// marksFile is beside the folder of documents, so that deleting these does not
// delete what was seen.
const marksFile = "marks"

// marksHead is the first line of the file, with its version. Sorted lines of a
// name and a number follow, then the digest of all lines before it.
const marksHead = "tussah collateral marks v1\n"

var markLine = regexp.MustCompile(`^([a-z0-9][a-z0-9/]{0,199}) (0|[1-9][0-9]{0,19})$`)

// marks are the highest numbers ever seen: of evaluations for each processor
// family, of revocation lists for each issuer. A lower one is an older statement,
// however valid it still is. Lists have a mark for their date as well: Intel has
// left the number of its lists at 1 for years.
type marks struct {
	fs       vfs.FS
	dir      string
	readOnly bool
	at       map[string]uint64
}

// mark is a number found in a document.
type mark struct {
	name  string // of what is numbered: issuer, kind, and family where there is one
	value uint64
}

// openMarks reads the record. It makes an empty one where there is none, unless
// there are documents: then the record was there, and is lost.
func openMarks(fsys vfs.FS, dir string, first, readOnly bool) (*marks, error) {
	m := &marks{fs: fsys, dir: dir, readOnly: readOnly, at: map[string]uint64{}}
	file, err := readFile(fsys, fsys.PathJoin(dir, marksFile), maxMarks)
	switch {
	case errors.Is(err, fs.ErrNotExist) && first && readOnly:
		return m, nil
	case errors.Is(err, fs.ErrNotExist) && first:
		return m, m.save(m.at)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: there are documents in %s but no file %s; restore it, or remove the documents to begin anew", ErrMarks, dir, marksFile)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMarks, err)
	}
	if m.at, err = parseMarks(file); err != nil {
		return nil, fmt.Errorf("%w: %s: %w; restore it, or remove it and the documents to begin anew", ErrMarks, fsys.PathJoin(dir, marksFile), err)
	}
	return m, nil
}

// check refuses numbers below those on record.
func (m *marks) check(found []mark) error {
	for _, f := range found {
		if seen := m.at[f.name]; f.value < seen {
			return fmt.Errorf("%w: %s has number %d, %d was seen", ErrRolledBack, f.name, f.value, seen)
		}
	}
	return nil
}

// raise records numbers. Once it returns they survive a crash.
func (m *marks) raise(found []mark) error {
	if err := m.check(found); err != nil {
		return err
	}
	next := m.scratch()
	if raised := next.see(found); !raised {
		return nil
	}
	if !m.readOnly {
		if err := m.save(next.at); err != nil {
			return err
		}
	}
	m.at = next.at
	return nil
}

// see raises what found is above, and tells whether anything was. It records
// nothing.
func (m *marks) see(found []mark) (raised bool) {
	for _, f := range found {
		if seen, ok := m.at[f.name]; !ok || f.value > seen {
			m.at[f.name], raised = f.value, true
		}
	}
	return raised
}

// scratch is a copy that stands for nothing on disk.
func (m *marks) scratch() *marks { return &marks{at: maps.Clone(m.at), readOnly: true} }

func (m *marks) save(at map[string]uint64) error {
	file := encodeMarks(at)
	if _, err := parseMarks(file); err != nil {
		return fmt.Errorf("record what was seen: %w", err)
	}
	if err := writeFile(m.fs, m.dir, marksFile, file); err != nil {
		return fmt.Errorf("record what was seen: %w", err)
	}
	return nil
}

func encodeMarks(at map[string]uint64) []byte {
	var b bytes.Buffer
	b.WriteString(marksHead)
	for _, name := range slices.Sorted(maps.Keys(at)) {
		fmt.Fprintf(&b, "%s %d\n", name, at[name])
	}
	fmt.Fprintf(&b, "sha256 %x\n", sha256.Sum256(b.Bytes()))
	return b.Bytes()
}

// parseMarks reads what encodeMarks wrote, and nothing else.
func parseMarks(file []byte) (map[string]uint64, error) {
	lines, ok := strings.CutPrefix(string(file), marksHead)
	if !ok || len(file) > maxMarks {
		return nil, errors.New("not of a version known here")
	}
	at := map[string]uint64{}
	for line := range strings.Lines(lines) {
		if strings.HasPrefix(line, "sha256 ") {
			break
		}
		fields := markLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if fields == nil {
			return nil, errors.New("a line is malformed")
		}
		value, err := strconv.ParseUint(fields[2], 10, 64)
		if err != nil {
			return nil, errors.New("a number is out of bounds")
		}
		at[fields[1]] = value
	}
	if !bytes.Equal(encodeMarks(at), file) {
		return nil, errors.New("its digest differs")
	}
	return at, nil
}
