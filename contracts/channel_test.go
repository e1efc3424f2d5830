package contracts_test

import (
	"testing"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// A channel's life: alice opens, a stranger claims for bob twice, the payer closes alone. Every balance
// is checked to the nanoTON.
func TestChannelLife(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.newChannel()
	const deposit = 2 * tlb.TON

	trace := c.try("open", 0, alice, must(contracts.OpenChannel(c.cfg, deposit)))
	if got, want := c.balance(c.addr), deposit+contracts.ChannelReserve; got != want {
		t.Errorf("channel holds %v, want %v", got, want)
	}
	if change, ok := value(trace, alice, tlb.OpExcesses); !ok || change+trace.Fees > contracts.OpenGas || change < contracts.OpenGas/2 {
		t.Errorf("alice got %v back of %v for gas", change, contracts.OpenGas)
	}
	state := c.state()
	if !state.Opened || state.Deposit != deposit || state.Settled != 0 || state.Epoch != c.unix() || state.SessionKey != c.cfg.SessionKey {
		t.Errorf("opened as %+v", state)
	}

	first, second := tlb.TON/2, deposit-1
	trace = c.try("first claim", 0, carol, c.claim(c.voucher(first)))
	if paid, ok := value(trace, bob, tlb.OpChannelPayout); !ok || paid != first {
		t.Errorf("bob was sent %v, want %v", paid, first)
	}
	if got := c.balance(bob); got != first {
		t.Errorf("bob has %v, want %v", got, first)
	}
	c.try("second claim", 0, bob, c.claim(c.voucher(second)))
	if got, want := c.balance(c.addr), deposit-second+contracts.ChannelReserve; got != want {
		t.Errorf("channel holds %v, want %v", got, want)
	}

	trace = c.try("request close", 0, alice, contracts.RequestClose(c.addr))
	if got, ok := value(trace, bob, tlb.OpChannelCloseNotice); !ok || got != contracts.CloseNoticeValue {
		t.Errorf("notice carried %v, want %v", got, contracts.CloseNoticeValue)
	}
	if got, want := c.state().CloseAt, c.unix()+c.cfg.CloseDelay; got != want {
		t.Errorf("closes at %d, want %d", got, want)
	}
	c.advance(time.Duration(c.cfg.CloseDelay) * time.Second)

	before := c.balance(alice)
	trace = c.try("finish", 0, alice, contracts.Finish(c.addr))
	rest, ok := value(trace, alice, tlb.OpChannelPayout)
	if !ok || before+rest-uncollected(trace) != c.balance(alice) {
		t.Errorf("alice was sent %v, her balance rose by %v", rest, c.balance(alice)-before)
	}
	// The remainder is the last nano and the reserve, less six hours of storage, and the change.
	if want := deposit - second + contracts.ChannelReserve + contracts.FinishGas - trace.Fees - forwardTail; rest != want {
		t.Errorf("alice was sent %v, want %v", rest, want)
	}
	if got := c.account(c.addr).Status; got != tlb.AccountAbsent {
		t.Errorf("account is %v after finish", got)
	}
	c.checkConserved()
}

// forwardTail is the part of a one-cell message's forward fee that travels with it; the first part is
// among the fees of the sending transaction.
const forwardTail tlb.Nano = 400_000 - 400_000*21_845>>16

// uncollected is what transactions of receivers without an account cost: storage fees of an address
// that holds coins and nothing else.
func uncollected(trace *sandbox.Trace) (fees tlb.Nano) {
	for _, each := range trace.Caused {
		fees += each.Fees
	}
	return fees
}
