package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fields are what the network must know of a request. Everything else in the body passes unread.
type Fields struct {
	Model        string
	Stream       bool
	IncludeUsage bool   // the client itself asked for the usage event of a stream
	MaxTokens    uint64 // per choice; 0 = the body sets no cap
	// Choices is how many completions the engine may generate: prompts × max(n, best_of), at least 1. A request costs
	// at most Choices × MaxTokens completion tokens.
	Choices  uint64
	Messages int // messages of a chat
	Prompts  int // prompts of a plain completion
}

// ReadFields reads the fields of a request body and refuses, with a [FieldError], every body in which they could be
// read in two ways.
func ReadFields(body []byte) (Fields, error) {
	r, err := readRequest(body)
	return r.Fields, err
}

// capFields all cap the completion: OpenAI's old and new name, and llama.cpp's own, which there overrides the others.
var capFields = []string{"max_tokens", "max_completion_tokens", "n_predict"}

// knownFields are read strictly; any other spelling of them is refused.
var knownFields = append([]string{"model", "stream", "stream_options", "n", "best_of", "messages", "prompt"}, capFields...)

// request is a body with its fields and where they stand.
type request struct {
	Fields
	body []byte
	at   map[string]span // known fields present in the body
	// options are the known members of stream_options.
	options map[string]span
}

func readRequest(body []byte) (request, error) {
	r := request{body: body}
	switch {
	case tooDeep(body, maxDepth):
		return request{}, &FieldError{Detail: fmt.Sprintf("at most %d levels are accepted", maxDepth), Err: ErrTooDeep}
	case !json.Valid(body), !utf8.Valid(body), body[skipSpace(body, 0)] != '{':
		return request{}, &FieldError{Detail: "send one JSON object, encoded in UTF-8", Err: ErrNotJSON}
	}
	var err error
	if r.at, err = findFields(body, span{0, len(body)}, "", knownFields); err != nil {
		return request{}, err
	}
	for _, step := range []func() error{r.readModel, r.readStream, r.readCaps, r.readChoices} {
		if err := step(); err != nil {
			return request{}, err
		}
	}
	return r, nil
}

// findFields returns where the known members of an object stand. A member whose value is null is as good as absent
// everywhere, but its place is kept for edits.
func findFields(body []byte, object span, prefix string, known []string) (map[string]span, error) {
	at := make(map[string]span, len(known))
	for key, value := range members(body[object.from:object.to]) {
		i := slices.IndexFunc(known, func(name string) bool { return strings.EqualFold(name, string(key)) })
		if i < 0 {
			continue
		}
		name := known[i]
		if string(key) != name {
			return nil, &FieldError{Field: prefix + name, Detail: "write it in lower case", Err: ErrFieldCase}
		}
		if _, twice := at[name]; twice {
			return nil, &FieldError{Field: prefix + name, Err: ErrDuplicateField}
		}
		at[name] = span{object.from + value.from, object.from + value.to}
	}
	return at, nil
}

// value returns the raw value of a known field, false when it is absent or null.
func (r *request) value(name string) ([]byte, bool) {
	at, ok := r.at[name]
	if !ok || isNull(r.body[at.from:at.to]) {
		return nil, false
	}
	return r.body[at.from:at.to], true
}

func (r *request) readModel() error {
	bad := &FieldError{Field: "model", Detail: "name the model to use, as /v1/models lists it", Err: ErrFieldValue}
	value, ok := r.value("model")
	if !ok || !nonEmptyString(value) {
		return bad
	}
	r.Model = unquote(value)
	if len(r.Model) > maxModelName || strings.ContainsFunc(r.Model, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return bad
	}
	return nil
}

func (r *request) readStream() error {
	var err error
	if value, ok := r.value("stream"); ok {
		if r.Stream, err = readBool("stream", value); err != nil {
			return err
		}
	}
	value, ok := r.value("stream_options")
	if !ok {
		return nil
	}
	if !isObject(value) {
		return &FieldError{Field: "stream_options", Detail: "expected an object", Err: ErrFieldValue}
	}
	const prefix = "stream_options."
	if r.options, err = findFields(r.body, r.at["stream_options"], prefix, []string{"include_usage"}); err != nil {
		return err
	}
	if at, ok := r.options["include_usage"]; ok && !isNull(r.body[at.from:at.to]) {
		r.IncludeUsage, err = readBool(prefix+"include_usage", r.body[at.from:at.to])
	}
	return err
}

func readBool(field string, value []byte) (bool, error) {
	switch string(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, &FieldError{Field: field, Detail: "expected true or false", Err: ErrFieldValue}
}

func (r *request) readCaps() error {
	for _, name := range capFields {
		value, ok := r.value(name)
		if !ok {
			continue
		}
		n, err := readCount(name, value, maxTokensLimit)
		if err != nil {
			return err
		}
		if r.MaxTokens != 0 && r.MaxTokens != n {
			detail := "the body caps the tokens twice, with different numbers; keep one"
			return &FieldError{Field: name, Detail: detail, Err: ErrFieldValue}
		}
		r.MaxTokens = n
	}
	return nil
}

func readCount(field string, value []byte, limit uint64) (uint64, error) {
	n, ok := count(value, limit)
	if !ok || n == 0 {
		detail := fmt.Sprintf("expected a whole number from 1 to %d", limit)
		return 0, &FieldError{Field: field, Detail: detail, Err: ErrFieldValue}
	}
	return n, nil
}

func (r *request) readChoices() error {
	r.Choices = 1
	for _, name := range []string{"n", "best_of"} {
		value, ok := r.value(name)
		if !ok {
			continue
		}
		n, err := readCount(name, value, maxChoices)
		if err != nil {
			return err
		}
		r.Choices = max(r.Choices, n)
	}
	if value, ok := r.value("messages"); ok {
		if !isArray(value) {
			return &FieldError{Field: "messages", Detail: "expected an array of messages", Err: ErrFieldValue}
		}
		for at := range elements(value) {
			if !isObject(value[at.from:at.to]) {
				return &FieldError{Field: "messages", Detail: "every message is an object", Err: ErrFieldValue}
			}
			r.Messages++
		}
	}
	if value, ok := r.value("prompt"); ok {
		var err error
		if r.Prompts, err = countPrompts(value); err != nil {
			return err
		}
		r.Choices *= uint64(max(r.Prompts, 1))
	}
	return nil
}

// countPrompts counts the prompts of a completion: a string and an array of token ids are one, an array of either is as
// many as it has elements.
func countPrompts(value []byte) (int, error) {
	if isString(value) {
		return 1, nil
	}
	n, numbers := 0, 0
	for at := range elements(value) {
		element := value[at.from:at.to]
		switch {
		case isString(element), isArray(element):
			n++
		default:
			if _, ok := count(element, maxUsage); !ok {
				n = maxPrompts + 1
			}
			numbers++
		}
	}
	switch {
	case !isArray(value), n > maxPrompts, n > 0 && numbers > 0:
		detail := fmt.Sprintf("expected a string, token ids, or an array of at most %d of them", maxPrompts)
		return 0, &FieldError{Field: "prompt", Detail: detail, Err: ErrFieldValue}
	case numbers > 0:
		return 1, nil
	}
	return n, nil
}
