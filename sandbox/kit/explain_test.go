package kit_test

import (
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// TestExplain pins what is printed of each way to fail, and of success.
func TestExplain(t *testing.T) {
	carol := func(s scene) *kit.Account { return s.Contract("carol", puppetCode, uint64Cell(1)) }
	for _, test := range []struct {
		name string
		do   func(s scene) *kit.Result
	}{
		{"success", conversation},
		{"throw", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, store(9), add, throw(42))})
		}},
		{"exception", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, underflow)})
		}},
		{"out of gas", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.bob.Address, Value: tlb.TON / 1000, Body: order(1, forever)})
		}},
		{"no funds for an action", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1,
				reserve(1, 0), send(1, internal(s.bob.Address, tlb.TON/10, true, nil)), send(1, internal(s.alice.Address, 100*tlb.TON, true, nil)))})
		}},
		{"skipped action", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1,
				send(3, internal(s.alice.Address, 100*tlb.TON, true, nil)))})
		}},
		{"bad action", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(1, send(1, uint64Cell(5)))})
		}},
		{"no state", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: nobody(), Value: tlb.TON})
		}},
		{"bad state", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: nobody(), Value: tlb.TON, Init: carol(s).Init})
		}},
		{"no gas, no bounce", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.Random("dave").Address, Value: 10})
		}},
		{"bounce of nothing", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.bob.Address, Value: tlb.TON / 10_000, Body: order(1, add, throw(50))})
		}},
		{"deploy and destroy", func(s scene) *kit.Result {
			c := carol(s)
			return s.alice.Send(
				kit.Message{To: c.Address, Value: tlb.TON, Init: c.Init},
				kit.Message{To: c.Address, Value: tlb.TON, Body: order(1, send(160, internal(s.alice.Address, 0, false, nil)))})
		}},
		{"code", func(s scene) *kit.Result {
			return s.alice.Send(kit.Message{To: s.bob.Address, Value: tlb.TON, Body: order(1, setCode(asm(0x30)), store(1))})
		}},
		{"code by name", func(s scene) *kit.Result {
			code := asm(0x30, 0x20, 0xf2, 42)
			init := kit.New(s.tb, s.Chain()).Contract("erin", code, cell.BeginCell().EndCell())
			s.Code(code, "wallet of", meaning{})
			return s.alice.Send(kit.Message{To: init.Address, Value: tlb.TON, Init: init.Init, Body: order(1)})
		}},
		{"refused", func(s scene) *kit.Result {
			return s.SendExternal(kit.External{To: s.counter.Address, Body: order(1, add, throw(42))})
		}},
		{"refused, ended", func(s scene) *kit.Result {
			return s.SendExternal(kit.External{To: s.counter.Address, Body: order(1, add)})
		}},
		{"refused, credit", func(s scene) *kit.Result {
			return s.SendExternal(kit.External{To: s.counter.Address, Body: order(1, forever)})
		}},
		{"refused, absent", func(s scene) *kit.Result {
			return s.SendExternal(kit.External{To: nobody()})
		}},
		{"accepted", func(s scene) *kit.Result {
			return s.SendExternal(kit.External{To: s.counter.Address, Body: order(1, accept, store(1))})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t, t)
			golden(t, strings.ReplaceAll(strings.ReplaceAll(test.name, ", ", "_"), " ", "_"), strings.TrimPrefix(test.do(s).Explain(), "\n"))
		})
	}
}

// TestReports pins what a test prints when it fails, whole.
func TestReports(t *testing.T) {
	for name, test := range map[string]func(s scene){
		"report_expect":      func(s scene) { conversation(s).Expect(kit.Tx{From: s.alice, To: s.bob, Success: true}) },
		"report_expect_none": func(s scene) { conversation(s).ExpectNone(kit.Tx{Exit: 43}) },
		"report_expect_all":  func(s scene) { conversation(s).ExpectAll(kit.Tx{Aborted: false}) },
		"report_refused_expected": func(s scene) {
			conversation(s).ExpectRefused(nil)
		},
		"report_refused_otherwise": func(s scene) {
			s.SendExternal(kit.External{To: s.counter.Address, Body: order(1, throw(42))}).ExpectRefused(43)
		},
		"report_refused_unexpected": func(s scene) {
			s.SendExternal(kit.External{To: s.counter.Address, Body: order(1, throw(42))}).Expect(kit.Tx{Success: true})
		},
		"report_wallet": func(s scene) {
			s.alice.Send(kit.Message{To: s.bob.Address, Value: 2 * kit.TreasuryBalance})
		},
		"report_deploy": func(s scene) { s.Deploy("carol", asm(0xf2, 0x2a), nil, tlb.TON) },
		"report_change": func(s scene) {
			conversation(s).ExpectChange(s.counter, kit.Gain(tlb.TON))
		},
		"report_get":      func(s scene) { s.Deploy("carol", puppetCode, nil, tlb.TON).Get("count", 1, s.bob.Address) },
		"report_get_type": func(s scene) { s.counter.Get("count").Cell(0) },
		"report_get_none": func(s scene) { s.counter.Get("count").Int(1) },
		"report_get_who":  func(s scene) { s.Random("dave").Get("count") },
	} {
		t.Run(name, func(t *testing.T) {
			text := failure(t, func(tb kit.TB) { test(newScene(t, tb)) })
			if text == "" {
				t.Error("does not fail")
			}
			golden(t, name, text)
		})
	}
}

// TestRefused: what may stand for the exit code of a refusal.
func TestRefused(t *testing.T) {
	s := newScene(t, t)
	r := s.SendExternal(kit.External{To: s.counter.Address, Body: order(1, throw(42))})
	r.ExpectRefused(nil)
	r.ExpectRefused(42)
	r.ExpectRefused(kit.AtLeast(40))
	s.SendExternal(kit.External{To: nobody()}).ExpectRefused(nil)
	if text := failure(t, func(tb kit.TB) {
		s := newScene(t, tb)
		s.SendExternal(kit.External{To: nobody()}).ExpectRefused(0)
	}); text == "" {
		t.Error("a contract that is not there has an exit code")
	}
	if _, found := r.Find(kit.Tx{Success: true}); found {
		t.Error("a refused message has a transaction")
	}
}

func sandboxGiver() any { return sandbox.Giver() }
