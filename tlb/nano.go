package tlb

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Nano is an amount of nanoTON. Amounts are never negative, and never above [MaxNano].
type Nano uint64

const (
	// TON is one coin.
	TON Nano = 1_000_000_000

	// MaxNano bounds every amount: about 4.6e9 TON, more than will ever exist. Because it lies two
	// bits below the end of the machine word, the sum of two valid amounts cannot wrap.
	MaxNano Nano = 1 << 62
)

var (
	// ErrOverflow says that an amount is above [MaxNano].
	ErrOverflow = errors.New("amount too large")
	// ErrNegative says that a subtraction would have ended below zero.
	ErrNegative = errors.New("amount below zero")
	// ErrAmountSyntax says that a text is not an amount as [ParseNano] describes it.
	ErrAmountSyntax = errors.New("not an amount (write 1.5 TON, or 1500000000 nano)")
	// ErrCoins says that a Coins field is not in its shortest form.
	ErrCoins = errors.New("coins not in their shortest form")
)

// Add returns n + m, or [ErrOverflow].
func (n Nano) Add(m Nano) (Nano, error) {
	if n > MaxNano || m > MaxNano || n+m > MaxNano {
		return 0, fmt.Errorf("%d + %d nano: %w", uint64(n), uint64(m), ErrOverflow)
	}
	return n + m, nil
}

// Sub returns n − m, or [ErrNegative].
func (n Nano) Sub(m Nano) (Nano, error) {
	if n > MaxNano || m > MaxNano {
		return 0, fmt.Errorf("%d - %d nano: %w", uint64(n), uint64(m), ErrOverflow)
	}
	if n < m {
		return 0, fmt.Errorf("%d - %d nano: %w", uint64(n), uint64(m), ErrNegative)
	}
	return n - m, nil
}

// Mul returns n × k, or [ErrOverflow].
func (n Nano) Mul(k uint64) (Nano, error) {
	hi, lo := bits.Mul64(uint64(n), k)
	if n > MaxNano || hi != 0 || Nano(lo) > MaxNano {
		return 0, fmt.Errorf("%d nano * %d: %w", uint64(n), k, ErrOverflow)
	}
	return Nano(lo), nil
}

// String returns the amount in TON without trailing zeros: "1.5 TON".
func (n Nano) String() string {
	whole, frac := uint64(n/TON), uint64(n%TON)
	if frac == 0 {
		return strconv.FormatUint(whole, 10) + " TON"
	}
	return strconv.FormatUint(whole, 10) + "." + strings.TrimRight(fmt.Sprintf("%09d", frac), "0") + " TON"
}

// ParseNano reads an amount as people write it: "1.5 TON", "1.5" (also TON), or "1500000000 nano".
// At most nine decimals; no sign, no exponent, no separators. It never rounds.
// It returns [ErrAmountSyntax] or [ErrOverflow].
func ParseNano(s string) (Nano, error) {
	if digits, ok := strings.CutSuffix(s, " nano"); ok {
		n, err := parseDigits(digits)
		if err != nil {
			return 0, fmt.Errorf("amount %q: %w", s, err)
		}
		if n > MaxNano {
			return 0, fmt.Errorf("amount %q: %w", s, ErrOverflow)
		}
		return n, nil
	}

	wholeText, fracText, dotted := strings.Cut(strings.TrimSuffix(s, " TON"), ".")
	whole, err := parseDigits(wholeText)
	if err != nil {
		return 0, fmt.Errorf("amount %q: %w", s, err)
	}
	var frac Nano
	if dotted {
		if len(fracText) > 9 {
			return 0, fmt.Errorf("amount %q: more than nine decimals: %w", s, ErrAmountSyntax)
		}
		frac, err = parseDigits(fracText)
		if err != nil {
			return 0, fmt.Errorf("amount %q: %w", s, err)
		}
		for range 9 - len(fracText) {
			frac *= 10
		}
	}
	n, err := whole.Mul(uint64(TON))
	if err == nil {
		n, err = n.Add(frac)
	}
	if err != nil {
		return 0, fmt.Errorf("amount %q: %w", s, ErrOverflow)
	}
	return n, nil
}

// parseDigits is strconv.ParseUint without its tolerance for signs and underscores.
func parseDigits(s string) (Nano, error) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, ErrAmountSyntax
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, ErrOverflow
	}
	return Nano(n), nil
}

// MarshalText writes what [Nano.String] writes, so that amounts in configuration and JSON carry
// their unit.
func (n Nano) MarshalText() ([]byte, error) {
	if n > MaxNano {
		return nil, fmt.Errorf("%d nano: %w", uint64(n), ErrOverflow)
	}
	return []byte(n.String()), nil
}

// UnmarshalText reads what [ParseNano] reads.
func (n *Nano) UnmarshalText(text []byte) error {
	v, err := ParseNano(string(text))
	if err != nil {
		return err
	}
	*n = v
	return nil
}

// StoreNano appends n as Coins: a 4-bit length in bytes, then that many bytes.
func StoreNano(b *cell.Builder, n Nano) error {
	if n > MaxNano {
		return fmt.Errorf("%d nano: %w", uint64(n), ErrOverflow)
	}
	return b.StoreCoins(uint64(n))
}

// LoadNano reads Coins. It accepts only the shortest form ([ErrCoins]) of an amount up to [MaxNano]
// ([ErrOverflow]).
func LoadNano(s *cell.Slice) (Nano, error) {
	size, err := s.LoadUInt(4)
	if err != nil {
		return 0, fmt.Errorf("coins: %w", ErrShort)
	}
	if size > 8 {
		return 0, fmt.Errorf("coins of %d bytes: %w", size, ErrOverflow)
	}
	v, err := s.LoadUInt(uint(size) * 8)
	if err != nil {
		return 0, fmt.Errorf("coins: %w", ErrShort)
	}
	if size != uint64(bits.Len64(v)+7)/8 {
		return 0, ErrCoins
	}
	if Nano(v) > MaxNano {
		return 0, fmt.Errorf("%d nano: %w", v, ErrOverflow)
	}
	return Nano(v), nil
}
