package contracts_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// C5: a voucher signed before close was requested is good through the whole window, and beyond it for as
// long as nobody has finished.
func TestVoucherOutlivesRequestToClose(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	for i, wait := range []time.Duration{0, time.Second, 6*time.Hour - time.Second, 6 * time.Hour, 24 * time.Hour} {
		c := n.openChannel(tlb.TON, func(cfg *tlb.ChannelConfig) { cfg.Salt = uint64(i) })
		v := c.voucher(tlb.TON)
		c.requestClose()
		n.advance(wait)
		n.try(fmt.Sprintf("claim after %s", wait), 0, carol, c.claim(v))
		n.advance(6 * time.Hour)
		n.try("finish", 0, carol, contracts.Finish(c.addr))
	}
}

// C5 with a rotation before the request: the old epoch would have died within the window, and must not.
func TestOldEpochOutlivesRequestToClose(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(3 * tlb.TON)
	first := c.voucher(tlb.TON)
	last := c.voucher(2 * tlb.TON)
	c.rotate("second session")
	second := c.voucher(3 * tlb.TON)
	n.advance(6*time.Hour - 2*time.Second)
	n.try("old epoch shortly before it dies", 0, bob, c.claim(first))
	c.requestClose()
	n.advance(6*time.Hour - time.Second)
	n.try("old epoch in the last second of the window", 0, bob, c.claim(last))
	n.advance(time.Second)
	n.try("old epoch after the window", contracts.ExitDeadEpoch, bob,
		c.claim(must(tlb.SignVoucher(c.voucher(3*tlb.TON, func(v *tlb.Voucher) { v.Epoch-- }).Voucher, key("session")))))
	n.try("new epoch after the window", 0, bob, c.claim(second))

	// An epoch that was dead when close was requested stays dead.
	d := n.openChannel(tlb.TON, func(cfg *tlb.ChannelConfig) { cfg.Salt = 2 })
	dead := d.voucher(tlb.TON)
	d.rotate("second session")
	n.advance(6 * time.Hour)
	d.requestClose()
	n.try("dead epoch", contracts.ExitDeadEpoch, bob, d.claim(dead))
}

// A claim that loses the race against finish finds nobody, and its coins come back.
func TestClaimAfterFinish(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(tlb.TON)
	v := c.voucher(tlb.TON)
	c.requestClose()
	n.advance(6 * time.Hour)
	before := n.balance(carol)
	n.try("finish", 0, carol, contracts.Finish(c.addr))
	change := n.balance(carol) - before
	if change == 0 || change >= contracts.FinishGas {
		t.Errorf("the stranger who finished got %v back of %v", change, contracts.FinishGas)
	}
	trace := n.send(carol, c.claim(v))
	if trace.Skipped == "" || len(trace.Caused) != 1 || !trace.Caused[0].Message.Bounced {
		t.Errorf("claim after finish:\n%v", trace)
	}
	if n.balance(bob) != contracts.CloseNoticeValue {
		t.Errorf("bob has %v", n.balance(bob))
	}
	n.checkConserved()
}

// C4: with the payee dead and its address throwing at everything, the payer gets the remainder within
// the close window plus one transaction. So does a payee paid at such an address.
func TestRefusingReceivers(t *testing.T) {
	for _, who := range []*address.Address{bob, alice} {
		n := newNetwork(t, sandbox.Options{Genesis: []sandbox.GenesisAccount{{Address: who, Balance: tlb.TON, Code: refusing}}})
		c := n.openChannel(3 * tlb.TON)
		n.try("claim", 0, carol, c.claim(c.voucher(tlb.TON)))
		c.requestClose()
		n.try("claim while closing", 0, carol, c.claim(c.voucher(2*tlb.TON)))
		n.advance(6 * time.Hour)
		before := n.balance(alice)
		n.try("finish", 0, alice, contracts.Finish(c.addr))
		if got := n.balance(alice) - before; got < tlb.TON {
			t.Errorf("alice got %v", got)
		}
		if got := n.balance(bob); got < 2*tlb.TON {
			t.Errorf("bob got %v", got)
		}
		if n.account(c.addr).Status != tlb.AccountAbsent {
			t.Error("channel is still there")
		}
		n.checkConserved()
	}
}

