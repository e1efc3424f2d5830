package contracts_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// raw is a message with any body at all.
func raw(to *address.Address, amount tlb.Nano, body *cell.Cell) contracts.Message {
	return contracts.Message{To: to, Amount: amount, Body: body, Bounce: true}
}

// rawOpen deploys a channel with a config that our own code refuses.
func rawOpen(cfg tlb.ChannelConfig, deposit tlb.Nano) contracts.Message {
	return deploy(must(cfg.Data()), raw(nil, deposit+contracts.ChannelReserve+contracts.OpenGas, must(tlb.ChannelOpen{Deposit: deposit}.ToCell())))
}

func deploy(data *cell.Cell, m contracts.Message) contracts.Message {
	m.Init = cell.BeginCell().MustStoreUInt(0b00110, 5).MustStoreRef(contracts.ChannelCode()).MustStoreRef(data).EndCell()
	m.To = address.NewAddress(0, 0, m.Init.Hash())
	return m
}

func TestChannelRefusesToOpen(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.newChannel()
	good := must(contracts.OpenChannel(c.cfg, tlb.TON))

	n.try("stranger opens", contracts.ExitNotPayer, carol, good)
	n.try("payee opens", contracts.ExitNotPayer, bob, good)
	small := good
	small.Body = must(tlb.ChannelOpen{Deposit: contracts.MinDeposit - 1}.ToCell())
	n.try("deposit below the minimum", contracts.ExitAmountTooSmall, alice, small)
	huge := good
	huge.Body = must(tlb.ChannelOpen{Deposit: tlb.MaxNano}.ToCell())
	n.try("deposit above the value", contracts.ExitValueTooLow, alice, huge)
	empty := good
	empty.Body = cell.BeginCell().EndCell()
	n.try("deploy without a message", contracts.ExitUnknownOp, alice, empty)

	// Anyone may deploy it, but before it is open it takes nothing else from anybody.
	for _, m := range []contracts.Message{
		must(contracts.TopUp(c.addr, tlb.TON)),
		must(contracts.Claim(c.addr, must(tlb.SignVoucher(tlb.Voucher{Network: n.global, Channel: c.addr, Cumulative: 1}, c.session)))),
		must(contracts.Rotate(c.addr, public(key("other")))),
		contracts.RequestClose(c.addr),
		must(contracts.CoopClose(c.addr, c.consent(0))),
	} {
		m.Init = good.Init
		n.try("before it is open", contracts.ExitNotOpen, alice, m)
	}
	early := contracts.Finish(c.addr)
	early.Init = good.Init
	n.try("finish before it is open", contracts.ExitNotClosing, alice, early)

	if s := c.state(); s.Opened || s.Deposit != 0 {
		t.Errorf("channel is %+v after refusals only", s)
	}
	n.try("open", 0, alice, good)
	n.try("open again", contracts.ExitAlreadyOpen, alice, good)

	for _, test := range []struct {
		name   string
		want   contracts.Exit
		change func(*tlb.ChannelConfig)
	}{
		{"other network", contracts.ExitWrongNetwork, func(cfg *tlb.ChannelConfig) { cfg.Network++ }},
		{"delay too short", contracts.ExitCloseDelay, func(cfg *tlb.ChannelConfig) { cfg.CloseDelay = tlb.MinCloseDelay - 1 }},
		{"delay too long", contracts.ExitCloseDelay, func(cfg *tlb.ChannelConfig) { cfg.CloseDelay = tlb.MaxCloseDelay + 1 }},
		{"shortest delay", 0, func(cfg *tlb.ChannelConfig) { cfg.CloseDelay = tlb.MinCloseDelay }},
		{"longest delay", 0, func(cfg *tlb.ChannelConfig) { cfg.CloseDelay = tlb.MaxCloseDelay }},
	} {
		n.try(test.name, test.want, alice, rawOpen(n.newChannel(test.change).cfg, tlb.TON))
	}
	for _, weak := range weakKeys(t) {
		cfg := c.cfg
		cfg.SessionKey = weak
		n.try("weak session key "+hex.EncodeToString(weak[:]), contracts.ExitWeakKey, alice, rawOpen(cfg, tlb.TON))
		cfg = c.cfg
		cfg.PayeeKey = weak
		n.try("weak payee key "+hex.EncodeToString(weak[:]), contracts.ExitWeakKey, alice, rawOpen(cfg, tlb.TON))
		n.try("rotation to weak key", contracts.ExitWeakKey, alice, raw(c.addr, contracts.RotateGas, must(tlb.ChannelRotate{SessionKey: weak}.ToCell())))
	}

	// Our own encoder writes only basechain addresses; the contract has to refuse the others itself.
	master := address.NewAddress(0, 255, bytes.Repeat([]byte{7}, 32))
	foreign := func(payer, payout *address.Address) *cell.Cell {
		s := c.state()
		terms := must(must(s.Config.Data()).PeekRef(0))
		return cell.BeginCell().MustStoreUInt(0, 64).MustStoreUInt(0, 64).MustStoreUInt(0, 64).MustStoreSlice(c.cfg.SessionKey[:], 256).
			MustStoreBoolBit(false).MustStoreAddr(payer).MustStoreAddr(payout).MustStoreRef(terms).EndCell()
	}
	n.try("payout in the masterchain", contracts.ExitWrongWorkchain, alice, deploy(foreign(alice, master), good))
	n.try("payer in the masterchain", contracts.ExitWrongWorkchain, master, deploy(foreign(master, bob), good))
	n.checkConserved()
}

