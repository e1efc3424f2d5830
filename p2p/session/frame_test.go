package session

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/tlb"
)

var sameMessage = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b *address.Address) bool { return a.String() == b.String() }),
}

// byteStream is a frameReader's stream over a fixed input.
type byteStream struct{ io.Reader }

func (byteStream) SetReadDeadline(time.Time) error { return nil }

func readFrames(b []byte) *frameReader {
	return newFrameReader(byteStream{bytes.NewReader(b)}, time.Second)
}

func soon() time.Time { return time.Now().Add(time.Minute) }

func TestMessagesRoundTrip(t *testing.T) {
	seen := map[Kind]bool{}
	for name, m := range samples(t) {
		seen[m.kind()] = true
		frame, err := appendFrame(nil, m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := readFrames(frame)
		got, err := r.next(soon())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(m, got, sameMessage); diff != "" {
			t.Errorf("%s: sent and read differ (-sent +read):\n%s", name, diff)
		}
		if _, err := r.next(soon()); err != io.EOF {
			t.Errorf("%s: after the frame: got %v, want EOF", name, err)
		}
	}
	for k := range kinds {
		if !seen[k] {
			t.Errorf("no sample of kind %s", k)
		}
	}
}

// TestWire pins the bytes of every message: protocol version 1 never changes them.
func TestWire(t *testing.T) {
	var out strings.Builder
	all := samples(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		frame, err := appendFrame(nil, all[name])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s\n%s\n\n", name, hex.EncodeToString(frame))
	}
	const file = "testdata/wire.txt"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("the wire changed (-golden +now):\n%s", diff)
	}
}

