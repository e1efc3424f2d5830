package eventlog_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/eventlog"
)

// measured is an event whose digests are those of its data.
func measured(index uint32, t eventlog.Type, data []byte) eventlog.Event {
	short, long := sha256.Sum256(data), sha512.Sum384(data)
	return eventlog.Event{Index: index, Type: t, Data: data, Digests: []eventlog.Digest{
		{Algorithm: eventlog.SHA256, Value: short[:]}, {Algorithm: eventlog.SHA384, Value: long[:]},
	}}
}

// sample is a small log with two algorithms and one remark.
func sample() *eventlog.Log {
	remark := measured(1, eventlog.NoAction, []byte("StartupLocality\x00\x03"))
	return &eventlog.Log{
		Header:     eventlog.Header{Index: 1, Word: 2},
		Algorithms: []eventlog.Algorithm{eventlog.SHA256, eventlog.SHA384},
		Events: []eventlog.Event{
			remark,
			measured(1, eventlog.Separator, make([]byte, 4)),
			measured(2, eventlog.EFIAction, []byte("Calling EFI Application from Boot Option")),
			measured(3, eventlog.IPL, []byte("grub_cmd: linux /vmlinuz")),
			measured(4, eventlog.EventTag, []byte{}),
			measured(1, eventlog.EFIAction, []byte("again")),
		},
	}
}