// On mainnet the close window has a floor that no payer can go below.
func TestChannelMainnetDelay(t *testing.T) {
	n := newNetwork(t, sandbox.Options{GlobalID: tlb.Mainnet})
	for delay, want := range map[uint32]contracts.Exit{tlb.MinCloseDelay: contracts.ExitCloseDelay, tlb.MinCloseDelayMainnet - 1: contracts.ExitCloseDelay, tlb.MinCloseDelayMainnet: 0} {
		c := n.newChannel(func(cfg *tlb.ChannelConfig) { cfg.CloseDelay = delay })
		n.try("open", want, alice, rawOpen(c.cfg, tlb.TON))
		if err := c.cfg.Check(); (err == nil) != (want == 0) {
			t.Errorf("delay of %d s: Check says %v, the contract %v", delay, err, want)
		}
	}
}

// weakKeys are the keys of small order with either sign, and some that are not reduced.
func weakKeys(t *testing.T) (keys [][32]byte) {
	t.Helper()
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"f5ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		k := [32]byte(must(hex.DecodeString(y)))
		if !tlb.WeakKey(k[:]) {
			t.Fatalf("tlb takes %s for a strong key", y)
		}
		keys = append(keys, k)
		k[31] |= 0x80
		keys = append(keys, k)
	}
	return keys
}

// Keys that look almost weak are good: the contract's rule is tlb's.
func TestChannelTakesStrongKeys(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	for i, near := range []string{
		"ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p − 2
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7e",
		"edfffffffffffffffffffffffffffffffeffffffffffffffffffffffffffff7f",
		"0200000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000001",
	} {
		k := [32]byte(must(hex.DecodeString(near)))
		if tlb.WeakKey(k[:]) {
			t.Fatalf("tlb takes %s for a weak key", near)
		}
		n.openChannel(tlb.TON, func(cfg *tlb.ChannelConfig) { cfg.SessionKey, cfg.Salt = k, uint64(i) })
	}
}

