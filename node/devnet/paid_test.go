package devnet_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// TestPaidRequests is the network's promise about money: three nodes in processes
// of their own serve 200 paid requests, 16 at a time and half of them streams,
// while each node is killed in the middle of streams and started again. In the end
// every channel is closed, and no nanoTON is missing or unexplained.
func TestPaidRequests(t *testing.T) {
	const requests, parallel = 200, 16
	demo := httptest.NewServer(&engine.Demo{Pace: time.Millisecond})
	defer demo.Close()
	network, err := devnet.Open(t.Context(), devnet.Options{Dir: t.TempDir(), Interval: 150 * time.Millisecond, Progress: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	}()
	roles := []node.Role{node.Proxy, node.Worker, node.Client}
	files, wallets := map[node.Role]string{}, map[node.Role]*address.Address{}
	for _, role := range roles {
		if files[role], err = network.Role(t.Context(), role, devnet.RoleOptions{Engine: demo.URL}); err != nil {
			t.Fatal(err)
		}
	}
	ledger, err := devnet.NewLedger(t.Context(), network.Chain)
	if err != nil {
		t.Fatal(err)
	}
	// Nothing is paid until the ledger has begun.
	mode, every := network.Chain.Mode()
	if err := network.Chain.SetMode(sandbox.Manual, 0); err != nil {
		t.Fatal(err)
	}
	processes := map[node.Role]*process{}
	for _, role := range roles {
		processes[role] = startProcess(t, files[role])
		var status node.Status
		getJSON(t, operatorOf(t, files[role]).admin+"/status", &status)
		if wallets[role], err = node.ParseAddress(status.Wallet); err != nil {
			t.Fatal(err)
		}
	}
	for role, at := range wallets {
		acc, err := network.Chain.Account(t.Context(), tlb.Block{}, at)
		if err != nil {
			t.Fatal(err)
		}
		ledger.Add(string(role), at, acc.Balance)
	}
	if err := network.Chain.SetMode(mode, every); err != nil {
		t.Fatal(err)
	}

	cfg, err := node.LoadConfig(files[node.Client])
	if err != nil {
		t.Fatal(err)
	}
	app := program{"http://" + cfg.Client.Listen}
	wait(t, "the channels open", app.healthy)
	load := &load{app: app, price: app.price(t, devnet.DemoModel), log: t.Logf}
	clientPays, proxyPays := operatorOf(t, files[node.Client]).channel(t, "paying"), operatorOf(t, files[node.Proxy]).channel(t, "paying")

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var work sync.WaitGroup
	next := atomic.Int64{}
	for range parallel {
		work.Go(func() {
			for i := next.Add(1); i <= requests && ctx.Err() == nil; i = next.Add(1) {
				if err := load.request(ctx, int(i)); err != nil {
					t.Errorf("request %d: %v", i, err)
					stop()
				}
			}
		})
	}
	for i, role := range []node.Role{node.Worker, node.Proxy, node.Client} {
		wait(t, fmt.Sprintf("streams run, to kill the %s", role), func() bool {
			return ctx.Err() != nil || load.served.Load() >= int64(requests*(i+1)/5) && load.streams.Load() >= 3
		})
		t.Logf("kill -9 of the %s after %d answers, with %d streams running", role, load.served.Load(), load.streams.Load())
		processes[role].kill()
		if err := processes[role].start(); err != nil {
			t.Fatal(err)
		}
	}
	work.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d answers, %d times asked again", load.served.Load(), load.failed.Load())
	if load.failed.Load() == 0 {
		t.Error("no kill was noticed: the test shows nothing")
	}

	// Close both channels. What the payee counts is what is paid.
	owed := settle(t, network, files[node.Client], files[node.Proxy], clientPays.Channel)
	cost := settle(t, network, files[node.Proxy], files[node.Worker], proxyPays.Channel)
	for _, role := range []node.Role{node.Client, node.Worker, node.Proxy} {
		if err := processes[role].stop(); err != nil {
			t.Errorf("stop the %s: %v", role, err)
		}
	}
	// A request that failed may have been paid for as far as it came, and never for more than it could cost.
	if paid, most := load.paid(), load.paid()+load.worst()*tlb.Nano(load.failed.Load()); owed < paid || owed > most {
		t.Errorf("the client owes %s; its receipts say %s, and failed requests can explain no more than %s", owed, paid, most)
	}
	// A killed proxy forgets at most what it delivered in its last second; the worker does not.
	if most := owed + parallel*load.worst(); cost > most {
		t.Errorf("the worker is paid %s, the client paid %s: one kill explains no more than %s", cost, owed, most)
	}

	// Every party's change is explained by what was spent and by the network's fees.
	for _, at := range []string{clientPays.Channel, proxyPays.Channel} {
		a, err := node.ParseAddress(at)
		if err != nil {
			t.Fatal(err)
		}
		payer := node.Client
		if at == proxyPays.Channel {
			payer = node.Proxy
		}
		ledger.Add(string(payer), a, 0)
	}
	entries, err := ledger.Close(func(a *address.Address) (tlb.Nano, error) {
		acc, err := network.Chain.Account(t.Context(), tlb.Block{}, a)
		return acc.Balance, err
	})
	if err != nil {
		t.Fatal(err)
	}
	earned := map[string]int64{"client": -int64(owed), "proxy": int64(owed) - int64(cost), "worker": int64(cost)}
	for _, e := range entries {
		t.Logf("%s: %d − %d = %+d by work, %d network fees", e.Party, e.After, e.Before, earned[e.Party], e.Fees)
		if rest := int64(e.After) - int64(e.Before) - earned[e.Party] + int64(e.Fees); rest != 0 || e.Unexplained() != 0 {
			t.Errorf("%s: %d nanoTON are not explained by what was spent, %d not by transfers", e.Party, rest, e.Unexplained())
		}
	}
	chain := network.Chain
	if sum := chain.Balances() + chain.InFlight() + chain.Fees(); sum != chain.Supply() {
		t.Errorf("balances and fees are %s, the supply is %s", sum, chain.Supply())
	}
}

// settle closes a channel from its payer, waits until its contract is gone, and
// returns what its payee was paid.
func settle(t *testing.T, network *devnet.Network, payerFile, payeeFile, channel string) tlb.Nano {
	t.Helper()
	payer, payee := operatorOf(t, payerFile), operatorOf(t, payeeFile)
	wait(t, "requests end at the payee", func() bool { return payee.channel(t, "earning").Running == 0 })
	said, held := payer.channel(t, "paying"), payee.channel(t, "earning")
	if said.Channel != channel || held.Channel != channel {
		t.Fatalf("another channel was opened: the payer's is %s, the payee's %s, at first it was %s", said.Channel, held.Channel, channel)
	}
	t.Logf("channel %s: %s spent of %s authorised at the payee; at the payer %s of %s", channel, held.Spent, held.Authorised, said.Spent, said.Authorised)
	if held.Authorised > said.Authorised || held.Spent > held.Authorised {
		t.Errorf("the payee holds more than the payer signed")
	}
	payer.close(t, channel)
	at, err := node.ParseAddress(channel)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "the channel's contract is gone", func() bool {
		acc, err := network.Chain.Account(t.Context(), tlb.Block{}, at)
		return err == nil && acc.Status == tlb.AccountAbsent && network.Chain.InFlight() == 0
	})
	return held.Spent
}

