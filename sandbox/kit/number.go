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
		return wanted[N]{asFunction, v}, nil
	}
	var n N
	return wanted[N]{}, fmt.Errorf("%T, want a number, a range, or a func(%T) bool", v, n)
}

// number checks one number of a transaction. Of also tells whether there is one,
// and got how it is printed; nil is as a wanted one.
func number[N Number](field string, v any, show func(N) string, of func(*Transaction) (N, bool), got func(*Transaction) string) (check, error) {
	wanted, err := wantNumber(v, show)
	if err != nil {
		return check{}, fmt.Errorf("matcher %s: %w", field, err)
	}
	if got == nil {
		got = func(t *Transaction) string {
			n, _ := of(t)
			return show(n)
		}
	}
	ok := func(t *Transaction) bool {
		n, there := of(t)
		return there && wanted.test(n)
	}
	return check{field, wanted.text, ok, got}, nil
}

func showOp(op uint32) string                { return fmt.Sprintf("%#08x", op) }
func showExit(e get.Exit) string             { return fmt.Sprint(int(e)) }
func showAction(a sandbox.ActionCode) string { return fmt.Sprint(int(a)) }
