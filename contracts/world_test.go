package contracts_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// The actors of the stories in these tests. None of their accounts exists, so what an account holds
// in the end is exactly what it was sent.
var (
	alice = account("alice") // pays; owns the registry
	bob   = account("bob")   // is paid
	carol = account("carol") // a stranger
)

func account(name string) *address.Address {
	h := sha256.Sum256([]byte(name))
	return address.NewAddress(0, 0, h[:])
}

func key(name string) ed25519.PrivateKey {
	h := sha256.Sum256([]byte("key of " + name))
	return ed25519.NewKeyFromSeed(h[:])
}

func public(k ed25519.PrivateKey) [32]byte { return [32]byte(k.Public().(ed25519.PublicKey)) }

// must is for values whose failure is the test's own fault.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tb is what testing.TB and rapid.T have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// network is a sandbox whose clock moves only when it is told to, so that storage fees, and with them
// all balances, are the same in every run.
type network struct {
	tb
	*sandbox.Chain
	global int32
}

func newNetwork(t *testing.T, o sandbox.Options) *network {
	t.Helper()
	n, err := openNetwork(o)
	if err != nil {
		t.Fatalf("open sandbox: %v", err)
	}
	t.Cleanup(func() { _ = n.Close() })
	n.tb = t
	return n
}

func openNetwork(o sandbox.Options) (*network, error) {
	start := time.Unix(1_790_000_000, 0)
	o.Now = func() time.Time { return start }
	if o.GlobalID == 0 {
		o.GlobalID = sandbox.DefaultGlobalID
	}
	c, err := sandbox.Open(o)
	if err != nil {
		return nil, err
	}
	return &network{Chain: c, global: o.GlobalID}, nil
}

func (n *network) send(from *address.Address, m contracts.Message) *sandbox.Trace {
	n.Helper()
	trace, err := n.SendInternal(context.Background(), sandbox.Internal{
		From: from, To: m.To, Amount: m.Amount, Body: m.Body, Init: m.Init, Bounce: m.Bounce,
	})
	if err != nil {
		n.Fatalf("send: %v", err)
	}
	return trace
}

// try sends a message and checks how the contract took it. A refusal must leave the contract's data as
// it was, take nothing from its coins, and give the sender its value back but for fees.
func (n *network) try(what string, want contracts.Exit, from *address.Address, m contracts.Message) *sandbox.Trace {
	n.Helper()
	before := n.account(m.To)
	trace := n.send(from, m)
	if got := contracts.Exit(trace.Exit); trace.Skipped != "" || got != want {
		n.Fatalf("%s: %v %s, want %v\n%v", what, got, trace.Skipped, want, trace)
	}
	if trace.Action != sandbox.ActionOK {
		n.Fatalf("%s: %v", what, trace.Action)
	}
	if want == 0 {
		return trace
	}
	after := n.account(m.To)
	switch {
	case after.Status != tlb.AccountActive:
	case before.Status == tlb.AccountActive && before.Data.HashKey() != after.Data.HashKey():
		n.Errorf("%s: refused, yet the data changed", what)
	case before.Status != tlb.AccountActive && after.Data.HashKey() != must(m.Init.PeekRef(1)).HashKey():
		// TON deploys a contract even if its first run fails. It is as if it had not been run.
		n.Errorf("%s: refused, yet the data is not what it was deployed with", what)
	}
	if after.Balance+storageFee(trace) < before.Balance {
		n.Errorf("%s: refused, yet the balance fell from %v to %v", what, before.Balance, after.Balance)
	}
	if m.Bounce && m.Amount > 10_000_000 {
		if len(trace.Caused) != 1 || !trace.Caused[0].Message.Bounced || !trace.Caused[0].Message.To.Equals(from) {
			n.Errorf("%s: did not bounce\n%v", what, trace)
		}
	}
	return trace
}

func (n *network) account(a *address.Address) tlb.Account {
	n.Helper()
	acc, err := n.Account(context.Background(), tlb.Block{}, a)
	if err != nil {
		n.Fatalf("account: %v", err)
	}
	return acc
}

func (n *network) balance(a *address.Address) tlb.Nano { n.Helper(); return n.account(a).Balance }

func (n *network) advance(d time.Duration) {
	n.Helper()
	if err := n.AdvanceTime(context.Background(), d); err != nil {
		n.Fatalf("advance time: %v", err)
	}
}

