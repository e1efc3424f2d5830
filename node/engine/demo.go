package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The demo engine's labels, in every answer it gives.
const (
	DemoModel       = "tussah-demo"
	DemoFingerprint = "tussah-demo-engine"
)

const (
	demoContext = 32768
	// demoQuote bounds how much of the question an answer repeats.
	demoQuote = 400
	// demoCount bounds the answer to "count to N".
	demoCount = 10000
)

// Demo is the built-in demo engine: an [http.Handler] that speaks the same API as a real engine and answers without a
// model. It is deterministic: the same request gets the same bytes. It stands in where there is no real engine, for a first
// look and for tests, and says so in each answer.
//
// It answers any question with a fixed text that repeats the question, and "count to N" with the numbers up to N, which
// makes answers of any length. A token is a word.
type Demo struct {
	// Pace is the pause before each token of a stream. Zero streams as fast as the client reads.
	Pace time.Duration
}

var _ http.Handler = (*Demo)(nil)

func (d *Demo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == pathModels && r.Method == http.MethodGet:
		demoJSON(w, map[string]any{"object": "list", "data": []any{map[string]any{
			"id": DemoModel, "object": "model", "created": 0, "owned_by": DemoFingerprint, "max_model_len": demoContext,
		}}})
	case (r.URL.Path == PathChat || r.URL.Path == PathCompletions) && r.Method == http.MethodPost:
		q, err := readDemoRequest(r.URL.Path, http.MaxBytesReader(w, r.Body, 8<<20))
		if err != nil {
			demoError(w, err)
			return
		}
		if q.fields.Stream {
			d.stream(w, r, q)
			return
		}
		demoJSON(w, q.whole())
	default:
		demoError(w, &StatusError{Status: http.StatusNotFound, Message: "Not Found", Type: "invalid_request_error"})
	}
}

// demoRequest is a request with its answers worked out.
type demoRequest struct {
	fields       Fields
	chat         bool
	id           string
	answers      []demoAnswer
	promptTokens int
}

type demoAnswer struct {
	tokens []string
	finish string
}

func readDemoRequest(path string, r io.Reader) (*demoRequest, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, &StatusError{Status: http.StatusRequestEntityTooLarge, Message: "request body too large", Type: "invalid_request_error"}
	}
	fields, err := ReadFields(body)
	if err != nil {
		return nil, err
	}
	if fields.Model != DemoModel {
		return nil, &StatusError{
			Status: http.StatusNotFound, Type: "invalid_request_error", Param: "model", Code: "model_not_found",
			Message: fmt.Sprintf("The model `%s` does not exist. This is the demo engine; it serves `%s`.", fields.Model, DemoModel),
		}
	}
	var texts struct {
		Messages []struct {
			Role    string   `json:"role"`
			Content demoText `json:"content"`
		} `json:"messages"`
		Prompt demoTexts `json:"prompt"`
		Stop   demoTexts `json:"stop"`
	}
	if err := json.Unmarshal(body, &texts); err != nil {
		return nil, &FieldError{Detail: "the demo engine reads text only", Err: ErrFieldValue}
	}
	q := &demoRequest{fields: fields, chat: path == PathChat}
	sum := sha256.Sum256(body)
	q.id = "tussah-demo-" + hex.EncodeToString(sum[:12])

	questions := texts.Prompt
	if q.chat {
		questions = nil
		for _, m := range texts.Messages {
			if m.Role == "user" {
				questions = demoTexts{string(m.Content)}
			}
			q.promptTokens += 4 + len(demoTokens(string(m.Content)))
		}
		if len(questions) == 0 {
			return nil, &FieldError{Field: "messages", Detail: "expected at least one message of the user", Err: ErrFieldValue}
		}
	} else {
		for _, p := range texts.Prompt {
			q.promptTokens += 1 + len(demoTokens(p))
		}
		if len(questions) == 0 {
			return nil, &FieldError{Field: "prompt", Detail: "expected a prompt", Err: ErrFieldValue}
		}
	}
	for _, question := range questions {
		answer := newDemoAnswer(question, texts.Stop, fields.MaxTokens)
		for range fields.Choices / uint64(max(fields.Prompts, 1)) {
			q.answers = append(q.answers, answer)
		}
	}
	return q, nil
}

var countTo = regexp.MustCompile(`(?i)\bcount to (\d{1,5})\b`)

func newDemoAnswer(question string, stops []string, maxTokens uint64) demoAnswer {
	var b strings.Builder
	if m := countTo.FindStringSubmatch(question); m != nil {
		n, _ := strconv.Atoi(m[1])
		b.WriteString("The Tussah demo engine counts:")
		for i := range min(n, demoCount) {
			fmt.Fprintf(&b, " %d", i+1)
		}
	} else {
		b.WriteString("This is the Tussah demo engine, a built-in stand-in and not a language model: whatever you ask, " +
			"the answer is this text. What is real is the way it took to you, and what it cost. " +
			"For real answers, give the worker the URL of a real engine. ")
		b.WriteString("You wrote: " + demoClip(strings.TrimSpace(question)))
	}
	text := b.String()
	for _, stop := range stops {
		if at := strings.Index(text, stop); at >= 0 && stop != "" {
			text = text[:at]
		}
	}
	a := demoAnswer{tokens: demoTokens(text), finish: "stop"}
	if maxTokens > 0 && uint64(len(a.tokens)) > maxTokens {
		a.tokens, a.finish = a.tokens[:maxTokens], "length"
	}
	return a
}

func demoClip(s string) string {
	if len(s) <= demoQuote {
		return s
	}
	s = s[:demoQuote]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + " …"
}

