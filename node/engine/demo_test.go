package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go"
	"github.com/openai/openai-go/option"
)

// The demo engine is driven by the official client library, so that it is as good as a real engine to everybody else.

func demoClient(t *testing.T) openai.Client {
	server := httptest.NewServer(&Demo{})
	t.Cleanup(server.Close)
	return openai.NewClient(option.WithBaseURL(server.URL+"/v1"), option.WithAPIKey("none"), option.WithMaxRetries(0))
}

func chatParams(question string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    DemoModel,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("be brief"), openai.UserMessage(question)},
	}
}

func TestDemoChat(t *testing.T) {
	client := demoClient(t)
	answer, err := client.Chat.Completions.New(t.Context(), chatParams("Who are you?"))
	if err != nil {
		t.Fatal(err)
	}
	text := answer.Choices[0].Message.Content
	if !strings.Contains(text, "demo engine") || !strings.Contains(text, "Who are you?") ||
		answer.SystemFingerprint != DemoFingerprint || answer.Model != DemoModel || answer.Choices[0].FinishReason != "stop" {
		t.Errorf("answer %s", answer.RawJSON())
	}
	if u := answer.Usage; u.CompletionTokens != int64(len(demoTokens(text))) || u.TotalTokens != u.PromptTokens+u.CompletionTokens || u.PromptTokens == 0 {
		t.Errorf("usage %+v", u)
	}

	params := chatParams("Who are you?")
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		all.AddChunk(stream.Current())
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got := all.Choices[0].Message.Content; got != text {
		t.Errorf("streamed %q, whole %q", got, text)
	}
	if all.Usage.CompletionTokens != answer.Usage.CompletionTokens || all.Usage.PromptTokens != answer.Usage.PromptTokens {
		t.Errorf("streamed usage %+v, whole %+v", all.Usage, answer.Usage)
	}
}

func TestDemoOptions(t *testing.T) {
	client := demoClient(t)
	params := chatParams("Please count to 12")
	params.MaxTokens, params.N = openai.Int(7), openai.Int(2)
	answer, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Choices) != 2 || answer.Usage.CompletionTokens != 14 {
		t.Fatalf("answer %s", answer.RawJSON())
	}
	for i, c := range answer.Choices {
		if c.Message.Content != "The Tussah demo engine counts: 1 2" || c.FinishReason != "length" || c.Index != int64(i) {
			t.Errorf("choice %s", c.RawJSON())
		}
	}
	params = chatParams("Please count to 12")
	params.Stop.OfStringArray = []string{" 3", "7"}
	answer, err = client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if c := answer.Choices[0]; c.Message.Content != "The Tussah demo engine counts: 1 2" || c.FinishReason != "stop" {
		t.Errorf("choice %s", c.RawJSON())
	}
}

func TestDemoCompletions(t *testing.T) {
	client := demoClient(t)
	params := openai.CompletionNewParams{
		Model:  DemoModel,
		Prompt: openai.CompletionNewParamsPromptUnion{OfArrayOfStrings: []string{"count to 2", "count to 3"}},
	}
	answer, err := client.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Choices) != 2 || answer.Choices[1].Text != "The Tussah demo engine counts: 1 2 3" {
		t.Errorf("answer %s", answer.RawJSON())
	}
	stream := client.Completions.NewStreaming(t.Context(), params)
	texts := map[int64]string{}
	for stream.Next() {
		for _, c := range stream.Current().Choices {
			texts[c.Index] += c.Text
		}
	}
	if err := stream.Err(); err != nil || texts[0] != answer.Choices[0].Text || texts[1] != answer.Choices[1].Text {
		t.Errorf("streamed %v, %v", texts, err)
	}
}

func TestDemoModels(t *testing.T) {
	client := demoClient(t)
	models, err := client.Models.List(t.Context())
	if err != nil || len(models.Data) != 1 || models.Data[0].ID != DemoModel {
		t.Errorf("models %v, %v", models, err)
	}
}

func TestDemoRefuses(t *testing.T) {
	for _, c := range []struct {
		name, method, path, body, message string
		status                            int
	}{
		{"other model", "POST", PathChat, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, "does not exist", 404},
		{"no JSON", "POST", PathChat, `{`, "not a JSON object", 400},
		{"no messages", "POST", PathChat, `{"model":"tussah-demo"}`, "message of the user", 400},
		{"content is a number", "POST", PathChat, `{"model":"tussah-demo","messages":[{"role":"user","content":1}]}`, "text only", 400},
		{"no prompt", "POST", PathCompletions, `{"model":"tussah-demo"}`, "expected a prompt", 400},
		{"token ids", "POST", PathCompletions, `{"model":"tussah-demo","prompt":[1]}`, "text only", 400},
		{"too large", "POST", PathChat, strings.Repeat(" ", 8<<20+1), "too large", 413},
		{"other path", "GET", "/", ``, "Not Found", 404},
		{"other method", "GET", PathChat, ``, "Not Found", 404},
	} {
		w := httptest.NewRecorder()
		(&Demo{}).ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.message) || !strings.HasPrefix(w.Body.String(), `{"error":`) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

// The same request gets the same bytes, streamed or not, and the bridge passes them on.
func TestDemoIsDeterministic(t *testing.T) {
	e := serve(t, &Demo{Pace: time.Millisecond}, Options{})
	body := []byte(`{"model":"tussah-demo","messages":[{"role":"user","content":[{"type":"text","text":"count to"},{"type":"text","text":" 5"}]}],"stream":true,"stream_options":{"include_usage":true}}`)
	direct := httptest.NewRecorder()
	(&Demo{}).ServeHTTP(direct, httptest.NewRequest("POST", PathChat, bytes.NewReader(body)))
	r, err := e.Do(t.Context(), Request{Path: PathChat, Body: body, Stream: true})
	if err != nil {
		t.Fatal(err)
	}
	text, parts, end := collect(r)
	if text != direct.Body.String() || !errors.Is(end, io.EOF) {
		t.Errorf("bridge %q (%v), direct %q", text, end, direct.Body)
	}
	usage, err := r.Final()
	if counted := parts[len(parts)-3].Usage.Completion; err != nil || usage.Completion != counted || counted != 10 {
		t.Errorf("counted %d, stated %d, %v", counted, usage.Completion, err)
	}
	if bound := PromptBound(body); usage.Prompt > bound {
		t.Errorf("prompt %d above its bound %d", usage.Prompt, bound)
	}
}

func TestDemoStopsWithItsClient(t *testing.T) {
	ended := make(chan struct{})
	demo := &Demo{Pace: time.Hour}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		demo.ServeHTTP(w, r)
		close(ended)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	q, _ := http.NewRequestWithContext(ctx, "POST", server.URL+PathChat, strings.NewReader(`{"model":"tussah-demo","messages":[{"role":"user","content":"hi"}],"stream":true}`))
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	cancel()
	<-ended
}
