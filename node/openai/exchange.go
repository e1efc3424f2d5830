package openai

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tussah-network/tussah/node/engine"
)

// Headers of an answer, trailers of a stream. Cost is written as "1234 nano", as tlb.ParseNano reads it.
const (
	headerCost        = "Tussah-Cost"
	headerReceipt     = "Tussah-Receipt"
	headerWorkerImage = "Tussah-Worker-Image"
)

// statusClientGone is what logs show for a request whose client left; the client itself, as a rule, does not see it.
const statusClientGone = 499

// exchange is one HTTP request and its answer.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	start   time.Time
	log     *slog.Logger

	begun  bool // the status is written
	status int
	bytes  int    // of the answer's body
	tail   string // its last three
	ended  bool   // a write failed: the client has gone
}

func (e *exchange) readBody() ([]byte, error) {
	tooLarge := refusal(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("the request body is larger than %d bytes", maxBody))
	if e.r.ContentLength > maxBody {
		return nil, tooLarge
	}
	// Deadlines are a matter of real connections; other writers do without.
	_ = e.control.SetReadDeadline(time.Now().Add(readTimeout))
	defer e.control.SetReadDeadline(time.Time{})
	body, err := io.ReadAll(http.MaxBytesReader(e.w, e.r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	if err != nil {
		return nil, refusal(http.StatusBadRequest, "", "the request body did not arrive whole")
	}
	return body, nil
}

// begin writes the header.
func (e *exchange) begin(status int, contentType string) {
	e.w.Header().Set("Content-Type", contentType)
	e.status, e.begun = status, true
	e.w.WriteHeader(status)
}

// send writes a whole JSON answer.
func (e *exchange) send(status int, text []byte) error {
	e.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	e.begin(status, "application/json")
	if e.r.Method == http.MethodHead {
		return nil
	}
	return e.write(text)
}

// write writes a piece of the answer and sends it off at once.
func (e *exchange) write(piece []byte) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := e.w.Write(piece)
	e.bytes += n
	e.tail += string(piece[max(0, len(piece)-3):])
	e.tail = e.tail[max(0, len(e.tail)-3):]
	if err == nil {
		err = e.control.Flush()
	}
	if err != nil {
		e.ended = true
	}
	return err
}

// stream passes the parts on as they come.
func (e *exchange) stream(answer Answer) error {
	for {
		part, err := answer.Next()
		if err != nil {
			if e.begun {
				// What was delivered is paid, however the stream ends.
				e.account(answer)
			}
			if errors.Is(err, io.EOF) && e.begun {
				return nil
			}
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: it sent nothing", ErrEngine)
			}
			return err
		}
		if len(part) == 0 {
			continue
		}
		if !e.begun {
			e.w.Header().Set("Trailer", strings.Join([]string{headerCost, headerReceipt, headerWorkerImage}, ", "))
			e.begin(http.StatusOK, "text/event-stream")
		}
		if err := e.write(part); err != nil {
			return err
		}
	}
}

// whole collects the answer, so that what it cost can stand in its header.
func (e *exchange) whole(answer Answer) error {
	text, err := collect(answer)
	if err != nil {
		return err
	}
	e.account(answer)
	return e.send(http.StatusOK, text)
}

// refused passes on an engine's refusal.
func (e *exchange) refused(answer Answer, status int) error {
	text, err := collect(answer)
	if err != nil {
		return err
	}
	e.account(answer)
	return engine.ReadStatusError(status, text)
}

func collect(answer Answer) ([]byte, error) {
	var text []byte
	for {
		part, err := answer.Next()
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
		if len(text)+len(part) > maxAnswer {
			return nil, fmt.Errorf("%w: its answer is too large for one piece; ask for a stream", ErrEngine)
		}
		text = append(text, part...)
	}
}

// account sets the headers about cost. An answer without a receipt is still worth having.
func (e *exchange) account(answer Answer) {
	final, err := answer.Final()
	if err != nil {
		e.log = e.log.With("receipt", "none")
		return
	}
	header := e.w.Header()
	header.Set(headerCost, fmt.Sprintf("%d nano", uint64(final.Cost)))
	header.Set(headerReceipt, hex.EncodeToString(final.Receipt[:]))
	header.Set(headerWorkerImage, hex.EncodeToString(final.WorkerImage[:]))
	e.log = e.log.With("prompt_tokens", final.Usage.Prompt, "completion_tokens", final.Usage.Completion, "cost", final.Cost.String())
}

// fail tells the client about an error: as the answer, or as the last event of a stream that has begun.
func (e *exchange) fail(err error) {
	if e.ended {
		return
	}
	answer, known := toStatus(err)
	switch {
	case known:
	case e.r.Context().Err() != nil:
		answer = refusal(statusClientGone, "client_gone", "the connection was closed before the answer was complete")
	default: // it is ours, so its text is not an engine's
		e.log = e.log.With("error", err.Error())
	}
	if !e.begun {
		_ = e.send(answer.Status, append(answer.Body(), '\n')) // a failure is noted in e.ended
		return
	}
	event := "data: " + string(answer.Body()) + "\n\n"
	switch { // the last part may have been broken off within an event
	case strings.HasSuffix(e.tail, "\n\n"), strings.HasSuffix(e.tail, "\n\r\n"):
	case strings.HasSuffix(e.tail, "\n"):
		event = "\n" + event
	default:
		event = "\n\n" + event
	}
	_ = e.write([]byte(event))
}

func (e *exchange) logEnd() {
	level := slog.LevelInfo
	if e.status >= 500 {
		level = slog.LevelWarn
	}
	e.log.LogAttrs(e.r.Context(), level, "request served",
		slog.Int("status", e.status), slog.Int("bytes", e.bytes), slog.Duration("took", time.Since(e.start)),
		slog.Bool("client_gone", e.r.Context().Err() != nil))
}
