package session

import (
	"fmt"
	"slices"
	"time"

	"github.com/tussah-network/tussah/tlb"
)

// The request kinds of today's APIs. The set is open; a payee refuses what it does
// not serve with [ErrBadRequest].
const (
	ChatCompletions = "chat.completions"
	Completions     = "completions"
)

// Header opens a request. It is all that a payee in the middle may know: what to
// serve, and what it can cost at most. The body stays opaque.
type Header struct {
	ID          [32]byte           // random; names the request in receipts and logs
	Kind        string             // ChatCompletions, Completions, …
	Model       string             //
	Stream      bool               // the answer is wanted as it comes
	Price       tlb.Price          // the offered price that the payer accepts
	MaxTokens   uint64             // completion tokens at most
	PromptBound uint64             // no more prompt tokens than this, judged by bytes
	MaxCost     tlb.Nano           // never charge more
	BodySize    uint64             // exact, at most MaxBody
	Timeout     time.Duration      // from the header to the terminal event; whole milliseconds
	Channel     string             // address of the channel that pays
	Voucher     *tlb.SignedVoucher // authorises the start; nil if enough is authorised already
}

// Event is what a payee says about a request: [Accepted], [Head], [Part],
// [NeedVoucher], and at the end exactly one of [Done] and [Failed].
type Event interface {
	message
	event()
}

// Accepted says that the request was admitted and is being worked on.
type Accepted struct{}

// Head says how the engine answers. It comes once, before the first part.
type Head struct {
	Status      int               // HTTP status of the engine
	ContentType string            //
	Headers     map[string]string // only names for which AllowedHeader is true
}

// Part is a piece of the answer. Usage and Spent are running totals of this
// request; both may still be estimates, the [Done] at the end states them exactly.
type Part struct {
	Data  []byte // opaque, at most MaxPart
	Usage tlb.Usage
	Spent tlb.Nano // cost so far at the payer's price; never falls
}

// NeedVoucher asks for more authorisation before more is delivered.
type NeedVoucher struct {
	Spent tlb.Nano // this request's cost so far; never falls
	Need  tlb.Nano // what must be authorised for this request in total
}

// Done ends a request that was served.
type Done struct {
	Usage   tlb.Usage
	Cost    tlb.Nano
	Receipt tlb.SignedReceipt
}

// Failed ends a request that was not served, or not to its end. What was delivered
// may still cost something; then there is a receipt.
type Failed struct {
	Code          Code
	Message, Hint string
	Spent, Need   tlb.Nano // with CodeUnderauthorised, as in Error
	Usage         tlb.Usage
	Cost          tlb.Nano
	Receipt       *tlb.SignedReceipt
}

// Err returns the failure as an error.
func (m Failed) Err() *Error {
	return &Error{Code: m.Code, Message: m.Message, Hint: m.Hint, Spent: m.Spent, Need: m.Need}
}

// FailedBy is the terminal event that tells a peer of err, without costs. Only an
// [*Error] shows its text; of other errors the peer learns the code.
func FailedBy(err error) Failed {
	e := refusalOf(err)
	return Failed{Code: e.Code, Message: e.Message, Hint: e.Hint, Spent: e.Spent, Need: e.Need}
}

func (Accepted) event()    {}
func (Head) event()        {}
func (Part) event()        {}
func (NeedVoucher) event() {}
func (Done) event()        {}
func (Failed) event()      {}

// What the payer sends after the header.
type (
	body        struct{ Data []byte }
	bodyEnd     struct{}
	moreVoucher struct{ Signed tlb.SignedVoucher }
	cancel      struct{}
)

// allowedHeaders are the engine's response headers that concern the API's user.
// All others stay at the worker; they would describe its inside.
var allowedHeaders = []string{"openai-processing-ms", "retry-after", "x-request-id"}

// AllowedHeader reports whether a response header, in lower case, may travel.
func AllowedHeader(name string) bool { return slices.Contains(allowedHeaders, name) }

func (m Header) check() error {
	var timeout error
	if m.Timeout <= 0 || m.Timeout > MaxTimeout || m.Timeout%time.Millisecond != 0 {
		timeout = fmt.Errorf("timeout is no whole number of milliseconds up to %s", MaxTimeout)
	}
	return firstError(
		checkName("kind", m.Kind, maxName),
		checkName("model", m.Model, maxModel),
		checkPrice(m.Price),
		checkNano("maximum cost", m.MaxCost),
		checkRange("body size", m.BodySize, 1, MaxBody),
		timeout,
		checkName("channel", m.Channel, maxAddress),
	)
}

func (m Head) check() error {
	if len(m.Headers) > maxHeaders {
		return fmt.Errorf("%d headers, at most %d", len(m.Headers), maxHeaders)
	}
	for name, value := range m.Headers {
		if !AllowedHeader(name) {
			return fmt.Errorf("a header that may not travel")
		}
		if err := checkText("header", value, maxText); err != nil {
			return err
		}
	}
	return firstError(
		checkRange("status", uint64(m.Status), 100, 599),
		checkText("content type", m.ContentType, maxType),
	)
}

func (m Part) check() error {
	return firstError(
		checkRange("part size", uint64(len(m.Data)), 0, MaxPart),
		checkNano("spent", m.Spent),
	)
}

func (m NeedVoucher) check() error {
	return firstError(checkNano("spent", m.Spent), checkNano("need", m.Need))
}

func (m Done) check() error { return checkNano("cost", m.Cost) }

func (m Failed) check() error {
	return firstError(
		checkCode(m.Code, false),
		checkText("message", m.Message, maxText),
		checkText("hint", m.Hint, maxText),
		checkNano("spent", m.Spent),
		checkNano("need", m.Need),
		checkNano("cost", m.Cost),
	)
}

func (m body) check() error        { return checkRange("part size", uint64(len(m.Data)), 1, MaxPart) }
func (m Accepted) check() error    { return nil }
func (m bodyEnd) check() error     { return nil }
func (m moreVoucher) check() error { return nil }
func (m cancel) check() error      { return nil }
