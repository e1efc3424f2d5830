package contracts_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// model is what a channel should be, in plain Go. Its methods return how the contract should end, given a
// value that is high enough, and change the model if that is success.
type model struct {
	tlb.ChannelState
	now  uint32
	gone bool
}

func (m *model) open(from *address.Address, deposit tlb.Nano) contracts.Exit {
	switch {
	case !from.Equals(alice):
		return contracts.ExitNotPayer
	case m.Opened:
		return contracts.ExitAlreadyOpen
	case deposit < contracts.MinDeposit:
		return contracts.ExitAmountTooSmall
	}
	m.Opened, m.Deposit, m.Epoch, m.gone = true, deposit, m.now, false
	return 0
}

func (m *model) topUp(amount tlb.Nano) contracts.Exit {
	switch {
	case !m.Opened:
		return contracts.ExitNotOpen
	case m.Closing():
		return contracts.ExitClosing
	case amount < contracts.MinDeposit:
		return contracts.ExitAmountTooSmall
	}
	m.Deposit += amount
	return 0
}

func (m *model) claim(v tlb.SignedVoucher) contracts.Exit {
	key, alive := m.KeyOf(v.Voucher.Epoch, m.now)
	switch {
	case !m.Opened:
		return contracts.ExitNotOpen
	case v.Voucher.Cumulative <= m.Settled:
		return contracts.ExitNotAboveSettled
	case v.Voucher.Cumulative > m.Deposit:
		return contracts.ExitAboveDeposit
	case !alive:
		return contracts.ExitDeadEpoch
	case v.Verify(key[:]) != nil:
		return contracts.ExitBadSignature
	}
	m.Settled = v.Voucher.Cumulative
	return 0
}

func (m *model) payer(from *address.Address) contracts.Exit {
	switch {
	case !m.Opened:
		return contracts.ExitNotOpen
	case !from.Equals(alice):
		return contracts.ExitNotPayer
	}
	return 0
}

func (m *model) rotate(from *address.Address, key [32]byte) contracts.Exit {
	if exit := m.payer(from); exit != 0 {
		return exit
	}
	switch {
	case m.Closing():
		return contracts.ExitClosing
	case m.Rotation != nil && m.now < m.Rotation.DiesAt:
		return contracts.ExitRotating
	}
	m.Rotation = &tlb.ChannelRotation{SessionKey: m.SessionKey, DiesAt: m.now + m.Config.CloseDelay}
	m.SessionKey = key
	m.Epoch++
	return 0
}

func (m *model) requestClose(from *address.Address) contracts.Exit {
	if exit := m.payer(from); exit != 0 {
		return exit
	}
	if m.Closing() {
		return contracts.ExitClosing
	}
	m.CloseAt = m.now + m.Config.CloseDelay
	if m.Rotation != nil && m.now < m.Rotation.DiesAt {
		m.Rotation.DiesAt = m.CloseAt
	}
	return 0
}

func (m *model) finish() contracts.Exit {
	switch {
	case !m.Closing():
		return contracts.ExitNotClosing
	case m.now < m.CloseAt:
		return contracts.ExitTooEarly
	}
	m.end()
	return 0
}

func (m *model) coopClose(from *address.Address, final tlb.Nano) contracts.Exit {
	if exit := m.payer(from); exit != 0 {
		return exit
	}
	switch {
	case final < m.Settled:
		return contracts.ExitNotAboveSettled
	case final > m.Deposit:
		return contracts.ExitAboveDeposit
	}
	m.end()
	return 0
}

func (m *model) end() {
	m.ChannelState = tlb.ChannelState{Config: m.Config, SessionKey: m.Config.SessionKey}
	m.gone = true
}

// run drives the compiled contract and the model side by side.
type run struct {
	*channel
	rt       *rapid.T
	took     map[string]int // how often each message was carried out
	model    model
	keys     int                 // session keys made so far
	vouchers []tlb.SignedVoucher // every one ever signed
	signed   tlb.Nano            // C1: the highest of this life
	paid     tlb.Nano            // to bob in this life
	notices  tlb.Nano            // to bob, besides
}

