package localnet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/ton"
	"go.uber.org/goleak"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
	"github.com/tussah-network/tussah/sandbox/localnet"
	"github.com/tussah-network/tussah/tlb"
)

var alice = address.MustParseRawAddr("0:00000000000000000000000000000000000000000000000000000000000000aa")

// A nanoTON may be gone for storage.
var (
	near8 = regexp.MustCompile(`^(8|7\.99999999\d) TON$`)
	nano8 = regexp.MustCompile(`"(8000000000|799999999\d)"`)
)

// run opens a network and runs it until stop is called.
func run(t *testing.T, o localnet.Options) (*localnet.Network, func()) {
	t.Helper()
	n, err := localnet.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return n, stop
}

// All three doors lead to the same chain.
func TestDoors(t *testing.T) {
	defer goleak.VerifyNone(t)
	n, stop := run(t, localnet.Options{Genesis: []sandbox.GenesisAccount{{Address: alice, Balance: 7 * tlb.TON}}})
	defer stop()
	client := &control.Client{URL: n.Info().Control, HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	given, err := client.Call(t.Context(), "faucet", map[string]any{"address": alice.StringRaw(), "amount": "1"})
	if err != nil {
		t.Fatal(err)
	}
	if got := given.(control.Changed).Account.Balance.String(); !near8.MatchString(got) {
		t.Errorf("control: %s", got)
	}

	data, err := n.GlobalConfig()
	if err != nil {
		t.Fatal(err)
	}
	var config liteclient.GlobalConfig
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	pool := liteclient.NewConnectionPool()
	defer pool.Stop()
	if err := pool.AddConnectionsFromConfig(t.Context(), &config); err != nil {
		t.Fatal(err)
	}
	api := ton.NewAPIClient(pool, ton.ProofCheckPolicySecure)
	api.SetTrustedBlockFromConfig(&config)
	master, err := api.CurrentMasterchainInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	account, err := api.GetAccount(t.Context(), master, alice)
	if err != nil || !near8.MatchString(account.State.Balance.String()+" TON") {
		t.Errorf("liteserver: %+v, %v", account, err)
	}

	resp, err := client.HTTP.Get(n.Info().HTTP + "/api/v2/getAddressBalance?address=" + alice.String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !nano8.Match(body) {
		t.Errorf("HTTP API: %s, %v", body, err)
	}
}

// A folder is found by its file while the network runs, and continues later.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, localnet.InfoFile)
	o := localnet.Options{Dir: dir, Genesis: []sandbox.GenesisAccount{{Address: alice, Balance: tlb.TON}}}
	n, stop := run(t, o)
	info, err := localnet.LoadInfo(file)
	if err != nil || info.Control != n.Info().Control || info.HTTP != n.Info().HTTP || info.GlobalID != sandbox.DefaultGlobalID {
		t.Errorf("info: %+v, %v", info, err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, localnet.GlobalConfigFile)); err != nil || !json.Valid(data) {
		t.Errorf("global config: %v", err)
	}
	// The folder is taken; trying does not disturb who has it.
	if _, err := localnet.Open(o); err == nil {
		t.Error("a taken folder was opened")
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if err := n.Chain.Faucet(t.Context(), alice, tlb.TON); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := localnet.LoadInfo(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the end: %v", err)
	}
	n, _ = run(t, o)
	if a, err := n.Chain.Account(t.Context(), tlb.Block{}, alice); err != nil || a.Balance < 199*tlb.TON/100 {
		t.Errorf("continued: %+v, %v", a, err)
	}
}

func TestTakenPort(t *testing.T) {
	n, _ := run(t, localnet.Options{})
	taken := n.Info().Liteserver
	for _, o := range []localnet.Options{{Liteserver: taken}, {HTTP: taken}, {Control: taken}} {
		if _, err := localnet.Open(o); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// Who waits for a block when the network stops is told.
func TestStopWhileWaiting(t *testing.T) {
	n, stop := run(t, localnet.Options{Mode: sandbox.Interval, Interval: time.Hour})
	client := &control.Client{URL: n.Info().Control}
	done := make(chan error, 1)
	go func() {
		_, err := client.Call(t.Context(), "faucet", map[string]any{"address": alice.StringRaw(), "amount": "1", "wait": true})
		done <- err
	}()
	for len(n.Chain.Pending()) == 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-done; err == nil {
		t.Error("the call succeeded")
	}
}

func BenchmarkReady(b *testing.B) {
	for b.Loop() {
		n, err := localnet.Open(localnet.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// A network in memory, and how to connect to it.
func Example() {
	network, err := localnet.Open(localnet.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- network.Run(ctx) }()

	client := &control.Client{URL: network.Info().Control}
	status, err := client.Call(ctx, "status", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.(control.Status).Mode)
	stop()
	fmt.Println(<-done)
	// Output:
	// instant
	// <nil>
}
