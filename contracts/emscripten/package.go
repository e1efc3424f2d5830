package emscripten

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Package is the one version of an npm package that a driver was written for.
type Package struct {
	Name      string // with the version: "@ton/tolk-js@1.3.0"
	File      string // of the tarball, in the cache
	Integrity string // the hash that npm publishes (npm view NAME dist.integrity)
}

// Fetching is one download of a few megabytes; what takes longer is not going to end.
const (
	maxPackage   = 8 << 20
	fetchTimeout = 3 * time.Minute
)

// Far above what the packages have; the hash has vouched for them, and the bounds keep a mistake in
// pinning cheap.
const (
	maxFile     = 12 << 20
	maxUnpacked = 24 << 20
)

var (
	// ErrFetch means that a package is not in the cache and npm did not bring it.
	ErrFetch = errors.New("the package is not here and could not be fetched")
	// ErrHash means that a file is not the package that the driver was written for. Nothing of it was run.
	ErrHash = errors.New("not the pinned package")
)

// Load returns the checked tarball from the folder dir, after fetching it there if it is missing.
func (p Package) Load(ctx context.Context, dir string) ([]byte, error) {
	file := filepath.Join(dir, p.File)
	tarball, err := p.read(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p.fetch(ctx, dir, file)
	case errors.Is(err, ErrHash):
		return nil, fmt.Errorf("%w; delete it to have it fetched again", err)
	}
	return tarball, err
}

// fetch asks npm for the package. It is checked before it gets its name in the cache, so that a bad or
// broken download is never found there.
func (p Package) fetch(ctx context.Context, dir, file string) ([]byte, error) {
	manual := fmt.Sprintf("install npm, or put the tarball of %s at %s", p.Name, file)
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, fmt.Errorf("%w: %w; %s", ErrFetch, err, manual)
	}
	temp, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)

	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	// The retries are npm's own, but without its pauses of up to a minute.
	cmd := exec.CommandContext(ctx, npm, "pack", p.Name, "--ignore-scripts", "--prefer-offline",
		"--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")
	cmd.Dir = temp
	cmd.WaitDelay = time.Second // npm is a script; whatever it left behind must not keep us
	if output, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("%w: npm pack: %w; go online, or %s\n%s", ErrFetch, err, manual, lastLines(output, 5))
	}
	found, err := filepath.Glob(filepath.Join(temp, "*.tgz"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("%w: npm pack wrote %d tarballs instead of one; %s", ErrFetch, len(found), manual)
	}
	tarball, err := p.read(found[0])
	if err != nil {
		return nil, fmt.Errorf("npm pack %s: %w", p.Name, err)
	}
	return tarball, os.Rename(found[0], file)
}

func (p Package) read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	tarball, err := io.ReadAll(io.LimitReader(f, maxPackage+1))
	if err != nil {
		return nil, err
	}
	sum := sha512.Sum512(tarball)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.Integrity {
		return nil, fmt.Errorf("%s: %w %s: its hash is %s, want %s", file, ErrHash, p.Name, got, p.Integrity)
	}
	return tarball, nil
}

// Unpack reads the wanted files of a tarball, all of which must be there.
func Unpack(tarball []byte, wanted ...string) (map[string]string, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		return nil, err
	}
	files := make(map[string]string)
	archive := tar.NewReader(io.LimitReader(unzipped, maxUnpacked))
	for len(files) < len(wanted) {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("of %s it has only %d", strings.Join(wanted, ", "), len(files))
		}
		if err != nil {
			return nil, err
		}
		for _, name := range wanted {
			if header.Name != name {
				continue
			}
			if header.Size > maxFile {
				return nil, fmt.Errorf("%s has %d bytes, more than %d", name, header.Size, maxFile)
			}
			text, err := io.ReadAll(archive)
			if err != nil {
				return nil, err
			}
			files[name] = string(text)
		}
	}
	return files, nil
}

func lastLines(output []byte, n int) string {
	lines := strings.Split(string(bytes.TrimSpace(output)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
