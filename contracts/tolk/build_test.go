package tolk_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/contracts/tolk"
)

// The code that this repository embeds is what its sources say.
func TestBuildReproducesContracts(t *testing.T) {
	compiler(t)
	built, err := tolk.Build(t.Context(), "..", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range built {
		t.Logf("%s %x %d bytes", b.Name, b.Hash, b.Size)
	}
}

func TestBuildWritesAndCompares(t *testing.T) {
	compiler(t)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("channel.tolk", "fun main() { return 1; }")
	write("registry.tolk", "fun main() { return 2; }")
	if _, err := tolk.Build(t.Context(), dir, false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without committed code: got %v, want os.ErrNotExist", err)
	}
	written, err := tolk.Build(t.Context(), dir, true)
	if err != nil {
		t.Fatal(err)
	}
	compared, err := tolk.Build(t.Context(), dir, false)
	if diff := cmp.Diff(written, compared); err != nil || diff != "" {
		t.Errorf("after writing: %v (-written +compared)\n%s", err, diff)
	}

	write("registry.tolk", "fun main() { return 3; }")
	_, err = tolk.Build(t.Context(), dir, false)
	if !errors.Is(err, tolk.ErrDiffers) || !strings.HasPrefix(err.Error(), "registry.boc: ") {
		t.Errorf("got %v, want ErrDiffers about registry.boc", err)
	}
}
