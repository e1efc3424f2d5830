package host_test

import (
	"bytes"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/host"
)

func FuzzJournal(f *testing.F) {
	seed, err := host.EncodeJournal([]attest.Event{config, ready})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := host.ParseJournal(raw)
		if err != nil {
			return
		}
		if again, err := host.EncodeJournal(events); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("encoding it again: %q, %v", again, err)
		}
	})
}
