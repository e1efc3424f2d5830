package devnet_test

import (
	"log/slog"
	"testing"

	"github.com/tussah-network/tussah/node/devnet"
)

// openTrio opens a network with one node of each role, for as long as the test runs.
func openTrio(t *testing.T, o devnet.TrioOptions) *devnet.Trio {
	t.Helper()
	o.Dir = t.TempDir()
	o.Progress = t.Logf
	o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	trio, err := devnet.OpenTrio(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := trio.Close(); err != nil {
			t.Errorf("close the network: %v", err)
		}
	})
	return trio
}

// explained settles and fails unless every balance is explained to the nanoTON.
func explained(t *testing.T, trio *devnet.Trio) devnet.Work {
	t.Helper()
	work, err := trio.Settle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trio.Balances(t.Context(), work); err != nil {
		t.Error(err)
	}
	return work
}
