package toncenter

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb/get"
)

// Refusals. Each becomes an answer with a code of its own.
var (
	// ErrRequest is a request whose parameters make no sense.
	ErrRequest = errors.New("failed to validate request")
	// ErrUnknownMethod is a method this API does not have.
	ErrUnknownMethod = errors.New("no such method")
	// ErrHTTPMethod is a method called by GET that only POST may call, or by
	// neither.
	ErrHTTPMethod = errors.New("unsupported http method")
	// ErrTooLarge is a request over its limit of bytes.
	ErrTooLarge = errors.New("request is too large")
	// ErrKey is a request without the key this server asks for.
	ErrKey = errors.New("API key does not exist")
	// ErrTimeout is a request that waited too long for its turn.
	ErrTimeout = errors.New("waited too long")
	// ErrBOC is a bag of cells that is none.
	ErrBOC = errors.New("INVALID_BAG_OF_CELLS")
	// ErrNotToken is an account that is neither a jetton nor an NFT.
	ErrNotToken = errors.New("neither a jetton nor an NFT")
	// ErrNotLocated is a message whose transaction was not found.
	ErrNotLocated = errors.New("transaction was not found")
	// ErrNoParam is a configuration parameter that is not set.
	ErrNoParam = errors.New("no such config param")
	// ErrStackSize and ErrStackDepth are get methods that returned more values
	// than an answer may have, or deeper nested ones.
	ErrStackSize  = errors.New("TVM stack size exceeds limit")
	ErrStackDepth = errors.New("result stack depth is too large")
	// ErrRefused is an external message that the chain did not take.
	ErrRefused = errors.New("cannot apply external message to current state ")

	// errInternal hides the details of our own faults from clients.
	errInternal = errors.New("INTERNAL")
)

// failure is what a client is told about an error: the code, which is the HTTP
// status too, and the text. known is false for a fault of ours.
func failure(err error) (code int, text string, known bool) {
	for _, row := range []struct {
		is   error
		code int
		// lite: the text is what tonlib makes of a liteserver's error.
		lite bool
		// text, if set, is toncenter's wording.
		text string
	}{
		{is: ErrRequest, code: http.StatusUnprocessableEntity},
		{is: ErrUnknownMethod, code: http.StatusNotFound, text: "Not Found"},
		{is: ErrHTTPMethod, code: http.StatusMethodNotAllowed},
		{is: ErrTooLarge, code: http.StatusRequestEntityTooLarge},
		{is: ErrKey, code: http.StatusUnauthorized},
		{is: ErrTimeout, code: http.StatusGatewayTimeout, text: "Liteserver timeout"},
		{is: context.Canceled, code: http.StatusGatewayTimeout},
		{is: context.DeadlineExceeded, code: http.StatusGatewayTimeout},
		{is: ErrBOC, code: http.StatusBadRequest},
		{is: ErrNotToken, code: http.StatusConflict, text: "Smart contract is not Jetton or NFT"},
		{is: ErrNotLocated, code: http.StatusNotFound},
		{is: ErrNoParam, code: http.StatusInternalServerError},
		{is: ErrStackSize, code: http.StatusInternalServerError},
		{is: ErrStackDepth, code: 533},
		{is: get.ErrArgument, code: http.StatusUnprocessableEntity},
		{is: get.ErrVM, code: http.StatusInternalServerError},
		{is: ErrRefused, code: http.StatusInternalServerError, lite: true},
		{is: sandbox.ErrStateGone, code: http.StatusInternalServerError, lite: true},
		{is: sandbox.ErrNoWorkchain, code: http.StatusInternalServerError, lite: true},
		{is: sandbox.ErrNotFound, code: http.StatusInternalServerError, lite: true},
		{is: sandbox.ErrClosed, code: http.StatusInternalServerError, lite: true},
	} {
		if errors.Is(err, row.is) {
			text := err.Error()
			switch {
			case row.text != "":
				text = row.text
			case row.lite:
				text = "LITE_SERVER_" + liteKind(err) + ": " + text
			}
			return row.code, text, true
		}
	}
	return http.StatusInternalServerError, errInternal.Error(), false
}

// liteKind is the name tonlib gives a liteserver's error by its code.
func liteKind(err error) string {
	if errors.Is(err, ErrRefused) {
		return "UNKNOWN"
	}
	return "NOTREADY"
}

func badRequest(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRequest, fmt.Sprintf(format, args...))
}