// demoTokens cuts a text in front of its spaces. The tokens joined are the text.
func demoTokens(text string) []string {
	var tokens []string
	for len(text) > 0 {
		end := strings.IndexByte(text[1:], ' ') + 1
		if end == 0 {
			end = len(text)
		}
		tokens = append(tokens, text[:end])
		text = text[end:]
	}
	return tokens
}

type demoUsage struct {
	Prompt     int            `json:"prompt_tokens"`
	Completion int            `json:"completion_tokens"`
	Total      int            `json:"total_tokens"`
	PromptBy   map[string]int `json:"prompt_tokens_details"`
	CompleteBy map[string]int `json:"completion_tokens_details"`
}

func (q *demoRequest) usage() demoUsage {
	u := demoUsage{
		Prompt:     q.promptTokens,
		PromptBy:   map[string]int{"cached_tokens": 0},
		CompleteBy: map[string]int{"reasoning_tokens": 0},
	}
	for _, a := range q.answers {
		u.Completion += len(a.tokens)
	}
	u.Total = u.Prompt + u.Completion
	return u
}

// demoEnvelope is what every answer and every chunk has around its choices.
type demoEnvelope struct {
	ID          string           `json:"id"`
	Object      string           `json:"object"`
	Created     int64            `json:"created"` // always 0: the demo engine has no clock
	Model       string           `json:"model"`
	Fingerprint string           `json:"system_fingerprint"`
	Choices     []map[string]any `json:"choices"`
	Usage       any              `json:"usage,omitempty"`
}

func (q *demoRequest) envelope(object string, choices ...map[string]any) demoEnvelope {
	if choices == nil {
		choices = []map[string]any{} // OpenAI writes [], not null
	}
	return demoEnvelope{ID: q.id, Object: object, Model: DemoModel, Fingerprint: DemoFingerprint, Choices: choices}
}

func (q *demoRequest) whole() demoEnvelope {
	var choices []map[string]any
	for i, a := range q.answers {
		choice := map[string]any{"index": i, "logprobs": nil, "finish_reason": a.finish}
		text := strings.Join(a.tokens, "")
		if q.chat {
			choice["message"] = map[string]any{"role": "assistant", "content": text, "refusal": nil}
		} else {
			choice["text"] = text
		}
		choices = append(choices, choice)
	}
	object := "text_completion"
	if q.chat {
		object = "chat.completion"
	}
	e := q.envelope(object, choices...)
	e.Usage = q.usage()
	return e
}

// stream writes the answer token by token, the choices in turn.
func (d *Demo) stream(w http.ResponseWriter, r *http.Request, q *demoRequest) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	flush := http.NewResponseController(w).Flush
	object := "text_completion"
	if q.chat {
		object = "chat.completion.chunk"
	}
	send := func(e demoEnvelope) error {
		if q.fields.IncludeUsage && e.Usage == nil {
			e.Usage = json.RawMessage("null") // as OpenAI does in all but the last
		}
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintf(w, "data: %s\n\n", text); err != nil {
			return err
		}
		return flush()
	}
	piece := func(index int, finish any, key, text string) error {
		choice := map[string]any{"index": index, "logprobs": nil, "finish_reason": finish}
		switch {
		case !q.chat:
			choice["text"] = text
		case key == "role":
			choice["delta"] = map[string]any{"role": "assistant", "content": ""}
		case finish != nil:
			choice["delta"] = map[string]any{}
		default:
			choice["delta"] = map[string]any{"content": text}
		}
		return send(q.envelope(object, choice))
	}
	longest := 0
	for i, a := range q.answers {
		longest = max(longest, len(a.tokens))
		if q.chat && piece(i, nil, "role", "") != nil {
			return
		}
	}
	for t := range longest {
		for i, a := range q.answers {
			if t >= len(a.tokens) {
				continue
			}
			if !d.pause(r) || piece(i, nil, "content", a.tokens[t]) != nil {
				return
			}
		}
	}
	for i, a := range q.answers {
		if piece(i, a.finish, "", "") != nil {
			return
		}
	}
	if q.fields.IncludeUsage {
		e := q.envelope(object)
		e.Usage = q.usage()
		if send(e) != nil {
			return
		}
	}
	if _, err := io.WriteString(w, "data: [DONE]\n\n"); err == nil {
		_ = flush() // whether the client still listens no longer matters
	}
}

// pause waits for the next token's time; false if the client has gone.
func (d *Demo) pause(r *http.Request) bool {
	if d.Pace <= 0 {
		return r.Context().Err() == nil
	}
	select {
	case <-time.After(d.Pace):
		return true
	case <-r.Context().Done():
		return false
	}
}

func demoJSON(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // fails only when the client has gone
}

func demoError(w http.ResponseWriter, err error) {
	status, ok := errors.AsType[*StatusError](err)
	if !ok {
		status = &StatusError{Status: http.StatusBadRequest, Message: err.Error(), Type: "invalid_request_error"}
		if field, ok := errors.AsType[*FieldError](err); ok {
			status.Param = field.Field
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status.Status)
	_, _ = w.Write(status.Body())
}

// demoText is a string, or the text of an array of content parts.
type demoText string

func (t *demoText) UnmarshalJSON(text []byte) error {
	if !isArray(text) {
		return json.Unmarshal(text, (*string)(t))
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	for _, p := range parts {
		*t += demoText(p.Text)
	}
	return nil
}

// demoTexts is a string or an array of strings.
type demoTexts []string

func (t *demoTexts) UnmarshalJSON(text []byte) error {
	if isArray(text) {
		return json.Unmarshal(text, (*[]string)(t))
	}
	var one *string
	if err := json.Unmarshal(text, &one); err != nil || one == nil {
		return err
	}
	*t = demoTexts{*one}
	return nil
}
