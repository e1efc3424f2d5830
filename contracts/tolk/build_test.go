package tolk_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/contracts/tolk"
)

// The code that this repository embeds is what its sources say.
func TestBuildReproducesContracts(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	root, err := os.OpenRoot("..")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	built, err := tolk.BuildIn(t.Context(), c, root, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range built {
		t.Logf("%s %x %d bytes", b.Name, b.Hash, b.Size)
	}
}

func TestBuildWithoutFolder(t *testing.T) {
	if _, err := tolk.Build(t.Context(), t.TempDir()+"/none", true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
}

func TestBuildWritesAndCompares(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	write := func(name, text string) {
		t.Helper()
		if err := root.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("channel.tolk", "fun main() { return 1; }")
	write("registry.tolk", "fun main() { return 2; }")
	if _, err := tolk.BuildIn(t.Context(), c, root, true); err != nil {
		t.Fatal(err)
	}
	registry, err := root.ReadFile("registry.boc")
	if err != nil {
		t.Fatal(err)
	}

	write("channel.boc", string(registry))
	write("registry.boc", "something else")
	_, err = tolk.BuildIn(t.Context(), c, root, false)
	if !errors.Is(err, tolk.ErrDiffers) {
		t.Fatalf("got %v, want ErrDiffers", err)
	}
	for _, want := range []string{"channel.boc: ", "registry.boc: ", "14 bytes that are no code"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}
