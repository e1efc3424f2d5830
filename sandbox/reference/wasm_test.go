//go:build reference && cgo

package reference_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts/emscripten"
	"github.com/tussah-network/tussah/sandbox/reference"
)

// The second opinion: the node's emulator as the npm package @ton/sandbox has
// it, another build of another year, in wazero.
var sandboxJS = emscripten.Package{
	Name:      "@ton/sandbox@0.41.0",
	File:      "ton-sandbox-0.41.0.tgz",
	Integrity: "sha512-+WRWiHfm62xQebVt6BvLb2UhVphpBHCwSby8R5vP9llzdVck+XEs+p4csIkZBh6gRQsy1Xomzh1PpgZS5XVE3A==",
}

const (
	// newestWasm is the last version that this build knows all of.
	newestWasm = 12
	wasmFile   = "package/dist/executor/emulator-emscripten.wasm.js"
	glueFile   = "package/dist/executor/emulator-emscripten.js"
)

var program = sync.OnceValues(func() (*emscripten.Program, error) {
	ctx := context.Background()
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "tussah", "sandbox-js")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	tarball, err := sandboxJS.Load(ctx, dir)
	if err != nil {
		return nil, err
	}
	files, err := emscripten.Unpack(tarball, wasmFile, glueFile)
	if err != nil {
		return nil, err
	}
	wasm, err := emscripten.ParseWasm(files[wasmFile])
	if err != nil {
		return nil, err
	}
	names, err := emscripten.ParseNames(files[glueFile])
	if err != nil {
		return nil, err
	}
	return emscripten.Open(ctx, wasm, names, emscripten.Options{CacheDir: filepath.Join(dir, "native"), Memory: 512 << 20, Stack: 64 << 10})
})

// wasmEmulator is one machine, with the emulator for one configuration.
type wasmEmulator struct {
	machine  *emscripten.Machine
	emulator uint32
	config   cell.Hash
}

