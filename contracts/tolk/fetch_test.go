package tolk

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestOpenRefusesTamperedPackage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, packageFile)
	if err := os.WriteFile(file, packed(t, map[string]string{wasmFile: wasmJS}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{CacheDir: dir})
	if !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want ErrHash naming %s", err, file)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the file it complains about is gone: %v", err)
	}
}

func TestFetchWithoutNpm(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	_, err := Open(t.Context(), Options{CacheDir: dir})
	if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), filepath.Join(dir, packageFile)) {
		t.Errorf("got %v, want ErrFetch naming the file to provide", err)
	}
}

// fakeNpm is what an npm that is offline, hostile or stuck looks like to us.
func fakeNpm(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for npm is a shell script")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestFetch(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		want   error
		text   string
	}{
		"offline":    {"echo npm error network request failed >&2; exit 1", ErrFetch, "network request failed"},
		"wrong hash": {"echo other > ton-tolk-js-1.3.0.tgz", ErrHash, packageIntegrity},
		"no file":    {"exit 0", ErrFetch, "0 tarballs"},
		"two files":  {"echo a > a.tgz; echo b > b.tgz", ErrFetch, "2 tarballs"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeNpm(t, test.script)
			dir := t.TempDir()
			_, err := loadPackage(t.Context(), dir)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want %v with %q", err, test.want, test.text)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("%s is left in the cache", left)
			}
		})
	}
	t.Run("stuck", func(t *testing.T) {
		fakeNpm(t, "sleep 60")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := loadPackage(ctx, t.TempDir()); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrFetch) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}
