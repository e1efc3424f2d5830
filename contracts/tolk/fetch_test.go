package tolk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenRefusesTamperedPackage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, npm.File)
	if err := os.WriteFile(file, packed(t, map[string]string{wasmFile: wasmJS}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{CacheDir: dir})
	if !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want ErrHash naming %s", err, file)
	}
}

func TestOpenWithoutNpm(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	_, err := Open(t.Context(), Options{CacheDir: dir})
	if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), filepath.Join(dir, npm.File)) {
		t.Errorf("got %v, want ErrFetch naming the file to provide", err)
	}
}
