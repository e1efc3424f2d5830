package devnet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// caller is a program that uses an OpenAI-compatible endpoint: that of a client
// node, or an engine's own.
type caller struct {
	url   string
	model string
	http  *http.Client
}

// newCaller keeps up to parallel connections to the endpoint.
func newCaller(base, model string, parallel int) *caller {
	return &caller{url: base + "/v1/chat/completions", model: model,
		http: &http.Client{Transport: &http.Transport{MaxIdleConns: parallel, MaxIdleConnsPerHost: parallel}}}
}

// close lets go of the idle connections.
func (c *caller) close() { c.http.CloseIdleConnections() }

// question is one request of a user.
type question struct {
	Text      string
	Stream    bool
	MaxTokens int
}

// chat sends a question and returns the answer's body, which the caller closes.
func (c *caller) chat(ctx context.Context, q question) (io.ReadCloser, error) {
	body, err := json.Marshal(map[string]any{"model": c.model, "stream": q.Stream, "max_tokens": q.MaxTokens, "temperature": 0,
		"messages": []map[string]string{{"role": "user", "content": q.Text}}})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10)) // part of an error's text is better than none
		return nil, fmt.Errorf("the endpoint answered %s: %s", response.Status, text)
	}
	return response.Body, nil
}

// ask returns the whole text of an answer.
func (c *caller) ask(ctx context.Context, q question) (string, error) {
	body, err := c.chat(ctx, q)
	if err != nil {
		return "", err
	}
	defer body.Close()
	if q.Stream {
		var all strings.Builder
		err := streamed(body, func(text string) bool { all.WriteString(text); return true })
		return all.String(), err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return "", err
	}
	var answer struct {
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if len(answer.Choices) != 1 {
		return "", fmt.Errorf("the answer has %d choices", len(answer.Choices))
	}
	return answer.Choices[0].Message.Content, nil
}

// leave hangs up in the middle of a stream.
func (c *caller) leave(ctx context.Context, q question) error {
	body, err := c.chat(ctx, q)
	if err != nil {
		return err
	}
	defer body.Close()
	seen := 0
	return streamed(body, func(string) bool { seen++; return seen < 20 })
}

// streamed gives each the text of a stream of chat completion chunks as it comes,
// to its end or until each returns false.
func streamed(stream io.Reader, each func(text string) bool) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			_, err := io.Copy(io.Discard, stream) // trailers come last
			return err
		}
		var chunk struct {
			Choices []struct {
				Delta struct {
					Content string `json:"content"`
				} `json:"delta"`
			} `json:"choices"`
			Error *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		if chunk.Error != nil {
			return fmt.Errorf("the stream ended early: %s", chunk.Error.Message)
		}
		for _, c := range chunk.Choices {
			if !each(c.Delta.Content) {
				return nil
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the stream ended without [DONE]")
}