func TestSendersRefuseWhatReceiversWould(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	hello := func(change func(*Hello)) message { h := testHello(); change(&h); return h }
	offer := func(change func(*Offer)) message { o := testOffer(); change(&o); return offerList{[]Offer{o}} }
	header := func(change func(*Header)) message { h := testHeader(10); change(&h); return h }
	const tooMuch = tlb.MaxNano + 1

	for name, m := range map[string]message{
		"hello: no role":                hello(func(h *Hello) { h.Role = 0 }),
		"hello: unknown role":           hello(func(h *Hello) { h.Role = 4 }),
		"hello: long registry":          hello(func(h *Hello) { h.Registry = long(maxAddress + 1) }),
		"hello: long agent":             hello(func(h *Hello) { h.Agent = long(maxAgent + 1) }),
		"hello: control character":      hello(func(h *Hello) { h.Agent = "a\x1b[2J" }),
		"hello: no UTF-8":               hello(func(h *Hello) { h.Agent = "a\xff" }),
		"hello: long capability":        hello(func(h *Hello) { h.Capabilities = []string{long(maxName + 1)} }),
		"hello: many capabilities":      hello(func(h *Hello) { h.Capabilities = make([]string, maxCapabilities+1) }),
		"hello: long payout":            hello(func(h *Hello) { h.Payout = long(maxAddress + 1) }),
		"hello: minimum deposit":        hello(func(h *Hello) { h.MinDeposit = tooMuch }),
		"hello: window":                 hello(func(h *Hello) { h.Window = tooMuch }),
		"hello: many offers":            hello(func(h *Hello) { h.Offers = slices.Repeat([]Offer{testOffer()}, maxOffers+1) }),
		"hello: offer without model":    hello(func(h *Hello) { h.Offers[0].Model = "" }),
		"offer: long model":             offer(func(o *Offer) { o.Model = long(maxModel + 1) }),
		"offer: price":                  offer(func(o *Offer) { o.Price.Reasoning = tooMuch }),
		"offer: fraction of a second":   offer(func(o *Offer) { o.TTL = time.Millisecond }),
		"offer: negative time":          offer(func(o *Offer) { o.TTL = -time.Second }),
		"offer: endless time":           offer(func(o *Offer) { o.TTL = 25 * time.Hour }),
		"announce: no address":          announce{},
		"status: no channel":            ChannelStatus{},
		"status: authorised":            ChannelStatus{Channel: "c", Authorised: tooMuch},
		"status: spent":                 ChannelStatus{Channel: "c", Spent: tooMuch},
		"status: unknown code":          ChannelStatus{Channel: "c", Problem: 9},
		"status: long hint":             ChannelStatus{Channel: "c", Hint: long(maxText + 1)},
		"close: no channel":             closeChannel{},
		"consent: no channel":           closeConsent{},
		"refused: no code":              refused{},
		"refused: long message":         refused{Code: CodeInternal, Message: long(maxText + 1)},
		"refused: spent":                refused{Code: CodeInternal, Spent: tooMuch},
		"header: no kind":               header(func(h *Header) { h.Kind = "" }),
		"header: long kind":             header(func(h *Header) { h.Kind = long(maxName + 1) }),
		"header: no model":              header(func(h *Header) { h.Model = "" }),
		"header: price":                 header(func(h *Header) { h.Price.Prompt = tooMuch }),
		"header: maximum cost":          header(func(h *Header) { h.MaxCost = tooMuch }),
		"header: empty body":            header(func(h *Header) { h.BodySize = 0 }),
		"header: giant body":            header(func(h *Header) { h.BodySize = MaxBody + 1 }),
		"header: no timeout":            header(func(h *Header) { h.Timeout = 0 }),
		"header: fraction of a ms":      header(func(h *Header) { h.Timeout = time.Microsecond }),
		"header: endless timeout":       header(func(h *Header) { h.Timeout = MaxTimeout + time.Second }),
		"header: no channel":            header(func(h *Header) { h.Channel = "" }),
		"header: voucher for nowhere":   header(func(h *Header) { h.Voucher = &tlb.SignedVoucher{} }),
		"body: empty":                   body{},
		"body: large":                   body{make([]byte, MaxPart+1)},
		"voucher: for nowhere":          moreVoucher{},
		"head: no status":               Head{},
		"head: negative status":         Head{Status: -1},
		"head: long type":               Head{Status: 200, ContentType: long(maxType + 1)},
		"head: cookie":                  Head{Status: 200, Headers: map[string]string{"set-cookie": "a"}},
		"head: upper case name":         Head{Status: 200, Headers: map[string]string{"Retry-After": "a"}},
		"head: line break":              Head{Status: 200, Headers: map[string]string{"retry-after": "a\r\nb"}},
		"part: large":                   Part{Data: make([]byte, MaxPart+1)},
		"part: spent":                   Part{Spent: tooMuch},
		"need voucher: need":            NeedVoucher{Need: tooMuch},
		"done: no receipt":              Done{},
		"done: cost":                    Done{Cost: tooMuch, Receipt: testReceipt(t, [32]byte{}, tlb.Usage{})},
		"failed: no code":               Failed{},
		"failed: cost":                  Failed{Code: CodeInternal, Cost: tooMuch},
		"failed: need":                  Failed{Code: CodeInternal, Need: tooMuch},
		"failed: receipt without cells": Failed{Code: CodeInternal, Receipt: &tlb.SignedReceipt{}},
	} {
		if _, err := appendFrame(nil, m); err == nil {
			t.Errorf("%s: was sent", name)
			continue
		}
		// A sender that does not check: whatever can be encoded must be refused.
		payload, err := encode(m)
		if err != nil {
			continue
		}
		if got, err := parseMessage(m.kind(), payload); !errors.Is(err, ErrViolation) && cmp.Equal(got, m, sameMessage) {
			t.Errorf("%s: receiver: got %v, want a violation", name, err)
		}
	}
}

// rawFrame makes a frame of any bytes.
func rawFrame(k Kind, payload string) []byte {
	b := append([]byte{}, uvarint(len(payload)+1)...)
	return append(append(b, byte(k)), payload...)
}

