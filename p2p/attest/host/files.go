package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Files are the kernel's files, by absolute path. A kernel's file is not like
// others: writing acts, and what is read may have been made for this reader.
type Files interface {
	// Read returns all of a file, or an error when it has more than limit bytes.
	Read(name string, limit int) ([]byte, error)
	// Write writes to a file that exists, in one call.
	Write(name string, data []byte) error
	// List returns the names in a directory.
	List(dir string) ([]string, error)
	MakeDir(name string) error
	// Remove removes a directory, which for configfs need not be empty.
	Remove(name string) error
}

// machine is the machine this process runs on.
type machine struct{}

var errLarge = errors.New("file is larger than expected")

func (machine) Read(name string, limit int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		return nil, fmt.Errorf("%s: %w", name, errLarge)
	}
	return b, nil
}

func (machine) Write(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (machine) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

func (machine) MakeDir(name string) error { return os.Mkdir(name, 0o700) }
func (machine) Remove(name string) error  { return os.Remove(name) }

// absent says that a file is not there, in the way that not having it is normal.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
