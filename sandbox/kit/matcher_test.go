package kit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// conversation is a result with a bit of everything: alice sends to counter,
// which stores, answers to bob and alice, who is not asked, and to nobody, who
// is not there.
func conversation(s scene) *kit.Result {
	return s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(2,
		store(8),
		send(1, internal(s.bob.Address, tlb.TON/10, true, order(3, throw(43)))),
		send(1, internal(nobody(), tlb.TON/20, true, nil)),
		send(0, event(order(9))),
	)})
}

// TestMatchers has a passing and a failing case for each field, in each form a
// field may have.
func TestMatchers(t *testing.T) {
	var out strings.Builder
	f := &fake{ctx: t.Context()}
	s := newScene(t, f)
	r := conversation(s)
	isNobody := func(a *address.Address) bool { return a.Equals(nobody()) }
	for _, test := range []struct {
		pass, fail kit.Tx
	}{
		{kit.Tx{From: s.alice}, kit.Tx{From: nobody(), Bounced: false}},
		{kit.Tx{From: "alice"}, kit.Tx{From: "giver"}},
		{kit.Tx{From: s.bob.Address}, kit.Tx{From: sandboxGiver()}},
		{kit.Tx{From: isNobody}, kit.Tx{From: isNobody, To: "bob"}},
		{kit.Tx{From: kit.Outside}, kit.Tx{From: kit.Outside, To: s.counter}},
		{kit.Tx{To: s.counter}, kit.Tx{To: "giver"}},
		{kit.Tx{On: nobody()}, kit.Tx{On: sandboxGiver()}},
		{kit.Tx{Op: 2}, kit.Tx{Op: 5}},
		{kit.Tx{Op: "Ask"}, kit.Tx{Op: "Increment"}},
		{kit.Tx{Op: "Answer"}, kit.Tx{Op: "Answer", To: s.counter}},
		{kit.Tx{Op: func(op uint32) bool { return op == 3 }}, kit.Tx{Op: func(op uint32) bool { return op == 5 }}},
		{kit.Tx{Value: tlb.TON}, kit.Tx{Value: 2 * tlb.TON}},
		{kit.Tx{Value: 1_000_000_000}, kit.Tx{Value: 1}},
		{kit.Tx{Value: kit.AtLeast(tlb.TON)}, kit.Tx{Value: kit.AtLeast(2 * tlb.TON)}},
		{kit.Tx{Value: kit.AtMost(tlb.TON)}, kit.Tx{Value: kit.AtMost(tlb.TON / 1000)}},
		{kit.Tx{Value: kit.Between(tlb.TON, 2*tlb.TON)}, kit.Tx{Value: kit.Between(2*tlb.TON, 3*tlb.TON)}},
		{kit.Tx{Value: kit.Near(tlb.TON, tlb.TON/100)}, kit.Tx{Value: kit.Near(2*tlb.TON, tlb.TON/100)}},
		{kit.Tx{Value: func(n tlb.Nano) bool { return n == tlb.TON }}, kit.Tx{Value: func(n tlb.Nano) bool { return n == 7 }}},
		{kit.Tx{Body: order(3, throw(43))}, kit.Tx{Body: order(4)}},
		{kit.Tx{Body: func(c *cell.Cell) bool { return c.BitsSize() == 0 }}, kit.Tx{Body: func(c *cell.Cell) bool { return c.BitsSize() == 1 }}},
		{kit.Tx{Exit: 43}, kit.Tx{Exit: 44}},
		{kit.Tx{Exit: 0, To: s.counter}, kit.Tx{Exit: 0, To: nobody()}},
		{kit.Tx{Exit: kit.AtLeast(2)}, kit.Tx{Exit: kit.AtLeast(50)}},
		{kit.Tx{Action: 0}, kit.Tx{Action: 37}},
		{kit.Tx{Action: 0, To: s.counter}, kit.Tx{Action: 0, To: s.bob}},
		{kit.Tx{Success: true, To: s.counter}, kit.Tx{Success: true, To: s.bob}},
		{kit.Tx{Aborted: true, To: s.bob}, kit.Tx{Aborted: true, To: s.counter, Op: 2}},
		{kit.Tx{Bounced: true, To: s.counter}, kit.Tx{Bounced: true, To: s.bob}},
		{kit.Tx{Bounceable: true, To: s.bob}, kit.Tx{Bounceable: false, To: s.bob}},
		{kit.Tx{Deployed: false, To: s.bob}, kit.Tx{Deployed: true}},
		{kit.Tx{Destroyed: false, To: s.bob}, kit.Tx{Destroyed: true}},
		{kit.Tx{OutMessages: 3}, kit.Tx{OutMessages: 4}},
		{kit.Tx{OutMessages: kit.AtLeast(3)}, kit.Tx{OutMessages: kit.AtLeast(4)}},
		{kit.Tx{TotalFees: kit.Between(1, tlb.TON)}, kit.Tx{TotalFees: kit.AtLeast(tlb.TON)}},
		{kit.Tx{OldStatus: tlb.AccountAbsent}, kit.Tx{OldStatus: tlb.AccountFrozen}},
		{kit.Tx{EndStatus: tlb.AccountActive, To: s.bob}, kit.Tx{EndStatus: tlb.AccountUninit}},
		{kit.Tx{EndStatus: func(s tlb.AccountStatus) bool { return s != tlb.AccountActive }}, kit.Tx{EndStatus: func(tlb.AccountStatus) bool { return false }}},
	} {
		if text := f.failure(func() { r.Expect(test.pass) }); text != "" {
			t.Errorf("%s", text)
		}
		text := f.failure(func() { r.Expect(test.fail) })
		if text == "" {
			t.Errorf("%+v is found", test.fail)
		}
		head, _, _ := strings.Cut(text, "\n\n#  message")
		fmt.Fprintf(&out, "%s\n\n", head)
		if _, ok := r.Find(test.pass); !ok {
			t.Errorf("%+v is expected, but not found", test.pass)
		}
		if text := f.failure(func() { r.ExpectNone(test.pass) }); !strings.HasPrefix(text, "kit: #") {
			t.Errorf("ExpectNone of what is there says %q", text)
		}
	}
	golden(t, "matchers", out.String())
}

