package openai

import (
	"context"
	"errors"
	"net/http"

	"github.com/tussah-network/tussah/node/engine"
)

// The ways a [Backend] can refuse or lose a request. Wrapped text goes to the client as the error's message, so it should
// say what to do, and must not hold secrets. Where these are too coarse, a Backend returns an [engine.StatusError].
// Anything else is a 500 whose text goes to the log instead, so it must not quote a prompt.
var (
	ErrModelNotFound = errors.New("model not found")           // 404
	ErrFunds         = errors.New("not enough funds")          // 402: empty wallet, deposit too small
	ErrBusy          = errors.New("too many requests")         // 429
	ErrEngine        = errors.New("the engine failed")         // 502
	ErrUnavailable   = errors.New("no proxy or worker serves") // 503
	ErrDeadline      = errors.New("the request took too long") // 504
)

// Types of errors, as OpenAI names them.
const (
	typeRequest = "invalid_request_error"
	typeFunds   = "insufficient_quota"
	typeBusy    = "rate_limit_error"
	typeServer  = "server_error"
)

// statuses maps the sentinels to what the client sees.
var statuses = []struct {
	err error
	engine.StatusError
}{
	{ErrModelNotFound, engine.StatusError{Status: http.StatusNotFound, Type: typeRequest, Param: "model", Code: "model_not_found"}},
	{ErrFunds, engine.StatusError{Status: http.StatusPaymentRequired, Type: typeFunds, Code: "insufficient_funds"}},
	{ErrBusy, engine.StatusError{Status: http.StatusTooManyRequests, Type: typeBusy, Code: "rate_limit_exceeded"}},
	{ErrEngine, engine.StatusError{Status: http.StatusBadGateway, Type: typeServer, Code: "engine_error"}},
	{ErrUnavailable, engine.StatusError{Status: http.StatusServiceUnavailable, Type: typeServer, Code: "no_worker"}},
	{ErrDeadline, engine.StatusError{Status: http.StatusGatewayTimeout, Type: typeServer, Code: "deadline_exceeded"}},
}

// toStatus turns any error into what the client sees. known is false for an error nobody foresaw, whose text is hidden.
func toStatus(err error) (e *engine.StatusError, known bool) {
	if e, ok := errors.AsType[*engine.StatusError](err); ok {
		return e, true
	}
	if field, ok := errors.AsType[*engine.FieldError](err); ok {
		e := refusal(http.StatusBadRequest, "", field.Error())
		e.Param = field.Field
		return e, true
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = ErrDeadline
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			e := s.StatusError
			e.Message = err.Error()
			return &e, true
		}
	}
	return &engine.StatusError{
		Status: http.StatusInternalServerError, Type: typeServer, Code: "internal_error",
		Message: "internal error; the node's log says more",
	}, false
}

// refusal is an error of the request itself.
func refusal(status int, code, message string) *engine.StatusError {
	return &engine.StatusError{Status: status, Type: typeRequest, Code: code, Message: message}
}