func uvarint(n int) []byte {
	var b []byte
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func TestFrameRefusals(t *testing.T) {
	voucher, err := testVoucher(t, 1).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(voucher)
	flipped[len(flipped)-1] ^= 1
	opened, err := (tlb.ChannelState{Config: testConfig(), Opened: true, Epoch: 5, Deposit: 10, SessionKey: public(testKey(1))}).ToCell()
	if err != nil {
		t.Fatal(err)
	}
	openedBoC, err := tlb.EncodeBoC(opened)
	if err != nil {
		t.Fatal(err)
	}
	bstr := func(b []byte) string { return "\x59" + string([]byte{byte(len(b) >> 8), byte(len(b))}) + string(b) }

	for name, c := range map[string]struct {
		frame []byte
		want  error
	}{
		"zero length":               {[]byte{0}, ErrFrameLength},
		"length of the kind only":   {[]byte{1, byte(KindPing)}, ErrFrameLength},
		"length not minimal":        {append([]byte{0x82, 0x00, byte(KindPing)}, 0xa0), ErrFrameLength},
		"length over three bytes":   {[]byte{0x82, 0x80, 0x80, 0x00}, ErrFrameTooLarge},
		"length of a gibibyte":      {append(uvarint(1<<30), byte(KindPart)), ErrFrameTooLarge},
		"length over every kind":    {append(uvarint(maxFrame+1), byte(KindPart)), ErrFrameTooLarge},
		"length over this kind":     {append(uvarint(maxSmall+2), byte(KindPing)), ErrFrameTooLarge},
		"kind zero":                 {rawFrame(0, "\xa0"), ErrUnknownKind},
		"kind 255":                  {rawFrame(255, "\xa0"), ErrUnknownKind},
		"not CBOR":                  {rawFrame(KindPing, "\xff"), ErrMalformed},
		"data after the map":        {rawFrame(KindPing, "\xa0\x00"), ErrMalformed},
		"array for a map":           {rawFrame(KindPing, "\x80"), ErrMalformed},
		"null for a map":            {rawFrame(KindPing, "\xf6"), ErrNotCanonical},
		"unknown field":             {rawFrame(KindPing, "\xa1\x01\x00"), ErrMalformed},
		"unknown field by name":     {rawFrame(KindBody, "\xa2\x01\x41a\x64Data\x41b"), ErrMalformed},
		"field by name":             {rawFrame(KindBody, "\xa1\x64Data\x41a"), ErrMalformed},
		"doubled field":             {rawFrame(KindBody, "\xa2\x01\x41a\x01\x41b"), ErrMalformed},
		"missing field":             {rawFrame(KindNeedVoucher, "\xa1\x01\x05"), ErrNotCanonical},
		"fields out of order":       {rawFrame(KindNeedVoucher, "\xa2\x02\x05\x01\x05"), ErrNotCanonical},
		"number not minimal":        {rawFrame(KindNeedVoucher, "\xa2\x01\x18\x05\x02\x05"), ErrNotCanonical},
		"negative amount":           {rawFrame(KindNeedVoucher, "\xa2\x01\x20\x02\x05"), ErrMalformed},
		"amount as float":           {rawFrame(KindNeedVoucher, "\xa2\x01\xf9\x45\x00\x02\x05"), ErrMalformed},
		"amount as null":            {rawFrame(KindNeedVoucher, "\xa2\x01\xf6\x02\x05"), ErrNotCanonical},
		"amount as text":            {rawFrame(KindNeedVoucher, "\xa2\x01\x615\x02\x05"), ErrMalformed},
		"amount as bignum":          {rawFrame(KindNeedVoucher, "\xa2\x01\xc2\x41\x05\x02\x05"), ErrMalformed},
		"tagged map":                {rawFrame(KindPing, "\xd9\xd9\xf7\xa0"), ErrMalformed},
		"indefinite map":            {rawFrame(KindPing, "\xbf\xff"), ErrMalformed},
		"indefinite bytes":          {rawFrame(KindBody, "\xa1\x01\x5f\x41a\xff"), ErrMalformed},
		"text for bytes":            {rawFrame(KindBody, "\xa1\x01\x61a"), ErrMalformed},
		"numbers for bytes":         {rawFrame(KindBody, "\xa1\x01\x81\x05"), ErrNotCanonical},
		"bytes for text":            {rawFrame(KindCloseChannel, "\xa1\x01\x41a"), ErrMalformed},
		"text that is no UTF-8":     {rawFrame(KindCloseChannel, "\xa1\x01\x61\xff"), ErrMalformed},
		"array of 65":               {rawFrame(KindOfferList, "\xa1\x01\x98\x41"+strings.Repeat("\xa0", 65)), ErrMalformed},
		"array that claims 2^31":    {rawFrame(KindOfferList, "\xa1\x01\x9a\x80\x00\x00\x00"), ErrMalformed},
		"bytes that claim 2^31":     {rawFrame(KindBody, "\xa1\x01\x5a\x80\x00\x00\x00"), ErrMalformed},
		"nested deeply":             {rawFrame(KindPing, "\xa1\x01"+strings.Repeat("\x81", 100)+"\x00"), ErrMalformed},
		"voucher: empty":            {rawFrame(KindVoucher, "\xa1\x01\x40"), ErrMalformed},
		"voucher: cut":              {rawFrame(KindVoucher, "\xa1\x01"+bstr(voucher[:100])), ErrMalformed},
		"voucher: checksum":         {rawFrame(KindVoucher, "\xa1\x01"+bstr(flipped)), ErrMalformed},
		"voucher: bytes after it":   {rawFrame(KindVoucher, "\xa1\x01"+bstr(append(slices.Clone(voucher), 0))), ErrMalformed},
		"voucher: a consent's type": {rawFrame(KindCloseConsent, "\xa1\x01"+bstr(voucher)), ErrMalformed},
		"announce: no channel":      {rawFrame(KindAnnounce, "\xa1\x01"+bstr(voucher)), ErrMalformed},
		"announce: opened channel":  {rawFrame(KindAnnounce, "\xa1\x01"+bstr(openedBoC)), ErrNotCanonical},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := readFrames(c.frame).next(soon())
			if !errors.Is(err, c.want) || !errors.Is(err, ErrViolation) {
				t.Errorf("got %v (%v), want violation %v", err, m, c.want)
			}
		})
	}
}