func (n *network) unix() uint32 { return uint32(n.Now().Unix()) }

// checkConserved makes sure that every coin is accounted for.
func (n *network) checkConserved() {
	n.Helper()
	if got := n.Balances() + n.InFlight() + n.Fees(); got != n.Supply() {
		n.Errorf("balances, coins under way and fees are %v, the supply is %v", got, n.Supply())
	}
}

// storageFee is what a transaction collected for storage.
func storageFee(trace *sandbox.Trace) tlb.Nano {
	var tx tontlb.Transaction
	if err := tontlb.Parse(&tx, trace.Tx.Root); err != nil {
		panic(err)
	}
	phase := tx.Description.(tontlb.TransactionDescriptionOrdinary).StoragePhase
	if phase == nil {
		return 0
	}
	return tlb.Nano(phase.StorageFeesCollected.Nano().Uint64())
}

// value is what a transaction's message carried to an account, and whether there was one.
func value(trace *sandbox.Trace, to *address.Address, op uint32) (v tlb.Nano, ok bool) {
	for _, each := range trace.Caused {
		if each.Message.To.Equals(to) && each.Message.Op() == op {
			return each.Message.Value, true
		}
	}
	return 0, false
}

// refusing is the code of a contract that throws at every message: no valid instruction.
var refusing = cell.BeginCell().MustStoreUInt(0xffff, 16).EndCell()

// channel is one channel and the keys around it.
type channel struct {
	*network
	cfg            tlb.ChannelConfig
	addr           *address.Address
	session, payee ed25519.PrivateKey
}

func (n *network) newChannel(change ...func(*tlb.ChannelConfig)) *channel {
	n.Helper()
	c := &channel{network: n, session: key("session"), payee: key("payee")}
	c.cfg = tlb.ChannelConfig{
		Payer: alice, Payout: bob, SessionKey: public(c.session), PayeeKey: public(c.payee),
		CloseDelay: 6 * 3600, Network: n.global, Salt: 1,
	}
	for _, f := range change {
		f(&c.cfg)
	}
	c.addr = must(contracts.ChannelAddress(c.cfg))
	return c
}

// openChannel is newChannel with a deposit.
func (n *network) openChannel(deposit tlb.Nano, change ...func(*tlb.ChannelConfig)) *channel {
	n.Helper()
	c := n.newChannel(change...)
	c.try("open", 0, alice, must(contracts.OpenChannel(c.cfg, deposit)))
	return c
}

func (c *channel) state() tlb.ChannelState {
	c.Helper()
	s, err := contracts.ParseChannel(c.account(c.addr))
	if err != nil {
		c.Fatalf("%v", err)
	}
	return s
}

// voucher is signed by the current session key, with whatever is changed in it.
func (c *channel) voucher(cumulative tlb.Nano, change ...func(*tlb.Voucher)) tlb.SignedVoucher {
	v := tlb.Voucher{Network: c.global, Channel: c.addr, Epoch: c.state().Epoch, Seq: 7, Cumulative: cumulative, Receipt: [32]byte{1}}
	for _, f := range change {
		f(&v)
	}
	return must(tlb.SignVoucher(v, c.session))
}

func (c *channel) claim(v tlb.SignedVoucher) contracts.Message {
	m := must(contracts.Claim(v.Voucher.Channel, v))
	m.To = c.addr
	return m
}

func (c *channel) consent(final tlb.Nano, change ...func(*tlb.CoopClose)) tlb.SignedCoopClose {
	k := tlb.CoopClose{Network: c.global, Channel: c.addr, Final: final}
	for _, f := range change {
		f(&k)
	}
	return must(tlb.SignCoopClose(k, c.payee))
}

func (c *channel) coopClose(s tlb.SignedCoopClose) contracts.Message {
	m := must(contracts.CoopClose(s.CoopClose.Channel, s))
	m.To = c.addr
	return m
}

// rotate makes the named key the session key.
func (c *channel) rotate(name string) {
	c.Helper()
	c.session = key(name)
	c.try("rotate", 0, alice, must(contracts.Rotate(c.addr, public(c.session))))
}

func (c *channel) requestClose() {
	c.Helper()
	c.try("request close", 0, alice, contracts.RequestClose(c.addr))
}