func newWasm(t *testing.T) *wasmEmulator {
	t.Helper()
	if _, err := program(); errors.Is(err, emscripten.ErrFetch) {
		missing(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	w := new(wasmEmulator)
	t.Cleanup(w.close)
	return w
}

func (w *wasmEmulator) close() {
	if w.machine != nil {
		w.machine.Close(context.Background())
		w.machine = nil
	}
}

// run is an executor; one goroutine at a time may use it.
func (w *wasmEmulator) run(in reference.Execution) (reference.Outcome, error) {
	text, err := w.emulate(in)
	if err != nil {
		w.close() // what failed does not go on
		return reference.Outcome{}, err
	}
	var reply struct {
		Output  json.RawMessage `json:"output"`
		Fail    bool            `json:"fail"`
		Message string          `json:"message"`
	}
	if err := json.Unmarshal([]byte(text), &reply); err != nil {
		return reference.Outcome{}, err
	}
	if reply.Fail { // it has destroyed its emulator
		w.close()
		return reference.Outcome{}, errors.New(reply.Message)
	}
	return reference.ReadAnswer(reply.Output)
}

func (w *wasmEmulator) emulate(in reference.Execution) (string, error) {
	ctx := context.Background()
	libraries, err := reference.OneDictionary(in.Libraries)
	if err != nil {
		return "", err
	}
	params := map[string]any{
		"utime": in.Now, "lt": strconv.FormatUint(in.LT, 10), "rand_seed": hex.EncodeToString(in.Seed[:]),
		"ignore_chksig": false, "debug_enabled": false, "is_tick_tock": false, "is_tock": false,
	}
	if in.Previous.Len() > 0 {
		previous, err := reference.StoreTuple(in.Previous)
		if err != nil {
			return "", err
		}
		params["prev_blocks_info"] = boc(previous)
	}
	settings, err := json.Marshal(params)
	if err != nil {
		return "", err
	}
	if w.machine != nil && w.config != in.Config.HashKey() {
		w.close()
	}
	var args []uint32
	text := func(s string) {
		if err != nil {
			return
		}
		var at uint32
		at, err = w.machine.NewString(ctx, s)
		args = append(args, at)
	}
	if w.machine == nil {
		p, err := program()
		if err != nil {
			return "", err
		}
		if w.machine, err = p.New(ctx, nil); err != nil {
			return "", err
		}
		w.config = in.Config.HashKey()
		config, err := w.machine.NewString(ctx, boc(in.Config))
		if err != nil {
			return "", err
		}
		if w.emulator, err = w.machine.Call(ctx, "_create_emulator", config, 0); err != nil {
			return "", fmt.Errorf("%w%s", err, w.machine.LastWords())
		}
	}
	text(boc(libraries))
	text(boc(in.Before))
	text(boc(in.Message))
	text(string(settings))
	if err != nil {
		return "", err
	}
	at, err := w.machine.Call(ctx, "_emulate_with_emulator", append([]uint32{w.emulator}, args...)...)
	if err != nil {
		return "", fmt.Errorf("%w%s", err, w.machine.LastWords())
	}
	answer, err := w.machine.ReadString(at)
	for _, at := range append(args, at) {
		err = errors.Join(err, w.machine.Free(ctx, at))
	}
	return answer, err
}

func boc(c *cell.Cell) string { return base64.StdEncoding.EncodeToString(c.ToBOC()) }

// Of the block, every fourth transaction: it reads a megabyte of libraries for each.
func TestMainnetWasm(t *testing.T) {
	t.Parallel()
	w := newWasm(t)
	var some []reference.Fixture
	for i, f := range mainnet(t) {
		if i%4 == 0 || i >= 269 {
			some = append(some, f)
		}
	}
	replayAll(t, w.run, some)
}

// sinceThen are faults of the node that were mended between the two builds,
// for all versions at once: the log of the newer one shows the exception.
var sinceThen = []*regexp.Regexp{
	regexp.MustCompile(`execute [A-Z]*ADDRQ?\nhandling exception code 9: cannot parse a MsgAddress`), // of an anycast that is none
	regexp.MustCompile(`execute [A-Z]*(SHL|SHR|MOD)[^\n]*\nhandling exception code 5`),               // by a shift out of range
}

// TestSecondOpinion has both references judge random programs: what one of them
// does by accident the other would have to do too.
func TestSecondOpinion(t *testing.T) {
	t.Parallel()
	const cases = 1_000
	w := newWasm(t)
	var chosen []uint64
	config := make(map[uint64]string)
	for n := uint64(0); len(chosen) < cases; n++ {
		in, version := randomCase(7, n)
		// Limits of sizes have a field more than this build knows.
		if _, err := in.Config.AsDict(32).LoadValueByIntKey(big.NewInt(43)); err != nil && version <= newestWasm {
			chosen = append(chosen, n)
			config[n] = string(in.Config.Hash())
		}
	}
	// A machine is for one configuration.
	slices.SortStableFunc(chosen, func(a, b uint64) int { return strings.Compare(config[a], config[b]) })
	since := 0
	for _, n := range chosen {
		in, version := randomCase(7, n)
		first, firstErr := cpp()(in)
		second, secondErr := w.run(in)
		if firstErr != nil && secondErr != nil {
			continue
		}
		err := errors.Join(firstErr, secondErr)
		if err == nil {
			err = reference.Compare(in, second, first)
		}
		if err == nil {
			continue
		}
		log, logErr := reference.Log(in)
		if logErr == nil && slices.ContainsFunc(sinceThen, func(r *regexp.Regexp) bool { return r.MatchString(log) }) {
			since++
			continue
		}
		t.Errorf("case %d, version %d: the two references differ: %v", n, version, err)
	}
	t.Logf("%d cases, in %d the older reference has a fault that was mended since", cases, since)
}
