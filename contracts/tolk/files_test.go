package tolk_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tussah-network/tussah/contracts/tolk"
)

func TestBuildFiles(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := write("good.tolk", "fun onInternalMessage(in: InMessage) {}\nget fun answer(): int { return 42 }\n")
	bad := write("bad.tolk", "fun onInternalMessage(in: InMessage) { nothing() }\n")
	other := write("other.txt", "hello")

	for file, want := range map[string]error{bad: tolk.ErrCompile, other: tolk.ErrSource, filepath.Join(dir, "none.tolk"): os.ErrNotExist} {
		if _, err := tolk.BuildFilesWith(t.Context(), c, []string{good, file}); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", filepath.Base(file), err, want)
		}
		if _, err := os.Stat(filepath.Join(dir, "good.boc")); err == nil {
			t.Errorf("%s: something was written", filepath.Base(file))
		}
	}
	built, err := tolk.BuildFilesWith(t.Context(), c, []string{good})
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join(dir, "good.boc"))
	if err != nil || len(built) != 1 || built[0].Name != "good" || built[0].Size != len(code) {
		t.Errorf("built %+v, %d bytes in the file: %v", built, len(code), err)
	}
}
