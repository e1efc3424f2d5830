package toncenter_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tonwallet "github.com/xssnick/tonutils-go/ton/wallet"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// TestJS runs what most developers have in front of this API: @ton/ton's
// TonClient, and Blueprint on top of it. The packages are installed once, in a
// folder that may be kept between runs: TUSSAH_NPM_CACHE.
func TestJS(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	modules := install(t)
	t.Run("TonClient", func(t *testing.T) { testTonClient(t, modules) })
	t.Run("Blueprint", func(t *testing.T) { testBlueprint(t, modules) })
}

// lacking skips a test for want of something, except in CI, where it fails.
func lacking(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("TUSSAH_CI") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf("SKIPPED, NOTHING TESTED: "+format, args...)
}

// project is where the packages are listed, and what Blueprint runs.
const project = "testdata/blueprint"

// install returns a node_modules folder with the packages of the project.
func install(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacking(t, "%s is not installed", tool)
		}
	}
	list, err := os.ReadFile(filepath.Join(project, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := os.Getenv("TUSSAH_NPM_CACHE")
	if dir == "" {
		dir = t.TempDir()
	}
	modules, installed := filepath.Join(dir, "node_modules"), filepath.Join(dir, "installed.json")
	if kept, err := os.ReadFile(installed); err == nil && bytes.Equal(kept, list) {
		return modules
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), list, 0o644); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		lacking(t, "npm install: %v\n%s", err, out)
	}
	t.Logf("npm install took %s", time.Since(start).Round(time.Second))
	// Written last, so that a half-done installation is not taken for one.
	if err := os.WriteFile(installed, list, 0o644); err != nil {
		t.Fatal(err)
	}
	return modules
}

// runNode runs node with what it needs, and returns what it printed.
func runNode(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	t.Logf("node %s\n%s", strings.Join(args, " "), out)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func counterEnv() string { return "COUNTER=" + base64.StdEncoding.EncodeToString(counterCode.ToBOC()) }

// mainnetID is in the id of a v5 wallet unless its owner says otherwise.
const mainnetID = -239

func walletOf(t *testing.T, key ed25519.PublicKey, version tonwallet.VersionConfig, coins tlb.Nano) sandbox.GenesisAccount {
	t.Helper()
	subwallet := uint32(tonwallet.DefaultSubwallet)
	if _, v5 := version.(tonwallet.ConfigV5R1Final); v5 {
		subwallet = 0
	}
	a, err := tonwallet.AddressFromPubKey(key, version, subwallet)
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.GenesisAccount{Address: a, Balance: coins}
}

func testTonClient(t *testing.T, modules string) {
	key := func(seed byte) ed25519.PublicKey {
		return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32)).Public().(ed25519.PublicKey)
	}
	c := serve(t, newChain(t,
		walletOf(t, key(1), tonwallet.V4R2, 100*tlb.TON),
		walletOf(t, key(2), tonwallet.ConfigV5R1Final{NetworkGlobalID: mainnetID}, 100*tlb.TON),
	))
	script, err := filepath.Abs("testdata/client.mjs")
	if err != nil {
		t.Fatal(err)
	}
	out := runNode(t, filepath.Dir(modules), []string{"ENDPOINT=" + c.url + "/api/v2/jsonRPC", counterEnv()}, script)
	if got, want := strings.Count(out, "ok "), 18; got < want {
		t.Errorf("%d steps, want at least %d", got, want)
	}
}

func testBlueprint(t *testing.T, modules string) {
	seed := tonwallet.NewSeed()
	key, err := tonwallet.SeedToPrivateKeyWithOptions(seed)
	if err != nil {
		t.Fatal(err)
	}
	// Blocks by the clock, so that there is something to wait for.
	chain, err := sandbox.Open(sandbox.Options{
		Mode: sandbox.Interval, Interval: 200 * time.Millisecond,
		Genesis: []sandbox.GenesisAccount{walletOf(t, key.Public().(ed25519.PublicKey), tonwallet.V4R2, 10*tlb.TON)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	sealed := make(chan error)
	go func() { sealed <- chain.Run(ctx) }()
	defer func() {
		stop()
		if err := errors.Join(<-sealed, chain.Close()); err != nil {
			t.Error(err)
		}
	}()
	c := serve(t, chain)

	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(project)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	out := runNode(t, dir,
		[]string{"WALLET_MNEMONIC=" + strings.Join(seed, " "), "WALLET_VERSION=v4r2", counterEnv()},
		"node_modules/@ton/blueprint/dist/cli/cli.js", "run", "deployCounter",
		"--custom", c.url+"/api/v2/jsonRPC", "--custom-version", "v2", "--custom-type", "custom", "--mnemonic")
	for _, want := range []string{
		"Contract deployed at address", "network custom", "deployed with 41", "increased to 42", "transactions 2",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("did not print %q", want)
		}
	}
}
