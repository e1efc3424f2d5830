package openai

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go"
	"github.com/openai/openai-go/option"

	"github.com/tussah-network/tussah/node/engine"
)

// The official client library, against the endpoint over the demo engine.

func sdk(t *testing.T, b Backend, o Options, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(serve(t, b, o).URL+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func demoParams(question string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: engine.DemoModel, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
	}
}

func TestSDKWhole(t *testing.T) {
	client := sdk(t, demoBackend(t), Options{Keys: hashed("sk-one")}, "sk-one")
	var answer *http.Response
	chat, err := client.Chat.Completions.New(t.Context(), demoParams("Count to 5, please."), option.WithResponseInto(&answer))
	if err != nil {
		t.Fatal(err)
	}
	if got := chat.Choices[0].Message.Content; got != "The Tussah demo engine counts: 1 2 3 4 5" || chat.Usage.CompletionTokens != 10 {
		t.Errorf("answer %s", chat.RawJSON())
	}
	if answer.Header.Get("Tussah-Cost") == "" || answer.Header.Get("Tussah-Receipt") == "" {
		t.Errorf("header %v", answer.Header)
	}
	params := openai.CompletionNewParams{Model: engine.DemoModel, Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("count to 3")}}
	completion, err := client.Completions.New(t.Context(), params)
	if err != nil || completion.Choices[0].Text != "The Tussah demo engine counts: 1 2 3" {
		t.Errorf("completion %v, %v", completion, err)
	}
}

func TestSDKStream(t *testing.T) {
	client := sdk(t, demoBackend(t), Options{}, "none")
	for _, withUsage := range []bool{false, true} {
		params := demoParams("Count to 50, please.")
		params.MaxTokens = openai.Int(20)
		if withUsage {
			params.StreamOptions.IncludeUsage = openai.Bool(true)
		}
		var answer *http.Response
		stream := client.Chat.Completions.NewStreaming(t.Context(), params, option.WithResponseInto(&answer))
		var all openai.ChatCompletionAccumulator
		usageChunks := 0
		for stream.Next() {
			chunk := stream.Current()
			all.AddChunk(chunk)
			if len(chunk.Choices) == 0 {
				usageChunks++
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		if got := all.Choices[0]; got.Message.Content != "The Tussah demo engine counts: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15" || got.FinishReason != "length" {
			t.Errorf("answer %+v", got)
		}
		if (usageChunks == 1) != withUsage || (all.Usage.CompletionTokens == 20) != withUsage {
			t.Errorf("usage asked %v: %d usage chunks, usage %+v", withUsage, usageChunks, all.Usage)
		}
		if answer.Trailer.Get("Tussah-Cost") == "" {
			t.Errorf("trailer %v", answer.Trailer)
		}
	}
}

func TestSDKModels(t *testing.T) {
	client := sdk(t, demoBackend(t), Options{}, "none")
	list, err := client.Models.List(t.Context())
	if err != nil || len(list.Data) != 1 || list.Data[0].ID != engine.DemoModel {
		t.Errorf("list %v, %v", list, err)
	}
	if one, err := client.Models.Get(t.Context(), engine.DemoModel); err != nil || one.ID != engine.DemoModel {
		t.Errorf("model %v, %v", one, err)
	}
}

func TestSDKErrors(t *testing.T) {
	check := func(name string, err error, status int, code string) {
		t.Helper()
		e, ok := errors.AsType[*openai.Error](err)
		if !ok || e.StatusCode != status || e.Code != code || e.Message == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	client := sdk(t, demoBackend(t), Options{Keys: hashed("sk-one")}, "sk-two")
	_, err := client.Models.List(t.Context())
	check("bad key", err, 401, "invalid_api_key")

	client = sdk(t, demoBackend(t), Options{}, "none")
	params := demoParams("hi")
	params.Model = "other"
	_, err = client.Chat.Completions.New(t.Context(), params)
	check("model", err, 404, "model_not_found")
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	if stream.Next() {
		t.Error("stream of an unknown model has a chunk")
	}
	check("model of a stream", stream.Err(), 404, "model_not_found")
	_, err = client.Models.Get(t.Context(), "other")
	check("model alone", err, 404, "model_not_found")

	broken := sdk(t, answering(fakeAnswer{parts: []string{`data: {"choices":[{"index":0,"delta":{"content":"A"}}]}` + "\n\n"}, end: ErrEngine}), Options{}, "none")
	stream = broken.Chat.Completions.NewStreaming(t.Context(), demoParams("hi"))
	chunks := 0
	for stream.Next() {
		chunks++
	}
	if err := stream.Err(); chunks != 1 || err == nil || !strings.Contains(err.Error(), ErrEngine.Error()) {
		t.Errorf("broken stream: %d chunks, %v", chunks, err)
	}
}
