package tlb_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

func TestParseNano(t *testing.T) {
	for _, c := range []struct {
		in   string
		want tlb.Nano
		text string // as String writes it
	}{
		{"0", 0, "0 TON"},
		{"1", tlb.TON, "1 TON"},
		{"1 TON", tlb.TON, "1 TON"},
		{"1.5", 1_500_000_000, "1.5 TON"},
		{"1.50 TON", 1_500_000_000, "1.5 TON"},
		{"0.000000001 TON", 1, "0.000000001 TON"},
		{"1500000000 nano", 1_500_000_000, "1.5 TON"},
		{"0 nano", 0, "0 TON"},
		{"007", 7 * tlb.TON, "7 TON"},
		{"4611686018.427387904 TON", tlb.MaxNano, "4611686018.427387904 TON"},
		{"4611686018427387904 nano", tlb.MaxNano, "4611686018.427387904 TON"},
	} {
		got, err := tlb.ParseNano(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseNano(%q) = %d, %v; want %d", c.in, uint64(got), err, uint64(c.want))
		}
		if got.String() != c.text {
			t.Errorf("ParseNano(%q).String() = %q, want %q", c.in, got.String(), c.text)
		}
	}
}

func TestParseNanoRefuses(t *testing.T) {
	for _, c := range []struct {
		in   string
		want error
	}{
		{"", tlb.ErrAmountSyntax},
		{" ", tlb.ErrAmountSyntax},
		{"TON", tlb.ErrAmountSyntax},
		{" TON", tlb.ErrAmountSyntax},
		{"nano", tlb.ErrAmountSyntax},
		{" nano", tlb.ErrAmountSyntax},
		{".", tlb.ErrAmountSyntax},
		{".5", tlb.ErrAmountSyntax},
		{"5.", tlb.ErrAmountSyntax},
		{"-1", tlb.ErrAmountSyntax},
		{"+1", tlb.ErrAmountSyntax},
		{"1e9", tlb.ErrAmountSyntax},
		{"0x10", tlb.ErrAmountSyntax},
		{"1_000", tlb.ErrAmountSyntax},
		{"1,5", tlb.ErrAmountSyntax},
		{"1.2.3", tlb.ErrAmountSyntax},
		{"1.5 nano", tlb.ErrAmountSyntax},
		{"1  TON", tlb.ErrAmountSyntax},
		{"1 TON ", tlb.ErrAmountSyntax},
		{"1 ton", tlb.ErrAmountSyntax},
		{"1 TON nano", tlb.ErrAmountSyntax},
		{"0.0000000001", tlb.ErrAmountSyntax},
		{"١", tlb.ErrAmountSyntax},
		{"4611686018.427387905", tlb.ErrOverflow},
		{"4611686018427387905 nano", tlb.ErrOverflow},
		{"18446744073709551616", tlb.ErrOverflow},
		{"18446744073709551616 nano", tlb.ErrOverflow},
	} {
		if got, err := tlb.ParseNano(c.in); !errors.Is(err, c.want) || got != 0 {
			t.Errorf("ParseNano(%q) = %d, %v; want %v", c.in, uint64(got), err, c.want)
		}
	}
}

func TestNanoText(t *testing.T) {
	type config struct{ Price tlb.Nano }
	b, err := json.Marshal(config{Price: 1_500_000})
	if err != nil || string(b) != `{"Price":"0.0015 TON"}` {
		t.Errorf("Marshal = %s, %v", b, err)
	}
	var got config
	if err := json.Unmarshal([]byte(`{"Price":"20 nano"}`), &got); err != nil || got.Price != 20 {
		t.Errorf("Unmarshal = %v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"Price":"lots"}`), &got); !errors.Is(err, tlb.ErrAmountSyntax) {
		t.Errorf("Unmarshal of nonsense: %v", err)
	}
	if _, err := (tlb.MaxNano + 1).MarshalText(); !errors.Is(err, tlb.ErrOverflow) {
		t.Errorf("MarshalText above the maximum: %v", err)
	}
}

// TestNanoArithmetic holds every operation against math/big, on any word, also those that are no
// valid amounts.
func TestNanoArithmetic(t *testing.T) {
	limit := new(big.Int).SetUint64(uint64(tlb.MaxNano))
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.Map(anyNano(), func(n tlb.Nano) uint64 { return uint64(n) }),
			rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, 1<<62 - 1, 1 << 62, 1<<62 + 1, 1 << 63, math.MaxUint64}))
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		bigA, bigB := new(big.Int).SetUint64(a), new(big.Int).SetUint64(b)
		invalid := bigA.Cmp(limit) > 0 || bigB.Cmp(limit) > 0

		check := func(name string, got tlb.Nano, err error, want *big.Int, invalid bool) {
			t.Helper()
			var wantErr error
			switch {
			case invalid || want.Cmp(limit) > 0:
				wantErr = tlb.ErrOverflow
			case want.Sign() < 0:
				wantErr = tlb.ErrNegative
			}
			if wantErr != nil {
				if !errors.Is(err, wantErr) || got != 0 {
					t.Fatalf("%d %s %d = %d, %v; want %v", a, name, b, uint64(got), err, wantErr)
				}
			} else if err != nil || uint64(got) != want.Uint64() {
				t.Fatalf("%d %s %d = %d, %v; want %v", a, name, b, uint64(got), err, want)
			}
		}
		sum, err := tlb.Nano(a).Add(tlb.Nano(b))
		check("+", sum, err, new(big.Int).Add(bigA, bigB), invalid)
		diff, err := tlb.Nano(a).Sub(tlb.Nano(b))
		check("-", diff, err, new(big.Int).Sub(bigA, bigB), invalid)
		// A factor is no amount, so any word is valid there.
		product, err := tlb.Nano(a).Mul(b)
		check("*", product, err, new(big.Int).Mul(bigA, bigB), bigA.Cmp(limit) > 0)
	})
}

