package engine

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// StatusError is an HTTP error in OpenAI's schema, as engines answer and clients expect it; [StatusError.Body] is what
// travels. An engine's message may quote the prompt, so it is not part of Error and must not be logged.
type StatusError struct {
	Status  int // 400 to 599
	Message string
	Type    string
	Param   string // empty: none
	Code    string // empty: none
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP status %d (%s)", e.Status, http.StatusText(e.Status))
}

// Body returns the error in OpenAI's schema.
func (e *StatusError) Body() []byte {
	orNull := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	type schema struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	// Strings cannot fail to encode.
	body, _ := json.Marshal(map[string]schema{"error": {e.Message, e.Type, orNull(e.Param), orNull(e.Code)}})
	return body
}

// statusFailure reads an engine's answer with a status other than 200.
func statusFailure(status int, body []byte) error {
	switch {
	case status < 400:
		return fmt.Errorf("%w: unexpected HTTP status %d", ErrGarbage, status)
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		// The worker lacks the engine's key. A client could only misread that as being about its own.
		return &StatusError{Status: http.StatusBadGateway, Type: "server_error", Message: "the engine does not let its worker in"}
	}
	return ReadStatusError(status, body)
}

// ReadStatusError reads the body of an HTTP error. What it does not tell, or what is no JSON at all, is made up from the
// status, so that the result always fits the schema.
func ReadStatusError(status int, body []byte) *StatusError {
	e := &StatusError{Status: status}
	if json.Valid(body) {
		e.read(body)
	}
	if e.Message == "" {
		e.Message = "the engine answered: " + http.StatusText(status)
	}
	if e.Type == "" {
		e.Type = "invalid_request_error"
		if status >= 500 {
			e.Type = "server_error"
		}
	}
	for _, s := range []*string{&e.Message, &e.Type, &e.Param, &e.Code} {
		*s = clip(*s)
	}
	return e
}

// read takes what it can from an error body:
//
//	OpenAI, vLLM, llama.cpp, Ollama  {"error": {"message": …, "type": …, "param": …, "code": …}}, code also a number
//	SGLang, older vLLM               the same members without "error" around them
//	FastAPI below both               {"detail": …}
//	Ollama's own                     {"error": "text"}
func (e *StatusError) read(body []byte) {
	for key, at := range members(body) {
		value := body[at.from:at.to]
		if string(key) == "error" && isObject(value) {
			e.readMembers(value)
			return
		}
	}
	e.readMembers(body)
}

func (e *StatusError) readMembers(object []byte) {
	for key, at := range members(object) {
		value := object[at.from:at.to]
		if isNull(value) || isObject(value) || isArray(value) {
			continue
		}
		switch string(key) {
		case "error", "message", "detail":
			e.Message = unquote(value)
		case "type":
			e.Type = unquote(value)
		case "param":
			e.Param = unquote(value)
		case "code":
			e.Code = unquote(value)
		}
	}
}

// clip bounds a text that goes to the client.
func clip(s string) string {
	if len(s) > maxStatusText {
		s = s[:maxStatusText]
		for !utf8.ValidString(s) && len(s) > maxStatusText-utf8.UTFMax {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "�")
}