func TestChannelAgainstModel(t *testing.T) {
	steps, took := 0, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		n := newNetwork(t, sandbox.Options{})
		defer n.Close()
		n.tb = rt
		r := &run{channel: n.newChannel(), rt: rt, took: took}
		r.model = model{ChannelState: tlb.ChannelState{Config: r.cfg, SessionKey: r.cfg.SessionKey}, gone: true}
		r.openOne()
		rt.Repeat(map[string]func(*rapid.T){
			"open":          r.open,
			"top up":        r.topUp,
			"claim 1":       r.claimNew,
			"claim 2":       r.claimNew,
			"claim 3":       r.claimNew,
			"claim again 1": r.claimAgain,
			"claim again 2": r.claimAgain,
			"rotate":        r.rotateKey,
			"request close": r.request,
			"finish 1":      r.finish,
			"finish 2":      r.finish,
			"coop close":    r.coop,
			"gift":          r.gift,
			"wait":          r.wait,
			"":              func(*rapid.T) { steps++; r.check() },
		})
	})
	t.Logf("%d steps, carried out: %v", steps, took)
	for _, what := range []string{"open", "top up", "claim", "claim again", "rotate", "request close", "finish", "coop close"} {
		if took[what] == 0 {
			t.Errorf("no %s was ever carried out: the test tests too little", what)
		}
	}
}

func (r *run) actor() *address.Address {
	return rapid.SampledFrom([]*address.Address{alice, alice, alice, alice, alice, bob, carol}).Draw(r.rt, "actor")
}

func (r *run) amount(what string) tlb.Nano {
	return tlb.Nano(rapid.SampledFrom([]uint64{1, 99_999_999, 100_000_000, 700_000_001, 3_000_000_000}).Draw(r.rt, what))
}

// deliver sends a message and compares what the contract did with what the model says. Attached is at
// times too little; then anything but a change is right.
func (r *run) deliver(what string, from *address.Address, m contracts.Message, step func(*model) contracts.Exit) {
	was := r.model
	if was.Rotation != nil { // the model changes it in place
		rotation := *was.Rotation
		was.Rotation = &rotation
	}
	settled, deposit := r.model.Settled, r.model.Deposit
	absent := r.model.gone && m.Init == nil
	normal := m.Amount
	m.Amount = rapid.SampledFrom([]tlb.Nano{normal, normal, normal, normal, normal, normal, normal, normal + tlb.TON, normal / 2, 1_000_000, 1}).Draw(r.rt, "value")
	r.model.now = r.unix()
	want := step(&r.model)
	trace := r.send(from, m)
	got := contracts.Exit(trace.Exit)
	took := trace.Skipped == "" && got == 0

	switch {
	case absent && trace.Skipped != "":
		r.model = was // nobody there
	case took && want == 0:
	case !took && m.Amount < normal:
		r.model = was
	case trace.Skipped != "" || got != want:
		r.Fatalf("%s: %v %s, the model says %v\n%v", what, got, trace.Skipped, want, trace)
	}
	if trace.Action != sandbox.ActionOK {
		r.Fatalf("%s: %v", what, trace.Action)
	}

	// C3: coins go to the payer, to the payout address, or back to the caller within what it sent.
	for _, out := range trace.Caused {
		to, op := out.Message.To, out.Message.Op()
		switch {
		case op == tlb.OpChannelPayout && to.Equals(bob):
			r.paid += out.Message.Value
		case op == tlb.OpChannelPayout && to.Equals(alice):
		case op == tlb.OpChannelCloseNotice && to.Equals(bob) && out.Message.Value == contracts.CloseNoticeValue:
			r.notices += out.Message.Value
		case to.Equals(from) && (op == tlb.OpExcesses || out.Message.Bounced) && out.Message.Value <= m.Amount:
		default:
			r.Fatalf("%s: %v went to %v\n%v", what, out.Message.Value, to, trace)
		}
	}
	if r.paid > r.signed || (took && r.paid > deposit && r.paid > r.model.Deposit) {
		r.Fatalf("%s: paid %v, signed %v, deposit %v, settled %v", what, r.paid, r.signed, deposit, settled)
	}
	if took && !r.model.gone {
		// C6, exactly what is owed and no less.
		if got, want := r.balance(r.addr), r.model.Left()+contracts.ChannelReserve; got < want {
			r.Fatalf("%s: channel holds %v, owes %v", what, got, want)
		}
	}
	if took {
		r.took[what]++
	}
	if took && r.model.gone {
		r.paid, r.signed = 0, 0
		r.session = key("session")
		// Epochs are seconds: within one, an address that is opened again has the epoch it had. Only the
		// payer could do that, and to itself.
		r.advance(time.Second)
	}
}

