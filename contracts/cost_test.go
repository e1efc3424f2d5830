package contracts_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// costs runs a channel's and a proxy's life and reports each message: its gas, and all that it costs its
// sender: what was attached and neither came back nor went to a party, and the forward fee of the
// message itself, which the sender's wallet pays.
func costs(t testing.TB, n *network, report func(name string, gas uint64, cost tlb.Nano)) {
	send := func(name string, from *address.Address, m contracts.Message) {
		balance := n.account(m.To).Balance
		trace := n.try(name, 0, from, m)
		cost := m.Amount + forwardFee(m)
		if held := n.account(m.To).Balance + storageFee(trace); held >= balance {
			cost -= held - balance
		} else {
			cost += balance - held
		}
		for _, out := range trace.Caused {
			cost -= out.Message.Value
		}
		report(name, trace.Gas, cost)
	}
	c := n.newChannel()
	send("channel open", alice, must(contracts.OpenChannel(c.cfg, 2*tlb.TON)))
	send("channel top up", alice, must(contracts.TopUp(c.addr, tlb.TON)))
	send("channel claim", bob, c.claim(c.voucher(tlb.TON)))
	old := c.voucher(2 * tlb.TON)
	c.session = key("second session")
	send("channel rotate", alice, must(contracts.Rotate(c.addr, public(c.session))))
	send("channel claim, old epoch", bob, c.claim(old))
	send("channel request close", alice, contracts.RequestClose(c.addr))
	n.advance(6 * time.Hour)
	send("channel finish", alice, contracts.Finish(c.addr))
	d := n.openChannel(tlb.TON, func(cfg *tlb.ChannelConfig) { cfg.Salt = 2 })
	send("channel coop close", alice, d.coopClose(d.consent(tlb.TON/2)))

	e := n.openChannel(tlb.TON, func(cfg *tlb.ChannelConfig) { cfg.Salt = 3 })
	e.requestClose()
	n.advance(6 * time.Hour)
	send("channel finish, stranger", carol, contracts.Finish(e.addr))

	r := n.deployRegistry()
	send("registry announce", alice, must(contracts.Announce(r.addr, tlb.AllowImage{Image: [32]byte{9}, Roles: tlb.RoleWorker})))
	n.advance(2 * day)
	send("registry execute", alice, contracts.Execute(r.addr, 0))
	send("registry revoke", alice, must(contracts.Revoke(r.addr, tlb.RevokeImage, [32]byte{9})))
	send("registry transfer owner", alice, must(contracts.TransferOwner(r.addr, bob)))
	n.advance(2 * day)
	send("registry accept owner", bob, contracts.AcceptOwner(r.addr))
	send("registry register proxy", carol, must(contracts.RegisterProxy(r.addr, entry, 10*tlb.TON)))
	send("registry unregister proxy", carol, contracts.Unregister(r.addr))
	n.advance(7 * day)
	send("registry withdraw stake", carol, contracts.WithdrawStake(r.addr))
}

// forwardFee is what the sender's wallet pays for a message in the basechain: all cells but the first
// count.
func forwardFee(m contracts.Message) tlb.Nano {
	var cells, bits uint64
	seen := map[cell.Hash]bool{}
	var walk func(*cell.Cell)
	walk = func(c *cell.Cell) {
		if seen[c.HashKey()] {
			return
		}
		seen[c.HashKey()] = true
		cells++
		bits += uint64(c.BitsSize())
		for i := range int(c.RefsNum()) {
			walk(must(c.PeekRef(i)))
		}
	}
	walk(m.Body) // a wallet puts the body into a cell of its own
	if m.Init != nil {
		for i := range int(m.Init.RefsNum()) {
			walk(must(m.Init.PeekRef(i)))
		}
	}
	return tlb.Nano(400_000 + 400*bits + 40_000*cells)
}

