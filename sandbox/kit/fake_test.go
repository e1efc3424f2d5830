package kit_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/kit"
)

// fake is a test that records how it fails.
type fake struct {
	ctx context.Context
	mu  sync.Mutex
	out strings.Builder
}

func (f *fake) Helper()                  {}
func (f *fake) Name() string             { return "fake" }
func (f *fake) Context() context.Context { return f.ctx }

func (f *fake) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprintf(&f.out, format+"\n", args...)
}

func (f *fake) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// failure is how a part of a test fails, "" if it does not. The part ends there,
// the fake goes on.
func (f *fake) failure(part func()) string {
	f.out.Reset()
	done := make(chan struct{})
	go func() {
		defer close(done)
		part()
	}()
	<-done
	return f.out.String()
}

// failure is how a test of its own fails.
func failure(t *testing.T, test func(kit.TB)) string {
	t.Helper()
	f := &fake{ctx: t.Context()}
	return f.failure(func() { test(f) })
}

// golden compares with a file in testdata, or writes it if asked to.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if kit.Updating() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run with -kit.update to make it", err)
	}
	want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); run with -kit.update if that is right:\n%s", file, diff)
	}
}

// open opens a chain whose clock stands still, so that all it does is the same
// every time.
func open(t testing.TB) *sandbox.Chain {
	t.Helper()
	chain, err := sandbox.Open(sandbox.Options{Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	return chain
}
