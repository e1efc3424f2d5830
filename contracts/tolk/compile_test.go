package tolk_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/contracts/tolk"
)

const counter = `
import "storage"

fun onInternalMessage(in: InMessage) {
    var counter = Counter.fromCell(contract.getData());
    counter.value += in.body.loadUint(32);
    contract.setData(counter.toCell());
}

get fun value(): int {
    return Counter.fromCell(contract.getData()).value;
}
`

const storage = `
struct Counter { value: uint32 }
`

// What tolk-js 1.3.0 gives for it under Node.
const counterHash = "29c956eb85565e65ba4a1c53a48b0c7a572c95b9299e103db7b626a5c314a119"

func folder(files ...string) fstest.MapFS {
	fsys := make(fstest.MapFS)
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

func TestCompileCounter(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	version, err := c.Version(t.Context())
	if err != nil || version != "1.3.0" {
		t.Errorf("Version is %q, %v", version, err)
	}
	got, err := c.Compile(t.Context(), folder("counter.tolk", counter, "storage.tolk", storage), "counter.tolk")
	if err != nil {
		t.Fatal(err)
	}
	if hash := hex.EncodeToString(got.Hash[:]); hash != counterHash {
		t.Errorf("counter compiles to %s, want %s", hash, counterHash)
	}
	if got.Version != version || !strings.Contains(got.Fift, "PROGRAM{") || got.Warnings != "" {
		t.Errorf("version %q, warnings %q, Fift:\n%s", got.Version, got.Warnings, got.Fift)
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	for name, test := range map[string]struct {
		source string
		want   tolk.CompileError
	}{
		"syntax": {"fun main( {", tolk.CompileError{File: "a.tolk", Line: 1, Column: 11, Message: "expected parameter name, got `{`"}},
		"symbol": {"fun main() {\n  foo(1);\n}", tolk.CompileError{File: "a.tolk", Line: 2, Column: 3, Message: "undefined symbol `foo`"}},
		"place in an import": {"import \"b\"\nfun main() { b(); }",
			tolk.CompileError{File: "b.tolk", Line: 2, Column: 10, Message: "undefined symbol `y`"}},
		"no place": {"fun helper() {}",
			tolk.CompileError{File: "a.tolk", Message: "the contract has no entrypoint; forgot `fun onInternalMessage(...)`?"}},
		"assembler": {"fun foo(): int asm \"NOSUCHOP\"\nfun main() { return foo(); }",
			tolk.CompileError{File: "a.tolk", Message: "main.fif:6:\tNOSUCHOP:-?"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Compile(t.Context(), folder("a.tolk", test.source, "b.tolk", "fun b() {\n  return y;\n}"), "a.tolk")
			got, ok := errors.AsType[*tolk.CompileError](err)
			if !ok || !errors.Is(err, tolk.ErrCompile) {
				t.Fatalf("got %v, want an ErrCompile", err)
			}
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Nothing outside the folder is read, whether by path or, where the file system is a root, by link.
func TestCompileStaysInside(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	write("secret.tolk", "fun secret() { return 42; }")
	write("inside/up.tolk", "import \"../secret\"\nfun main() { return secret(); }")
	write("inside/absolute.tolk", "import \"/etc/secret\"\nfun main() { return secret(); }")
	write("inside/library.tolk", "import \"@stdlib/../../secret\"\nfun main() { return secret(); }")
	write("inside/mapping.tolk", "import \"@lib/secret\"\nfun main() { return secret(); }")
	write("inside/link.tolk", "import \"linked\"\nfun main() { return secret(); }")
	root, err := os.OpenRoot(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()

	for _, name := range []string{"up", "absolute", "library", "mapping", "../secret"} {
		_, err := c.Compile(t.Context(), root.FS(), name+".tolk")
		if !errors.Is(err, tolk.ErrOutside) || !errors.Is(err, tolk.ErrCompile) {
			t.Errorf("%s: got %v, want ErrOutside", name, err)
		}
	}
	if err := os.Symlink("../secret.tolk", filepath.Join(inside, "linked.tolk")); err != nil {
		t.Skip("the rest needs symbolic links: ", err)
	}
	if _, err := c.Compile(t.Context(), root.FS(), "link.tolk"); !errors.Is(err, tolk.ErrCompile) {
		t.Errorf("link: got %v, want ErrCompile", err)
	}
}

func TestCompileMissing(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	_, err := c.Compile(t.Context(), folder(), "missing.tolk")
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, tolk.ErrCompile) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

// The compiler's stack lies above its data. Under Node 400 nested ifs overwrite the data and never end.
func TestCompileSurvivesCrash(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	for name, source := range map[string]string{
		"ifs":   "fun main(x: int) { " + strings.Repeat("if (x) {", 400) + strings.Repeat("}", 400) + "}",
		"calls": "fun f(x: int) { return x; }\nfun main(x: int) { return " + strings.Repeat("f(", 2000) + "x" + strings.Repeat(")", 2000) + "; }",
		// The parser of brackets calls itself without any invoke.
		"brackets": "fun main(): int { return " + strings.Repeat("(", 9000) + "1" + strings.Repeat(")", 9000) + "; }",
	} {
		if _, err := c.Compile(t.Context(), folder("a.tolk", source), "a.tolk"); !errors.Is(err, tolk.ErrCrash) {
			t.Errorf("%s: got %v, want ErrCrash", name, err)
		}
	}
	got, err := c.Compile(t.Context(), folder("a.tolk", "fun main() {}"), "a.tolk")
	if err != nil || len(got.Code) == 0 {
		t.Errorf("after that: %v", err)
	}
}

func TestStackGuard(t *testing.T) {
	if err := compiler(t).Overrun(t.Context()); !errors.Is(err, tolk.ErrCrash) {
		t.Errorf("got %v, want ErrCrash", err)
	}
}

func TestMemoryGrowsToItsBound(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	if ok, err := c.Allocate(t.Context(), 64<<20); !ok || err != nil {
		t.Errorf("64 MiB: %v, %v", ok, err) // twice what it starts with
	}
	if ok, _ := c.Allocate(t.Context(), 600<<20); ok {
		t.Error("600 MiB were to be had")
	}
}

func TestCompileContext(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	ctx, cancel := context.WithCancel(t.Context())
	fsys := openHook{folder("a.tolk", "fun main() {}"), cancel} // in the middle of the compile
	if _, err := c.Compile(ctx, fsys, "a.tolk"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if _, err := c.Compile(ctx, fsys, "a.tolk"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
}

type openHook struct {
	fs.FS
	hook func()
}

func (h openHook) Open(name string) (fs.File, error) {
	h.hook()
	return h.FS.Open(name)
}

func TestCompileWarnings(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	got, err := c.Compile(t.Context(), folder("a.tolk", "fun main() {\n  return 1;\n  return 2;\n}"), "a.tolk")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Warnings, "a.tolk:3:3: warning: unreachable code") {
		t.Errorf("warnings are %q", got.Warnings)
	}
}

func TestCompileTogether(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			got, err := c.Compile(t.Context(), folder("counter.tolk", counter, "storage.tolk", storage), "counter.tolk")
			if hash := hex.EncodeToString(got.Hash[:]); err != nil || hash != counterHash {
				t.Errorf("got %s, %v", hash, err)
			}
		})
	}
	group.Wait()
}
