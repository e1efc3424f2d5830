package kit_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// TestUsage: what counts is what contracts do, not what treasuries do.
func TestUsage(t *testing.T) {
	s := newScene(t, t)
	res := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, store(1), send(1, internal(s.bob.Address, tlb.TON/10, true, nil)))})
	counter, bob := res.Expect(kit.Tx{To: s.counter}), res.Expect(kit.Tx{To: s.bob})
	got := res.Usage()
	if want := counter.Gas + bob.Gas; got.Gas != want {
		t.Errorf("used %d gas, want %d", got.Gas, want)
	}
	// 400 nanoTON a unit of gas; one message that is a single cell.
	if want := tlb.Nano(got.Gas)*400 + 400_000; got.Fees != want || got.ForwardFees != 400_000 {
		t.Errorf("paid %s, %s of it forward, want %s", got.Fees, got.ForwardFees, want)
	}
	if got.Messages != 1 || got.Cells != 1 || got.Bits == 0 {
		t.Errorf("sent %s", got)
	}
}

// benchmark is a testing.B that has as many rounds as it should.
type benchmark struct {
	fake
	rounds  int
	metrics map[string]float64
}

func (b *benchmark) Loop() bool                          { b.rounds--; return b.rounds >= 0 }
func (b *benchmark) ReportMetric(n float64, unit string) { b.metrics[unit] = n }

func TestGasMetrics(t *testing.T) {
	b := &benchmark{rounds: 3, metrics: map[string]float64{}}
	b.ctx = t.Context()
	s := newScene(t, b)
	var one *kit.Result
	kit.Gas(b, func() *kit.Result {
		one = s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, store(1))})
		return one
	})
	if want := []string{"bits/op", "cells/op", "fwd-nanoTON/op", "gas/op", "msgs/op", "nanoTON/op"}; !slices.Equal(slices.Sorted(maps.Keys(b.metrics)), want) {
		t.Errorf("reported %v", b.metrics)
	}
	if u := one.Usage(); b.metrics["gas/op"] != float64(u.Gas) || b.metrics["nanoTON/op"] != float64(u.Fees) {
		t.Errorf("reported %v, one round is %s", b.metrics, u)
	}
	b.rounds = 1
	if text := b.failure(func() { kit.Gas(b, func() *kit.Result { return s.SendExternal(kit.External{To: nobody()}) }) }); !strings.Contains(text, "nothing happened in round 1") {
		t.Errorf("a refused message: %q", text)
	}
}

// BenchmarkGas is what a contract's author writes.
func BenchmarkGas(b *testing.B) {
	s := newScene(b, b)
	increment := kit.Message{To: s.counter.Address, Value: tlb.TON / 10, Body: order(1, store(1))}
	kit.Gas(b, func() *kit.Result { return s.alice.Send(increment) })
}

// TestGasSnapshot goes through the life of a snapshot file.
func TestGasSnapshot(t *testing.T) {
	t.Chdir(t.TempDir())
	f := &fake{ctx: t.Context()}
	s := newScene(t, f)
	small := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, store(1))})
	large := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, add, store(1))})

	var out strings.Builder
	record := func(what string, part func()) string {
		text := f.failure(part)
		fmt.Fprintf(&out, "# %s\n%s\n", what, text)
		return text
	}
	update := kit.Updating()
	defer kit.SetUpdating(update)
	kit.SetUpdating(false)
	record("not there yet", func() { s.GasSnapshot("counter/store", small) })
	kit.SetUpdating(true)
	record("updating", func() { s.GasSnapshot("counter/store", small); s.GasSnapshot("another", large) })
	kit.SetUpdating(false)
	if text := record("the same", func() { s.GasSnapshot("counter/store", small) }); text != "" {
		t.Error("does not pass")
	}
	record("dearer", func() { s.GasSnapshot("counter/store", large) })
	record("cheaper", func() { s.GasSnapshot("another", small) })
	record("not tolerated enough", func() { s.GasSnapshot("counter/store", large, kit.Tolerance{"gas": 5}, kit.Tolerance{"fees": 10}) })
	if text := record("tolerated", func() { s.GasSnapshot("counter/store", large, kit.Tolerance{"gas": 10, "fees": 10}) }); text != "" {
		t.Error("does not pass")
	}
	file, err := os.ReadFile(filepath.Join("testdata", "gas.json"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "# gas.json\n%s", file)
	if err := os.WriteFile(filepath.Join("testdata", "gas.json"), []byte("["), 0o644); err != nil {
		t.Fatal(err)
	}
	record("broken", func() { s.GasSnapshot("counter/store", small) })
	t.Chdir(kit.Home)
	kit.SetUpdating(update)
	golden(t, "gas_snapshot", out.String())
}

