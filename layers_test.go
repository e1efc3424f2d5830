package tussah

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tussah-network/tussah"

// layers is the map of doc.go as a table: a directory, and the directories of
// ours its code may import. A directory that is not here fails the test, and so
// does an import that is not listed. "Tests" are further imports for _test.go
// files only; contracts, wallets and nodes are tested on the sandbox.
var layers = map[string]struct{ Code, Tests []string }{
	".":       {},
	"tlb":     {},
	"tlb/get": {Code: []string{"tlb"}},

	// The sandbox sees reference only when built with the tag of that name.
	"sandbox":            {Code: []string{"sandbox/probe", "sandbox/reference", "tlb", "tlb/get"}},
	"sandbox/abi":        {Code: []string{"tlb"}, Tests: []string{"sandbox", "tlb/get"}},
	"sandbox/bench":      {Code: []string{"sandbox", "sandbox/localnet", "sandbox/strict", "tlb"}},
	"sandbox/control":    {Code: []string{"sandbox", "tlb", "tlb/get"}},
	"sandbox/explore":    {Code: []string{"sandbox", "sandbox/abi", "tlb", "tlb/get"}},
	"sandbox/kit":        {Code: []string{"sandbox", "sandbox/abi", "sandbox/probe", "tlb", "tlb/get"}},
	"sandbox/liteserver": {Code: []string{"sandbox", "tlb", "tlb/get"}, Tests: []string{"sandbox/strict"}},
	"sandbox/localnet":   {Code: []string{"sandbox", "sandbox/control", "sandbox/liteserver", "sandbox/toncenter", "tlb"}},
	"sandbox/probe":      {Tests: []string{"sandbox", "tlb", "tlb/get"}},
	// reference holds transactions against two other executors, in tests only.
	"sandbox/reference": {Code: []string{"tlb/get"}, Tests: []string{"contracts/emscripten", "sandbox", "sandbox/probe", "tlb"}},
	"sandbox/strict":    {Code: []string{"tlb", "tlb/get"}, Tests: []string{"sandbox", "sandbox/liteserver"}},
	"sandbox/toncenter": {Code: []string{"sandbox", "tlb", "tlb/get"}},

	"contracts":            {Code: []string{"tlb", "tlb/get"}, Tests: []string{"sandbox", "contracts/tolk"}},
	"contracts/emscripten": {},
	"contracts/tolk":       {Code: []string{"contracts/emscripten"}},

	"p2p":                   {Code: []string{"p2p/attest", "p2p/ratls", "tlb"}, Tests: []string{"p2p/attest/sim"}},
	"p2p/attest":            {Tests: []string{"p2p/attest/sim"}},
	"p2p/attest/tdx":        {Code: []string{"p2p/attest"}, Tests: []string{"p2p/attest/sim"}},
	"p2p/attest/sim":        {Code: []string{"p2p/attest", "p2p/attest/tdx"}},
	"p2p/attest/snp":        {Code: []string{"p2p/attest"}, Tests: []string{"p2p/attest/snp/snpsim"}},
	"p2p/attest/snp/snpsim": {Code: []string{"p2p/attest", "p2p/attest/snp"}},
	"p2p/ratls":             {Code: []string{"p2p/attest"}, Tests: []string{"p2p/attest/sim", "p2p/attest/tdx"}},
	"p2p/session":           {Code: []string{"p2p/attest", "p2p/ratls", "tlb"}, Tests: []string{"p2p", "p2p/attest/sim"}},

	"p2p/attest/collateral": {Code: []string{"p2p/attest", "p2p/attest/tdx"}, Tests: []string{"p2p/attest/sim"}},
	"p2p/attest/eventlog":   {Code: []string{"p2p/attest"}},
	"p2p/attest/gpu":        {Code: []string{"p2p/attest"}, Tests: []string{"p2p/attest/gpu/gpusim"}},
	// gpusim implements the interface that collects evidence.
	"p2p/attest/gpu/gpusim": {Code: []string{"p2p/attest/gpu"}},
	"p2p/attest/host":       {Code: []string{"p2p/attest", "p2p/attest/eventlog"}},
	"p2p/attest/measure":    {Code: []string{"p2p/attest", "p2p/attest/eventlog"}},
	"p2p/attest/policyfile": {Code: []string{"p2p/attest", "p2p/attest/gpu", "p2p/attest/snp"}},

	"registry":       {Code: []string{"contracts", "tlb"}, Tests: []string{"sandbox"}},
	"wallet":         {Code: []string{"contracts", "tlb", "tlb/get"}, Tests: []string{"sandbox"}},
	"wallet/channel": {Code: []string{"contracts", "tlb"}, Tests: []string{"sandbox"}},

	"node": {
		Code: []string{"contracts", "node/engine", "node/lite", "node/openai", "p2p", "p2p/attest", "p2p/attest/collateral",
			"p2p/attest/gpu", "p2p/attest/host", "p2p/attest/policyfile", "p2p/attest/sim", "p2p/attest/snp", "p2p/attest/tdx", "p2p/ratls", "p2p/session", "registry", "tlb", "wallet", "wallet/channel"},
		Tests: []string{"node/devnet", "p2p/attest/gpu/gpusim", "sandbox", "sandbox/liteserver"},
	},
	"node/engine": {Code: []string{"tlb"}},
	"node/lite":   {Code: []string{"tlb", "tlb/get"}, Tests: []string{"sandbox", "sandbox/liteserver"}},
	"node/openai": {Code: []string{"node/engine", "tlb"}},
	// devnet is a whole network in one process, for the demo and for tests: beside cmd, the only code that sees node and sandbox together.
	"node/devnet": {Code: []string{"contracts", "node", "node/engine", "node/lite", "p2p", "p2p/attest", "p2p/attest/sim", "p2p/ratls",
		"registry", "sandbox", "sandbox/bench", "sandbox/localnet", "tlb", "wallet", "wallet/channel"}},

	"cmd/tussah": {Code: []string{"contracts", "contracts/tolk", "node", "node/engine", "node/lite", "node/devnet",
		"p2p", "p2p/attest", "p2p/attest/collateral", "p2p/attest/eventlog", "p2p/attest/gpu", "p2p/attest/host", "p2p/attest/measure",
		"p2p/attest/policyfile", "p2p/attest/sim", "p2p/attest/snp", "p2p/attest/tdx", "p2p/ratls", "registry", "sandbox", "sandbox/bench", "sandbox/control", "sandbox/liteserver", "sandbox/localnet", "sandbox/reference",
		"tlb", "wallet", "wallet/channel"},
		Tests: []string{"p2p/attest/gpu/gpusim", "p2p/attest/snp/snpsim"}},
}

