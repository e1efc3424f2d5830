package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/tussah-network/tussah/tlb"
)

// Code is the reason of a refusal as it travels. Zero means none.
type Code uint16

// The codes of protocol version 1. Numbers are never reused.
const (
	CodeBadRequest       Code = 1
	CodeUnauthorised     Code = 2
	CodeVersion          Code = 3
	CodeWrongNetwork     Code = 4
	CodeModelUnknown     Code = 10
	CodeNoWorker         Code = 11
	CodeOverloaded       Code = 12
	CodeDraining         Code = 13
	CodePrice            Code = 14
	CodeUnderauthorised  Code = 20
	CodeVoucherLow       Code = 21
	CodeVoucherReplayed  Code = 22
	CodeVoucherChannel   Code = 23
	CodeVoucherNetwork   Code = 24
	CodeVoucherSignature Code = 25
	CodeVoucherEpoch     Code = 26
	CodeOverDeposit      Code = 27
	CodeChannelUnknown   Code = 30
	CodeChannelClosing   Code = 31
	CodeChannelRefused   Code = 32
	CodeDepositLow       Code = 33
	CodeEngineDown       Code = 40
	CodeEngineGarbage    Code = 41
	CodeEngineNoUsage    Code = 42
	CodePaymentStopped   Code = 50
	CodeCancelled        Code = 51
	CodeDeadline         Code = 52
	CodeInternal         Code = 60
)

// One sentinel per code, for errors.Is at both ends.
var (
	ErrBadRequest       = errors.New("bad request")
	ErrUnauthorised     = errors.New("peer is not authorised")
	ErrVersion          = errors.New("protocol version is not supported")
	ErrWrongNetwork     = errors.New("peer belongs to another network or registry")
	ErrModelUnknown     = errors.New("model is not served here")
	ErrNoWorker         = errors.New("no worker is available for the model")
	ErrOverloaded       = errors.New("peer is overloaded")
	ErrDraining         = errors.New("peer is shutting down")
	ErrPrice            = errors.New("price is not the offered one")
	ErrUnderauthorised  = errors.New("authorised amount is too low")
	ErrVoucherLow       = errors.New("voucher is lower than one already held")
	ErrVoucherReplayed  = errors.New("voucher was used before")
	ErrVoucherChannel   = errors.New("voucher is for another channel")
	ErrVoucherNetwork   = errors.New("voucher is for another network")
	ErrVoucherSignature = errors.New("voucher signature is wrong")
	ErrVoucherEpoch     = errors.New("voucher is of another epoch")
	ErrOverDeposit      = errors.New("voucher exceeds the deposit")
	ErrChannelUnknown   = errors.New("channel is unknown")
	ErrChannelClosing   = errors.New("channel is closing")
	ErrChannelRefused   = errors.New("channel terms are not acceptable")
	ErrDepositLow       = errors.New("deposit is too small")
	ErrEngineDown       = errors.New("engine is down")
	ErrEngineGarbage    = errors.New("engine answered garbage")
	ErrEngineNoUsage    = errors.New("engine stated no usage")
	ErrPaymentStopped   = errors.New("payment stopped")
	ErrCancelled        = errors.New("request was cancelled")
	ErrDeadline         = errors.New("request deadline passed")
	ErrInternal         = errors.New("internal error")
)

var codes = []struct {
	code Code
	name string
	err  error
}{
	{CodeBadRequest, "bad_request", ErrBadRequest},
	{CodeUnauthorised, "unauthorised", ErrUnauthorised},
	{CodeVersion, "version", ErrVersion},
	{CodeWrongNetwork, "wrong_network", ErrWrongNetwork},
	{CodeModelUnknown, "model_unknown", ErrModelUnknown},
	{CodeNoWorker, "no_worker", ErrNoWorker},
	{CodeOverloaded, "overloaded", ErrOverloaded},
	{CodeDraining, "draining", ErrDraining},
	{CodePrice, "price", ErrPrice},
	{CodeUnderauthorised, "underauthorised", ErrUnderauthorised},
	{CodeVoucherLow, "voucher_low", ErrVoucherLow},
	{CodeVoucherReplayed, "voucher_replayed", ErrVoucherReplayed},
	{CodeVoucherChannel, "voucher_channel", ErrVoucherChannel},
	{CodeVoucherNetwork, "voucher_network", ErrVoucherNetwork},
	{CodeVoucherSignature, "voucher_signature", ErrVoucherSignature},
	{CodeVoucherEpoch, "voucher_epoch", ErrVoucherEpoch},
	{CodeOverDeposit, "over_deposit", ErrOverDeposit},
	{CodeChannelUnknown, "channel_unknown", ErrChannelUnknown},
	{CodeChannelClosing, "channel_closing", ErrChannelClosing},
	{CodeChannelRefused, "channel_refused", ErrChannelRefused},
	{CodeDepositLow, "deposit_low", ErrDepositLow},
	{CodeEngineDown, "engine_down", ErrEngineDown},
	{CodeEngineGarbage, "engine_garbage", ErrEngineGarbage},
	{CodeEngineNoUsage, "engine_no_usage", ErrEngineNoUsage},
	{CodePaymentStopped, "payment_stopped", ErrPaymentStopped},
	{CodeCancelled, "cancelled", ErrCancelled},
	{CodeDeadline, "deadline", ErrDeadline},
	{CodeInternal, "internal", ErrInternal},
}

// String returns the code's name as it stands in logs and API errors.
func (c Code) String() string {
	for _, row := range codes {
		if row.code == c {
			return row.name
		}
	}
	return fmt.Sprintf("code_%d", uint16(c))
}