// TestProfile has go tool pprof read a profile.
func TestProfile(t *testing.T) {
	s := newScene(t, t)
	child := asm(0x71, 0x72, 0xa0) // 1, 2, ADD
	// 0, PUSHREFSLICE, 0 RUNVM, twice; then a child that throws, and one that
	// runs out of gas: 0, PUSHREFSLICE, 100, 8 RUNVM.
	run := step{code: []byte{0x70, 0x89, 0xdb, 0x40, 0x00}, ref: child}
	thrown := step{code: []byte{0x70, 0x89, 0xdb, 0x40, 0x00}, ref: asm(0xf2, 0x2a)}
	endless := step{code: []byte{0x70, 0x89, 0x80, 100, 0xdb, 0x40, 0x08}, ref: asm(0x90, 0xea)}
	res := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, add, run, run, thrown, endless)})
	res.Expect(kit.Tx{To: s.counter, Success: true})
	failed := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(2, throw(42))})
	dry := s.alice.Send(kit.Message{To: s.bob.Address, Value: tlb.TON / 1000, Body: order(2, forever)})
	outside := s.SendExternal(kit.External{To: s.bob.Address, Body: order(3, accept, store(1))})

	results := []*kit.Result{res, failed, dry, outside}
	var raw, again bytes.Buffer
	if err := kit.Profile(&raw, results...); err != nil {
		t.Fatal(err)
	}
	if err := kit.Profile(&again, results...); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw.Bytes(), again.Bytes()) {
		t.Error("the same results make different profiles")
	}
	var gas uint64
	for _, r := range results {
		gas += r.Usage().Gas
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		if os.Getenv("TUSSAH_CI") == "1" {
			t.Fatal(err)
		}
		t.Skipf("go tool pprof is not there to read the profile: %v", err)
	}
	file := filepath.Join(t.TempDir(), "gas.pprof")
	if err := os.WriteFile(file, raw.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	read := func(args ...string) string {
		out, err := exec.Command(tool, append([]string{"tool", "pprof"}, append(args, file)...)...).Output()
		if err != nil {
			t.Fatalf("pprof %s: %v", args, err)
		}
		return string(out)
	}
	top := read("-top", "-nodefraction=0")
	if !strings.Contains(top, fmt.Sprintf("%dgas total", gas)) {
		t.Errorf("the profile does not add up to %d gas", gas)
	}
	// The columns are flat flat% sum% cum cum% name.
	var flat strings.Builder
	for line := range strings.Lines(top) {
		if f := strings.Fields(line); len(f) > 5 && strings.HasSuffix(f[1], "%") && f[0] != "0" {
			fmt.Fprintln(&flat, strings.TrimSuffix(f[0], "gas"), strings.Join(f[5:], " "))
		}
	}
	golden(t, "pprof", flat.String())
	if want := "76 THROW 42 72814606:0 Increment (op 0x00000001) counter"; !strings.Contains(strings.Join(strings.Fields(read("-traces")), " "), want) {
		t.Errorf("there is no trace %s", want)
	}
	if want := "of 83 total"; !strings.Contains(read("-top", "-sample_index=instructions"), want) {
		t.Errorf("the instructions are not %s", want)
	}
}