func TestChannelRefusesClaims(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(2 * tlb.TON)
	other := n.openChannel(2*tlb.TON, func(cfg *tlb.ChannelConfig) { cfg.Salt = 2 })
	sibling := key("nobody")

	v := c.voucher(tlb.TON)
	n.try("claim", 0, carol, c.claim(v))
	n.try("the same again", contracts.ExitNotAboveSettled, carol, c.claim(v))
	n.try("less", contracts.ExitNotAboveSettled, bob, c.claim(c.voucher(tlb.TON-1)))
	n.try("nothing", contracts.ExitNotAboveSettled, bob, c.claim(c.voucher(0)))
	n.try("above the deposit", contracts.ExitAboveDeposit, bob, c.claim(c.voucher(2*tlb.TON+1)))
	n.try("far above the deposit", contracts.ExitAboveDeposit, bob, c.claim(c.voucher(tlb.MaxNano)))
	n.try("other network", contracts.ExitWrongNetwork, bob, c.claim(c.voucher(2*tlb.TON, func(v *tlb.Voucher) { v.Network = tlb.Mainnet })))
	n.try("other channel", contracts.ExitWrongChannel, bob, c.claim(other.voucher(2*tlb.TON)))
	for _, epoch := range []uint32{0, 1, c.state().Epoch - 1, c.state().Epoch + 1, 1<<32 - 1} {
		n.try("other epoch", contracts.ExitDeadEpoch, bob, c.claim(c.voucher(2*tlb.TON, func(v *tlb.Voucher) { v.Epoch = epoch })))
	}

	forged := c.voucher(2 * tlb.TON)
	for _, flip := range []int{0, 31, 32, 63} {
		bad := forged
		bad.Signature[flip] ^= 1
		n.try("flipped bit in the signature", contracts.ExitBadSignature, bob, c.claim(bad))
	}
	bad := forged
	bad.Signature = v.Signature
	n.try("signature of another voucher", contracts.ExitBadSignature, bob, c.claim(bad))
	for name, k := range map[string]ed25519.PrivateKey{"payee's": c.payee, "stranger's": sibling} {
		bad.Voucher = forged.Voucher
		bad = must(tlb.SignVoucher(forged.Voucher, k))
		n.try(name+" key", contracts.ExitBadSignature, bob, c.claim(bad))
	}

	// Whatever the payer signed under another tag is no voucher, and the other way round.
	signed := c.consent(2 * tlb.TON)
	body := func(op uint32, sig [64]byte, value *cell.Cell) *cell.Cell {
		return cell.BeginCell().MustStoreUInt(uint64(op), 32).MustStoreUInt(0, 64).MustStoreSlice(sig[:], 512).MustStoreRef(value).EndCell()
	}
	n.try("consent as voucher", contracts.ExitWrongTag, bob,
		raw(c.addr, contracts.ClaimGas, body(tlb.OpChannelClaim, signed.Signature, must(signed.CoopClose.ToCell()))))
	n.try("voucher as consent", contracts.ExitWrongTag, alice,
		raw(c.addr, contracts.CoopCloseGas, body(tlb.OpChannelCoopClose, forged.Signature, must(forged.Voucher.ToCell()))))

	// Malformed cells end in the TVM's own exit codes.
	cellOf := must(forged.Voucher.ToCell())
	longer := cellOf.ToBuilder().MustStoreBoolBit(false).EndCell()
	withRef := cellOf.ToBuilder().MustStoreRef(cellOf).EndCell()
	short := cell.BeginCell().MustStoreUInt(tlb.TagVoucher, 32).EndCell()
	for name, value := range map[string]*cell.Cell{"longer": longer, "with a ref": withRef, "short": short} {
		sig := [64]byte(ed25519.Sign(c.session, value.Hash()))
		n.try(name+" voucher", contracts.Exit(get.ExitCellUnderflow), bob, raw(c.addr, contracts.ClaimGas, body(tlb.OpChannelClaim, sig, value)))
	}
	n.try("body without a voucher", contracts.Exit(get.ExitCellUnderflow), bob,
		raw(c.addr, contracts.ClaimGas, cell.BeginCell().MustStoreUInt(tlb.OpChannelClaim, 32).EndCell()))
	n.try("unknown op", contracts.ExitUnknownOp, bob, raw(c.addr, tlb.TON, cell.BeginCell().MustStoreUInt(1, 32).EndCell()))
	n.try("plain transfer", contracts.ExitUnknownOp, bob, raw(c.addr, tlb.TON, cell.BeginCell().EndCell()))
	n.try("a comment", contracts.ExitUnknownOp, bob, raw(c.addr, tlb.TON, cell.BeginCell().MustStoreUInt(0, 32).EndCell()))

	if got := n.balance(bob); got < tlb.TON {
		t.Errorf("bob has %v", got)
	}
	n.try("claim the rest", 0, bob, c.claim(forged))
	n.checkConserved()
}

