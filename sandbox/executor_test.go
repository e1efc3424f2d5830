package sandbox_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// twice sends the two messages that it is told, each with its mode:
//
//	SETCP0 IFNOTRET ACCEPT
//	LDREF 8 LDU ROTREV SENDRAWMSG
//	LDREF 8 LDU DROP SENDRAWMSG
var twice = cell.BeginCell().MustStoreSlice([]byte{
	0xff, 0x00, 0xdd, 0xf8, 0x00,
	0xd4, 0xd3, 0x07, 0x59, 0xfb, 0x00,
	0xd4, 0xd3, 0x07, 0x30, 0xfb, 0x00,
}, 17*8).EndCell()

// tell has it send to two accounts.
func tell(t *testing.T, first, second *address.Address, amount [2]tlb.Nano, mode [2]uint64) *cell.Cell {
	t.Helper()
	body := cell.BeginCell()
	for i, to := range []*address.Address{first, second} {
		m, err := tontlb.ToCell(&tontlb.InternalMessage{
			IHRDisabled: true, SrcAddr: address.NewAddressNone(), DstAddr: to, Amount: tontlb.FromNanoTONU(uint64(amount[i])), Body: cell.BeginCell().EndCell(),
		})
		if err != nil {
			t.Fatal(err)
		}
		body.MustStoreRef(m).MustStoreUInt(mode[i], 8)
	}
	m, err := tontlb.ToCell(&tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: account(base, 1), Body: body.EndCell()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestKeptAccount: a message of mode 128+32 before an action that fails leaves
// the account as it was, but for gas. That all of it is as on TON, a build with
// the tag reference shows. What comes next finds an ordinary account.
func TestKeptAccount(t *testing.T) {
	for name, o := range modes() {
		t.Run(name, func(t *testing.T) {
			o.Genesis = []sandbox.GenesisAccount{{Address: account(base, 1), Balance: 10 * tlb.TON, Code: twice, Data: number(7)}}
			chain := openChain(t, o)
			trace, err := chain.Execute(t.Context(), tell(t, account(base, 2), account(base, 3), [2]tlb.Nano{0, tlb.TON}, [2]uint64{128 + 32, 0}))
			if err != nil {
				t.Fatal(err)
			}
			if trace.Action != sandbox.ActionNotEnoughTON || !trace.Aborted || len(trace.Caused) != 0 {
				t.Errorf("got %v", trace)
			}
			a := view(t, chain, 1)
			if a.Status != tlb.AccountActive || a.Balance < 9*tlb.TON || a.Code.HashKey() != twice.HashKey() || a.Data.HashKey() != number(7).HashKey() {
				t.Errorf("account is %s with %s", a.Status, a.Balance)
			}
			again, err := trace.Execution.Run(nil)
			if err != nil || again.Transaction.HashKey() != trace.Tx.Hash || again.After.HashKey() != trace.After.HashKey() {
				t.Errorf("repeated: %+v, %v", again, err)
			}
			// In this order nothing fails, and the account is gone.
			trace, err = chain.Execute(t.Context(), tell(t, account(base, 2), account(base, 3), [2]tlb.Nano{tlb.TON, 0}, [2]uint64{0, 128 + 32}))
			if err != nil || trace.Aborted || len(trace.Caused) != 2 || trace.Status != tlb.AccountAbsent {
				t.Errorf("got %v, %v", trace, err)
			}
			checkConserved(t, chain)
			checkBlocks(t, chain)
		})
	}
}

// TestExecutorBreaksDown: a message at which the executor breaks down comes back
// as if its receiver had no gas, everybody is told, and the chain goes on.
func TestExecutorBreaksDown(t *testing.T) {
	ctx := t.Context()
	for name, o := range modes() {
		t.Run(name, func(t *testing.T) {
			o.Genesis = []sandbox.GenesisAccount{{Address: account(base, 1), Balance: tlb.TON, Code: sink}}
			chain := openChain(t, o)
			chain.Breaking(func(to *address.Address) {
				if to.Equals(account(base, 1)) {
					panic("a pruned branch")
				}
			})
			for _, bounce := range []bool{true, false} {
				trace, err := chain.Execute(ctx, give(t, 1, account(base, 1), tlb.TON, bounce))
				if err != nil {
					t.Fatal(err)
				}
				broken := trace.Caused[0]
				if !errors.Is(broken.Fault, sandbox.ErrExecutor) || !strings.Contains(trace.String(), "executor broke down: a pruned branch") {
					t.Errorf("got %v", trace)
				}
				if bounced := len(broken.Caused) == 1 && broken.Caused[0].Message.Bounced; broken.Skipped != "no gas" || bounced != bounce || trace.Fault != nil {
					t.Errorf("bounce %t: got %v", bounce, trace)
				}
			}
			if err := chain.Fault(); !errors.Is(err, sandbox.ErrExecutor) {
				t.Errorf("fault: %v", err)
			}
			if a := view(t, chain, 1); a.Balance <= tlb.TON || a.Status != tlb.AccountActive {
				t.Errorf("account is %s with %s", a.Status, a.Balance)
			}
			// Who sends from outside is told.
			var refused *sandbox.NotAcceptedError
			if err := chain.Send(ctx, external(t, account(base, 1))); !errors.As(err, &refused) || refused.Reason == "" {
				t.Errorf("from outside: %v", err)
			}
			if _, err := chain.SendInternal(ctx, sandbox.Internal{From: account(base, 2), To: account(base, 1), Amount: tlb.TON}); !errors.Is(err, sandbox.ErrExecutor) {
				t.Errorf("impersonated: %v", err)
			}
			if err := chain.Faucet(ctx, account(base, 5), tlb.TON); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			checkConserved(t, chain)
			checkBlocks(t, chain)
		})
	}
}
