package devnet_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/openai/openai-go"
	"github.com/openai/openai-go/option"

	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/tlb"
)

// TestOpenAIClient uses a client node as an application developer does: with
// OpenAI's own library for Go, and nothing of ours.
func TestOpenAIClient(t *testing.T) {
	trio := openTrio(t, devnet.TrioOptions{})
	client := openai.NewClient(option.WithBaseURL(trio.Client.Endpoint()+"/v1"), option.WithAPIKey("none"), option.WithMaxRetries(0))
	params := func(question string) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{Model: devnet.DemoModel, MaxTokens: openai.Int(64),
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)}}
	}
	var paid tlb.Nano
	cost := func(t *testing.T, stated http.Header) {
		t.Helper()
		n, err := tlb.ParseNano(stated.Get("Tussah-Cost"))
		if err != nil || n == 0 {
			t.Errorf("the stated cost is %q, %v", stated.Get("Tussah-Cost"), err)
		}
		paid += n
	}

	t.Run("models", func(t *testing.T) {
		models, err := client.Models.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(models.Data) != 1 || models.Data[0].ID != devnet.DemoModel {
			t.Errorf("models %s", models.RawJSON())
		}
	})
	t.Run("whole", func(t *testing.T) {
		var answer *http.Response
		chat, err := client.Chat.Completions.New(t.Context(), params("Please count to 5."), option.WithResponseInto(&answer))
		if err != nil {
			t.Fatal(err)
		}
		if got := chat.Choices[0].Message.Content; got != "The Tussah demo engine counts: 1 2 3 4 5" {
			t.Errorf("answer %q", got)
		}
		if chat.Usage.PromptTokens != 8 || chat.Usage.CompletionTokens != 10 || chat.Choices[0].FinishReason != "stop" {
			t.Errorf("usage %s", chat.RawJSON())
		}
		cost(t, answer.Header)
	})
	t.Run("stream", func(t *testing.T) {
		p := params("Please count to 7.")
		p.StreamOptions.IncludeUsage = openai.Bool(true)
		var answer *http.Response
		stream := client.Chat.Completions.NewStreaming(t.Context(), p, option.WithResponseInto(&answer))
		var all openai.ChatCompletionAccumulator
		chunks := 0
		for stream.Next() {
			chunks++
			if !all.AddChunk(stream.Current()) {
				t.Errorf("chunk %d does not fit: %s", chunks, stream.Current().RawJSON())
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		if got := all.Choices[0].Message.Content; got != "The Tussah demo engine counts: 1 2 3 4 5 6 7" {
			t.Errorf("answer %q", got)
		}
		if all.Usage.CompletionTokens != 12 || chunks < 12 {
			t.Errorf("%d chunks, usage %s", chunks, all.Usage.RawJSON())
		}
		cost(t, answer.Trailer)
	})
	t.Run("error", func(t *testing.T) {
		p := params("Hello")
		p.Model = "nobody-serves-this"
		_, err := client.Chat.Completions.New(t.Context(), p)
		var refused *openai.Error
		if !errors.As(err, &refused) {
			t.Fatalf("%v is no error of the API", err)
		}
		if refused.StatusCode != http.StatusNotFound || refused.Code != "model_not_found" || refused.Param != "model" || refused.Type != "invalid_request_error" {
			t.Errorf("%d %s", refused.StatusCode, refused.RawJSON())
		}
	})
	if work := explained(t, trio); work.Bought != paid {
		t.Errorf("the channel paid %s, the answers said %s", work.Bought, paid)
	}
}
