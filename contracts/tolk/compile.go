package tolk

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts/emscripten"
)

const (
	// maxMemory bounds one compile; the largest of our contracts needs a tenth of it.
	maxMemory = 512 << 20
	// stackSize is TOTAL_STACK in the compiler's build. Some hundred nested ifs overrun it.
	stackSize = 128 << 10
)

var (
	// ErrCompile means that the sources are at fault; the error is a [CompileError].
	ErrCompile = errors.New("sources do not compile")
	// ErrCrash means that the compiler itself failed: an assertion, its memory, our bounds.
	ErrCrash = errors.New("the Tolk compiler crashed")
)

// A CompileError is one complaint of the compiler about the sources. It is an [ErrCompile], and what
// refused an import ([ErrOutside], [ErrSource], or the file system's error) if that was the cause.
type CompileError struct {
	File         string
	Line, Column int // from 1; 0 if the compiler names no place
	Message      string
	Cause        error // or nil
}

func (e *CompileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

func (e *CompileError) Unwrap() []error { return []error{ErrCompile, e.Cause} }

// A Result is a compiled contract.
type Result struct {
	Code     []byte // bag of cells, as the compiler wrote it
	Hash     [32]byte
	Fift     string
	Version  string // of the compiler
	Warnings string
}

// Options are the choices of [Open].
type Options struct {
	// CacheDir keeps the package and the native code made of it (28 MB). Default: tussah/tolk in
	// os.UserCacheDir.
	CacheDir string
}

// A Compiler is the Tolk compiler, ready to run. It is good for concurrent use.
type Compiler struct {
	bundle  bundle
	program *emscripten.Program
}

// Open fetches the compiler's package if it is not in the cache, and makes native code of it. The first
// time that takes seconds, later a tenth of one.
func Open(ctx context.Context, o Options) (*Compiler, error) {
	if o.CacheDir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		o.CacheDir = filepath.Join(user, "tussah", "tolk")
	}
	if err := os.MkdirAll(o.CacheDir, 0o700); err != nil {
		return nil, err
	}
	tarball, err := npm.Load(ctx, o.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("the Tolk compiler: %w", err)
	}
	c := new(Compiler)
	if c.bundle, err = openBundle(tarball); err != nil {
		return nil, err
	}
	c.program, err = emscripten.Open(ctx, c.bundle.wasm, c.bundle.names, emscripten.Options{
		CacheDir: filepath.Join(o.CacheDir, "native"), Memory: maxMemory, Stack: stackSize,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the Tolk compiler: %w", err)
	}
	return c, nil
}

// Close frees the native code. No compile may be under way.
func (c *Compiler) Close() error { return c.program.Close() }

// Version is the compiler's own.
func (c *Compiler) Version(ctx context.Context) (string, error) {
	var reply struct{ TolkVersion string }
	err := c.run(ctx, new(sources), &reply, func(m *emscripten.Machine) (uint32, error) { return m.Call(ctx, "_tolk_version") })
	return reply.TolkVersion, err
}

// Compile compiles the file entry of fsys with the compiler's default options. Imports are looked for
// in fsys and in the standard library, nowhere else.
func (c *Compiler) Compile(ctx context.Context, fsys fs.FS, entry string) (Result, error) {
	files := &sources{fsys: fsys, library: c.bundle.library}
	answer, err := c.ask(ctx, files, question{Entry: entry})
	if err == nil && answer.Status != "ok" {
		// Only now: with JSON errors the compiler keeps its warnings to itself.
		*files = sources{fsys: fsys, library: c.bundle.library}
		answer, err = c.ask(ctx, files, question{Entry: entry, JSONErrors: true})
	}
	if err != nil {
		return Result{}, fmt.Errorf("compile %s: %w", entry, err)
	}
	if answer.Status != "ok" {
		return Result{}, answer.errors(entry, files.refused)
	}
	result, err := answer.result()
	if err != nil {
		return Result{}, fmt.Errorf("compile %s: %w: %w", entry, ErrCrash, err)
	}
	return result, nil
}

func (c *Compiler) ask(ctx context.Context, s *sources, q question) (answer reply, err error) {
	config, err := json.Marshal(q)
	if err != nil {
		return reply{}, err
	}
	err = c.run(ctx, s, &answer, func(m *emscripten.Machine) (uint32, error) {
		at, err := m.NewString(ctx, string(config))
		if err != nil {
			return 0, err
		}
		return m.Call(ctx, "_tolk_compile", at, m.CallbackIndex(), 0)
	})
	return answer, err
}

// run makes a machine, has it do one call that returns a JSON text, and decodes that into reply. A machine
// serves one compile.
func (c *Compiler) run(ctx context.Context, s *sources, reply any, do func(*emscripten.Machine) (uint32, error)) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	m, err := c.program.New(ctx, s.callback)
	words := ""
	if err == nil {
		defer m.Close(ctx)
		var text string
		var at uint32
		if at, err = do(m); err == nil {
			text, err = m.ReadString(at)
		}
		if err == nil {
			err = json.Unmarshal([]byte(text), reply)
		}
		words = m.LastWords()
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w%s", ErrCrash, err, words)
}

// question is the JSON that tolk_compile takes; what is not in it has its default.
type question struct {
	Entry      string `json:"entrypointFileName"`
	JSONErrors bool   `json:"jsonErrors,omitempty"`
}

// reply is the JSON that it returns. With JSON errors there are either errors or a message.
type reply struct {
	Status      string `json:"status"`
	Message     string `json:"message"`
	FiftCode    string `json:"fiftCode"`
	CodeBoC64   string `json:"codeBoc64"`
	CodeHashHex string `json:"codeHashHex"`
	TolkVersion string `json:"tolkVersion"`
	Stderr      string `json:"stderr"`
	Errors      []struct {
		Message string `json:"message"`
		Range   struct {
			File   string `json:"file_name"`
			Line   int    `json:"start_line_no"`
			Column int    `json:"start_char_no"`
		} `json:"range"`
	} `json:"errors"`
}

func (r *reply) errors(entry string, cause error) error {
	var list []error
	for _, e := range r.Errors {
		list = append(list, &CompileError{e.Range.File, e.Range.Line, e.Range.Column, e.Message, cause})
	}
	if r.Message != "" || list == nil {
		list = append(list, &CompileError{File: entry, Message: strings.TrimSpace(r.Message), Cause: cause})
	}
	return errors.Join(list...)
}

// result also reads the code back: the hash that users will see is the one the compiler meant.
func (r *reply) result() (Result, error) {
	code, err := base64.StdEncoding.DecodeString(r.CodeBoC64)
	if err != nil {
		return Result{}, err
	}
	root, err := cell.FromBOC(code)
	if err != nil {
		return Result{}, err
	}
	hash := root.HashKey()
	if got := hex.EncodeToString(hash[:]); !strings.EqualFold(got, r.CodeHashHex) {
		return Result{}, fmt.Errorf("its code hashes to %s and not, as it says, to %s", got, r.CodeHashHex)
	}
	return Result{Code: code, Hash: hash, Fift: r.FiftCode, Version: r.TolkVersion, Warnings: r.Stderr}, nil
}
