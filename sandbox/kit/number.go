package kit

import (
	"fmt"
	"reflect"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb/get"
)

// Number is what a [Range] may be of.
type Number interface {
	~int | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Range is a range of numbers, ends included: amounts, op codes, exit codes,
// counts.
type Range struct {
	least, most     int64
	hasLeast, hasTo bool
}

// Between is all from least to most.
func Between[N Number](least, most N) Range {
	return Range{least: int64(least), most: int64(most), hasLeast: true, hasTo: true}
}

// AtLeast is all from least on.
func AtLeast[N Number](least N) Range { return Range{least: int64(least), hasLeast: true} }

// AtMost is all up to most.
func AtMost[N Number](most N) Range { return Range{most: int64(most), hasTo: true} }

// Near is all that differs from n by no more than by.
func Near[N Number](n, by N) Range {
	return Range{least: int64(n) - int64(by), most: int64(n) + int64(by), hasLeast: true, hasTo: true}
}

func (r Range) has(n int64) bool { return (!r.hasLeast || n >= r.least) && (!r.hasTo || n <= r.most) }

func (r Range) text(show func(int64) string) string {
	switch {
	case !r.hasTo:
		return "at least " + show(r.least)
	case !r.hasLeast:
		return "at most " + show(r.most)
	}
	return show(r.least) + " to " + show(r.most)
}

// integer reads any of Go's integers. All that the chain counts fit into an
// int64.
func integer(v any) (int64, bool) {
	r := reflect.ValueOf(v)
	switch {
	case v == nil:
	case r.CanInt():
		return r.Int(), true
	case r.CanUint() && r.Uint() <= 1<<63-1:
		return int64(r.Uint()), true
	}
	return 0, false
}

// wanted is what a number should be.
type wanted[N Number] struct {
	text string
	test func(N) bool
}

func wantNumber[N Number](v any, show func(N) string) (wanted[N], error) {
	if n, ok := integer(v); ok {
		return wanted[N]{show(N(n)), func(got N) bool { return int64(got) == n }}, nil
	}
	switch v := v.(type) {
	case Range:
		if v.hasLeast && v.hasTo && v.least > v.most || !v.hasLeast && !v.hasTo {
			return wanted[N]{}, fmt.Errorf("nothing is in the range %s", v.text(func(n int64) string { return fmt.Sprint(n) }))
		}
		return wanted[N]{v.text(func(n int64) string { return show(N(n)) }), func(got N) bool { return v.has(int64(got)) }}, nil
	case func(N) bool:
		return wanted[N]{"as the function says", v}, nil
	}
	var n N
	return wanted[N]{}, fmt.Errorf("%T, want a number, a range, or a func(%T) bool", v, n)
}

// reading is a number of a transaction. Text is how it is printed, if not like
// a wanted one. None says that the transaction has no such number, and text why.
type reading[N Number] struct {
	value N
	text  string
	none  bool
}

func number[N Number](field string, v any, show func(N) string, of func(*Transaction) reading[N]) (check, error) {
	wanted, err := wantNumber(v, show)
	if err != nil {
		return check{}, fmt.Errorf("matcher %s: %w", field, err)
	}
	return check{field, wanted.text, func(t *Transaction) (bool, string) {
		r := of(t)
		switch {
		case r.none:
			return false, fmt.Sprintf("none (%s)", r.text)
		case r.text == "":
			r.text = show(r.value)
		}
		return wanted.test(r.value), r.text
	}}, nil
}

func showOp(op uint32) string                { return fmt.Sprintf("%#08x", op) }
func showExit(e get.Exit) string             { return fmt.Sprint(int(e)) }
func showAction(a sandbox.ActionCode) string { return fmt.Sprint(int(a)) }
