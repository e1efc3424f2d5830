package tlb_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

func testCoopClose() tlb.CoopClose {
	return tlb.CoopClose{Network: -239, Channel: channelAddr, Final: 1_500_000_000}
}

func TestCoopClosePinned(t *testing.T) {
	const want = "12cfa32e8f28e3b36bdb826257f7f1349172e308b5a978b3a4d58e2a6ab12902"
	if got := must(testCoopClose().Hash()); hex.EncodeToString(got[:]) != want {
		t.Errorf("hash = %x, want %s", got, want)
	}
}

func TestCoopCloseRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := tlb.CoopClose{
			Network: rapid.Int32().Draw(t, "network"),
			Channel: anyAddress().Draw(t, "channel"),
			Final:   anyNano().Draw(t, "final"),
		}
		signed := must(tlb.SignCoopClose(k, bobKey))
		again, err := tlb.ParseSignedCoopClose(must(signed.MarshalBinary()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(signed, again, sameAddress); diff != "" {
			t.Fatal(diff)
		}
		if err := again.Verify(public(bobKey)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCoopCloseVerify(t *testing.T) {
	good := must(tlb.SignCoopClose(testCoopClose(), bobKey))
	for name, change := range map[string]func(s *tlb.SignedCoopClose){
		"network":   func(s *tlb.SignedCoopClose) { s.CoopClose.Network = -3 },
		"channel":   func(s *tlb.SignedCoopClose) { s.CoopClose.Channel = address.NewAddress(0, 0, make([]byte, 32)) },
		"final":     func(s *tlb.SignedCoopClose) { s.CoopClose.Final-- },
		"signature": func(s *tlb.SignedCoopClose) { s.Signature[63] ^= 1 },
	} {
		s := good
		change(&s)
		if err := s.Verify(public(bobKey)); !errors.Is(err, tlb.ErrBadSignature) {
			t.Errorf("changed %s: %v", name, err)
		}
	}
	if err := good.Verify(make([]byte, 32)); !errors.Is(err, tlb.ErrWeakKey) {
		t.Errorf("key of small order: %v", err)
	}
	if _, err := tlb.SignCoopClose(testCoopClose(), bobKey[:10]); !errors.Is(err, tlb.ErrPrivateKey) {
		t.Errorf("sign with half a key: %v", err)
	}
	for _, k := range []tlb.CoopClose{{}, {Channel: channelAddr, Final: tlb.MaxNano + 1}} {
		if _, err := tlb.SignCoopClose(k, bobKey); !errors.Is(err, tlb.ErrAddress) && !errors.Is(err, tlb.ErrOverflow) {
			t.Errorf("sign %+v: %v", k, err)
		}
		if err := (tlb.SignedCoopClose{CoopClose: k}).Verify(public(bobKey)); err == nil {
			t.Errorf("verified %+v", k)
		}
		if _, err := (tlb.SignedCoopClose{CoopClose: k}).MarshalBinary(); err == nil {
			t.Errorf("encoded %+v", k)
		}
	}
}

func TestParseCoopCloseRefuses(t *testing.T) {
	good := must(testCoopClose().ToCell())
	for _, c := range []struct {
		name string
		cell *cell.Cell
		want error
	}{
		{"nil", nil, tlb.ErrNoCell},
		{"empty", cell.BeginCell().EndCell(), tlb.ErrShort},
		{"voucher", must(testVoucher().ToCell()), tlb.ErrTag},
		{"trailing bit", good.ToBuilder().MustStoreUInt(0, 1).EndCell(), tlb.ErrTrailing},
		{"special", libraryCell(t), tlb.ErrSpecialCell},
	} {
		if got, err := tlb.ParseCoopClose(c.cell); !errors.Is(err, c.want) || got != (tlb.CoopClose{}) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, tlb.ErrBoC},
		{"signed voucher", must(must(tlb.SignVoucher(testVoucher(), bobKey)).MarshalBinary()), tlb.ErrTag},
		{"no envelope", good.ToBOC(), tlb.ErrShort},
	} {
		if got, err := tlb.ParseSignedCoopClose(c.b); !errors.Is(err, c.want) || got != (tlb.SignedCoopClose{}) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzParseCoopClose(f *testing.F) {
	f.Add(fuzzSeed(must(testCoopClose().ToCell())))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := fuzzCell(data)
		if c == nil {
			return
		}
		k, err := tlb.ParseCoopClose(c)
		if err != nil {
			return
		}
		if got, err := k.Hash(); err != nil || got != c.HashKey() {
			t.Fatalf("%+v is written as %x, %v; read from %x", k, got, err, c.Hash())
		}
	})
}

func FuzzParseSignedCoopClose(f *testing.F) {
	f.Add(must(must(tlb.SignCoopClose(testCoopClose(), bobKey)).MarshalBinary()))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = fixChecksum(b)
		s, err := tlb.ParseSignedCoopClose(b)
		if err != nil {
			return
		}
		if again, err := s.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("read from %x, written as %x, %v", b, again, err)
		}
	})
}