// The gas of every message is pinned: a change of it should be seen and meant. The contracts' own limits
// (the GAS constants) are checked against it, and so are the goals of the design.
func TestCosts(t *testing.T) {
	want := map[string]uint64{
		"channel open": 7539, "channel top up": 4397, "channel claim": 6899, "channel rotate": 6997,
		"channel claim, old epoch": 7467, "channel request close": 7765, "channel finish": 3536,
		"channel finish, stranger": 5086, "channel coop close": 6128,
		"registry announce": 6875, "registry execute": 8192, "registry revoke": 6916,
		"registry transfer owner": 6629, "registry accept owner": 5409,
		"registry register proxy": 9456, "registry unregister proxy": 8085, "registry withdraw stake": 7898,
	}
	limits := map[string]uint64{
		"channel open": 9000, "channel top up": 5500, "channel claim": 8500, "channel rotate": 8500, "channel claim, old epoch": 8500,
		"channel request close": 9500, "channel finish": 6000, "channel finish, stranger": 6000, "channel coop close": 8000,
	}
	spent := map[string]tlb.Nano{}
	costs(t, newNetwork(t, sandbox.Options{}), func(name string, gas uint64, cost tlb.Nano) {
		t.Logf("%-28s %6d gas %14s", name, gas, cost)
		spent[name] = cost
		if gas != want[name] {
			t.Errorf("%s: %d gas, pinned %d", name, gas, want[name])
		}
		limit, ok := limits[name]
		if !ok {
			limit = 60000 // one for all messages of the registry
		}
		if gas > limit {
			t.Errorf("%s: %d gas, the contract reckons with %d at most", name, gas, limit)
		}
	})
	const claimGoal, lifeGoal = 6_500_000, 25_000_000
	if got := spent["channel claim"]; got > claimGoal {
		t.Errorf("a claim costs %v, the goal is %v", got, tlb.Nano(claimGoal))
	}
	// The notice's coins are the payee's.
	if got := spent["channel open"] + spent["channel claim"] + spent["channel request close"] + spent["channel finish"]; got > lifeGoal {
		t.Errorf("open, claim and close cost %v, the goal is %v", got, tlb.Nano(lifeGoal))
	}
}

func BenchmarkClaim(b *testing.B) {
	n := benchNetwork(b)
	c := n.openChannel(tlb.TON * 1000)
	base := c.voucher(0).Voucher
	messages := make([]contracts.Message, b.N)
	for i := range messages {
		base.Cumulative++
		messages[i] = c.claim(must(tlb.SignVoucher(base, c.session)))
	}
	b.ResetTimer()
	var gas uint64
	for _, m := range messages {
		gas = n.send(carol, m).Gas
	}
	b.StopTimer()
	b.ReportMetric(float64(gas), "gas/op")
	costs(b, benchNetwork(b), func(name string, gas uint64, cost tlb.Nano) {
		if name == "channel claim" {
			b.ReportMetric(float64(cost), "nanoTON/op")
		}
	})
}

func benchNetwork(b *testing.B) *network {
	b.Helper()
	n, err := openNetwork(sandbox.Options{})
	if err != nil {
		b.Fatal(err)
	}
	n.tb = b
	b.Cleanup(func() { _ = n.Close() })
	return n
}

func ExampleOpenChannel() {
	m, err := contracts.OpenChannel(tlb.ChannelConfig{
		Payer: alice, Payout: bob, SessionKey: public(key("session")), PayeeKey: public(key("payee")),
		CloseDelay: 24 * 3600, Network: tlb.Mainnet, Salt: 0x5eed,
	}, 5*tlb.TON)
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := contracts.DecodeMessage(m.Body)
	fmt.Printf("%s with %s: %+v, %v\n", m.To, m.Amount, body, err)
	// Output: EQC8SWEePvjhg6cfxcXwfJbmxzLVfg2P1mViBa73TUDBUC0I with 5.07 TON: {Query:0 Deposit:5 TON}, <nil>
}
