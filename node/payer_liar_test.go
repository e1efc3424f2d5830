package node_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// liar is a proxy that answers some things its own way.
type liar struct {
	session.Handler
	request  func(context.Context, *session.Incoming) error
	announce func(context.Context, session.Peer, tlb.ChannelConfig) (session.ChannelStatus, error)
}

func (l liar) Request(ctx context.Context, p session.Peer, in *session.Incoming) error {
	if l.request == nil {
		return l.Handler.Request(ctx, p, in)
	}
	return l.request(ctx, in)
}

func (l liar) Announce(ctx context.Context, p session.Peer, cfg tlb.ChannelConfig) (session.ChannelStatus, error) {
	if l.announce == nil {
		return l.Handler.Announce(ctx, p, cfg)
	}
	return l.announce(ctx, p, cfg)
}

// windowOf is the client's credit window.
var windowOf = node.DefaultConfig(node.Client).Client.Window

// TestPayeeAsksAhead: a payee gets no more than a window beyond what it delivered.
func TestPayeeAsksAhead(t *testing.T) {
	all := startTrio(t, openNetwork(t), devnet.RoleOptions{}, nil)
	c, offer := node.PayerHooks(all.client.Node)[0], node.OfferOf(all.client.Node, devnet.DemoModel)
	for _, lie := range []struct {
		name string
		ask  func(*session.Incoming) error
	}{
		{"needs all of it", func(in *session.Incoming) error {
			return in.NeedVoucher(session.NeedVoucher{Need: in.Header.MaxCost})
		}},
		{"spent all of it", func(in *session.Incoming) error {
			return in.NeedVoucher(session.NeedVoucher{Spent: in.Header.MaxCost, Need: in.Header.MaxCost})
		}},
		{"counts more tokens than bytes", func(in *session.Incoming) error {
			if err := in.Head(session.Head{Status: 200, ContentType: "text/event-stream"}); err != nil {
				return err
			}
			return in.Part(session.Part{Data: []byte("x"), Usage: tlb.Usage{Completion: in.Header.MaxTokens}, Spent: in.Header.MaxCost})
		}},
	} {
		t.Run(lie.name, func(t *testing.T) {
			before := c.Payer.State().Spent
			var got atomic.Uint64
			node.ServeInstead(all.proxy.Node, func(h session.Handler) session.Handler {
				return liar{Handler: h, request: func(ctx context.Context, in *session.Incoming) error {
					if err := in.Accept(); err != nil {
						return err
					}
					if err := lie.ask(in); err != nil {
						return err
					}
					select {
					case v := <-in.Vouchers():
						got.Store(uint64(v.Voucher.Cumulative))
					case <-ctx.Done():
					case <-time.After(time.Second):
					}
					return session.ErrBadRequest
				}}
			})
			_, err := node.PayTo(t.Context(), all.client.Node, c.Peer, offer, prompt("hi"), 100, 1_000_000)
			if !errors.Is(err, node.ErrOverstated) {
				t.Errorf("it ended with %v, want ErrOverstated", err)
			}
			if most := before + 2*windowOf + 100_000; tlb.Nano(got.Load()) > most || c.Payer.State().Authorised > most {
				t.Errorf("the payee delivered nothing to speak of and holds a voucher for %s, at most %s", c.Payer.State().Authorised, most)
			}
		})
	}
}

// TestPayeeTakesForFailures: a payee that fails every request and states
// everything authorised as spent is bought from no more.
func TestPayeeTakesForFailures(t *testing.T) {
	all := startTrio(t, openNetwork(t), devnet.RoleOptions{}, nil)
	c, offer := node.PayerHooks(all.client.Node)[0], node.OfferOf(all.client.Node, devnet.DemoModel)
	node.ServeInstead(all.proxy.Node, func(h session.Handler) session.Handler {
		return liar{Handler: h, request: func(ctx context.Context, in *session.Incoming) error {
			_ = node.PayeeOf(all.proxy.Node, c.At).Accept(ctx, *in.Header.Voucher)
			return session.ErrEngineDown
		}, announce: func(ctx context.Context, p session.Peer, cfg tlb.ChannelConfig) (session.ChannelStatus, error) {
			s, err := h.Announce(ctx, p, cfg)
			s.Spent = s.Authorised
			return s, err
		}}
	})
	var last error
	for range 10 {
		if _, last = node.PayTo(t.Context(), all.client.Node, c.Peer, offer, prompt("hi"), 100, 200_000); last != nil {
			break
		}
	}
	if !errors.Is(last, node.ErrDishonest) {
		t.Errorf("after ten failures the last one is %v, want ErrDishonest", last)
	}
	if s := c.Payer.State(); s.Spent > 3*windowOf {
		t.Errorf("nothing was served, and the client conceded %s", s.Spent)
	}
	wait(t, "the status says why", func() bool {
		for _, l := range all.client.Status().Peers {
			if strings.Contains(l.Problem, node.ErrDishonest.Error()) {
				return true
			}
		}
		return false
	})
}

