package engine

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealEngine asks a running engine that serves the tiny model, and expects the model's own greedy answers, streamed
// and whole.
func TestRealEngine(t *testing.T) {
	at := os.Getenv("TUSSAH_ENGINE_URL")
	if at == "" {
		t.Skip("NOT TESTED against a real engine: set TUSSAH_ENGINE_URL to one that serves the tiny chat model")
	}
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "engine", "golden.json"))
	if err != nil {
		t.Skipf("NOT TESTED against a real engine: %v", err)
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
	e := New(base, Options{})
	defer e.Close()
	models, err := e.Models(t.Context())
	if err != nil || len(models) == 0 {
		t.Fatal(models, err)
	}
	for _, g := range golden[:20] {
		for _, stream := range []bool{false, true} {
			body, _ := json.Marshal(map[string]any{
				"model": models[0].ID, "temperature": 0, "max_tokens": 64, "stream": stream,
				"messages": []any{map[string]string{"role": "user", "content": g.Prompt}},
			})
			r, err := e.Do(t.Context(), Request{Path: PathChat, Body: body, Stream: stream})
			if err != nil {
				t.Fatal(err)
			}
			all, parts, end := collect(r)
			if !errors.Is(end, io.EOF) {
				t.Fatal(end)
			}
			usage, err := r.Final()
			if err != nil || usage.Prompt != g.Prompts || usage.Completion != g.Completion || usage.Prompt > PromptBound(body) {
				t.Errorf("%s: usage %+v, %v; want %d and %d", g.Prompt, usage, err, g.Prompts, g.Completion)
			}
			if got := content(t, all, stream); got != g.Answer {
				t.Errorf("%s: %q, want %q", g.Prompt, got, g.Answer)
			}
			if stream && strings.Contains(all, `"completion_tokens"`) {
				t.Error("the usage event was not hidden")
			}
			t.Logf("%s: %+v in %d parts, last count along the way %+v", g.Prompt, usage, len(parts), parts[max(len(parts)-2, 0)].Usage)
		}
	}
}

// content returns the text of an answer.
func content(t *testing.T, answer string, stream bool) (text string) {
	t.Helper()
	for event := range strings.SplitSeq(answer, "\n\n") {
		event = strings.TrimPrefix(event, "data: ")
		if event == "" || event == "[DONE]" {
			continue
		}
		var a struct {
			Choices []struct{ Message, Delta struct{ Content string } }
		}
		if err := json.Unmarshal([]byte(event), &a); err != nil {
			t.Fatal(err)
		}
		if stream {
			text += a.Choices[0].Delta.Content
		} else {
			text += a.Choices[0].Message.Content
		}
	}
	return text
}