// TestEveryChangedByteIsSeen cuts and changes every sample at every byte: nothing but
// another canonical message may come out.
func TestEveryChangedByteIsSeen(t *testing.T) {
	for name, m := range samples(t) {
		frame, err := appendFrame(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		for n := range frame {
			_, err := readFrames(frame[:n]).next(soon())
			if n == 0 && err != io.EOF || n > 0 && !errors.Is(err, ErrBroken) {
				t.Errorf("%s: cut at %d: got %v", name, n, err)
			}
			for _, bit := range []byte{1, 0x80} {
				changed := slices.Clone(frame)
				changed[n] ^= bit
				got, err := readFrames(changed).next(soon())
				if err != nil {
					continue
				}
				again, err := appendFrame(nil, got)
				if err != nil || !bytes.HasPrefix(changed, again) {
					t.Errorf("%s: byte %d changed: a second encoding was accepted", name, n)
				}
			}
		}
	}
}

// TestGiantLengthsAllocateLittle is attack (c) of the threat list: a length prefix
// alone must not make us take memory.
func TestGiantLengthsAllocateLittle(t *testing.T) {
	for name, frame := range map[string][]byte{
		"1 GiB":                append(uvarint(1<<30), byte(KindPart)),
		"largest part":         append(uvarint(maxFrame), byte(KindPart)),
		"largest hello":        append(uvarint(maxControl+1), byte(KindHello)),
		"array that claims":    rawFrame(KindOfferList, "\xa1\x01\x9a\x7f\xff\xff\xff"),
		"bytes that claim":     rawFrame(KindPart, "\xa3\x01\x5b\x00\x00\x00\x00\x7f\xff\xff\xff"),
		"offers without bytes": rawFrame(KindOfferList, "\xa1\x01\x98\x40"),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readFrames(frame).next(soon())
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got >= 128<<10 {
			t.Errorf("%s: allocated %d bytes", name, got)
		}
	}
}

func TestLargestFramesFit(t *testing.T) {
	hello := testHello()
	hello.Offers = slices.Repeat([]Offer{{
		Model: strings.Repeat("m", maxModel), MaxContext: 1 << 31, MaxTokens: 1 << 31, Slots: 1 << 31, Running: 1 << 31,
		TTL: 24 * time.Hour, Price: tlb.Price{Prompt: tlb.MaxNano, Cached: tlb.MaxNano, Completion: tlb.MaxNano, Reasoning: tlb.MaxNano},
	}}, maxOffers)
	hello.Capabilities = slices.Repeat([]string{strings.Repeat("c", maxName)}, maxCapabilities)
	usage := tlb.Usage{Prompt: 1 << 63, Cached: 1 << 63, Completion: 1 << 63, Reasoning: 1 << 63}
	for _, m := range []message{
		hello,
		body{make([]byte, MaxPart)},
		Part{Data: make([]byte, MaxPart), Usage: usage, Spent: tlb.MaxNano},
		refused{Code: CodeInternal, Message: strings.Repeat("m", maxText), Hint: strings.Repeat("h", maxText)},
	} {
		frame, err := appendFrame(nil, m)
		if err != nil {
			t.Errorf("%s: %v", m.kind(), err)
			continue
		}
		if _, err := readFrames(frame).next(soon()); err != nil {
			t.Errorf("%s: %v", m.kind(), err)
		}
	}
}

func TestErrorTextsHideContent(t *testing.T) {
	const secret = "canary-8d1f0c"
	for name, frame := range map[string][]byte{
		"body with a field too many": rawFrame(KindBody, "\xa2\x01\x4d"+secret+"\x02\x4d"+secret),
		"body keyed by text":         rawFrame(KindBody, "\xa2\x6d"+secret+"\x00\x6d"+secret+"\x00"),
		"body as text":               rawFrame(KindBody, "\xa1\x01\x6d"+secret),
		"head with a foreign header": rawFrame(KindHead, "\xa3\x01\x18\xc8\x02\x60\x03\xa1\x6d"+secret+"\x6d"+secret),
	} {
		_, err := readFrames(frame).next(soon())
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %q", name, err)
		}
	}
	if _, err := appendFrame(nil, Head{Status: 200, Headers: map[string]string{secret: secret}}); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("sending a foreign header: got %q", err)
	}
}

func FuzzFrames(f *testing.F) {
	for _, m := range samples(f) {
		frame, err := appendFrame(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := readFrames(in)
		var out []byte
		for {
			m, err := r.next(soon())
			if err != nil {
				if !errors.Is(err, ErrViolation) && !errors.Is(err, ErrBroken) && err != io.EOF {
					t.Fatalf("untyped error %v", err)
				}
				break
			}
			if out, err = appendFrame(out, m); err != nil {
				t.Fatalf("read but not written: %v", err)
			}
		}
		if !bytes.HasPrefix(in, out) {
			t.Fatal("frames that were read are written differently")
		}
	})
}

// FuzzMessages gives each kind's decoder arbitrary CBOR.
func FuzzMessages(f *testing.F) {
	for _, m := range samples(f) {
		payload, err := encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(m.kind()), payload)
	}
	f.Fuzz(func(t *testing.T, k byte, payload []byte) {
		m, err := parseMessage(Kind(k), payload)
		if err != nil {
			if !errors.Is(err, ErrViolation) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		again, err := encode(m)
		if err != nil || !bytes.Equal(again, payload) {
			t.Fatalf("a second encoding of %s was accepted", m.kind())
		}
	})
}