// Err returns the sentinel of the code, nil for zero and for an unknown code.
func (c Code) Err() error {
	for _, row := range codes {
		if row.code == c {
			return row.err
		}
	}
	return nil
}

// CodeOf returns the code under which err travels: that of an [*Error] or of a
// sentinel in its chain, and [CodeInternal] for everything else.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok && e.Code.Err() != nil {
		return e.Code
	}
	for _, row := range codes {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return CodeDeadline
	case errors.Is(err, context.Canceled):
		return CodeCancelled
	}
	return CodeInternal
}

// Error is a refusal, received or to be sent. errors.Is finds the code's sentinel.
//
// A handler returns one when it has something to tell the peer. Message says what
// is wrong and Hint what to do; both are shown to people, and must never quote a
// prompt or an answer.
type Error struct {
	Code    Code
	Message string
	Hint    string
	Spent   tlb.Nano // with CodeUnderauthorised: spent so far
	Need    tlb.Nano // with CodeUnderauthorised: what has to be authorised
}

func (e *Error) Error() string {
	text := e.Code.String()
	if err := e.Code.Err(); err != nil {
		text = err.Error()
	}
	if e.Message != "" && e.Message != text {
		text += ": " + e.Message
	}
	return text
}

func (e *Error) Unwrap() error { return e.Code.Err() }

// refusalOf is err as the peer may see it. The text of an error that is not an
// [*Error] stays here: it was not written for strangers.
func refusalOf(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok && e.Code.Err() != nil {
		return &Error{Code: e.Code, Message: printable(e.Message, maxText), Hint: printable(e.Hint, maxText), Spent: e.Spent, Need: e.Need}
	}
	code := CodeOf(err)
	return &Error{Code: code, Message: code.Err().Error()}
}

// Errors of this end.
var (
	// ErrNotConnected: there is no connection to the peer. Streams never dial.
	ErrNotConnected = errors.New("not connected to the peer")
	// ErrNotAdmitted: [Options.Admit] refused the peer; nothing was sent to it.
	ErrNotAdmitted = errors.New("peer was not admitted")
	// ErrUnattested: the connection was not made by p2p/ratls.
	ErrUnattested = errors.New("connection is not attested")
	// ErrExpired: the peer's appraisal is too old; a new connection brings a new one.
	ErrExpired = errors.New("appraisal has expired, connect again")
	// ErrBroken: the stream ended before the terminal event. How much was served,
	// and whether a receipt exists, is unknown.
	ErrBroken = errors.New("stream broke before its end")
	// ErrEnded: the request already has its terminal event.
	ErrEnded = errors.New("request has ended")
	// ErrOrder: the event may not come now, for example a part before its head.
	ErrOrder = errors.New("event is out of order")
	// ErrBodySize: the body is not as long as its header says.
	ErrBodySize = errors.New("body size differs from the header's")
)

// ErrViolation is in the chain of every error that means: the peer broke the
// protocol. The peer was disconnected. The errors below say how.
var ErrViolation = errors.New("peer broke the protocol")

// Ways to break the protocol.
var (
	ErrFrameLength   = errors.New("frame length is not a minimal varint")
	ErrFrameTooLarge = errors.New("frame is larger than its kind allows")
	ErrUnknownKind   = errors.New("unknown frame kind")
	ErrMalformed     = errors.New("malformed message")
	ErrNotCanonical  = errors.New("message is not in its one encoding")
	ErrFlood         = errors.New("too many vouchers at once")
	ErrTinyPart      = errors.New("body part is shorter than parts may be")
)

// violations gives each violation the error code with which stream and connection are
// closed, so that the other end can tell its operator. libp2p keeps small numbers for
// itself; ours start with "TU".
var violations = []struct {
	err  error
	code uint32
}{
	{ErrFrameLength, 0x5455_0001},
	{ErrFrameTooLarge, 0x5455_0002},
	{ErrUnknownKind, 0x5455_0003},
	{ErrMalformed, 0x5455_0004},
	{ErrNotCanonical, 0x5455_0005},
	{ErrFlood, 0x5455_0006},
	{ErrOrder, 0x5455_0007},
	{ErrEnded, 0x5455_0008},
	{ErrBodySize, 0x5455_0009},
	{ErrTinyPart, 0x5455_000a},
}

func violation(err error) error { return fmt.Errorf("%w: %w", ErrViolation, err) }

// hangUp resets a stream. If the peer broke the protocol, its connection is closed as
// well, and one line says so.
func hangUp(st network.Stream, err error, log *slog.Logger) {
	if !errors.Is(err, ErrViolation) {
		st.Reset()
		return
	}
	code := uint32(network.ConnProtocolViolation)
	for _, v := range violations {
		if errors.Is(err, v.err) {
			code = v.code
		}
	}
	log.Warn("peer broke the protocol", slog.String("peer", st.Conn().RemotePeer().String()), slog.Any("error", err))
	st.ResetWithError(network.StreamErrorCode(code))
	st.Conn().CloseWithError(network.ConnErrorCode(code))
}

// broken wraps a transport error, naming the violation the peer accuses us of.
func broken(err error) error {
	var code uint32
	if e, ok := errors.AsType[*network.StreamError](err); ok && e.Remote {
		code = uint32(e.ErrorCode)
	} else if e, ok := errors.AsType[*network.ConnError](err); ok && e.Remote {
		code = uint32(e.ErrorCode)
	}
	for _, v := range violations {
		if v.code == code {
			return fmt.Errorf("%w: disconnected by the peer: %w", ErrBroken, v.err)
		}
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}