// TestNonsense: a matcher that makes no sense says so.
func TestNonsense(t *testing.T) {
	var out strings.Builder
	f := &fake{ctx: t.Context()}
	s := newScene(t, f)
	r := s.alice.Send(kit.Message{To: s.bob.Address, Value: tlb.TON})
	for _, x := range []kit.Tx{
		{},
		{From: "carol"},
		{From: 7},
		{To: address.NewAddressNone()},
		{To: func(string) bool { return true }},
		{Op: 1.5},
		{Op: func(int) bool { return true }},
		{Value: "1 TON"},
		{Value: kit.Between(2, 1)},
		{Value: kit.Range{}},
		{Body: []byte("body")},
		{Body: (*cell.Cell)(nil)},
		{Success: 1},
		{OldStatus: "active"},
		{To: "alice", On: "bob"},
		{Success: true, Aborted: true},
		{Success: false, Aborted: false},
		{Success: true, Exit: 42},
		{Success: true, Action: 37},
		{Exit: 42, Action: 0},
		{From: kit.Outside, Value: 1},
		{From: kit.Outside, Bounced: true},
		{Deployed: true, OldStatus: tlb.AccountActive},
		{Deployed: true, EndStatus: tlb.AccountUninit},
		{Destroyed: true, EndStatus: tlb.AccountActive},
		{Destroyed: true, Deployed: true},
		{From: 7, To: 8, Success: true, Aborted: true},
	} {
		text := f.failure(func() { r.Expect(x) })
		if text == "" {
			t.Errorf("%+v makes sense", x)
		}
		out.WriteString(text)
	}
	// What says the same twice does not contradict itself.
	if text := f.failure(func() {
		r.Expect(kit.Tx{To: s.bob, On: "bob", Success: true, Aborted: false, Exit: 0, Action: 0})
	}); text != "" {
		t.Error(text)
	}
	golden(t, "nonsense", out.String())
}
