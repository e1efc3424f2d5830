package session

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tussah-network/tussah/tlb"
)

// The field checks that every message passes on its way out and on its way in. Their
// errors name the field and never show its content.

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkText(field, s string, max int) error {
	if len(s) > max {
		return fmt.Errorf("%s is longer than %d bytes", field, max)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%s has unprintable characters", field)
	}
	return nil
}

// checkName is checkText for what may not be empty.
func checkName(field, s string, max int) error {
	if s == "" {
		return fmt.Errorf("%s is empty", field)
	}
	return checkText(field, s, max)
}

// printable makes s pass checkText.
func printable(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	for len(s) > max {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

func checkRange(field string, n, low, high uint64) error {
	if n < low || n > high {
		return fmt.Errorf("%s is %d, not within %d and %d", field, n, low, high)
	}
	return nil
}

func checkNano(field string, n tlb.Nano) error {
	if n > tlb.MaxNano {
		return fmt.Errorf("%s: %w", field, tlb.ErrOverflow)
	}
	return nil
}

func checkPrice(p tlb.Price) error {
	return firstError(
		checkNano("prompt price", p.Prompt),
		checkNano("cached price", p.Cached),
		checkNano("completion price", p.Completion),
		checkNano("reasoning price", p.Reasoning),
	)
}

func checkCode(c Code, zeroAllowed bool) error {
	if c == 0 && zeroAllowed || c.Err() != nil {
		return nil
	}
	return fmt.Errorf("code %d is unknown", uint16(c))
}
