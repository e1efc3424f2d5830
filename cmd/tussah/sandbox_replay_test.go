package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/reference"
	"github.com/tussah-network/tussah/tlb"
)

// TestSandboxReplay writes down transactions of a chain and replays the files,
// one of which expects another outcome.
func TestSandboxReplay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	chain := sandbox.New(t)
	trace, err := chain.SendInternal(t.Context(), sandbox.Internal{
		From: sandbox.Giver(), To: address.NewAddress(0, 0, bytes.Repeat([]byte{7}, 32)), Amount: tlb.TON, Bounce: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, e sandbox.Execution, expected sandbox.Outcome) string {
		fixture, err := reference.NewFixture(reference.Execution(e), reference.Outcome(expected))
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := fixture.Write(&text); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	bounced := trace.Caused[0]
	first, err := trace.Execution.Run(nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := bounced.Execution.Run(nil)
	if err != nil {
		t.Fatal(err)
	}
	good := write("good.json", trace.Execution, first)
	also := write("also.json", bounced.Execution, second)
	bad := write("bad.json", trace.Execution, second)
	none := filepath.Join(dir, "none.json")
	junk := filepath.Join(dir, "junk.json")
	if err := os.WriteFile(junk, []byte(`{"version":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		args       []string
		code       int
		out, words string
	}{
		{"as expected", []string{good, also}, 0, "✓ " + also, ""},
		{"json", []string{"--json", good}, 0, `"gas"`, ""},
		{"differs", []string{good, bad}, 1, "✗ " + bad, errDiffers.Error()},
		{"no file", []string{none}, 1, "", "none.json"},
		{"no fixture", []string{junk}, 1, "", reference.ErrFixture.Error()},
	} {
		var out, words bytes.Buffer
		code := run(t.Context(), append([]string{"sandbox", "replay"}, c.args...), strings.NewReader(""), &out, &words)
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(words.String(), c.words) {
			t.Errorf("%s: exit code %d\n%s%s", c.name, code, out.String(), words.String())
		}
	}
}
