package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// What the protocol refuses.
var (
	// ErrParse: the request is no JSON.
	ErrParse = errors.New("no JSON")
	// ErrRequest: the JSON is no JSON-RPC 2.0 call, or none that is answered.
	ErrRequest = errors.New("no JSON-RPC 2.0 call")
	// ErrUnknownVerb: there is no such method.
	ErrUnknownVerb = errors.New("no such verb")
	// ErrParams: the parameters are not those of the verb.
	ErrParams = errors.New("bad parameters")
	// ErrInternal: the server has a bug.
	ErrInternal = errors.New("internal error")
	// ErrForbidden: the request comes from a web page, or names the server by
	// a name that is not its own.
	ErrForbidden = errors.New("not for web pages")
	// ErrTooLarge: a request or an answer is beyond limits.go.
	ErrTooLarge = errors.New("too large")
	// ErrPaused: there is nothing to wait for, as blocks are made by hand.
	ErrPaused = errors.New("no block comes by itself")
	// ErrNoParam: the configuration has no such parameter.
	ErrNoParam = errors.New("not in the configuration")
)

// Codes of JSON-RPC 2.0. Everything that a verb refuses has codeFailed; what
// it is, its name says.
const (
	codeParse    = -32700
	codeRequest  = -32600
	codeUnknown  = -32601
	codeParams   = -32602
	codeInternal = -32603
	codeFailed   = -32000
)

// wireErrors are the names of errors. Names are part of the protocol: they are
// added to, and never change. The first that matches counts.
var wireErrors = []struct {
	err  error
	code int
	name string
}{
	{ErrParse, codeParse, "parse_error"},
	{ErrRequest, codeRequest, "invalid_request"},
	{ErrForbidden, codeRequest, "forbidden"},
	{ErrUnknownVerb, codeUnknown, "unknown_verb"},
	{ErrParams, codeParams, "bad_params"},
	{ErrInternal, codeInternal, "internal"},
	{ErrTooLarge, codeFailed, "too_large"},
	{ErrValue, codeFailed, "bad_value"},
	{ErrNoParam, codeFailed, "no_config_param"},
	{ErrPaused, codeFailed, "paused"},
	{ErrSnapshotName, codeFailed, "snapshot_name"},
	{ErrSnapshotTaken, codeFailed, "snapshot_taken"},
	{ErrNoSnapshot, codeFailed, "no_snapshot"},
	{ErrTooManySnapshots, codeFailed, "too_many_snapshots"},
	{sandbox.ErrNotAccepted, codeFailed, "not_accepted"},
	{sandbox.ErrMessage, codeFailed, "bad_message"},
	{sandbox.ErrNoWorkchain, codeFailed, "no_workchain"},
	{sandbox.ErrNotFound, codeFailed, "not_found"},
	{sandbox.ErrNotActive, codeFailed, "not_active"},
	{sandbox.ErrPoolFull, codeFailed, "pool_full"},
	{sandbox.ErrExecutor, codeFailed, "executor"},
	{sandbox.ErrEndless, codeFailed, "endless"},
	{sandbox.ErrConfig, codeFailed, "bad_config"},
	{sandbox.ErrTree, codeFailed, "bad_tree"},
	{sandbox.ErrTimeBack, codeFailed, "time_back"},
	{sandbox.ErrDropped, codeFailed, "dropped"},
	{sandbox.ErrRestored, codeFailed, "restored"},
	{sandbox.ErrForeign, codeFailed, "foreign_snapshot"},
	{sandbox.ErrUnsettled, codeFailed, "unsettled"},
	{sandbox.ErrClosed, codeFailed, "closed"},
	{get.ErrArgument, codeFailed, "bad_argument"},
	{get.ErrVM, codeFailed, "vm_fault"},
	{tlb.ErrOverflow, codeFailed, "overflow"},
	{context.DeadlineExceeded, codeFailed, "timeout"},
	{context.Canceled, codeFailed, "canceled"},
}

// Error is an error as the server answers it. It matches, by errors.Is, the
// error that its name stands for.
type Error struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Data    *ErrorData `json:"data,omitempty"`
}

// ErrorData is what a program may want to know of an error.
type ErrorData struct {
	// Name is stable; it is "failed" for what has no name of its own.
	Name string `json:"name"`
	// Of a contract that did not accept an external message: which, and how it
	// ended, or why it did not run at all.
	Account  Address `json:"account,omitzero"`
	Exit     *int    `json:"exit,omitempty"`
	ExitText string  `json:"exit_text,omitempty"`
	Reason   string  `json:"reason,omitempty"`
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error {
	if e.Data == nil {
		return nil
	}
	for _, w := range wireErrors {
		if w.name == e.Data.Name {
			return w.err
		}
	}
	return nil
}

// newError gives an error its name.
func newError(err error) *Error {
	e := &Error{Code: codeFailed, Message: err.Error(), Data: &ErrorData{Name: "failed"}}
	for _, w := range wireErrors {
		if errors.Is(err, w.err) {
			e.Code, e.Data.Name = w.code, w.name
			break
		}
	}
	if refused, ok := errors.AsType[*sandbox.NotAcceptedError](err); ok {
		e.Data.Account, e.Data.Reason = Address{refused.Account}, refused.Reason
		if refused.Reason == "" {
			code := int(refused.Exit)
			e.Data.Exit, e.Data.ExitText = &code, refused.Exit.String()
		}
	}
	return e
}

// unmarshalError reads an error that a server answered.
func unmarshalError(data []byte) error {
	var e Error
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("%w: its error is not one", ErrNoServer)
	}
	return &e
}
