package devnet_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/node/devnet"
)

func TestDemo(t *testing.T) {
	var out bytes.Buffer
	err := devnet.Demo(t.Context(), devnet.DemoOptions{Dir: t.TempDir(), Out: &out, Progress: t.Logf,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	t.Logf("%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "as the client appraised it inside the connection") {
		t.Errorf("the receipt does not name the appraised evidence:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "unexplained") {
		t.Error("the demo printed no balances")
	}
}
