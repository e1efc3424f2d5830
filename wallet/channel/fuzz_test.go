package channel_test

import (
	"bytes"
	"testing"

	"github.com/tussah-network/tussah/wallet/channel"
)

func FuzzPayerRecord(f *testing.F) {
	fuzzRecord(f, channel.ReencodePayer)
}

func FuzzPayeeRecord(f *testing.F) {
	fuzzRecord(f, channel.ReencodePayee)
}

// fuzzRecord checks that a record is refused, or is the one encoding of what it says.
func fuzzRecord(f *testing.F, reencode func([]byte) ([]byte, error)) {
	fresh, err := channel.PayerState{Terms: channel.Terms{Channel: channelOf(f, config)}}.Record()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(fresh)
	fresh, err = channel.PayeeState{Terms: channel.Terms{Channel: channelOf(f, config)}}.Record()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(fresh)
	store := newMemory()
	if _, err := payer(f, store, config, 1000, channel.Options{}).Begin(f.Context(), id("a"), 10, 10); err != nil {
		f.Fatal(err)
	}
	if err := payee(f, store, config, 1000, channel.Options{}).Accept(f.Context(), voucherOf(f, config, 1, 10)); err != nil {
		f.Fatal(err)
	}
	if len(store.rows) != 2 {
		f.Fatalf("%d records, want 2", len(store.rows))
	}
	for _, record := range store.rows {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := reencode(b)
		// The checksum hides what lies behind it from the fuzzer; so mend it and try once more.
		if err != nil {
			b = channel.WithChecksum(b)
			if again, err = reencode(b); err != nil {
				return
			}
		}
		if !bytes.Equal(again, b) {
			t.Errorf("parsed %x, which is written %x", b, again)
		}
	})
}

// TestRecordFormat pins the format: a change of it needs a new version.
func TestRecordFormat(t *testing.T) {
	terms := channel.Terms{Channel: channelOf(t, config), Network: network}
	p, err := channel.PayerState{Terms: terms, Phase: channel.Closed, Authorised: 5, Spent: 2, Stated: 1, Doubtful: 1, Allotted: 1,
		Receipt: [32]byte{9}, Last: channel.Signed{Epoch: 1, Seq: 2, Cumulative: 3, Receipt: [32]byte{8}}}.Record()
	if err != nil {
		t.Fatal(err)
	}
	e, err := channel.PayeeState{Terms: terms, Phase: channel.Draining, Spent: 2, Charged: 1, Held: voucherOf(t, config, 1, 10)}.Record()
	if err != nil {
		t.Fatal(err)
	}
	// The channel's address follows the contract's code, so it is left out.
	cut := func(b []byte) []byte { return append(bytes.Clone(b[:8]), b[40:len(b)-4]...) }
	want := map[string][]byte{
		"payer": bytes.Join([][]byte{{'p', 1, 4, 0xff, 0xff, 0xff, 0xfd, 0},
			{0, 0, 0, 0, 0, 0, 0, 5}, {0, 0, 0, 0, 0, 0, 0, 2}, {0, 0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 2}, {9}, make([]byte, 31),
			{0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 2}, {0, 0, 0, 0, 0, 0, 0, 3}, {8}, make([]byte, 31)}, nil),
		"payee": bytes.Join([][]byte{{'e', 1, 2, 0xff, 0xff, 0xff, 0xfd, 0},
			{0, 0, 0, 0, 0, 0, 0, 2}, {0, 0, 0, 0, 0, 0, 0, 1},
			{0x65, 0x53, 0xf1, 0x00}, {0, 0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 10}, make([]byte, 32)}, nil),
	}
	if got := cut(p); !bytes.Equal(got, want["payer"]) {
		t.Errorf("payer's record:\n%x, want\n%x", got, want["payer"])
	}
	if got := cut(e); !bytes.Equal(got[:len(got)-64], want["payee"]) {
		t.Errorf("payee's record:\n%x, want\n%x", got[:len(got)-64], want["payee"])
	}
	if p[1] != 1 || len(p) != 160 || len(e) != 176 {
		t.Errorf("sizes %d and %d", len(p), len(e))
	}
}
