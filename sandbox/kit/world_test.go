package kit_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// TestTreasury: a treasury is a wallet like any other, the same by name in
// every world.
func TestTreasury(t *testing.T) {
	w := kit.New(t, sandbox.New(t))
	alice := w.Treasury("alice")
	if alice != w.Treasury("alice") {
		t.Error("there are two alices")
	}
	if got := alice.Balance(); got > kit.TreasuryBalance || got < kit.TreasuryBalance-tlb.TON/100 {
		t.Errorf("starts with %s", got)
	}
	if alice.State().Status != tlb.AccountActive {
		t.Error("is not deployed")
	}
	if other := kit.New(t, sandbox.New(t)).Treasury("alice"); !other.Address.Equals(alice.Address) {
		t.Errorf("is at %s and %s", alice.Address, other.Address)
	}
	// Another world on the same chain finds the wallet as it is.
	same := kit.New(t, w.Chain()).Treasury("alice")
	same.Send(kit.Message{To: nobody(), Value: 1, NoBounce: true})
	alice.Send(kit.Message{To: nobody(), Value: 1, NoBounce: true})

	// So does one whose chain went back in time.
	snapshot := w.Chain().Snapshot()
	alice.Send(kit.Message{To: nobody(), Value: 1, NoBounce: true})
	if err := w.Chain().Restore(snapshot); err != nil {
		t.Fatal(err)
	}

	res := alice.Send(
		kit.Message{To: nobody(), Value: 1, NoBounce: true},
		kit.Message{To: nobody(), Value: 2, NoBounce: true},
		kit.Message{To: nobody(), Value: 3, NoBounce: true},
		kit.Message{To: nobody(), NoBounce: true, Mode: 128},
	)
	if got := len(res.Filter(kit.Tx{From: alice})); got != 4 {
		t.Errorf("sent %d messages, want 4", got)
	}
	if alice.Balance() != 0 {
		t.Errorf("has %s left after sending all", alice.Balance())
	}
}

// TestParallel has several goroutines of one test use the same world and
// treasury.
func TestParallel(t *testing.T) {
	w := kit.New(t, sandbox.New(t))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			alice := w.Treasury("alice")
			c := w.Deploy(fmt.Sprint("counter ", i), puppetCode, uint64Cell(uint64(i)), tlb.TON)
			alice.Send(kit.Message{To: c.Address, Value: tlb.TON, Body: order(1, store(byte(i)+1))}).
				Expect(kit.Tx{From: alice, To: c, Success: true})
			if got := c.Get("count").Uint64(0); got != uint64(i)+1 {
				t.Errorf("%s is at %d", c.Name, got)
			}
		})
	}
	all.Wait()
}

// TestMisuse: what makes no sense fails the test, and says what is wrong.
func TestMisuse(t *testing.T) {
	for _, test := range []struct {
		want string
		do   func(s scene)
	}{
		{"is empty or taken", func(s scene) { s.Name(nobody(), "alice") }},
		{"is empty or taken", func(s scene) { s.Name(nobody(), "") }},
		{"not the address of an account", func(s scene) { s.Name(address.NewAddressNone(), "none") }},
		{"not the address of an account", func(s scene) { s.Describe(nil, meaning{}) }},
		{"sends 0 messages", func(s scene) { s.alice.Send() }},
		{"sends 5 messages", func(s scene) { s.alice.Send(make([]kit.Message, 5)...) }},
		{"message 1: to", func(s scene) { s.alice.Send(kit.Message{}) }},
		{"message 1: state init", func(s scene) { s.alice.Send(kit.Message{To: nobody(), Init: asm(0xff)}) }},
		{"send:", func(s scene) { s.SendAs(nobody(), kit.Message{}) }},
		{"external message: state init", func(s scene) { s.SendExternal(kit.External{To: nobody(), Init: asm(0xff)}) }},
		{"balance: nobody is named", func(s scene) { conversation(s).Change("carol") }},
		{"the outside has none", func(s scene) { conversation(s).ExpectChange(kit.Outside, 0) }},
		{"want a number", func(s scene) { conversation(s).ExpectChange("bob", "more") }},
		{"want a number", func(s scene) { s.SendExternal(kit.External{To: nobody()}).ExpectRefused("no") }},
		{"there is no transaction at all", func(s scene) { s.SendExternal(kit.External{To: nobody()}).ExpectAll(kit.Tx{Success: true}) }},
		{"tolerance for \"time\"", func(s scene) { s.GasSnapshot("x", conversation(s), kit.Tolerance{"time": 1}) }},
		{"closed", func(s scene) { _ = s.Chain().Close(); s.alice.Send(kit.Message{To: nobody()}) }},
		{"closed", func(s scene) { _ = s.Chain().Close(); s.Treasury("carol") }},
	} {
		if got := failure(t, func(tb kit.TB) { test.do(newScene(t, tb)) }); !strings.Contains(got, test.want) {
			t.Errorf("got %q, want something with %q", got, test.want)
		}
	}
}

