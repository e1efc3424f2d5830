package devnet_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/tlb"
)

// TestRealEngine buys answers of a real model, greedily decoded, and expects them
// as the engine itself gives them, to the byte and to the token.
func TestRealEngine(t *testing.T) {
	const model = "tiny-chat"
	at := os.Getenv("TUSSAH_ENGINE_URL")
	if at == "" {
		t.Skip("NOT TESTED with a real engine: set TUSSAH_ENGINE_URL to one that serves " + model)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "engine", "golden.json"))
	if err != nil {
		t.Skipf("NOT TESTED with a real engine: %v", err)
	}
	var golden []struct {
		Prompt     string
		Answer     string
		Prompts    uint64 `json:"prompt_tokens"`
		Completion uint64 `json:"completion_tokens"`
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	trio := openTrio(t, devnet.TrioOptions{Engine: at, Model: model})
	app := program{trio.Client.Endpoint()}
	price := app.price(t, model)
	var paid tlb.Nano
	for i := 0; i < len(golden); i += len(golden) / 20 {
		want := golden[i]
		for _, stream := range []bool{false, true} {
			got, err := app.ask(t.Context(), model, want.Prompt, stream, nil)
			if err != nil {
				t.Fatalf("%q, stream %v: %v", want.Prompt, stream, err)
			}
			if got.Text != want.Answer {
				t.Errorf("%q, stream %v: %q, want %q", want.Prompt, stream, got.Text, want.Answer)
			}
			if got.Usage.Prompt != want.Prompts || got.Usage.Completion != want.Completion {
				t.Errorf("%q, stream %v: usage %+v, want %d and %d", want.Prompt, stream, got.Usage, want.Prompts, want.Completion)
			}
			if cost, err := price.Cost(got.Usage); err != nil || got.Cost != cost {
				t.Errorf("%q, stream %v: cost %s, want %s, %v", want.Prompt, stream, got.Cost, cost, err)
			}
			paid += got.Cost
		}
	}
	if work := explained(t, trio); work.Bought != paid {
		t.Errorf("the channel paid %s, the answers said %s", work.Bought, paid)
	}
}
