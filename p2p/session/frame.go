package session

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Kind is the byte that says which message a frame holds.
type Kind uint8

// Frame kinds: control calls, what a payer says about a request, what a payee does.
const (
	KindHello         Kind = 1
	KindAnnounce      Kind = 2
	KindChannelStatus Kind = 3
	KindCloseChannel  Kind = 4
	KindCloseConsent  Kind = 5
	KindOffersRequest Kind = 6
	KindOfferList     Kind = 7
	KindPing          Kind = 8
	KindPong          Kind = 9
	KindRefused       Kind = 10

	KindHeader  Kind = 32
	KindBody    Kind = 33
	KindBodyEnd Kind = 34
	KindVoucher Kind = 35
	KindCancel  Kind = 36

	KindAccepted    Kind = 48
	KindHead        Kind = 49
	KindPart        Kind = 50
	KindNeedVoucher Kind = 51
	KindDone        Kind = 52
	KindFailed      Kind = 53
)

// message is what a frame holds.
type message interface {
	kind() Kind
	check() error       // the field bounds that CBOR does not know
	wire() (any, error) // the value that is encoded
}

// kinds says of each kind its name, how large the CBOR may be, and how to read it.
var kinds = map[Kind]struct {
	name  string
	limit int
	parse func([]byte) (message, error)
}{
	KindHello:         {"hello", maxControl, parseAs[wireHello]},
	KindAnnounce:      {"announce", maxSmall, parseAs[wireAnnounce]},
	KindChannelStatus: {"channel status", maxSmall, parseAs[wireChannelStatus]},
	KindCloseChannel:  {"close channel", maxSmall, parseAs[wireCloseChannel]},
	KindCloseConsent:  {"close consent", maxSmall, parseAs[wireCloseConsent]},
	KindOffersRequest: {"offers request", maxSmall, parseEmpty(offersRequest{})},
	KindOfferList:     {"offer list", maxControl, parseAs[wireOfferList]},
	KindPing:          {"ping", maxSmall, parseEmpty(ping{})},
	KindPong:          {"pong", maxSmall, parseEmpty(pong{})},
	KindRefused:       {"refused", maxSmall, parseAs[wireRefused]},

	KindHeader:  {"header", maxSmall, parseAs[wireHeader]},
	KindBody:    {"body", maxPartFrame, parseAs[wireData]},
	KindBodyEnd: {"body end", maxSmall, parseEmpty(bodyEnd{})},
	KindVoucher: {"voucher", maxSmall, parseAs[wireVoucher]},
	KindCancel:  {"cancel", maxSmall, parseEmpty(cancel{})},

	KindAccepted:    {"accepted", maxSmall, parseEmpty(Accepted{})},
	KindHead:        {"head", maxSmall, parseAs[wireHead]},
	KindPart:        {"part", maxPartFrame, parseAs[wirePart]},
	KindNeedVoucher: {"need voucher", maxSmall, parseAs[wireNeedVoucher]},
	KindDone:        {"done", maxSmall, parseAs[wireDone]},
	KindFailed:      {"failed", maxSmall, parseAs[wireFailed]},
}

func (k Kind) String() string {
	if info, ok := kinds[k]; ok {
		return info.name
	}
	return fmt.Sprintf("kind_%d", uint8(k))
}

func (Hello) kind() Kind         { return KindHello }
func (announce) kind() Kind      { return KindAnnounce }
func (ChannelStatus) kind() Kind { return KindChannelStatus }
func (closeChannel) kind() Kind  { return KindCloseChannel }
func (closeConsent) kind() Kind  { return KindCloseConsent }
func (offersRequest) kind() Kind { return KindOffersRequest }
func (offerList) kind() Kind     { return KindOfferList }
func (ping) kind() Kind          { return KindPing }
func (pong) kind() Kind          { return KindPong }
func (refused) kind() Kind       { return KindRefused }
func (Header) kind() Kind        { return KindHeader }
func (body) kind() Kind          { return KindBody }
func (bodyEnd) kind() Kind       { return KindBodyEnd }
func (moreVoucher) kind() Kind   { return KindVoucher }
func (cancel) kind() Kind        { return KindCancel }
func (Accepted) kind() Kind      { return KindAccepted }
func (Head) kind() Kind          { return KindHead }
func (Part) kind() Kind          { return KindPart }
func (NeedVoucher) kind() Kind   { return KindNeedVoucher }
func (Done) kind() Kind          { return KindDone }
func (Failed) kind() Kind        { return KindFailed }

// maxFrame bounds every frame's length, which counts the kind byte.
const maxFrame = maxPartFrame + 1

// maxVarint is how many bytes a length up to maxFrame takes.
const maxVarint = 3

const _ = uint(1<<(7*maxVarint) - maxFrame) // does not compile if maxVarint is too small

var encoder = func() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty // nil and empty are one value
	o.BinaryMarshaler = cbor.BinaryMarshalerNone
	mode, err := o.EncMode()
	if err != nil {
		panic("session: internal error: " + err.Error())
	}
	return mode
}()

var decoder = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		BinaryUnmarshaler: cbor.BinaryUnmarshalerNone,
		MaxNestedLevels:   5, // hello, offers, offer, price, number
		MaxArrayElements:  maxOffers,
		MaxMapPairs:       16, // the lowest that the library takes; Hello has 13
	}.DecMode()
	if err != nil {
		panic("session: internal error: " + err.Error())
	}
	return mode
}()

