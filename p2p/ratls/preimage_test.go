package ratls_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
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

// preimage has every field set, to something of its own.
func preimage() ratls.Preimage {
	fill := func(b byte) (k [32]byte) {
		for i := range k {
			k[i] = b
		}
		return k
	}
	return ratls.Preimage{
		TEE: attest.TDX, Claims: ratls.Claims{Role: ratls.RoleWorker, Contract: "0:c"},
		Network: -3, Registry: "0:reg", Epoch: 0x0102030405060708,
		OwnKey: fill('o'), PeerKey: fill('p'), PeerNonce: fill('n'), OwnNonce: fill('m'), Exporter: fill('x'), GPU: []byte("gpu"),
	}
}

const preimageGolden = "274292f7caab6fa7d25bfd2cb42b90573c198b96c38c1f16f5f1dc33bf71baa6ee947c47c3b47de4bf8c564f97bc04aa475f2fb2543204c58f28dfe1202adbce"

func TestPreimageGolden(t *testing.T) {
	gpu := sha256.Sum256([]byte("gpu"))
	field := func(letter string) string { return "\x00\x00\x00\x20" + strings.Repeat(letter, 32) }
	text := "tussah/attest/v1" + "\x03" + "\x01" + // worker, TDX
		"\x00\x00\x00\x04\xff\xff\xff\xfd" + // network -3
		"\x00\x00\x00\x050:reg" + "\x01\x02\x03\x04\x05\x06\x07\x08" + // registry, epoch
		"\x00\x00\x00\x030:c" +
		field("o") + field("p") + field("n") + field("m") + field("x")
	if got, want := preimage().ReportData(), sha512.Sum512([]byte(text+"\x00\x00\x00\x20"+string(gpu[:]))); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
	bare := preimage()
	bare.GPU = nil
	if got, want := bare.ReportData(), sha512.Sum512([]byte(text+"\x00\x00\x00\x00")); got != want {
		t.Errorf("without accelerators: got %x, want %x", got, want)
	}
	got := preimage().ReportData()
	if hex.EncodeToString(got[:]) != preimageGolden {
		t.Errorf("got %x, want %s", got, preimageGolden)
	}
}

// TestPreimageBindsEveryField walks the struct, so that a field that is added
// without being hashed fails it.
func TestPreimageBindsEveryField(t *testing.T) {
	seen := map[[64]byte]string{preimage().ReportData(): "unchanged"}
	var walk func(path string, at func(*ratls.Preimage) reflect.Value)
	walk = func(path string, at func(*ratls.Preimage) reflect.Value) {
		p := preimage()
		v := at(&p)
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, func(p *ratls.Preimage) reflect.Value { return at(p).Field(i) })
			}
			return
		case reflect.Array:
			last := v.Index(v.Len() - 1)
			last.SetUint(last.Uint() ^ 1)
		case reflect.Slice:
			v.SetBytes([]byte("other"))
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Uint8, reflect.Uint64:
			v.SetUint(v.Uint() ^ 1)
		case reflect.Int32:
			v.SetInt(v.Int() ^ 1)
		default:
			t.Fatalf("%s: a %v, which this test cannot change", path, v.Kind())
		}
		if as, ok := seen[p.ReportData()]; ok {
			t.Errorf("%s changed, and the hash is that of %s", path, as)
		}
		seen[p.ReportData()] = path
	}
	walk("Preimage", func(p *ratls.Preimage) reflect.Value { return reflect.ValueOf(p).Elem() })
	if len(seen) != 13 {
		t.Errorf("%d fields were changed", len(seen)-1)
	}

	swapped := func(name string, swap func(*ratls.Preimage)) {
		p := preimage()
		swap(&p)
		if as, ok := seen[p.ReportData()]; ok {
			t.Errorf("%s: the hash of %s", name, as)
		}
	}
	swapped("keys", func(p *ratls.Preimage) { p.OwnKey, p.PeerKey = p.PeerKey, p.OwnKey })
	swapped("nonces", func(p *ratls.Preimage) { p.OwnNonce, p.PeerNonce = p.PeerNonce, p.OwnNonce })
	swapped("nonce and exporter", func(p *ratls.Preimage) { p.OwnNonce, p.Exporter = p.Exporter, p.OwnNonce })
}

// No byte can move from one field into the next.
func TestPreimageIsUnambiguous(t *testing.T) {
	seen := map[[64]byte]string{}
	epoch := "\x01\x02\x03\x04\x05\x06\x07\x08"
	for _, split := range [][2]string{{"ab", "c"}, {"a", "bc"}, {"abc", ""}, {"", "abc"},
		{"a" + epoch + "\x00\x00\x00\x01", "b"}, {"a", epoch + "\x00\x00\x00\x01b"}, {"\x00\x00\x00\x01a", "b"}} {
		p := preimage()
		p.Registry, p.Claims.Contract = split[0], split[1]
		h := p.ReportData()
		if as, ok := seen[h]; ok {
			t.Errorf("%q and %s have one hash", split, as)
		}
		seen[h] = fmt.Sprintf("%q", split)
	}
	// Evidence for a certificate is none for a connection: their first bytes differ.
	if ratls.ReportData(nil, nil) == (ratls.Preimage{}).ReportData() {
		t.Error("gates share a hash")
	}
}
