package tlb_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

// alice pays, bob is paid, carol works.
var (
	aliceKey = testKey('a')
	bobKey   = testKey('b')
	carolKey = testKey('c')

	channelAddr = address.NewAddress(0, 0, bytes.Repeat([]byte{0xc4}, 32))
)

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

// sameAddress compares what is encoded; the flags of an address's text form are not.
var sameAddress = cmp.Comparer(func(a, b *address.Address) bool {
	return a == b || a != nil && b != nil && a.Equals(b)
})

func array32(b byte) [32]byte { return [32]byte(bytes.Repeat([]byte{b}, 32)) }

func anyArray32() *rapid.Generator[[32]byte] {
	return rapid.Custom(func(t *rapid.T) [32]byte {
		return [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "bytes"))
	})
}

func anyAddress() *rapid.Generator[*address.Address] {
	return rapid.Custom(func(t *rapid.T) *address.Address {
		id := anyArray32().Draw(t, "account")
		return address.NewAddress(0, rapid.SampledFrom([]byte{0, 0xff, 1, 0x80, 0x7f}).Draw(t, "workchain"), id[:])
	})
}

func anyNano() *rapid.Generator[tlb.Nano] {
	return rapid.Custom(func(t *rapid.T) tlb.Nano {
		// Every encoded length comes up often, and so do the ends of the range.
		bits := rapid.IntRange(0, 62).Draw(t, "bits")
		return tlb.Nano(rapid.Uint64Range(0, 1<<bits).Draw(t, "nano"))
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func mustCell(t testing.TB, c *cell.Cell, err error) *cell.Cell {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fuzzCell makes a cell of a fuzzer's bytes. The last byte's low bits say how many bits of the one
// before it to drop, so that lengths that are no whole bytes are reached too. It returns nil if the
// bytes do not fit.
func fuzzCell(data []byte, refs ...*cell.Cell) *cell.Cell {
	if len(data) == 0 {
		return cell.BeginCell().EndCell()
	}
	body, drop := data[:len(data)-1], uint(data[len(data)-1]&7)
	bits := uint(len(body)) * 8
	if bits < drop {
		return nil
	}
	b := cell.BeginCell()
	if err := b.StoreSlice(body, bits-drop); err != nil {
		return nil
	}
	for _, ref := range refs {
		if ref == nil || b.StoreRef(ref) != nil {
			return nil
		}
	}
	return b.EndCell()
}

// fuzzSeed is the inverse of fuzzCell.
func fuzzSeed(c *cell.Cell) []byte {
	bits := c.BitsSize()
	body := c.MustBeginParse().MustLoadSlice(bits)
	return append(body, byte(uint(len(body))*8-bits))
}

// libraryCell is a well-formed special cell.
func libraryCell(t testing.TB) *cell.Cell {
	t.Helper()
	c, err := cell.BeginCell().MustStoreUInt(uint64(cell.LibraryCellType), 8).MustStoreSlice(make([]byte, 32), 256).EndCellSpecial(true)
	return mustCell(t, c, err)
}
