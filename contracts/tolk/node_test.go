package tolk_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/contracts/tolk"
)

const nodeScript = `
const {runTolkCompiler} = require('./package/dist');
const fs = require('fs');
const [dir, ...entries] = process.argv.slice(2);
(async () => {
	const replies = [];
	for (const entry of entries)
		replies.push(await runTolkCompiler({entrypointFileName: entry, fsReadCallback: p => fs.readFileSync(dir + '/' + p, 'utf8')}));
	console.log(JSON.stringify(replies));
})();
`

// The same wasm in the JavaScript it was made for: the peer that we must agree with to the byte.
func TestAgreesWithNode(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("SKIPPED, nothing was compared: no node")
	}
	dir := t.TempDir()
	unpack := exec.Command("tar", "xzf", cached(t), "-C", dir)
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, nothing was compared: tar: %v\n%s", err, out)
	}
	sources := map[string]string{
		"warning.tolk": "fun main() {\n  return 1;\n  return 2;\n}",
		"symbol.tolk":  "fun main() {\n  foo(1);\n}",
		"types.tolk":   "fun main() {\n  val x: int = \"abc\";\n}",
		"cells.tolk": "struct A { a: int8; b: Cell<B>? }\nstruct B { c: bits256; d: address; e: coins }\n" +
			"get fun f(c: cell): coins {\n  try { return A.fromCell(c).b!.load().e; } catch (code) { return ton(\"0.1\"); }\n}\nfun main() {}",
	}
	for name, text := range sources {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "run.js"), []byte(nodeScript), 0o600); err != nil {
		t.Fatal(err)
	}
	entries := []string{"warning.tolk", "symbol.tolk", "types.tolk", "cells.tolk"}
	cmd := exec.CommandContext(t.Context(), node, append([]string{filepath.Join(dir, "run.js"), dir}, entries...)...)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var replies []struct{ Status, Message, FiftCode, CodeBoc64, Stderr string }
	if err := json.Unmarshal(out, &replies); err != nil || len(replies) != len(entries) {
		t.Fatalf("node: %v\n%s", err, out)
	}
	for i, entry := range entries {
		want := replies[i]
		got, err := c.Compile(t.Context(), os.DirFS(dir), entry)
		if want.Status != "ok" {
			problem, ok := errors.AsType[*tolk.CompileError](err)
			where, _, _ := strings.Cut(want.Message, " error: ")
			if !ok || !strings.HasPrefix(problem.Error(), where) || !strings.Contains(want.Message, problem.Message) {
				t.Errorf("%s: got %v, node says %s", entry, err, want.Message)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", entry, err)
			continue
		}
		if diff := cmp.Diff([]string{want.CodeBoc64, want.FiftCode, want.Stderr},
			[]string{base64.StdEncoding.EncodeToString(got.Code), got.Fift, got.Warnings}); diff != "" {
			t.Errorf("%s: (-node +go)\n%s", entry, diff)
		}
	}
}
