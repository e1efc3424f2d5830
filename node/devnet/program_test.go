package devnet_test

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
	"testing"
	"time"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/tlb"
)

// program is an application that uses a client's endpoint with nothing but net/http.
type program struct{ endpoint string }

// said is a complete answer.
type said struct {
	Text  string
	Usage tlb.Usage
	Cost  tlb.Nano // as the endpoint states it
}

// refused is an answer that is none, in OpenAI's schema.
type refused struct {
	Status  int    `json:"-"`
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    string `json:"code"`
}

func (r *refused) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Message) }

// ask sends one prompt. heard is called when the first bytes of the answer are there.
func (p program) ask(ctx context.Context, model, prompt string, stream bool, heard func()) (said, error) {
	question := map[string]any{"model": model, "messages": []map[string]string{{"role": "user", "content": prompt}},
		"temperature": 0, "max_tokens": 256, "stream": stream}
	if stream {
		question["stream_options"] = map[string]bool{"include_usage": true}
	}
	body, err := json.Marshal(question)
	if err != nil {
		return said{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return said{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return said{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return said{}, readRefusal(response)
	}
	if heard != nil {
		heard()
	}
	var answer said
	stated := response.Header // read it after the body: a stream states its cost in the trailer
	if stream {
		answer, err = readStream(response.Body)
		stated = response.Trailer
	} else {
		answer, err = readWhole(response.Body)
	}
	if err != nil {
		return said{}, err
	}
	if answer.Cost, err = tlb.ParseNano(stated.Get("Tussah-Cost")); err != nil {
		return said{}, fmt.Errorf("the stated cost: %w", err)
	}
	return answer, nil
}

func readRefusal(response *http.Response) error {
	var wrapped struct {
		Error refused `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&wrapped); err != nil {
		return fmt.Errorf("%s, and no error in OpenAI's schema: %w", response.Status, err)
	}
	wrapped.Error.Status = response.StatusCode
	return &wrapped.Error
}

// piece is what answers and chunks of answers have in common.
type piece struct {
	Choices []struct {
		Message, Delta struct {
			Content string `json:"content"`
		}
	} `json:"choices"`
	Usage *struct {
		Prompt     uint64 `json:"prompt_tokens"`
		Completion uint64 `json:"completion_tokens"`
		Details    struct {
			Cached uint64 `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	} `json:"usage"`
	Error *refused `json:"error"`
}

func (p piece) addTo(s *said) {
	for _, c := range p.Choices {
		s.Text += c.Message.Content + c.Delta.Content
	}
	if p.Usage != nil {
		s.Usage = tlb.Usage{Prompt: p.Usage.Prompt, Cached: p.Usage.Details.Cached, Completion: p.Usage.Completion}
	}
}

func readWhole(r io.Reader) (said, error) {
	var s said
	var whole piece
	if err := json.NewDecoder(r).Decode(&whole); err != nil {
		return said{}, err
	}
	whole.addTo(&s)
	_, err := io.Copy(io.Discard, r)
	return s, err
}

func readStream(r io.Reader) (said, error) {
	var s said
	done := false
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case !ok:
			continue
		case data == "[DONE]":
			done = true
			continue
		}
		var chunk piece
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			return said{}, err
		}
		if chunk.Error != nil {
			chunk.Error.Status = http.StatusOK
			return said{}, chunk.Error
		}
		chunk.addTo(&s)
	}
	if err := lines.Err(); err != nil {
		return said{}, err
	}
	if !done {
		return said{}, errors.New("the stream ended without [DONE]")
	}
	return s, nil
}

// wait looks until what the test waits for has happened.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a minute passed: %s", what)
		}
	}
}

// healthy tells whether the client can serve.
func (p program) healthy() bool {
	response, err := http.Get(p.endpoint + "/healthz")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// price is what the client lists for the model.
func (p program) price(t *testing.T, model string) tlb.Price {
	t.Helper()
	var listed struct {
		Tussah struct {
			Price tlb.Price `json:"price_per_million_tokens"`
		} `json:"tussah"`
	}
	getJSON(t, p.endpoint+"/v1/models/"+model, &listed)
	return listed.Tussah.Price
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}

// operator is the admin listener of a node.
type operator struct{ admin string }

func operatorOf(t *testing.T, file string) operator {
	t.Helper()
	cfg, err := node.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	return operator{"http://" + cfg.Admin.Listen}
}

// channel is the node's one channel of an end.
func (o operator) channel(t *testing.T, end string) node.Channel {
	t.Helper()
	var all, of []node.Channel
	getJSON(t, o.admin+"/channels", &all)
	for _, c := range all {
		if c.End == end {
			of = append(of, c)
		}
	}
	if len(of) != 1 {
		t.Fatalf("%s has %d %s channels, want one: %+v", o.admin, len(of), end, of)
	}
	return of[0]
}

// close settles a channel with the payee's consent.
func (o operator) close(t *testing.T, channel string) {
	t.Helper()
	response, err := http.Post(o.admin+"/channels/"+channel+"/close", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("close channel %s: %s %s", channel, response.Status, text)
	}
}