func (r *run) check() {
	acc := r.account(r.addr)
	if acc.Status == tlb.AccountActive {
		state, err := contracts.ParseChannel(acc)
		if err != nil {
			r.Fatalf("%v", err)
		}
		if diff := cmp.Diff(r.model.ChannelState, state, cmp.Comparer((*address.Address).Equals)); diff != "" {
			r.Fatalf("contract differs from the model:\n%s", diff)
		}
	} else if !r.model.gone {
		r.Fatalf("channel is %v", acc.Status)
	}
	r.checkConserved()
}

func (r *run) open(*rapid.T) {
	if r.model.gone {
		r.openOne() // nothing else would happen
		return
	}
	r.deliverOpen(r.amount("deposit"), r.actor())
}

func (r *run) openOne() {
	for r.model.gone {
		r.deliverOpen(r.amount("deposit"), r.actor())
	}
}

func (r *run) deliverOpen(deposit tlb.Nano, from *address.Address) {
	m := must(contracts.OpenChannel(r.cfg, tlb.TON))
	m.Amount += deposit
	m.Body = must(tlb.ChannelOpen{Deposit: deposit}.ToCell())
	r.deliver("open", from, m, func(m *model) contracts.Exit { return m.open(from, deposit) })
}

func (r *run) topUp(*rapid.T) {
	amount := r.amount("amount")
	m := raw(r.addr, amount+contracts.TopUpGas, must(tlb.ChannelTopUp{Amount: amount}.ToCell()))
	r.deliver("top up", r.actor(), m, func(m *model) contracts.Exit { return m.topUp(amount) })
}

func (r *run) claimNew(*rapid.T) {
	cumulative := r.model.Settled + tlb.Nano(rapid.Uint64Range(0, uint64(r.model.Left()/4+1)).Draw(r.rt, "more"))
	v := tlb.Voucher{Network: r.global, Channel: r.addr, Epoch: r.model.Epoch, Cumulative: cumulative}
	if rapid.IntRange(0, 5).Draw(r.rt, "for the old epoch") == 0 {
		v.Epoch--
	}
	signed := must(tlb.SignVoucher(v, r.session))
	r.vouchers = append(r.vouchers, signed)
	r.signed = max(r.signed, cumulative)
	if rapid.Bool().Draw(r.rt, "keep it for later") {
		return
	}
	r.deliver("claim", r.actor(), r.channel.claim(signed), func(m *model) contracts.Exit { return m.claim(signed) })
}

func (r *run) claimAgain(*rapid.T) {
	if len(r.vouchers) == 0 {
		return
	}
	v := rapid.SampledFrom(r.vouchers).Draw(r.rt, "voucher")
	r.deliver("claim again", r.actor(), r.channel.claim(v), func(m *model) contracts.Exit { return m.claim(v) })
}

func (r *run) rotateKey(*rapid.T) {
	r.keys++
	next, from := key(fmt.Sprintf("session %d", r.keys)), r.actor()
	epoch := r.model.Epoch
	r.deliver("rotate", from, must(contracts.Rotate(r.addr, public(next))), func(m *model) contracts.Exit { return m.rotate(from, public(next)) })
	if r.model.Epoch != epoch {
		r.session = next
	}
}

func (r *run) request(*rapid.T) {
	if rapid.Bool().Draw(r.rt, "how often") {
		return
	}
	from := r.actor()
	r.deliver("request close", from, contracts.RequestClose(r.addr), func(m *model) contracts.Exit { return m.requestClose(from) })
}

func (r *run) finish(*rapid.T) {
	r.deliver("finish", r.actor(), contracts.Finish(r.addr), func(m *model) contracts.Exit { return m.finish() })
}

func (r *run) coop(*rapid.T) {
	// Rarely, so that lives are long enough to be interesting.
	if rapid.IntRange(0, 11).Draw(r.rt, "how often") > 0 {
		return
	}
	from := r.actor()
	final := r.model.Settled + tlb.Nano(rapid.Uint64Range(0, uint64(r.model.Left()+1)).Draw(r.rt, "final"))
	r.signed = max(r.signed, final) // the payer, sending it, authorises as much
	r.deliver("coop close", from, r.channel.coopClose(r.consent(final)), func(m *model) contracts.Exit { return m.coopClose(from, final) })
}

func (r *run) gift(*rapid.T) {
	m := raw(r.addr, tlb.TON/100, nil)
	m.Bounce = false
	r.send(r.actor(), m)
}

func (r *run) wait(*rapid.T) {
	r.advance(time.Duration(rapid.SampledFrom([]int{1, 3600, 3 * 3600, 6*3600 - 1, 6 * 3600}).Draw(r.rt, "seconds")) * time.Second)
}
