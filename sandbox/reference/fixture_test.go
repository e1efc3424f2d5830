package reference_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"

	"github.com/tussah-network/tussah/sandbox/reference"
)

// The fixtures in testdata are transactions of mainnet, for users to see what
// one looks like.
func shipped(t testing.TB) (out []reference.Fixture) {
	t.Helper()
	for _, name := range shippedFiles(t) {
		out = append(out, readFixture(t, name))
	}
	return out
}

func shippedFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in testdata: %v", err)
	}
	return files
}

func readFixture(t testing.TB, name string) reference.Fixture {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f, err := reference.ReadFixture(file)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

func TestShippedGo(t *testing.T) {
	t.Parallel()
	replayAll(t, goVM, shipped(t))
}

// More of them may lie beside the checkout.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../shared/vectors/ton/*.json")
	if err != nil || len(files) == 0 {
		t.Skip("SKIPPED: no fixtures in shared/vectors/ton")
	}
	for _, name := range files {
		replayAll(t, goVM, []reference.Fixture{readFixture(t, name)})
	}
}

// What is written is read as the same, down to the tuple of earlier blocks.
func TestFixtureRoundTrip(t *testing.T) {
	t.Parallel()
	f := shipped(t)[0]
	in, err := f.Execution()
	if err != nil {
		t.Fatal(err)
	}
	in.Previous = tuple.NewTupleValue(tuple.NewTupleValue(nil), nil, cell.BeginCell().EndCell())
	in.Libraries = []*cell.Cell{cell.BeginCell().MustStoreUInt(1, 8).EndCell()}
	in.GlobalID = -3
	out, err := goVM(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, expected := range []reference.Outcome{out, {}} {
		written, err := reference.NewFixture(in, expected)
		if err != nil {
			t.Fatal(err)
		}
		var first, second bytes.Buffer
		if err := written.Write(&first); err != nil {
			t.Fatal(err)
		}
		read, err := reference.ReadFixture(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := read.Write(&second); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.String(), second.String()); diff != "" {
			t.Errorf("(-written +read)\n%s", diff)
		}
	}
}

func TestReadFixtureRefuses(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(shippedFiles(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	pruned, err := cell.BeginCell().MustStoreUInt(0x0101, 16).MustStoreSlice(make([]byte, 34), 272).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := json.Marshal(reference.BoC{Cell: pruned})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]struct{ field, value, want string }{
		"another version": {"version", "2", "version 2, want 1"},
		"unknown field":   {"nonce", "1", "unknown field"},
		"no account":      {"account", "null", "no account"},
		"no message":      {"message", "", "no message"},
		"no config":       {"config", "", "no config"},
		"no before":       {"before", "", "no before"},
		"no time":         {"now", "0", "no time"},
		"no logical time": {"lt", "0", "no time"},
		"no seed":         {"seed", `"` + strings.Repeat("0", 64) + `"`, "no seed"},
		"short seed":      {"seed", `"00"`, "64 digits"},
		"no base64":       {"message", `"?"`, "base64"},
		"no bag of cells": {"message", `"AAAA"`, ""},
		"part of a proof": {"before", string(proof), "proof"},
		"no expectation":  {"expected", `{}`, "a transaction or a refusal"},
		"both":            {"expected", `{"refused":true,"transaction":"te6ccgEBAQEAAgAAAA=="}`, "a transaction or a refusal"},
		"left behind":     {"expected", `{"refused":true,"after":"te6ccgEBAQEAAgAAAA=="}`, "leaves no account"},
		"no tuple":        {"previous", `"te6ccgEBAQEAAgAAAA=="`, "previous blocks"},
	} {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		if fields[change.field] = json.RawMessage(change.value); change.value == "" {
			delete(fields, change.field)
		}
		changed, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reference.ReadFixture(bytes.NewReader(changed)); !errors.Is(err, reference.ErrFixture) || !strings.Contains(err.Error(), change.want) {
			t.Errorf("%s: got %v, want ErrFixture with %q", name, err, change.want)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "list": "[]", "followed": string(text) + "{}", "endless": strings.Repeat(" ", reference.MaxFixture+1),
	} {
		if _, err := reference.ReadFixture(strings.NewReader(text)); !errors.Is(err, reference.ErrFixture) {
			t.Errorf("%s: got %v, want ErrFixture", name, err)
		}
	}
}

// A replay names what is different.
func TestReplayDiffers(t *testing.T) {
	t.Parallel()
	f := shipped(t)[0]
	later := func(in reference.Execution) (reference.Outcome, error) {
		in.Now++
		return goVM(in)
	}
	r, err := reference.Replay(f, later)
	if err != nil || r.OK() {
		t.Fatalf("got %+v, %v", r, err)
	}
	if first, second := r.Differences[0], r.Differences[1]; first.Field != "hash" || first.Want != r.Hash || second.Field == "" || second.Want == second.Got {
		t.Errorf("it names %v", r.Differences)
	}
	refuses := func(reference.Execution) (reference.Outcome, error) { return reference.Outcome{}, nil }
	want := []reference.Difference{{Field: "accepted", Want: "true", Got: "false"}}
	if r, err := reference.Replay(f, refuses); err != nil || !cmp.Equal(r.Differences, want) {
		t.Errorf("got %+v, %v", r, err)
	}
	broken := errors.New("out of order")
	fails := func(reference.Execution) (reference.Outcome, error) { return reference.Outcome{}, broken }
	if _, err := reference.Replay(f, fails); !errors.Is(err, broken) {
		t.Errorf("got %v, want the executor's error", err)
	}
	// Refusing is right where it is expected.
	f.Expected = reference.Expected{Refused: true}
	if r, err := reference.Replay(f, fails); err != nil || !r.OK() {
		t.Errorf("got %+v, %v", r, err)
	}
}

func FuzzReadFixture(f *testing.F) {
	for _, name := range shippedFiles(f) {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fixture, err := reference.ReadFixture(bytes.NewReader(text))
		if err != nil {
			return
		}
		var written bytes.Buffer
		if err := fixture.Write(&written); err != nil {
			t.Fatal(err)
		}
		again, err := reference.ReadFixture(&written)
		if err != nil {
			t.Fatal(err)
		}
		if again.Account.StringRaw() != fixture.Account.StringRaw() || again.Message.Cell.HashKey() != fixture.Message.Cell.HashKey() {
			t.Error("it does not read what it wrote")
		}
	})
}

func ExampleReplay() {
	file, err := os.Open("testdata/internal.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	fixture, err := reference.ReadFixture(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := reference.Replay(fixture, goVM)
	fmt.Println(report.Name, report.OK(), err)
	// Output: mainnet, block (0,8000000000000000,71398501), internal message true <nil>
}
