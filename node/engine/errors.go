package engine

import "errors"

// What can be wrong with an engine. A busy or broken engine is an error of these, or a [StatusError] when it answered
// with an HTTP error status.
var (
	// ErrDown: nothing listens there, the connection broke, or the engine stayed silent too long.
	ErrDown = errors.New("engine is down")
	// ErrGarbage: the engine answered something that is no OpenAI answer, or only half of one.
	ErrGarbage = errors.New("engine answered garbage")
	// ErrNoUsage: the answer is complete but never said how many tokens it took.
	ErrNoUsage = errors.New("engine did not report usage")
)

// What can be wrong with a request, each inside a [FieldError] that names the field.
var (
	// ErrNotJSON: the body is not one JSON object in UTF-8.
	ErrNotJSON = errors.New("body is not a JSON object")
	// ErrTooDeep: objects and arrays are nested deeper than any real request.
	ErrTooDeep = errors.New("JSON is nested too deeply")
	// ErrDuplicateField: the field appears twice, and parsers disagree on which one counts.
	ErrDuplicateField = errors.New("field appears more than once")
	// ErrFieldCase: the field is spelt like a known one in other letter case; some parsers would take it for that one.
	ErrFieldCase = errors.New("field name differs from a known one only in letter case")
	// ErrFieldValue: the field has a wrong type or is out of range.
	ErrFieldValue = errors.New("invalid value")
	// ErrOverCap: the request asks for more tokens than were authorised.
	ErrOverCap = errors.New("asks for more tokens than authorised")
	// ErrPath: the bridge does not serve this path.
	ErrPath = errors.New("path is not served")
	// ErrStreamMismatch: the body and the caller disagree on whether this is a stream.
	ErrStreamMismatch = errors.New("body and request header disagree on streaming")
)

// FieldError is a refusal of a request because of one field. Err is one of the sentinels above.
type FieldError struct {
	Field  string // as in OpenAI's "param"; empty when the body as a whole is at fault
	Detail string // what is expected; never the value itself, which may be private
	Err    error
}

func (e *FieldError) Error() string {
	text := e.Err.Error()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	return text
}

func (e *FieldError) Unwrap() error { return e.Err }
