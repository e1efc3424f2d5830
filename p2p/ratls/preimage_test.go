package ratls_test

import (
	"crypto/sha512"
	"encoding/hex"
	"testing"

	"github.com/tussah-network/tussah/p2p/ratls"
)

func TestReportDataGolden(t *testing.T) {
	// The preimage written out by hand.
	want := sha512.Sum512([]byte("tussah/ratls/v1\x00" + "\x00\x00\x00\x06libp2p" + "\x00\x00\x00\x03tls"))
	got := ratls.ReportData([]byte("libp2p"), []byte("tls"))
	if got != want {
		t.Errorf("got %x, want %x", got, want)
	}
	const golden = "0d5c07b5b7e501a1a5f7e5cecca7a78e811ee0e66a250ea3de9da309d9c5a72ad0ec9229fda3c7005d5cb780c50717c610133539d73a94633272abed0916dbae"
	if hex.EncodeToString(got[:]) != golden {
		t.Errorf("got %x, want %s", got, golden)
	}
	if ratls.ReportData([]byte("ab"), []byte("c")) == ratls.ReportData([]byte("a"), []byte("bc")) {
		t.Error("bytes can move from one key to the other")
	}
}
