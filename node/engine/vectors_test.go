package engine

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/tlb"
)

// vector reads a recorded engine answer.
func vector(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "vectors", "openai", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("NOT TESTED against the recorded answers of real engines: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRecordedStreams(t *testing.T) {
	for _, c := range []struct {
		file   string
		end    error
		final  tlb.Usage
		hidden string // part of the event that the client must not see
	}{
		{"vllm_0.23_stream_usage_chunk.sse", io.EOF, tlb.Usage{Prompt: 45947, Completion: 88}, `"usage"`},
		// Recorded without stream_options: the engine never told.
		{"sglang_parallel_tool_calls.sse", ErrNoUsage, tlb.Usage{}, ""},
	} {
		t.Run(c.file, func(t *testing.T) {
			recorded := vector(t, c.file)
			e := serve(t, &fakeEngine{kind: "text/event-stream", answer: recorded}, Options{})
			for _, ask := range []string{askStream, askUsage} {
				r, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(ask), Stream: true})
				if err != nil {
					t.Fatal(err)
				}
				text, parts, end := collect(r)
				if !errors.Is(end, c.end) {
					t.Fatal(end)
				}
				want := recorded
				if ask == askStream && c.hidden != "" {
					want = ""
					for _, event := range strings.SplitAfter(recorded, "\n\n") {
						if !strings.Contains(event, c.hidden) {
							want += event
						}
					}
				}
				if text != want {
					t.Errorf("the client does not get what the engine sent")
				}
				usage, _ := r.Final()
				if c.end == io.EOF && usage != c.final {
					t.Errorf("final %+v, want %+v", usage, c.final)
				}
				if running := parts[len(parts)-2].Usage; running.Completion == 0 || c.end == io.EOF && running.Completion > c.final.Completion {
					t.Errorf("counted %+v along the way, in the end %+v", running, c.final)
				}
			}
		})
	}
}

func TestRecordedWholeAnswers(t *testing.T) {
	for file, want := range map[string]tlb.Usage{
		"sglang_nonstream_json_mode_cached.json": {Prompt: 143, Cached: 64, Completion: 46, Reasoning: 39},
		"sglang_nonstream_reasoning_cached.json": {Prompt: 96, Cached: 64, Completion: 111, Reasoning: 91},
		"vllm_0.30_completions.json":             {Prompt: 5, Completion: 16},
	} {
		t.Run(file, func(t *testing.T) {
			recorded := vector(t, file)
			e := serve(t, &fakeEngine{kind: "application/json", answer: recorded}, Options{})
			r, err := e.Do(t.Context(), Request{Path: PathChat, Body: []byte(askWhole)})
			if err != nil {
				t.Fatal(err)
			}
			text, _, end := collect(r)
			if text != recorded || !errors.Is(end, io.EOF) {
				t.Errorf("got %q, %v", text, end)
			}
			if usage, err := r.Final(); err != nil || usage != want {
				t.Errorf("final %+v, %v; want %+v", usage, err, want)
			}
		})
	}
}

func TestRecordedLlamaChunks(t *testing.T) {
	var chunks struct {
		Progress json.RawMessage `json:"prompt_progress_chunk"`
		Usage    json.RawMessage `json:"final_usage_chunk"`
	}
	if err := json.Unmarshal([]byte(vector(t, "llamacpp_chunks.json")), &chunks); err != nil {
		t.Fatal(err)
	}
	var m meter
	if usageOnly, err := m.chunk(chunks.Progress); err != nil || usageOnly || m.usage.Completion != 0 {
		t.Errorf("progress chunk: usageOnly %v, %+v, %v", usageOnly, m.usage, err)
	}
	usageOnly, err := m.chunk(chunks.Usage)
	if want := (tlb.Usage{Prompt: 237, Cached: 236, Completion: 35}); err != nil || !usageOnly || m.usage != want {
		t.Errorf("usage chunk: usageOnly %v, %+v, %v; want %+v", usageOnly, m.usage, err, want)
	}
}

func TestRecordedErrors(t *testing.T) {
	var recorded map[string]json.RawMessage
	if err := json.Unmarshal([]byte(vector(t, "errors.json")), &recorded); err != nil {
		t.Fatal(err)
	}
	tested := 0
	for name, body := range recorded {
		if !isObject(body) {
			continue
		}
		tested++
		e, ok := errors.AsType[*StatusError](statusFailure(400, body))
		if !ok || e.Status != 400 || !strings.Contains(e.Message, "context") || e.Type == "" {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if tested == 0 {
		t.Error("no recorded error found")
	}
}