func encode(t testing.TB, l *eventlog.Log) []byte {
	t.Helper()
	b, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	raw := encode(t, sample())
	for _, fill := range [][]byte{nil, {0xff}, {0}, bytes.Repeat([]byte{0xff}, 1000), make([]byte, 1000)} {
		got, err := eventlog.Parse(append(bytes.Clone(raw), fill...))
		if err != nil {
			t.Fatalf("%d bytes of filling: %v", len(fill), err)
		}
		if diff := cmp.Diff(sample(), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !bytes.Equal(encode(t, got), raw) {
			t.Error("another encoding")
		}
	}
}

func TestReplay(t *testing.T) {
	log := sample()
	got, err := log.Replay()
	if err != nil {
		t.Fatal(err)
	}
	var want eventlog.Registers
	extend := func(rtmr int, data string) {
		digest := sha512.Sum384([]byte(data))
		h := sha512.New384()
		h.Write(want[rtmr][:])
		h.Write(digest[:])
		h.Sum(want[rtmr][:0])
	}
	extend(0, "\x00\x00\x00\x00")
	extend(0, "again")
	extend(1, "Calling EFI Application from Boot Option")
	extend(2, "grub_cmd: linux /vmlinuz")
	extend(3, "")
	if got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestRegisters(t *testing.T) {
	for index, want := range map[uint32]int{1: 0, 2: 1, 3: 2, 4: 3} {
		if got, ok := eventlog.Register(index); !ok || got != want {
			t.Errorf("index %d: got %d, %v", index, got, ok)
		}
	}
	for _, index := range []uint32{0, 5, 0xffff_ffff} {
		if _, ok := eventlog.Register(index); ok {
			t.Errorf("index %d has a register", index)
		}
	}
	want := []int{-1, 0, 1, 1, 1, 1, 1, 0, 2, 2, 2, 2, 2, 2, 2, 2, -1}
	for pcr, rtmr := range want {
		got, ok := eventlog.RegisterOfPCR(pcr)
		if ok != (rtmr >= 0) || ok && got != rtmr {
			t.Errorf("PCR %d: got %d, %v, want %d", pcr, got, ok, rtmr)
		}
	}
}

func TestRefusals(t *testing.T) {
	raw := encode(t, sample())
	header := 32 + 28 + 2*4 + 1
	changed := func(at int, value byte) []byte {
		b := bytes.Clone(raw)
		b[at] = value
		return b
	}
	many := &eventlog.Log{Algorithms: []eventlog.Algorithm{eventlog.SHA384}}
	one := measured(1, eventlog.Action, nil)
	one.Digests = one.Digests[1:]
	for range eventlog.MaxEvents + 1 {
		many.Events = append(many.Events, one)
	}
	huge := bytes.Clone(raw)
	binary.LittleEndian.PutUint32(huge[len(huge)-4-len("again"):], 0xffff_ffff)

	for name, c := range map[string]struct {
		raw  []byte
		want *attest.Refusal
	}{
		"empty":                   {nil, eventlog.ErrSize},
		"large":                   {make([]byte, eventlog.MaxLog+1), eventlog.ErrSize},
		"short header":            {raw[:31], eventlog.ErrHeader},
		"header's body cut":       {raw[:header-1], eventlog.ErrHeader},
		"header's index":          {changed(0, 2), eventlog.ErrHeader},
		"header's type":           {changed(4, 4), eventlog.ErrHeader},
		"header's digest":         {changed(8, 1), eventlog.ErrHeader},
		"signature":               {changed(32, 's'), eventlog.ErrHeader},
		"version":                 {changed(53, 1), eventlog.ErrHeader},
		"no algorithms":           {changed(56, 0), eventlog.ErrHeader},
		"too many algorithms":     {changed(56, 9), eventlog.ErrHeader},
		"algorithms beyond":       {changed(56, 4), eventlog.ErrHeader},
		"unknown algorithm":       {changed(60, 0x55), eventlog.ErrHeader},
		"size of an algorithm":    {changed(62, 33), eventlog.ErrHeader},
		"algorithm twice":         {slices.Concat(raw[:64], raw[60:64], raw[68:]), eventlog.ErrHeader},
		"vendor information":      {changed(header-1, 1), eventlog.ErrHeader},
		"event cut in head":       {raw[:header+11], eventlog.ErrTruncated},
		"event cut in algorithm":  {raw[:header+13], eventlog.ErrTruncated},
		"event cut in digest":     {raw[:header+20], eventlog.ErrTruncated},
		"event cut in size":       {raw[:header+12+34+50+2], eventlog.ErrTruncated},
		"event cut in data":       {raw[:len(raw)-1], eventlog.ErrTruncated},
		"event of 4 GiB":          {huge, eventlog.ErrTruncated},
		"number of digests":       {changed(header+8, 1), eventlog.ErrDigests},
		"digest of another":       {changed(header+12, 0x0c), eventlog.ErrDigests},
		"too many events":         {encode(t, many), eventlog.ErrTooMany},
		"data behind the filling": {append(bytes.Clone(raw), 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), eventlog.ErrTrailing},
	} {
		t.Run(name, func(t *testing.T) {
			log, err := eventlog.Parse(c.raw)
			if !errors.Is(err, c.want) || log != nil {
				t.Errorf("got %v, %v, want %v", log, err, c.want)
			}
		})
	}

	for name, c := range map[string]struct {
		change func(*eventlog.Log)
		want   *attest.Refusal
	}{
		"MRTD":       {func(l *eventlog.Log) { l.Events[1].Index = 0 }, eventlog.ErrRegister},
		"RTMR4":      {func(l *eventlog.Log) { l.Events[1].Index = 5 }, eventlog.ErrRegister},
		"no SHA-384": {func(l *eventlog.Log) { l.Events[1].Digests = l.Events[1].Digests[:1] }, eventlog.ErrAlgorithm},
	} {
		t.Run("replay "+name, func(t *testing.T) {
			log := sample()
			c.change(log)
			if _, err := log.Replay(); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, change := range []func(*eventlog.Log){
		func(l *eventlog.Log) { l.Events[0].Digests = nil },
		func(l *eventlog.Log) { l.Events[0].Digests[0].Value = nil },
		func(l *eventlog.Log) { l.Algorithms[0] = eventlog.SHA1 },
	} {
		log := sample()
		change(log)
		if _, err := log.Encode(); !errors.Is(err, eventlog.ErrDigests) {
			t.Errorf("got %v", err)
		}
	}
}

// TestMalformedDetails is about data that lies about its own lengths: no details,
// no panic.
func TestMalformedDetails(t *testing.T) {
	vendor := strings.Repeat("v", 16)
	u64 := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	for _, c := range []struct {
		kind eventlog.Type
		data string
	}{
		{eventlog.EFIVariableBoot, ""},
		{eventlog.EFIVariableBoot, vendor + u64(1<<63) + u64(0)},
		{eventlog.EFIVariableBoot, vendor + u64(1) + u64(3) + "n\x00ab"},
		{eventlog.EFIBootServicesApplication, strings.Repeat("x", 31)},
		{eventlog.EFIBootServicesApplication, u64(0) + u64(0) + u64(0) + u64(5) + "\x04\x04\x04\x00"},
		{eventlog.EFIBootServicesApplication, u64(0) + u64(0) + u64(0) + u64(4) + "\x04\x04\x03\x00"},
		{eventlog.EFIBootServicesApplication, u64(0) + u64(0) + u64(0) + u64(4) + "\x04\x04\x04\x00"},
		{eventlog.EFIBootServicesApplication, u64(0) + u64(0) + u64(0) + u64(5) + "\x7f\xff\x04\x00x"},
		{eventlog.EFIPlatformFirmwareBlob2, "\x05abc"},
		{eventlog.EFIPlatformFirmwareBlob2, "\x03abc"},
		{eventlog.EFIHandoffTables2, ""},
		{eventlog.EFIHandoffTables2, "\x01a" + u64(2) + strings.Repeat("t", 24)},
		{eventlog.EventTag, "\x00\x00\x00\x00\xff\xff\xff\xffx"},
		{eventlog.Separator, "\x00\x00\x00\x00"},
	} {
		e := eventlog.Event{Type: c.kind, Data: []byte(c.data)}
		if got, ok := e.Details(); ok || !cmp.Equal(got, eventlog.Details{}) {
			t.Errorf("%v %q: got %v", c.kind, c.data, got)
		}
	}
}

func TestGrubCommandIsCovered(t *testing.T) {
	e := measured(3, eventlog.IPL, []byte("linux /vmlinuz"))
	e.Data = []byte("grub_cmd: linux /vmlinuz\x00")
	if !e.Covered() {
		t.Error("not covered")
	}
	e.Data = []byte("grub_cmd: linux /vmlinuz quiet\x00")
	if e.Covered() {
		t.Error("another command is covered")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add(encode(f, &eventlog.Log{Algorithms: []eventlog.Algorithm{eventlog.SHA384}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		log, err := eventlog.Parse(raw)
		if err != nil {
			return
		}
		for _, e := range log.Events {
			e.Details()
			e.Covered()
		}
		log.Replay()
		encoded := encode(t, log)
		if !bytes.HasPrefix(raw, encoded) {
			t.Fatal("encoding a parsed log gives other bytes")
		}
		again, err := eventlog.Parse(encoded)
		if err != nil || !cmp.Equal(log, again) {
			t.Fatalf("parsing it again: %v", err)
		}
	})
}

func ExampleParse() {
	raw, _ := sample().Encode()
	log, err := eventlog.Parse(raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range log.Events {
		details, _ := e.Details()
		fmt.Printf("%d %v %q\n", e.Index, e.Type, details.Text)
	}
	// Output:
	// 1 EV_NO_ACTION ""
	// 1 EV_SEPARATOR ""
	// 2 EV_EFI_ACTION "Calling EFI Application from Boot Option"
	// 3 EV_IPL "grub_cmd: linux /vmlinuz"
	// 4 EV_EVENT_TAG ""
	// 1 EV_EFI_ACTION "again"
}
