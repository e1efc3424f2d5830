package tlb_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tonkeeper/tongo/boc"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

func testVoucher() tlb.Voucher {
	return tlb.Voucher{
		Network:    -239,
		Channel:    channelAddr,
		Epoch:      7,
		Seq:        42,
		Cumulative: 1_500_000_000,
		Receipt:    array32(0xee),
	}
}

func anyVoucher() *rapid.Generator[tlb.Voucher] {
	return rapid.Custom(func(t *rapid.T) tlb.Voucher {
		return tlb.Voucher{
			Network:    rapid.Int32().Draw(t, "network"),
			Channel:    anyAddress().Draw(t, "channel"),
			Epoch:      rapid.Uint32().Draw(t, "epoch"),
			Seq:        rapid.Uint64().Draw(t, "seq"),
			Cumulative: anyNano().Draw(t, "cumulative"),
			Receipt:    anyArray32().Draw(t, "receipt"),
		}
	})
}

// TestVoucherPinned pins the bytes that get signed: they must never change under this tag.
func TestVoucherPinned(t *testing.T) {
	c := must(testVoucher().ToCell())
	if c.BitsSize() != 32+32+267+32+64+4+32+256 || c.RefsNum() != 0 {
		t.Errorf("%d bits and %d refs", c.BitsSize(), c.RefsNum())
	}
	const want = "26f1f84c4e64ff32b073cfff4b8cfaada6ec0df79de1531b3e8e50149052d7df"
	if got := hex.EncodeToString(c.Hash()); got != want {
		t.Errorf("hash = %s, want %s", got, want)
	}
	biggest := testVoucher()
	biggest.Cumulative = tlb.MaxNano
	if c := must(biggest.ToCell()); c.BitsSize() > 807 {
		t.Errorf("the biggest voucher takes %d bits", c.BitsSize())
	}
}

// TestVoucherAgainstTongo builds the same voucher with another implementation of cells.
func TestVoucherAgainstTongo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyVoucher().Draw(t, "voucher")
		other := boc.NewCell()
		coins := new(big.Int).SetUint64(uint64(v.Cumulative))
		size := (coins.BitLen() + 7) / 8
		for _, err := range []error{
			other.WriteUint(0x74757631, 32),
			other.WriteInt(int64(v.Network), 32),
			other.WriteUint(0b100, 3),
			other.WriteInt(int64(v.Channel.Workchain()), 8),
			other.WriteBytes(v.Channel.Data()),
			other.WriteUint(uint64(v.Epoch), 32),
			other.WriteUint(v.Seq, 64),
			other.WriteUint(uint64(size), 4),
			writeBig(other, coins, size*8),
			other.WriteBytes(v.Receipt[:]),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		want, err := other.Hash256()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Hash(); err != nil || got != want {
			t.Fatalf("hash = %x, %v; tongo says %x", got, err, want)
		}
	})
}

// writeBig writes nothing in no bits, which tongo refuses to.
func writeBig(c *boc.Cell, v *big.Int, bits int) error {
	if bits == 0 {
		return nil
	}
	return c.WriteBigUint(v, bits)
}

func TestVoucherRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyVoucher().Draw(t, "voucher")
		got, err := tlb.ParseVoucher(must(v.ToCell()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, got, sameAddress); diff != "" {
			t.Fatal(diff)
		}
		signed := must(tlb.SignVoucher(v, aliceKey))
		again, err := tlb.ParseSignedVoucher(must(signed.MarshalBinary()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(signed, again, sameAddress); diff != "" {
			t.Fatal(diff)
		}
		if err := again.Verify(public(aliceKey)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestVoucherCannotBeEncoded(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(v *tlb.Voucher)
		want   error
	}{
		{"no channel", func(v *tlb.Voucher) { v.Channel = nil }, tlb.ErrAddress},
		{"addr_none", func(v *tlb.Voucher) { v.Channel = address.NewAddressNone() }, tlb.ErrAddress},
		{"addr_extern", func(v *tlb.Voucher) { v.Channel = address.NewAddressExt(0, 256, make([]byte, 32)) }, tlb.ErrAddress},
		{"addr_var", func(v *tlb.Voucher) { v.Channel = address.NewAddressVar(0, 0, 256, make([]byte, 32)) }, tlb.ErrAddress},
		{"anycast", func(v *tlb.Voucher) { v.Channel = channelAddr.WithAnycast(address.NewAnycast(1, []byte{0})) }, tlb.ErrAddress},
		{"short account id", func(v *tlb.Voucher) { v.Channel = address.NewAddress(0, 0, make([]byte, 31)) }, tlb.ErrAddress},
		{"amount", func(v *tlb.Voucher) { v.Cumulative = tlb.MaxNano + 1 }, tlb.ErrOverflow},
	} {
		v := testVoucher()
		c.change(&v)
		if _, err := v.ToCell(); !errors.Is(err, c.want) {
			t.Errorf("%s: ToCell: %v, want %v", c.name, err, c.want)
		}
		if _, err := tlb.SignVoucher(v, aliceKey); !errors.Is(err, c.want) {
			t.Errorf("%s: SignVoucher: %v, want %v", c.name, err, c.want)
		}
		s := tlb.SignedVoucher{Voucher: v}
		if err := s.Verify(public(aliceKey)); !errors.Is(err, c.want) {
			t.Errorf("%s: Verify: %v, want %v", c.name, err, c.want)
		}
		if _, err := s.MarshalBinary(); !errors.Is(err, c.want) {
			t.Errorf("%s: MarshalBinary: %v, want %v", c.name, err, c.want)
		}
	}
}

// voucherParts lets a test spoil one part of an otherwise good voucher.
type voucherParts struct{ head, addr, middle, coins, tail *cell.Builder }

func (p voucherParts) cell() *cell.Cell {
	b := cell.BeginCell()
	for _, part := range []*cell.Builder{p.head, p.addr, p.middle, p.coins, p.tail} {
		b.MustStoreBuilder(part)
	}
	return b.EndCell()
}

func TestParseVoucherRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(p *voucherParts)
		want  error
	}{
		{"nothing wrong", func(p *voucherParts) {}, nil},
		{"another tag", func(p *voucherParts) {
			p.head = cell.BeginCell().MustStoreUInt(tlb.TagCoopClose, 32).MustStoreInt(-239, 32)
		}, tlb.ErrTag},
		{"addr_none", func(p *voucherParts) { p.addr = cell.BeginCell().MustStoreUInt(0, 2) }, tlb.ErrAddress},
		{"addr_extern", func(p *voucherParts) {
			p.addr = cell.BeginCell().MustStoreAddr(address.NewAddressExt(0, 256, make([]byte, 32)))
		}, tlb.ErrAddress},
		{"addr_var", func(p *voucherParts) {
			p.addr = cell.BeginCell().MustStoreAddr(address.NewAddressVar(0, 0, 256, make([]byte, 32)))
		}, tlb.ErrAddress},
		{"anycast", func(p *voucherParts) {
			p.addr = cell.BeginCell().MustStoreAddr(channelAddr.WithAnycast(address.NewAnycast(3, []byte{0xa0})))
		}, tlb.ErrAddress},
		{"coins not minimal", func(p *voucherParts) {
			p.coins = cell.BeginCell().MustStoreUInt(5, 4).MustStoreUInt(1_500_000_000, 40)
		}, tlb.ErrCoins},
		{"coins too many", func(p *voucherParts) {
			p.coins = cell.BeginCell().MustStoreUInt(8, 4).MustStoreUInt(1<<63, 64)
		}, tlb.ErrOverflow},
		{"trailing bit", func(p *voucherParts) { p.tail.MustStoreUInt(0, 1) }, tlb.ErrTrailing},
		{"trailing ref", func(p *voucherParts) { p.tail.MustStoreRef(cell.BeginCell().EndCell()) }, tlb.ErrTrailing},
		{"a bit short", func(p *voucherParts) { p.tail = cell.BeginCell().MustStoreSlice(make([]byte, 32), 255) }, tlb.ErrShort},
		{"ends in the address", func(p *voucherParts) {
			*p = voucherParts{p.head, cell.BeginCell().MustStoreUInt(0b10000000000, 11), cell.BeginCell(), cell.BeginCell(), cell.BeginCell()}
		}, tlb.ErrShort},
		{"empty", func(p *voucherParts) {
			e := cell.BeginCell()
			*p = voucherParts{e, e, e, e, e}
		}, tlb.ErrShort},
	} {
		p := voucherParts{
			head:   cell.BeginCell().MustStoreUInt(tlb.TagVoucher, 32).MustStoreInt(-239, 32),
			addr:   cell.BeginCell().MustStoreAddr(channelAddr),
			middle: cell.BeginCell().MustStoreUInt(7, 32).MustStoreUInt(42, 64),
			coins:  cell.BeginCell().MustStoreCoins(1_500_000_000),
			tail:   cell.BeginCell().MustStoreSlice(bytes.Repeat([]byte{0xee}, 32), 256),
		}
		c.spoil(&p)
		got, err := tlb.ParseVoucher(p.cell())
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		want := tlb.Voucher{}
		if c.want == nil {
			want = testVoucher()
		}
		if diff := cmp.Diff(want, got, sameAddress); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}

	if _, err := tlb.ParseVoucher(nil); !errors.Is(err, tlb.ErrNoCell) {
		t.Errorf("nil: %v", err)
	}
	if _, err := tlb.ParseVoucher(libraryCell(t)); !errors.Is(err, tlb.ErrSpecialCell) {
		t.Errorf("library cell: %v", err)
	}
}

func TestSignedVoucherVerify(t *testing.T) {
	good := must(tlb.SignVoucher(testVoucher(), aliceKey))
	if err := good.Verify(public(aliceKey)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(s *tlb.SignedVoucher){
		"network":    func(s *tlb.SignedVoucher) { s.Voucher.Network = -3 },
		"channel":    func(s *tlb.SignedVoucher) { s.Voucher.Channel = address.NewAddress(0, 0, make([]byte, 32)) },
		"workchain":  func(s *tlb.SignedVoucher) { s.Voucher.Channel = address.NewAddress(0, 0xff, channelAddr.Data()) },
		"epoch":      func(s *tlb.SignedVoucher) { s.Voucher.Epoch++ },
		"seq":        func(s *tlb.SignedVoucher) { s.Voucher.Seq++ },
		"cumulative": func(s *tlb.SignedVoucher) { s.Voucher.Cumulative++ },
		"receipt":    func(s *tlb.SignedVoucher) { s.Voucher.Receipt[31] ^= 1 },
		"signature":  func(s *tlb.SignedVoucher) { s.Signature[0] ^= 1 },
	} {
		s := good
		change(&s)
		if err := s.Verify(public(aliceKey)); !errors.Is(err, tlb.ErrBadSignature) {
			t.Errorf("changed %s: %v", name, err)
		}
	}
	if err := good.Verify(public(bobKey)); !errors.Is(err, tlb.ErrBadSignature) {
		t.Errorf("another key: %v", err)
	}
	if err := good.Verify(make([]byte, 32)); !errors.Is(err, tlb.ErrWeakKey) {
		t.Errorf("key of small order: %v", err)
	}
	if err := good.Verify(nil); !errors.Is(err, tlb.ErrWeakKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := tlb.SignVoucher(testVoucher(), nil); !errors.Is(err, tlb.ErrPrivateKey) {
		t.Errorf("sign without a key: %v", err)
	}

	// A consent to close cannot be passed off as a voucher: the payee and payer keys may even be equal.
	k := tlb.CoopClose{Network: -239, Channel: channelAddr, Final: 5}
	if _, err := tlb.ParseVoucher(must(k.ToCell())); !errors.Is(err, tlb.ErrTag) {
		t.Errorf("coop close read as voucher: %v", err)
	}
}

func TestParseSignedVoucherRefuses(t *testing.T) {
	voucher := must(testVoucher().ToCell())
	sig := make([]byte, 64)
	encode := func(b *cell.Builder) []byte { return b.EndCell().ToBOC() }
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, tlb.ErrBoC},
		{"too long", make([]byte, 2000), tlb.ErrTooLarge},
		{"no voucher", encode(cell.BeginCell().MustStoreSlice(sig, 512)), tlb.ErrShort},
		{"short signature", encode(cell.BeginCell().MustStoreSlice(sig, 511).MustStoreRef(voucher)), tlb.ErrShort},
		{"trailing bit", encode(cell.BeginCell().MustStoreSlice(sig, 512).MustStoreUInt(1, 1).MustStoreRef(voucher)), tlb.ErrTrailing},
		{"two vouchers", encode(cell.BeginCell().MustStoreSlice(sig, 512).MustStoreRef(voucher).MustStoreRef(voucher)), tlb.ErrTrailing},
		{"other value", encode(cell.BeginCell().MustStoreSlice(sig, 512).MustStoreRef(cell.BeginCell().MustStoreUInt(1, 32).EndCell())), tlb.ErrTag},
		{"with index", cell.BeginCell().MustStoreSlice(sig, 512).MustStoreRef(voucher).EndCell().
			ToBOCWithOptions(cell.BOCSerializeOptions{WithCRC32C: true, WithIndex: true}), tlb.ErrNotCanonical},
		{"without checksum", cell.BeginCell().MustStoreSlice(sig, 512).MustStoreRef(voucher).EndCell().
			ToBOCWithOptions(cell.BOCSerializeOptions{}), tlb.ErrNotCanonical},
	} {
		if got, err := tlb.ParseSignedVoucher(c.b); !errors.Is(err, c.want) || got != (tlb.SignedVoucher{}) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzParseVoucher(f *testing.F) {
	f.Add(fuzzSeed(must(testVoucher().ToCell())))
	f.Add(fuzzSeed(must(tlb.Voucher{Channel: channelAddr, Cumulative: tlb.MaxNano}.ToCell())))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := fuzzCell(data)
		if c == nil {
			return
		}
		v, err := tlb.ParseVoucher(c)
		if err != nil {
			return
		}
		if got, err := v.Hash(); err != nil || got != c.HashKey() {
			t.Fatalf("%+v is written as %x, %v; read from %x", v, got, err, c.Hash())
		}
	})
}

func FuzzParseSignedVoucher(f *testing.F) {
	f.Add(must(must(tlb.SignVoucher(testVoucher(), aliceKey)).MarshalBinary()))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = fixChecksum(b)
		s, err := tlb.ParseSignedVoucher(b)
		if err != nil {
			return
		}
		if again, err := s.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("read from %x, written as %x, %v", b, again, err)
		}
	})
}

func ExampleSignVoucher() {
	voucher := tlb.Voucher{
		Network:    -239,
		Channel:    address.MustParseRawAddr("0:c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4"),
		Seq:        1,
		Cumulative: 2_000_000,
	}
	signed, err := tlb.SignVoucher(voucher, aliceKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	wire, err := signed.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}

	// The payee:
	received, err := tlb.ParseSignedVoucher(wire)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(received.Voucher.Cumulative, received.Verify(public(aliceKey)))
	received.Voucher.Cumulative = tlb.TON
	fmt.Println(received.Verify(public(aliceKey)))
	// Output:
	// 0.002 TON <nil>
	// voucher: signature does not verify
}