func TestNanoCoins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNano().Draw(t, "n")
		b := cell.BeginCell()
		if err := tlb.StoreNano(b, n); err != nil {
			t.Fatal(err)
		}
		// The library's Coins are the reference.
		if want := cell.BeginCell().MustStoreBigCoins(new(big.Int).SetUint64(uint64(n))).EndCell(); b.EndCell().HashKey() != want.HashKey() {
			t.Fatalf("%d is encoded as %s, want %s", uint64(n), b.EndCell().DumpBits(), want.DumpBits())
		}
		s := b.ToSlice()
		got, err := tlb.LoadNano(s)
		if err != nil || got != n || s.BitsLeft() != 0 {
			t.Fatalf("LoadNano = %d, %v, %d bits left; want %d", uint64(got), err, s.BitsLeft(), uint64(n))
		}
	})
	if err := tlb.StoreNano(cell.BeginCell(), tlb.MaxNano+1); !errors.Is(err, tlb.ErrOverflow) {
		t.Errorf("StoreNano above the maximum: %v", err)
	}
}

func TestLoadNanoRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		cell *cell.Builder
		want error
	}{
		{"nothing", cell.BeginCell(), tlb.ErrShort},
		{"length cut", cell.BeginCell().MustStoreUInt(0, 3), tlb.ErrShort},
		{"value cut", cell.BeginCell().MustStoreUInt(2, 4).MustStoreUInt(0xff, 8), tlb.ErrShort},
		{"zero in one byte", cell.BeginCell().MustStoreUInt(1, 4).MustStoreUInt(0, 8), tlb.ErrCoins},
		{"leading zero byte", cell.BeginCell().MustStoreUInt(2, 4).MustStoreUInt(0xff, 16), tlb.ErrCoins},
		{"above the maximum", cell.BeginCell().MustStoreUInt(8, 4).MustStoreUInt(1<<62+1, 64), tlb.ErrOverflow},
		{"nine bytes", cell.BeginCell().MustStoreUInt(9, 4).MustStoreSlice(make([]byte, 9), 72), tlb.ErrOverflow},
		{"fifteen bytes", cell.BeginCell().MustStoreUInt(15, 4).MustStoreSlice(make([]byte, 15), 120), tlb.ErrOverflow},
	} {
		if got, err := tlb.LoadNano(c.cell.ToSlice()); !errors.Is(err, c.want) || got != 0 {
			t.Errorf("%s: %d, %v; want %v", c.name, uint64(got), err, c.want)
		}
	}
}

func FuzzParseNano(f *testing.F) {
	for _, s := range []string{"1.5 TON", "1.5", "1500000000 nano", "0", "4611686018.427387904 TON", "-1", "1e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := tlb.ParseNano(s)
		if err != nil {
			return
		}
		again, err := tlb.ParseNano(n.String())
		if err != nil || again != n {
			t.Fatalf("%q = %d, written %q, read again %d, %v", s, uint64(n), n, uint64(again), err)
		}
	})
}

func ExampleParseNano() {
	deposit, err := tlb.ParseNano("1.5 TON")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(uint64(deposit), deposit)

	_, err = deposit.Sub(2 * tlb.TON)
	fmt.Println(err)
	// Output:
	// 1500000000 1.5 TON
	// 1500000000 - 2000000000 nano: amount below zero
}