// TestPayeeIgnoresCancel: a payer that cancels does not wait for a silent payee.
func TestPayeeIgnoresCancel(t *testing.T) {
	all := startTrio(t, openNetwork(t), devnet.RoleOptions{}, nil)
	c, offer := node.PayerHooks(all.client.Node)[0], node.OfferOf(all.client.Node, devnet.DemoModel)
	release, accepted := make(chan struct{}), make(chan struct{})
	defer close(release)
	node.ServeInstead(all.proxy.Node, func(h session.Handler) session.Handler {
		return liar{Handler: h, request: func(_ context.Context, in *session.Incoming) error {
			err := in.Accept()
			close(accepted)
			<-release
			return err
		}}
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := node.PayTo(ctx, all.client.Node, c.Peer, offer, prompt("hi"), 100, 100)
		done <- err
	}()
	<-accepted
	stop()
	at := time.Now()
	if err := <-done; !errors.Is(err, session.ErrBroken) {
		t.Errorf("it ended with %v, want ErrBroken", err)
	}
	if took := time.Since(at); took > 2*node.TestSquareTimeout {
		t.Errorf("it ended %s after the cancellation", took)
	}
}

// TestPayeeRefusesChannel: a channel that its payee takes no more is not used, and
// its deposit comes back.
func TestPayeeRefusesChannel(t *testing.T) {
	n := openNetwork(t)
	all := startTrio(t, n, devnet.RoleOptions{}, nil)
	c, offer := node.PayerHooks(all.client.Node)[0], node.OfferOf(all.client.Node, devnet.DemoModel)
	node.ServeInstead(all.proxy.Node, func(h session.Handler) session.Handler {
		refusal := &session.Error{Code: session.CodeChannelRefused, Message: "no more"}
		return liar{Handler: h, request: func(context.Context, *session.Incoming) error { return refusal },
			announce: func(context.Context, session.Peer, tlb.ChannelConfig) (session.ChannelStatus, error) {
				return session.ChannelStatus{}, refusal
			}}
	})
	if failed, err := node.PayTo(t.Context(), all.client.Node, c.Peer, offer, prompt("hi"), 100, 100); !errors.Is(errors.Join(failed, err), session.ErrChannelRefused) {
		t.Errorf("it ended with %v, %v", failed, err)
	}
	if err := node.ReadyTo(all.client.Node, c.Peer); !errors.Is(err, node.ErrNoChannel) || !errors.Is(err, session.ErrChannelRefused) {
		t.Errorf("the channel is ready: %v", err)
	}
	wait(t, "the contract was asked to close", func() bool {
		acc, err := n.Chain.Account(t.Context(), tlb.Block{}, c.At)
		if err != nil {
			t.Fatal(err)
		}
		s, err := contracts.ParseChannel(acc)
		return err != nil || s.CloseAt != 0
	})
}

// TestDoubt: what a crash, or a proxy that is away, leaves in doubt is squared as
// soon as both ends talk again, and no more is put in doubt while they do not.
func TestDoubt(t *testing.T) {
	n := openNetwork(t)
	o := devnet.RoleOptions{}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	run := func(file string) *devnet.Running {
		t.Helper()
		r, err := devnet.Start(t.Context(), file, node.Options{Log: log})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	stop := func(r *devnet.Running) {
		t.Helper()
		if err := r.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	proxyFile, clientFile := role(t, n, node.Proxy, o), role(t, n, node.Client, o)
	proxy := run(proxyFile)
	defer func() { stop(proxy) }()
	start(t, role(t, n, node.Worker, o), nil)
	client := run(clientFile)
	defer func() { stop(client) }()
	wait(t, "the client can buy", func() bool { return client.Serves(devnet.DemoModel) })

	c := node.PayerHooks(client.Node)[0]
	deposit := c.Payer.State().Deposit
	if _, err := c.Payer.Begin(t.Context(), [32]byte{9}, deposit-1_000_000, deposit-1_000_000); err != nil {
		t.Fatal(err)
	}
	stop(client) // with most of the deposit allotted
	client = run(clientFile)
	wait(t, "the client can buy again", func() bool { return client.Serves(devnet.DemoModel) })
	if r := mustAsk(t, client.Endpoint(), devnet.DemoModel, "hi", true); r.Status != 200 {
		t.Errorf("after the restart: %d %q", r.Status, r.Error.Message)
	}
	c = node.PayerHooks(client.Node)[0]
	if s := c.Payer.State(); s.Doubtful != 0 {
		t.Errorf("after the restart %s are in doubt", s.Doubtful)
	}

	offer := node.OfferOf(client.Node, devnet.DemoModel)
	stop(proxy)
	for range 100 {
		if _, err := node.PayTo(t.Context(), client.Node, c.Peer, offer, prompt("hi"), 100, 100_000); err == nil || errors.Is(err, channel.ErrDepositExhausted) {
			t.Fatalf("while the proxy is away: %v", err)
		}
	}
	if s := c.Payer.State(); s.Doubtful > 2*windowOf {
		t.Errorf("a hundred tries at a proxy that is away put %s in doubt", s.Doubtful)
	}
	proxy = run(proxyFile)
	wait(t, "the client can buy a third time", func() bool {
		return mustAsk(t, client.Endpoint(), devnet.DemoModel, "hi", true).Status == 200
	})
	if s := c.Payer.State(); s.Doubtful != 0 {
		t.Errorf("with the proxy back %s are in doubt", s.Doubtful)
	}
}

// TestBadHello: terms that no channel can have leave nothing behind, and a record
// that cannot be read stops nobody.
func TestBadHello(t *testing.T) {
	n := openNetwork(t)
	o := devnet.RoleOptions{}
	file := role(t, n, node.Client, o)
	client, err := devnet.Start(t.Context(), file, node.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hello := session.Hello{Payout: client.WalletAddress().StringRaw(), CloseDelay: node.PayerCloseDelay(client.Node)}
	for range 3 {
		if err := node.EnsureTo(t.Context(), client.Node, "nobody", hello); !errors.Is(err, node.ErrTerms) || !errors.Is(err, tlb.ErrWeakKey) {
			t.Errorf("a weak payee key: %v", err)
		}
	}
	if good, bad, err := node.ChannelRecords(client.Node); good+bad != 0 || err != nil {
		t.Errorf("%d channels, %d unreadable, %v", good, bad, err)
	}
	if err := node.SpoilRecord(client.Node, client.WalletAddress()); err != nil {
		t.Fatal(err)
	}
	if err := client.Stop(); err != nil {
		t.Fatal(err)
	}
	if client, err = devnet.Start(t.Context(), file, node.Options{}); err != nil {
		t.Fatalf("it does not start any more: %v", err)
	}
	if err := client.Stop(); err != nil {
		t.Fatal(err)
	}
}

// TestCloseInVain: a close that did nothing is an error, and does not keep the next
// one from its work.
func TestCloseInVain(t *testing.T) {
	n := openNetwork(t)
	client := start(t, role(t, n, node.Client, devnet.RoleOptions{}), nil)
	proxy := start(t, role(t, n, node.Proxy, devnet.RoleOptions{}), nil)
	hello := node.HelloOf(proxy.Node)
	id := node.HostID(client.Node) // a peer that says no hello
	at, open, err := node.BeginTo(client.Node, id, hello)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Settle(t.Context(), at, true); !errors.Is(err, node.ErrNoChannel) {
		t.Errorf("closed before it is open: %v", err)
	}
	// The same message, sent when the contract cannot take it.
	if err := node.CloseEarly(t.Context(), client.Node, id); !errors.Is(err, node.ErrNoEffect) {
		t.Errorf("closed before it is open, nevertheless: %v", err)
	}
	if err := node.SendFrom(t.Context(), client.Node, "open", open); err != nil {
		t.Fatal(err)
	}
	wait(t, "it is open", func() bool { return node.ReadyTo(client.Node, id) == nil })
	for range 2 {
		if err := client.Settle(t.Context(), at, true); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	acc, err := n.Chain.Account(t.Context(), tlb.Block{}, at)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := contracts.ParseChannel(acc); err != nil || s.CloseAt == 0 {
		t.Errorf("close reported success, the contract says %+v, %v", s, err)
	}
}
