package liteserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/ton"

	"github.com/tussah-network/tussah/sandbox"
)

// Codes of liteServer.error as TON's own liteserver uses them. Clients branch
// on them: 651 makes them retry or report a missing block, -400 ends a walk
// through old transactions, 0 is a refused message.
const (
	codeRefused   = 0
	codeFailure   = -400
	codeInternal  = 602
	codeProtocol  = 621
	codeNotReady  = 651
	codeTimeout   = 652
	codeCancelled = 653
)

// Refusals. Each is sent to the client as a liteServer.error.
var (
	// ErrNotFound is a block or shard the chain does not have.
	ErrNotFound = sandbox.ErrNotFound
	// ErrBadQuery is a request that makes no sense, whatever the chain's state.
	ErrBadQuery = errors.New("bad query")
	// ErrUnknownQuery is a method this server does not have.
	ErrUnknownQuery = errors.New("unknown query")
	// ErrNoTransaction is a starting point that is not in the account's history.
	ErrNoTransaction = errors.New("cannot compute block with specified transaction: lt not in db")
	// ErrTooLarge is an answer that does not fit into a frame.
	ErrTooLarge = errors.New("answer is too large")
	// ErrNoSignatures is a proof over blocks whose signatures the chain lacks.
	ErrNoSignatures = errors.New("block has no signatures")
	// ErrTimeout is a masterchain block that did not come in time.
	ErrTimeout = errors.New("timeout")
	// ErrRefused is an external message the chain did not accept.
	ErrRefused = errors.New("cannot apply external message to current state")

	// errInternal hides the details of our own faults from clients.
	errInternal = errors.New("internal error")
)

// failure is what the client is told about err. known is false for a fault of
// ours, which the server logs and the client learns nothing about.
func failure(err error) (answer ton.LSError, known bool) {
	code := int32(codeInternal)
	switch {
	case errors.Is(err, ErrNotFound):
		// tongo compares this text to tell a missing block from other errors.
		return ton.LSError{Code: codeNotReady, Text: "block is not applied"}, true
	case errors.Is(err, sandbox.ErrStateGone):
		code = codeNotReady
	case errors.Is(err, ErrTimeout):
		code = codeTimeout
	case errors.Is(err, ErrBadQuery), errors.Is(err, ErrUnknownQuery):
		code = codeProtocol
	case errors.Is(err, ErrNoTransaction),
		errors.Is(err, ErrTooLarge), errors.Is(err, ErrNoSignatures), errors.Is(err, ErrResult),
		errors.Is(err, ErrNoStats):
		code = codeFailure
	case errors.Is(err, ErrRefused):
		code = codeRefused
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sandbox.ErrClosed):
		return ton.LSError{Code: codeCancelled, Text: "server is closing"}, true
	default:
		return ton.LSError{Code: code, Text: errInternal.Error()}, false
	}
	return ton.LSError{Code: code, Text: err.Error()}, true
}

func badQuery(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBadQuery, fmt.Sprintf(format, args...))
}
