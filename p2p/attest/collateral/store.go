package collateral

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// documentsDir holds one file per document; asideDir what was found damaged, for
// whoever wants to know why.
const (
	documentsDir = "documents"
	asideDir     = "damaged"
)

// store keeps documents in a folder. It does not know what is in them: who puts
// has verified, who loads verifies again.
type store struct {
	fs       vfs.FS
	dir      string
	readOnly bool
}

// open makes the folders and makes them last.
func (s *store) open() error {
	if s.readOnly {
		return nil
	}
	for _, dir := range []string{s.documents(), s.fs.PathJoin(s.dir, asideDir)} {
		if err := s.fs.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	// What is in a folder that nobody recorded in its parent is lost with it.
	for _, dir := range []string{s.fs.PathDir(s.dir), s.dir, s.documents()} {
		if err := syncDir(s.fs, dir); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) documents() string { return s.fs.PathJoin(s.dir, documentsDir) }

// names are the files that hold documents.
func (s *store) names() ([]string, error) {
	all, err := s.fs.List(s.documents())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	var names []string
	for _, name := range all {
		if strings.HasSuffix(name, documentSuffix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// load reads all documents. Damaged ones are moved aside and reported by file;
// the rest is returned.
func (s *store) load() (map[Name]*document, map[string]error, error) {
	files, err := s.names()
	if err != nil {
		return nil, nil, err
	}
	documents, damaged := map[Name]*document{}, map[string]error{}
	for _, file := range files {
		content, err := readFile(s.fs, s.fs.PathJoin(s.documents(), file), maxDocument)
		if err == nil {
			var d *document
			if d, err = parseDocument(content); err == nil && d.name.file() != file {
				err = fmt.Errorf("%w: it holds %s", ErrDamaged, d.name)
			}
			if err == nil {
				documents[d.name] = d
				continue
			}
		}
		damaged[file] = errors.Join(err, s.aside(file))
	}
	return documents, damaged, nil
}

// put keeps a document, in place of an earlier one of its name.
func (s *store) put(d *document) error {
	if s.readOnly {
		return ErrReadOnly
	}
	file, err := d.encode()
	if err != nil {
		return err
	}
	return writeFile(s.fs, s.documents(), d.name.file(), file)
}

// aside takes a file out of use.
func (s *store) aside(file string) error {
	if s.readOnly {
		return nil
	}
	to := s.fs.PathJoin(s.dir, asideDir, file)
	if err := s.fs.Rename(s.fs.PathJoin(s.documents(), file), to); err != nil {
		return fmt.Errorf("move %s aside: %w", file, err)
	}
	return syncDir(s.fs, s.documents())
}

// drop forgets a document.
func (s *store) drop(n Name) error {
	if s.readOnly {
		return nil
	}
	if err := s.fs.Remove(s.fs.PathJoin(s.documents(), n.file())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop %s: %w", n, err)
	}
	return syncDir(s.fs, s.documents())
}