// appendFrame appends m as a frame. It refuses what a peer would refuse.
func appendFrame(dst []byte, m message) ([]byte, error) {
	k := m.kind()
	if err := m.check(); err != nil {
		return dst, fmt.Errorf("%s: %w", k, err)
	}
	payload, err := encode(m)
	if err != nil {
		return dst, fmt.Errorf("%s: %w", k, err)
	}
	if len(payload) > kinds[k].limit {
		return dst, fmt.Errorf("%s: %w", k, ErrFrameTooLarge)
	}
	dst = binary.AppendUvarint(dst, uint64(len(payload))+1)
	dst = append(dst, byte(k))
	return append(dst, payload...), nil
}

func encode(m message) ([]byte, error) {
	wire, err := m.wire()
	if err != nil {
		return nil, err
	}
	return encoder.Marshal(wire)
}

// parseMessage reads the CBOR of a frame. Causes stay out of the error: a decoder's
// text may quote what it could not decode.
func parseMessage(k Kind, payload []byte) (message, error) {
	info, ok := kinds[k]
	if !ok {
		return nil, violation(fmt.Errorf("%w: %s", ErrUnknownKind, k))
	}
	if len(payload) > info.limit {
		return nil, violation(fmt.Errorf("%w: %s", ErrFrameTooLarge, k))
	}
	m, err := info.parse(payload)
	if err != nil || m.check() != nil {
		return nil, violation(fmt.Errorf("%w: %s", ErrMalformed, k))
	}
	again, err := encode(m)
	if err != nil || !bytes.Equal(again, payload) {
		return nil, violation(fmt.Errorf("%w: %s", ErrNotCanonical, k))
	}
	return m, nil
}

func parseAs[W interface{ parse() (message, error) }](payload []byte) (message, error) {
	var w W
	if err := decoder.Unmarshal(payload, &w); err != nil {
		return nil, err
	}
	return w.parse()
}

func parseEmpty(m message) func([]byte) (message, error) {
	return func(payload []byte) (message, error) {
		var w wireEmpty
		return m, decoder.Unmarshal(payload, &w)
	}
}

// A frameReader reads frames from a stream. It is used by one goroutine.
type frameReader struct {
	r   *bufio.Reader
	dl  interface{ SetReadDeadline(time.Time) error }
	buf []byte

	// frame bounds the time from a frame's first byte to its last.
	frame time.Duration
}

func newFrameReader(s interface {
	io.Reader
	SetReadDeadline(time.Time) error
}, frame time.Duration) *frameReader {
	return &frameReader{r: bufio.NewReader(s), dl: s, frame: frame}
}

// next waits until the deadline for a frame to begin. io.EOF says that the stream
// ended between two frames.
func (r *frameReader) next(until time.Time) (message, error) {
	if r.r.Buffered() == 0 {
		r.dl.SetReadDeadline(until)
		if _, err := r.r.Peek(1); err != nil {
			if err == io.EOF {
				return nil, io.EOF
			}
			return nil, broken(err)
		}
	}
	r.dl.SetReadDeadline(earlier(until, time.Now().Add(r.frame)))
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	b, err := r.r.ReadByte()
	if err != nil {
		return nil, broken(noEOF(err))
	}
	k := Kind(b)
	info, ok := kinds[k]
	if !ok {
		return nil, violation(fmt.Errorf("%w: %s", ErrUnknownKind, k))
	}
	if n-1 > info.limit {
		return nil, violation(fmt.Errorf("%w: %s", ErrFrameTooLarge, k))
	}
	if err := r.fill(n - 1); err != nil {
		return nil, broken(noEOF(err))
	}
	return parseMessage(k, r.buf)
}

// length reads a minimal uvarint of at least two, the kind and an empty map.
func (r *frameReader) length() (int, error) {
	n := 0
	for i := range maxVarint {
		b, err := r.r.ReadByte()
		if err != nil {
			return 0, broken(noEOF(err))
		}
		n |= int(b&0x7f) << (7 * i)
		if b < 0x80 {
			if b == 0 && i > 0 || n < 2 {
				return 0, violation(ErrFrameLength)
			}
			if n > maxFrame {
				return 0, violation(ErrFrameTooLarge)
			}
			return n, nil
		}
	}
	return 0, violation(ErrFrameTooLarge)
}

// fill reads n bytes into buf. Memory follows what arrives: a length alone costs
// its sender more than us.
func (r *frameReader) fill(n int) error {
	const step = 16 << 10
	r.buf = r.buf[:0]
	for len(r.buf) < n {
		have, want := len(r.buf), min(step, n-len(r.buf))
		r.buf = slices.Grow(r.buf, want)[:have+want]
		if _, err := io.ReadFull(r.r, r.buf[have:]); err != nil {
			return err
		}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A frameWriter writes whole frames to a stream, from any goroutine. After an error
// the stream may hold half a frame, so the error stays.
type frameWriter struct {
	w interface {
		io.Writer
		SetWriteDeadline(time.Time) error
	}
	timeout time.Duration

	mu struct {
		sync.Mutex
		buf []byte
		err error
	}
}

func (w *frameWriter) write(m message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.err != nil {
		return w.mu.err
	}
	frame, err := appendFrame(w.mu.buf[:0], m)
	if err != nil {
		return err // nothing was written: the caller's fault, and the stream is whole
	}
	w.mu.buf = frame
	w.w.SetWriteDeadline(time.Now().Add(w.timeout))
	if _, err := w.w.Write(frame); err != nil {
		w.mu.err = broken(err)
	}
	return w.mu.err
}

// failure returns the error after which the stream is of no use, if there was one.
func (w *frameWriter) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.err
}
