package emscripten

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// pinned is a package that nobody has.
var pinned = Package{Name: "@example/program@1.0.0", File: "program-1.0.0.tgz", Integrity: "sha512-AAAA"}

func TestLoadRefusesTamperedPackage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, pinned.File)
	if err := os.WriteFile(file, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := pinned.Load(t.Context(), dir)
	if !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want ErrHash naming %s", err, file)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the file it complains about is gone: %v", err)
	}
}

func TestLoadWithoutNpm(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	_, err := pinned.Load(t.Context(), dir)
	if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), filepath.Join(dir, pinned.File)) {
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
		"wrong hash": {"echo other > ton-tolk-js-1.3.0.tgz", ErrHash, pinned.Integrity},
		"no file":    {"exit 0", ErrFetch, "0 tarballs"},
		"two files":  {"echo a > a.tgz; echo b > b.tgz", ErrFetch, "2 tarballs"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeNpm(t, test.script)
			dir := t.TempDir()
			_, err := pinned.Load(t.Context(), dir)
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
		if _, err := pinned.Load(ctx, t.TempDir()); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrFetch) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}

func packed(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for name, text := range files {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUnpack(t *testing.T) {
	whole := packed(t, map[string]string{"a": "1", "b": "2", "c": "3"})
	files, err := Unpack(whole, "a", "c")
	if err != nil || len(files) != 2 || files["a"] != "1" || files["c"] != "3" {
		t.Errorf("got %v, %v", files, err)
	}
	var large bytes.Buffer
	zipped := gzip.NewWriter(&large)
	err = tar.NewWriter(zipped).WriteHeader(&tar.Header{Name: "a", Mode: 0o600, Size: maxFile + 1})
	if err := errors.Join(err, zipped.Close()); err != nil {
		t.Fatal(err)
	}
	for name, tarball := range map[string][]byte{"missing file": packed(t, nil), "large": large.Bytes(), "cut": whole[:len(whole)/2], "empty": nil} {
		if _, err := Unpack(tarball, "a"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
