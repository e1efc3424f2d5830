package tolk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tussah-network/tussah/contracts/tolk"
)

var open = sync.OnceValues(func() (*tolk.Compiler, error) {
	return tolk.Open(context.Background(), tolk.Options{})
})

// compiler is one for all tests, from the user's cache: fetching and native code cost seconds. It is
// never closed. Without it the tests that run the compiler have nothing to test.
func compiler(t testing.TB) *tolk.Compiler {
	t.Helper()
	c, err := open()
	if errors.Is(err, tolk.ErrFetch) {
		t.Skip("SKIPPED, nothing was compiled: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cached returns the package's file in the user's cache; call it after compiler.
func cached(t *testing.T) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "tussah", "tolk", "tolk-js-1.3.0.tgz")
}
