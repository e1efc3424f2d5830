package engine

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/tlb"
)

func TestUsageDialects(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		want         tlb.Usage
	}{
		{"vLLM", `{"choices":[],"usage":{"prompt_tokens":45,"total_tokens":133,"completion_tokens":88,"prompt_tokens_details":null,"completion_tokens_details":null}}`,
			tlb.Usage{Prompt: 45, Completion: 88}},
		{"OpenAI", `{"choices":[],"usage":{"prompt_tokens":45,"completion_tokens":88,"prompt_tokens_details":{"cached_tokens":32,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":80}}}`,
			tlb.Usage{Prompt: 45, Cached: 32, Completion: 88, Reasoning: 80}},
		{"SGLang", `{"choices":[],"usage":{"prompt_tokens":143,"total_tokens":189,"completion_tokens":46,"prompt_tokens_details":{"cached_tokens":64},"reasoning_tokens":39}}`,
			tlb.Usage{Prompt: 143, Cached: 64, Completion: 46, Reasoning: 39}},
		{"llama.cpp", `{"choices":[],"usage":{"completion_tokens":35,"prompt_tokens":237,"total_tokens":272},"timings":{"cache_n":236,"prompt_n":1,"prompt_ms":30.958,"predicted_n":35}}`,
			tlb.Usage{Prompt: 237, Completion: 35}},
		{"llama.cpp, timings only", `{"choices":[],"timings":{"cache_n":236,"prompt_n":1,"prompt_ms":30.958,"predicted_n":35}}`,
			tlb.Usage{Prompt: 237, Cached: 236, Completion: 35}},
		{"Ollama", `{"choices":[],"usage":{"prompt_tokens":26,"completion_tokens":10,"total_tokens":36}}`,
			tlb.Usage{Prompt: 26, Completion: 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m meter
			usageOnly, err := m.chunk([]byte(c.answer))
			if err != nil || !usageOnly || !m.stated {
				t.Fatalf("usageOnly %v, stated %v, %v", usageOnly, m.stated, err)
			}
			if diff := cmp.Diff(c.want, m.usage); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnbelievableAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"no JSON":                 `<html>`,
		"no object":               `"text"`,
		"no choices":              `{"usage":{"prompt_tokens":1,"completion_tokens":1}}`,
		"choices no array":        `{"choices":{}}`,
		"negative":                `{"choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":1}}`,
		"fraction":                `{"choices":[],"usage":{"prompt_tokens":1.5,"completion_tokens":1}}`,
		"text":                    `{"choices":[],"usage":{"prompt_tokens":"1","completion_tokens":1}}`,
		"absurd":                  `{"choices":[],"usage":{"prompt_tokens":1099511627777,"completion_tokens":1}}`,
		"beyond 64 bits":          `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":99999999999999999999}}`,
		"no prompt":               `{"choices":[],"usage":{"completion_tokens":1}}`,
		"cached above prompt":     `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":2}}}`,
		"reasoning above all":     `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"completion_tokens_details":{"reasoning_tokens":2}}}`,
		"SGLang reasoning above":  `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"reasoning_tokens":2}}`,
		"negative cached":         `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":-2}}}`,
		"llama.cpp negative":      `{"choices":[],"timings":{"cache_n":-1,"prompt_n":1,"predicted_n":1}}`,
		"deeper than can be real": `{"choices":[` + nested(maxDepth) + `]}`,
	} {
		var m meter
		if _, err := m.chunk([]byte(answer)); !errors.Is(err, ErrGarbage) {
			t.Errorf("%s: %v, want ErrGarbage", name, err)
		}
	}
}

func nested(n int) string {
	s := ""
	for range n {
		s = "[" + s + "]"
	}
	return s
}

func TestRunningUsage(t *testing.T) {
	m := meter{prompt: 11}
	for _, step := range []struct {
		chunk string
		want  tlb.Usage
	}{
		{`{"choices":[{"delta":{"role":"assistant","content":""}}]}`, tlb.Usage{Prompt: 11}},
		{`{"choices":[{"delta":{"content":"a"}}]}`, tlb.Usage{Prompt: 11, Completion: 1}},
		{`{"choices":[{"delta":{"reasoning_content":"a","content":null}}],"usage":null}`, tlb.Usage{Prompt: 11, Completion: 2, Reasoning: 1}},
		{`{"choices":[{"delta":{"reasoning":"a"}}]}`, tlb.Usage{Prompt: 11, Completion: 3, Reasoning: 2}},
		{`{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}`, tlb.Usage{Prompt: 11, Completion: 5, Reasoning: 2}},
		{`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}}]}`, tlb.Usage{Prompt: 11, Completion: 5, Reasoning: 2}},
		{`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}`, tlb.Usage{Prompt: 11, Completion: 6, Reasoning: 2}},
		{`{"choices":[{"text":"a"}]}`, tlb.Usage{Prompt: 11, Completion: 7, Reasoning: 2}},
		{`{"error":{"message":"out of memory"}}`, tlb.Usage{Prompt: 11, Completion: 7, Reasoning: 2}},
		{`{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":9,"completion_tokens":12}}`, tlb.Usage{Prompt: 9, Completion: 12}},
		{`{"choices":[{"delta":{"content":"a"}}]}`, tlb.Usage{Prompt: 9, Completion: 13}},
	} {
		if _, err := m.chunk([]byte(step.chunk)); err != nil {
			t.Fatalf("%s: %v", step.chunk, err)
		}
		if diff := cmp.Diff(step.want, m.usage); diff != "" {
			t.Errorf("%s: %s", step.chunk, diff)
		}
	}
}