func TestChannelRefusesTheRest(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	c := n.openChannel(tlb.TON)
	n.try("claim", 0, bob, c.claim(c.voucher(tlb.TON/2)))

	for _, stranger := range []*address.Address{bob, carol, c.addr} {
		n.try("rotate", contracts.ExitNotPayer, stranger, must(contracts.Rotate(c.addr, public(key("thief")))))
		n.try("request close", contracts.ExitNotPayer, stranger, contracts.RequestClose(c.addr))
		n.try("coop close", contracts.ExitNotPayer, stranger, c.coopClose(c.consent(tlb.TON)))
		n.try("finish", contracts.ExitNotClosing, stranger, contracts.Finish(c.addr))
	}
	n.try("finish", contracts.ExitNotClosing, alice, contracts.Finish(c.addr))
	small := raw(c.addr, tlb.TON, must(tlb.ChannelTopUp{Amount: contracts.MinDeposit - 1}.ToCell()))
	n.try("top-up below the minimum", contracts.ExitAmountTooSmall, carol, small)
	n.try("top-up above the value", contracts.ExitValueTooLow, carol, raw(c.addr, tlb.TON, must(tlb.ChannelTopUp{Amount: tlb.TON}.ToCell())))
	// An amount that no Nano can be, and no uint64 either.
	absurd := cell.BeginCell().MustStoreUInt(tlb.OpChannelTopUp, 32).MustStoreUInt(0, 64).MustStoreBigCoins(new(big.Int).Lsh(big.NewInt(1), 119)).EndCell()
	n.try("absurd top-up", contracts.ExitValueTooLow, carol, raw(c.addr, tlb.TON, absurd))

	n.try("consent below what is settled", contracts.ExitNotAboveSettled, alice, c.coopClose(c.consent(tlb.TON/2-1)))
	n.try("consent above the deposit", contracts.ExitAboveDeposit, alice, c.coopClose(c.consent(tlb.TON+1)))
	n.try("consent for another network", contracts.ExitWrongNetwork, alice, c.coopClose(c.consent(tlb.TON, func(k *tlb.CoopClose) { k.Network-- })))
	n.try("consent for another channel", contracts.ExitWrongChannel, alice, c.coopClose(c.consent(tlb.TON, func(k *tlb.CoopClose) { k.Channel = carol })))
	forged := must(tlb.SignCoopClose(c.consent(tlb.TON/2).CoopClose, c.session))
	n.try("consent signed by the payer", contracts.ExitBadSignature, alice, c.coopClose(forged))

	old := c.voucher(tlb.TON)
	c.rotate("second session")
	n.try("rotate twice", contracts.ExitRotating, alice, must(contracts.Rotate(c.addr, public(key("third session")))))
	n.try("new key, old epoch", contracts.ExitBadSignature, bob, c.claim(c.voucher(tlb.TON, func(v *tlb.Voucher) { v.Epoch-- })))
	stale := must(tlb.SignVoucher(c.voucher(tlb.TON).Voucher, key("session")))
	n.try("old key, new epoch", contracts.ExitBadSignature, bob, c.claim(stale))
	n.advance(time.Duration(c.cfg.CloseDelay-1) * time.Second)
	n.try("rotate a second too early", contracts.ExitRotating, alice, must(contracts.Rotate(c.addr, public(key("third session")))))
	n.advance(time.Second)
	n.try("voucher of a dead epoch", contracts.ExitDeadEpoch, bob, c.claim(old))
	c.rotate("third session")

	c.requestClose()
	n.try("request close twice", contracts.ExitClosing, alice, contracts.RequestClose(c.addr))
	n.try("top up while closing", contracts.ExitClosing, alice, must(contracts.TopUp(c.addr, tlb.TON)))
	n.try("rotate while closing", contracts.ExitClosing, alice, must(contracts.Rotate(c.addr, public(key("fourth session")))))
	n.try("finish at once", contracts.ExitTooEarly, alice, contracts.Finish(c.addr))
	n.advance(time.Duration(c.cfg.CloseDelay-1) * time.Second)
	n.try("finish a second too early", contracts.ExitTooEarly, carol, contracts.Finish(c.addr))
	n.checkConserved()
}

// Each message is taken with exactly the value it needs, and refused with a nano less, before any coin
// of the channel is at stake.
func TestChannelValueTooLow(t *testing.T) {
	fees := func(gas, messages tlb.Nano) tlb.Nano { return 40_000 + (gas-100)*400 + messages*400_000 }
	for _, test := range []struct {
		name string
		need tlb.Nano
		from *address.Address
		make func(*channel) contracts.Message
	}{
		{"open", tlb.TON + contracts.ChannelReserve + fees(9000, 1), alice, nil},
		{"top up", tlb.TON + fees(5500, 1), carol, func(c *channel) contracts.Message { return must(contracts.TopUp(c.addr, tlb.TON)) }},
		{"claim", fees(8500, 2), carol, func(c *channel) contracts.Message { return c.claim(c.voucher(tlb.TON)) }},
		{"rotate", fees(8500, 1), alice, func(c *channel) contracts.Message { return must(contracts.Rotate(c.addr, public(key("new")))) }},
		{"request close", contracts.CloseNoticeValue + fees(9500, 2), alice, func(c *channel) contracts.Message { return contracts.RequestClose(c.addr) }},
		{"finish", fees(6000, 2), carol, func(c *channel) contracts.Message {
			c.requestClose()
			c.advance(time.Duration(c.cfg.CloseDelay) * time.Second)
			return contracts.Finish(c.addr)
		}},
		// The reserve is free at the end, so that this one is covered by it.
		{"coop close", 0, alice, func(c *channel) contracts.Message { return c.coopClose(c.consent(tlb.TON)) }},
	} {
		n := newNetwork(t, sandbox.Options{})
		c := n.newChannel()
		m := must(contracts.OpenChannel(c.cfg, tlb.TON))
		if test.make != nil {
			c = n.openChannel(tlb.TON)
			m = test.make(c)
		}
		if m.Amount < test.need {
			t.Errorf("%s: the wrapper attaches %v, less than the need of %v", test.name, m.Amount, test.need)
		}
		if test.need > 0 {
			m.Amount = test.need - 1
			n.try(test.name+" with a nano less", contracts.ExitValueTooLow, test.from, m)
			m.Amount = test.need
		}
		n.try(test.name, 0, test.from, m)
		n.checkConserved()
	}
}
