package kit

import (
	"errors"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/tlb"
)

// Change is by how many nanoTON a balance changed, negative if it fell.
type Change int64

// Gain and Loss make a change of an amount.
func Gain(n tlb.Nano) Change { return Change(n) }
func Loss(n tlb.Nano) Change { return -Change(n) }

func (c Change) String() string {
	if c < 0 {
		return "-" + tlb.Nano(-c).String()
	}
	return "+" + tlb.Nano(c).String()
}

// Change is what all transactions of a result together did to the balance of
// an account: an account or treasury, an *address.Address, or a name.
func (r *Result) Change(of any) Change {
	r.world.t.Helper()
	a, _, ok := r.resolve(of)
	if !ok {
		return 0
	}
	return r.change(a)
}

func (r *Result) resolve(of any) (*address.Address, string, bool) {
	r.world.t.Helper()
	a, name, err := resolve(r.world, of)
	if err == nil && a == nil {
		err = errors.New("the outside has none")
	}
	if err != nil {
		r.world.t.Fatalf("kit: balance: %v", err)
		return nil, "", false
	}
	return a, name, true
}

// change sums up, instead of comparing the ends, since on a chain that runs by
// the clock others may have had to do with the account in between.
func (r *Result) change(a *address.Address) (sum Change) {
	for _, t := range r.All {
		if t.Message.To.Equals(a) {
			sum += Change(t.after.balance) - Change(t.before.balance)
		}
	}
	return sum
}

// ExpectChange fails the test unless the balance of an account changed so: by a
// [Change], a [Range] of them, or as a func(Change) bool says.
func (r *Result) ExpectChange(of, change any) {
	r.world.t.Helper()
	a, name, ok := r.resolve(of)
	if !ok {
		return
	}
	wanted, err := wantNumber(change, Change.String)
	if err != nil {
		r.world.t.Fatalf("kit: change of %s: %v", name, err)
		return
	}
	if got := r.change(a); !wanted.test(got) {
		var about []*Transaction
		for _, t := range r.All {
			if t.Message.To.Equals(a) {
				about = append(about, t)
			}
		}
		r.world.t.Fatalf("kit: the balance of %s changed by %s, not by %s\n%s", name, got, wanted.text, r.report(about...))
	}
}
