package kit_test

import (
	"strings"
	"testing"

	"github.com/tussah-network/tussah/sandbox/abi"
	"github.com/tussah-network/tussah/sandbox/kit"
	"github.com/tussah-network/tussah/tlb"
)

// TestABI: what a compiler says is put to use.
func TestABI(t *testing.T) {
	s := newScene(t, t)
	s.Describe(s.counter.Address, kit.ABI(abi.Contract{
		Incoming: []abi.Message{{Body: &abi.Struct{Name: "Reset", Prefix: abi.Op(5), Fields: []abi.Field{{Name: "how", Type: abi.Remaining}}}}},
		Errors:   []abi.ThrownError{{Code: 42, Name: "NotOwner"}},
		Storage:  &abi.Struct{Name: "Storage", Fields: []abi.Field{{Name: "count", Type: abi.Uint(64)}}},
	}))
	reset := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(5, store(3))})
	reset.Expect(kit.Tx{Op: "Reset", Success: true})
	thrown := s.alice.Send(kit.Message{To: s.counter.Address, Value: tlb.TON, Body: order(5, throw(42))})
	golden(t, "abi", strings.TrimPrefix(reset.Explain()+thrown.Explain(), "\n"))
}
