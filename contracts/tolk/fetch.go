package tolk

import (
	"bytes"
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

// The one package this driver runs: its name, and the hash that npm publishes for it
// (npm view @ton/tolk-js@1.3.0 dist.integrity). A new version is a change of these lines.
const (
	packageName      = "@ton/tolk-js@1.3.0"
	packageFile      = "tolk-js-1.3.0.tgz"
	packageIntegrity = "sha512-joK9l5+zK+lU2jK2tWVqsYo08nTaCC/Y2N+KsnsoGkHCVyfTLh6ZhbEcZE37s53pmSgTp73PWf7DQy+Ekq4qMA=="
)

// Fetching is one download of 3.4 MB; what takes longer is not going to end.
const (
	maxPackage   = 8 << 20
	fetchTimeout = 3 * time.Minute
)

var (
	// ErrFetch means that the package is not in the cache and npm did not bring it.
	ErrFetch = errors.New("the Tolk compiler's package is not here and could not be fetched")
	// ErrHash means that a file is not the package that this driver was written for. Nothing of it was run.
	ErrHash = errors.New("not the pinned package of the Tolk compiler")
)

// loadPackage returns the checked tarball from the cache folder, after fetching it there if it is missing.
func loadPackage(ctx context.Context, dir string) ([]byte, error) {
	file := filepath.Join(dir, packageFile)
	tarball, err := readPackage(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fetchPackage(ctx, dir, file)
	case errors.Is(err, ErrHash):
		return nil, fmt.Errorf("%w; delete it to have it fetched again", err)
	}
	return tarball, err
}

// fetchPackage asks npm for the package. It is checked before it gets its name in the cache, so that
// a bad or broken download is never found there.
func fetchPackage(ctx context.Context, dir, file string) ([]byte, error) {
	manual := fmt.Sprintf("install npm, or put the tarball of %s at %s", packageName, file)
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
	cmd := exec.CommandContext(ctx, npm, "pack", packageName, "--ignore-scripts", "--prefer-offline",
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
	tarball, err := readPackage(found[0])
	if err != nil {
		return nil, fmt.Errorf("npm pack %s: %w", packageName, err)
	}
	return tarball, os.Rename(found[0], file)
}

func readPackage(file string) ([]byte, error) {
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
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != packageIntegrity {
		return nil, fmt.Errorf("%s: %w %s: its hash is %s, want %s", file, ErrHash, packageName, got, packageIntegrity)
	}
	return tarball, nil
}

func lastLines(output []byte, n int) string {
	lines := strings.Split(string(bytes.TrimSpace(output)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