// load is the requests of an application, and what it was told they cost.
type load struct {
	app    program
	price  tlb.Price
	log    func(string, ...any)
	served atomic.Int64
	failed atomic.Int64

	streams atomic.Int64 // running, with bytes received

	mu struct {
		sync.Mutex
		paid tlb.Nano
	}
}

func (l *load) paid() tlb.Nano {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.paid
}

// longest is the most that an answer counts to.
const longest = 120

// worst is more than any one request can cost.
func (l *load) worst() tlb.Nano {
	cost, err := l.price.Cost(tlb.Usage{Prompt: 1000, Completion: 256})
	if err != nil {
		panic(err)
	}
	return cost
}

// request asks until it has the whole right answer. An error of the network is one
// to try again; a wrong answer or a wrong bill is not.
func (l *load) request(ctx context.Context, i int) error {
	n := 40 + i%(longest-40)
	prompt := fmt.Sprintf("Request %d: count to %d", i, n)
	want := "The Tussah demo engine counts:"
	for k := range n {
		want += fmt.Sprintf(" %d", k+1)
	}
	for {
		got, err := l.try(ctx, prompt, i%2 == 0)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			l.failed.Add(1)
			l.log("request %d is asked again: %v", i, err)
			time.Sleep(150 * time.Millisecond)
			continue
		}
		cost, err := l.price.Cost(got.Usage)
		switch {
		case err != nil:
			return err
		case got.Text != want:
			return fmt.Errorf("it answered %q, want %q", got.Text, want)
		case got.Usage != tlb.Usage{Prompt: uint64(4 + len(strings.Fields(prompt))), Completion: uint64(n + 5)}:
			return fmt.Errorf("usage %+v", got.Usage)
		case got.Cost != cost:
			return fmt.Errorf("it cost %s, want %s for %+v", got.Cost, cost, got.Usage)
		}
		l.mu.Lock()
		l.mu.paid += got.Cost
		l.mu.Unlock()
		l.served.Add(1)
		return nil
	}
}

func (l *load) try(ctx context.Context, prompt string, stream bool) (said, error) {
	ctx, stop := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("no answer within 30 s"))
	defer stop()
	if !stream {
		return l.app.ask(ctx, devnet.DemoModel, prompt, false, nil)
	}
	heard := int64(0)
	defer func() { l.streams.Add(-heard) }()
	return l.app.ask(ctx, devnet.DemoModel, prompt, true, func() { heard = 1; l.streams.Add(1) })
}