func TestCoopClose(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	for i, final := range []tlb.Nano{tlb.TON / 4, tlb.TON/4 + 1, tlb.TON / 2, tlb.TON} {
		for _, closing := range []bool{false, true} {
			c := n.openChannel(tlb.TON, func(cfg *tlb.ChannelConfig) { cfg.Salt = uint64(2 * i); cfg.CloseDelay += uint32(i) })
			n.try("claim", 0, bob, c.claim(c.voucher(tlb.TON/4)))
			if closing {
				c.requestClose()
			}
			m := c.coopClose(c.consent(final))
			trace := n.try("coop close", 0, alice, m)
			paid, _ := value(trace, bob, tlb.OpChannelPayout)
			if paid != final-tlb.TON/4 {
				t.Errorf("bob was paid %v of %v", paid, final)
			}
			rest, _ := value(trace, alice, tlb.OpChannelPayout)
			messages := tlb.Nano(len(trace.Caused))
			if want := tlb.TON - final + contracts.ChannelReserve + m.Amount - trace.Fees - messages*forwardTail; rest != want {
				t.Errorf("alice got %v, want %v", rest, want)
			}
			if n.account(c.addr).Status != tlb.AccountAbsent {
				t.Error("channel is still there")
			}
		}
	}
	n.checkConserved()
}

// C7: a closed channel's address can be opened again, by the payer alone and with a new deposit. Nothing
// signed for its first life is worth anything in the second, except consents: so a payee never serves
// an address again.
func TestReopen(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(3 * tlb.TON)
	var old []tlb.SignedVoucher
	for i := range tlb.Nano(3) {
		old = append(old, c.voucher((i+1)*tlb.TON))
	}
	n.try("claim", 0, bob, c.claim(old[0]))
	c.rotate("second session")
	old = append(old, c.voucher(2*tlb.TON), c.voucher(3*tlb.TON))
	c.requestClose()
	n.advance(6 * time.Hour)
	n.try("finish", 0, carol, contracts.Finish(c.addr))

	m := must(contracts.OpenChannel(c.cfg, 3*tlb.TON))
	n.try("a stranger opens it again", contracts.ExitNotPayer, carol, m)
	topUp := must(contracts.TopUp(c.addr, 3*tlb.TON))
	topUp.Init = m.Init
	n.try("a stranger tops it up", contracts.ExitNotOpen, carol, topUp)
	n.try("the payer opens it again", 0, alice, m)
	for _, v := range old {
		n.try("a voucher of its first life", contracts.ExitDeadEpoch, bob, c.claim(v))
	}
	c.session = key("session")
	n.try("a new voucher", 0, bob, c.claim(c.voucher(tlb.TON)))
	n.checkConserved()
}

// C7: only the diagonal of vouchers and channels passes, on one network and across two.
func TestReplayMatrix(t *testing.T) {
	type place struct {
		n *network
		c *channel
		v tlb.SignedVoucher
	}
	var places []place
	for _, global := range []int32{-3, -217} {
		n := newNetwork(t, sandbox.Options{GlobalID: global})
		for salt := range uint64(2) {
			c := n.openChannel(tlb.TON, func(cfg *tlb.ChannelConfig) { cfg.Salt = salt })
			places = append(places, place{n, c, c.voucher(tlb.TON)})
		}
	}
	for i, at := range places {
		for j, from := range places {
			want := contracts.ExitWrongNetwork
			if at.n == from.n {
				want = contracts.ExitWrongChannel
			}
			if i == j {
				continue
			}
			at.n.try(fmt.Sprintf("voucher %d on channel %d", j, i), want, carol, at.c.claim(from.v))
		}
		at.n.try("its own voucher", 0, carol, at.c.claim(at.v))
		at.n.try("its own voucher again", contracts.ExitNotAboveSettled, carol, at.c.claim(at.v))
	}
}

// The same config has other addresses on other networks, since the network is part of it; and a channel
// with the config of one network cannot be opened on another.
func TestConfigOfAnotherNetwork(t *testing.T) {
	test, main := newNetwork(t, sandbox.Options{GlobalID: -3}), newNetwork(t, sandbox.Options{GlobalID: tlb.Mainnet})
	c := test.newChannel()
	main.try("open", contracts.ExitWrongNetwork, alice, must(contracts.OpenChannel(c.cfg, tlb.TON)))
	if other := main.newChannel(); other.addr.Equals(c.addr) {
		t.Error("the same address on two networks")
	}
}