// TestLayers parses files instead of asking the go command: that sees every
// build tag, and is never answered from the test cache after an edit.
func TestLayers(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		seen++
		dir := path.Dir(filepath.ToSlash(name))
		layer, known := layers[dir]
		if !known {
			t.Errorf("%s: directory %s is not in the table of layers_test.go", name, dir)
			return nil
		}
		allowed := layer.Code
		isTest := strings.HasSuffix(name, "_test.go")
		if isTest {
			allowed = slices.Concat(layer.Code, layer.Tests, []string{dir})
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			if !isTest && imported == "testing" {
				t.Errorf("%s: product code imports testing", name)
			}
			ours, ok := strings.CutPrefix(imported, module)
			if !ok {
				continue
			}
			if target := strings.TrimPrefix(ours, "/"); !slices.Contains(allowed, target) {
				t.Errorf("%s: imports %s, which its layer may not", name, target)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no Go file was read")
	}
}

// TestRationaleNamesEveryDependency holds go.mod against RATIONALE.md: each
// direct dependency owes the reader a reason.
func TestRationaleNamesEveryDependency(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	rationale, err := os.ReadFile("RATIONALE.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := 0
	for line := range strings.Lines(string(mod)) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") {
			continue // a block line, or an indirect requirement with its comment
		}
		direct++
		if !strings.Contains(string(rationale), "`"+fields[0]+"`") {
			t.Errorf("RATIONALE.md does not say why we depend on %s", fields[0])
		}
	}
	if direct == 0 {
		t.Fatal("no direct dependency found in go.mod")
	}
}
