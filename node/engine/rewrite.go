package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// SetMaxTokens returns the body with the token cap n in it. A body that has no cap gets one, with not another byte
// changed; a body with a lower cap comes back as it is; a body with a higher cap is refused with [ErrOverCap]. The cap
// counts per choice.
func SetMaxTokens(body []byte, n uint64) ([]byte, error) {
	r, err := readRequest(body)
	if err != nil {
		return nil, err
	}
	switch {
	case n == 0 || n > maxTokensLimit:
		return nil, &FieldError{Field: "max_tokens", Detail: fmt.Sprintf("expected a cap from 1 to %d", maxTokensLimit), Err: ErrFieldValue}
	case r.MaxTokens > n:
		return nil, &FieldError{Field: "max_tokens", Detail: fmt.Sprintf("at most %d", n), Err: ErrOverCap}
	case r.MaxTokens > 0:
		return body, nil
	}
	number := strconv.FormatUint(n, 10)
	if at, ok := r.at["max_tokens"]; ok { // it is null
		return splice(body, at, number), nil
	}
	return insertMember(body, span{0, len(body)}, `"max_tokens":`+number), nil
}

// SetModel returns the body with another model named in it, for an engine that knows the model by a name of its own.
func SetModel(body []byte, name string) ([]byte, error) {
	r, err := readRequest(body)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(name)
	if err != nil {
		return nil, err
	}
	return splice(body, r.at["model"], string(text)), nil
}

// withUsage returns the body with stream_options.include_usage set.
func (r *request) withUsage() []byte {
	if at, ok := r.options["include_usage"]; ok {
		return splice(r.body, at, "true")
	}
	at, ok := r.at["stream_options"]
	switch {
	case !ok:
		return insertMember(r.body, span{0, len(r.body)}, `"stream_options":{"include_usage":true}`)
	case isNull(r.body[at.from:at.to]):
		return splice(r.body, at, `{"include_usage":true}`)
	}
	return insertMember(r.body, at, `"include_usage":true`)
}

// insertMember puts a member in front of the others of an object inside body.
func insertMember(body []byte, object span, member string) []byte {
	first := skipSpace(body, object.from) + 1 // behind the brace
	if body[skipSpace(body, first)] != '}' {
		member += ","
	}
	return splice(body, span{first, first}, member)
}

// splice returns body with the span replaced. The body itself is the caller's and stays as it is.
func splice(body []byte, at span, text string) []byte {
	return slices.Concat(body[:at.from], []byte(text), body[at.to:])
}