// Coins that were not asked for, from anyone, change nothing and go to the payer in the end. A stranger's
// claim must not sweep them.
func TestGifts(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(tlb.TON)
	gift := raw(c.addr, 5*tlb.TON, nil)
	gift.Bounce = false
	n.send(carol, gift)
	before := n.balance(carol)
	n.try("claim", 0, carol, c.claim(c.voucher(tlb.TON/2)))
	if got := n.balance(carol) - before; got >= contracts.ClaimGas {
		t.Errorf("the claimer got %v back of %v", got, contracts.ClaimGas)
	}
	c.requestClose()
	n.advance(6 * time.Hour)
	n.try("finish", 0, carol, contracts.Finish(c.addr))
	if got := n.balance(alice); got < 5*tlb.TON+tlb.TON/2 {
		t.Errorf("alice has %v", got)
	}
	n.checkConserved()
}

// C6 over time: storage is paid from the reserve, the next message makes up for it, and after twenty
// years a claim and the way out still work.
func TestStorageOverYears(t *testing.T) {
	const year = 365 * 24 * time.Hour
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(tlb.TON)
	n.advance(year)
	n.try("claim after a year", 0, carol, func() contracts.Message {
		m := c.claim(c.voucher(tlb.TON / 4))
		m.Amount += contracts.ChannelReserve
		return m
	}())
	if got, want := n.balance(c.addr), tlb.TON-tlb.TON/4+contracts.ChannelReserve; got != want {
		t.Errorf("channel holds %v after a claim, want %v", got, want)
	}
	n.advance(20 * year)
	m := c.claim(c.voucher(tlb.TON / 2))
	n.try("claim after twenty years with the usual value", contracts.ExitValueTooLow, carol, m)
	m.Amount = tlb.TON / 2
	n.try("claim after twenty years", 0, carol, m)
	if got, want := n.balance(c.addr), tlb.TON/2+contracts.ChannelReserve; got != want {
		t.Errorf("channel holds %v after a claim, want %v", got, want)
	}
	n.advance(20 * year)
	c.requestCloseWith(tlb.TON / 2)
	n.advance(20 * year)
	before := n.balance(alice)
	n.try("finish", 0, carol, contracts.Finish(c.addr))
	t.Logf("after sixty years alice got back %v of %v", n.balance(alice)-before, tlb.TON/2+contracts.ChannelReserve)
	n.checkConserved()
}

func (c *channel) requestCloseWith(value tlb.Nano) {
	c.Helper()
	m := contracts.RequestClose(c.addr)
	m.Amount = value
	c.try("request close", 0, alice, m)
}

// A stranger who sees the payer's message may deploy the channel first, and let it starve for years. The
// payer opens it all the same. (Block time ends in 2106; what is asked here of 64 years used to be asked of
// 200, which wrapped round to the same date.)
func TestDeployedByStranger(t *testing.T) {
	for _, years := range []int{0, 1, 20, 64} {
		n := newNetwork(t, sandbox.Options{})
		c := n.newChannel()
		open := must(contracts.OpenChannel(c.cfg, tlb.TON))
		deploy := open
		deploy.Amount = tlb.TON / 100
		n.try("a stranger deploys", contracts.ExitNotPayer, carol, deploy)
		n.advance(time.Duration(years) * 365 * 24 * time.Hour)
		status := n.account(c.addr).Status
		open.Amount += tlb.TON // for the debt; what is not needed comes back
		if trace := n.send(alice, open); trace.Skipped != "" {
			// Its debt was above the limit: this message froze it, and came back. The next one thaws it.
			status = n.account(c.addr).Status
			n.try("open", 0, alice, open)
		}
		n.try("claim", 0, bob, c.claim(c.voucher(tlb.TON)))
		if got := n.balance(c.addr); got != contracts.ChannelReserve {
			t.Errorf("after %d years: channel holds %v, want %v", years, got, contracts.ChannelReserve)
		}
		t.Logf("after %d years the account was %v", years, status)
		n.checkConserved()
	}
}