// TestRename: an account has the last name it was given.
func TestRename(t *testing.T) {
	s := newScene(t, t)
	s.Name(s.bob.Address, "robert")
	s.Name(s.bob.Address, "robert")
	s.Name(nobody(), "bob")
	res := s.alice.Send(kit.Message{To: s.bob.Address, Value: tlb.TON})
	res.Expect(kit.Tx{To: "robert"})
	res.ExpectNone(kit.Tx{To: "bob"})
}

// TestChange: balances add up.
func TestChange(t *testing.T) {
	s := newScene(t, t)
	before := s.bob.Balance()
	res := conversation(s)
	if got, want := res.Change("bob"), kit.Gain(s.bob.Balance())-kit.Gain(before); got != want || got != 0 {
		t.Errorf("bob has %s more, want %s", got, want)
	}
	res.ExpectChange(s.bob, 0) // all came back
	res.ExpectChange(s.counter, kit.Between(kit.Gain(tlb.TON/2), kit.Gain(tlb.TON)))
	res.ExpectChange(s.alice, kit.Near(kit.Loss(tlb.TON), kit.Gain(tlb.TON/100)))
	res.ExpectChange(s.alice.Address, func(c kit.Change) bool { return c < 0 })
	res.ExpectChange("giver", 0)
	if got := kit.Loss(tlb.TON / 2).String(); got != "-0.5 TON" {
		t.Errorf("a loss is printed as %s", got)
	}
}

// TestGet: each type of value, and exit codes.
func TestGet(t *testing.T) {
	s := newScene(t, t)
	// DROP, then what the arguments are, as they are.
	echo := s.Deploy("echo", asm(0x20, 0xdd, 0x30), nil, tlb.TON)
	inner := uint64Cell(5)
	v := echo.Get("any", 7, -1, inner, inner.MustBeginParse(), s.bob.Address, nil)
	if v.Len() != 6 || v.Int(0).Int64() != 7 || v.Uint64(0) != 7 || !v.Bool(1) || v.Cell(2).HashKey() != inner.HashKey() ||
		v.Slice(3).MustLoadUInt(64) != 5 || !v.Address(4).Equals(s.bob.Address) {
		t.Errorf("got %s", v)
	}
	if got, want := v.String(), "(7, -1, cell x{0000000000000005}, slice x{0000000000000005}, address bob, null)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	empty := s.Deploy("empty", puppetCode, nil, tlb.TON)
	if got := s.GetExit(empty, "count"); got != 9 {
		t.Errorf("got %s", got)
	}
	if got := s.GetExit(s.counter, "count"); got != 0 {
		t.Errorf("got %s", got)
	}
}

// TestFlow: for every transaction of every scene, the explanation accounts for
// every nanoTON.
func TestFlow(t *testing.T) {
	s := newScene(t, t)
	for _, body := range []*cell.Cell{
		nil, order(1), order(1, throw(42)), order(1, underflow), order(1, forever), order(1, send(3, internal(s.alice.Address, 100*tlb.TON, true, nil))),
		order(1, reserve(1, 0), send(1, internal(s.alice.Address, 100*tlb.TON, true, nil))), order(1, send(64, internal(s.bob.Address, 0, true, order(2)))),
		order(1, send(1, internal(nobody(), tlb.TON/10, true, order(2)))), order(1, send(16, internal(nobody(), 1000*tlb.TON, true, nil))),
		order(1, send(160, internal(s.alice.Address, 0, true, nil))),
	} {
		for _, value := range []tlb.Nano{0, 1000, tlb.TON / 1000, tlb.TON} {
			checkFlow(t, s.alice.Send(kit.Message{To: s.counter.Address, Value: value, Body: body}))
		}
	}
	checkFlow(t, s.SendExternal(kit.External{To: s.bob.Address, Body: order(1, accept, store(1))}))
	checkFlow(t, s.alice.Send(kit.Message{To: nobody(), Value: tlb.TON, NoBounce: true}))
}

func checkFlow(t *testing.T, r *kit.Result) {
	t.Helper()
	for _, each := range r.All {
		if apart := kit.FlowGap(each); apart != 0 {
			t.Errorf("%s nowhere to be found\n%s", apart, r.Explain())
		}
	}
}