// Strangers send every operation with every value: no coin of the channel moves but to the payee, and
// only for a voucher.
func TestStrangers(t *testing.T) {
	for _, closing := range []bool{false, true} {
		n := newNetwork(t, sandbox.Options{})
		c := n.openChannel(3 * tlb.TON)
		v := c.voucher(tlb.TON)
		if closing {
			c.requestClose()
		}
		c.try("claim", 0, bob, c.claim(v))
		state := c.state()
		messages := []contracts.Message{
			must(contracts.OpenChannel(c.cfg, tlb.TON)), must(contracts.TopUp(c.addr, tlb.TON)), c.claim(v), must(contracts.Rotate(c.addr, public(key("thief")))),
			contracts.RequestClose(c.addr), contracts.Finish(c.addr), c.coopClose(c.consent(tlb.TON)), raw(c.addr, 0, must(tlb.ChannelPayout{Settled: 1}.ToCell())),
			raw(c.addr, 0, must(tlb.ChannelCloseNotice{}.ToCell())), raw(c.addr, 0, must(tlb.Excesses{}.ToCell())),
		}
		for _, m := range messages {
			for _, stranger := range []*address.Address{bob, carol} {
				for _, amount := range []tlb.Nano{0, 1_000_000, 5_000_000, 100 * tlb.TON} {
					for _, bounce := range []bool{false, true} {
						m.Amount, m.Bounce = amount, bounce
						before := n.balance(c.addr)
						trace := n.send(stranger, m)
						if got := n.balance(c.addr); got+storageFee(trace) < before {
							t.Fatalf("balance fell from %v to %v\n%v", before, got, trace)
						}
						for _, out := range trace.Caused {
							if !out.Message.To.Equals(stranger) {
								t.Fatalf("coins went elsewhere\n%v", trace)
							}
						}
					}
				}
			}
		}
		// All that the strangers achieved: gifts, and deposits of their own.
		after := c.state()
		state.Deposit = after.Deposit
		if diff := cmp.Diff(state, after, cmp.Comparer((*address.Address).Equals)); diff != "" {
			t.Errorf("strangers changed the channel:\n%s", diff)
		}
		n.checkConserved()
	}
}

// The code alone makes no channel: storage can be forged at deployment.
func TestParseChannel(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(tlb.TON)
	c.rotate("second session")
	acc := n.account(c.addr)
	state, err := contracts.ParseChannel(acc)
	if err != nil {
		t.Fatal(err)
	}
	view, err := contracts.ViewChannel(acc, n.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := contracts.ChannelView{
		Opened: true, Deposit: state.Deposit, Settled: state.Settled, CloseAt: state.CloseAt, Epoch: state.Epoch,
		SessionKey: state.SessionKey, OldSessionKey: state.Rotation.SessionKey, OldDiesAt: state.Rotation.DiesAt,
	}
	if view != want {
		t.Errorf("the contract says %+v, the storage %+v", view, want)
	}

	rich := state
	rich.Deposit = 1_000_000 * tlb.TON
	forged := deploy(must(rich.ToCell()), raw(nil, tlb.TON, must(tlb.ChannelTopUp{Amount: tlb.TON / 2}.ToCell())))
	n.try("top up a channel that was born rich", contracts.ExitValueTooLow, carol, forged)
	for name, acc := range map[string]tlb.Account{
		"forged storage":  n.account(forged.To),
		"absent account":  n.account(carol),
		"other code":      n.account(sandbox.Giver()),
		"other address":   {Address: forged.To, Status: acc.Status, Code: acc.Code, Data: acc.Data},
		"no address":      {Status: acc.Status, Code: acc.Code, Data: acc.Data},
		"another's data":  {Address: acc.Address, Status: acc.Status, Code: acc.Code, Data: acc.Code},
		"registry's code": {Address: acc.Address, Status: acc.Status, Code: contracts.RegistryCode(), Data: acc.Data},
	} {
		if _, err := contracts.ParseChannel(acc); !errors.Is(err, contracts.ErrNotChannel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChannelMessageErrors(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(tlb.TON)
	bad := c.cfg
	bad.PayeeKey = [32]byte{}
	other := account("another channel")
	_, weak := contracts.OpenChannel(bad, tlb.TON)
	_, small := contracts.OpenChannel(c.cfg, contracts.MinDeposit-1)
	_, large := contracts.OpenChannel(c.cfg, tlb.MaxNano)
	_, topUp := contracts.TopUp(c.addr, contracts.MinDeposit-1)
	_, claim := contracts.Claim(other, c.voucher(1))
	_, rotate := contracts.Rotate(c.addr, [32]byte{})
	_, coop := contracts.CoopClose(other, c.consent(1))
	for i, test := range []struct{ got, want error }{
		{weak, tlb.ErrWeakKey}, {small, contracts.ErrDepositTooSmall}, {large, tlb.ErrOverflow}, {topUp, contracts.ErrDepositTooSmall},
		{claim, contracts.ErrOtherChannel}, {rotate, tlb.ErrWeakKey}, {coop, contracts.ErrOtherChannel},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%d: %v, want %v", i, test.got, test.want)
		}
	}
}
