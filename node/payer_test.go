package node_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// payer is a client made by hand, that can do what ours never does.
type payer struct {
	t       *testing.T
	session *session.Client
	proxy   peer.ID
	hello   session.Hello // the proxy's
	offer   session.Offer
	cfg     tlb.ChannelConfig
	key     ed25519.PrivateKey
	first   tlb.Voucher // what every voucher is made from
}

// stranger connects a new peer, without evidence as clients are, to the proxy.
func stranger(t *testing.T, proxy *devnet.Running) (*session.Client, peer.ID) {
	t.Helper()
	identity, err := p2p.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	trusting := func(ratls.Shown) (attest.Appraisal, error) {
		return attest.Appraisal{Expiry: time.Now().Add(time.Hour)}, nil // these tests are about the proxy's doubts
	}
	at := proxy.Status()
	registry, err := node.ParseAddress(at.Registry)
	if err != nil {
		t.Fatal(err)
	}
	o := ratls.Options{Appraise: trusting, Network: at.Network, Registry: registry.StringRaw()}
	host, err := p2p.Open(identity, p2p.Options{RATLS: o, AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() })
	status := proxy.Status()
	id, err := peer.Decode(status.Peer)
	if err != nil {
		t.Fatal(err)
	}
	candidate, err := p2p.ParseCandidate([]byte(id), status.Addresses, p2p.FromConfig)
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Dial(t.Context(), candidate); err != nil {
		t.Fatal(err)
	}
	return session.NewClient(host, session.Options{}), id
}

// newPayer opens a channel to the proxy once that has something to offer.
func newPayer(t *testing.T, network *devnet.Network, proxy *devnet.Running) *payer {
	t.Helper()
	p := &payer{t: t}
	p.session, p.proxy = stranger(t, proxy)
	wait(t, "the proxy offers the model", func() bool {
		var err error
		p.hello, _, err = p.session.Hello(t.Context(), p.proxy, session.Hello{Version: session.Version, Role: session.RoleClient,
			Network: sandbox.DefaultGlobalID, Registry: network.Registry.StringRaw(), Agent: "test"})
		if err != nil {
			t.Fatal(err)
		}
		return len(p.hello.Offers) == 1
	})
	p.offer = p.hello.Offers[0]
	payout, err := node.ParseAddress(p.hello.Payout)
	if err != nil {
		t.Fatal(err)
	}
	party, err := network.Party(t.Context(), "hand-made", 2*tlb.TON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { party.Close() })
	var public ed25519.PublicKey
	if public, p.key, err = ed25519.GenerateKey(nil); err != nil {
		t.Fatal(err)
	}
	p.cfg = tlb.ChannelConfig{Payer: party.Wallet.Address(), Payout: payout, SessionKey: [32]byte(public), PayeeKey: p.hello.PayeeKey,
		CloseDelay: p.hello.CloseDelay, Network: sandbox.DefaultGlobalID, Salt: 7}
	open, err := contracts.OpenChannel(p.cfg, tlb.TON/10)
	if err != nil {
		t.Fatal(err)
	}
	if err := party.Send(t.Context(), "open", open); err != nil {
		t.Fatal(err)
	}
	if _, err := p.session.Announce(t.Context(), p.proxy, p.cfg, p.key); err != nil {
		t.Fatal(err)
	}
	acc, err := network.Chain.Account(t.Context(), tlb.Block{}, open.To)
	if err != nil {
		t.Fatal(err)
	}
	state, err := contracts.ParseChannel(acc)
	if err != nil {
		t.Fatal(err)
	}
	p.first = tlb.Voucher{Network: sandbox.DefaultGlobalID, Channel: open.To, Epoch: state.Epoch}
	return p
}

// sign is a voucher for a cumulative amount.
func (p *payer) sign(seq uint64, cumulative tlb.Nano) tlb.SignedVoucher {
	v := p.first
	v.Seq, v.Cumulative = seq, cumulative
	return mustSign(p.t, v, p.key)
}

func mustSign(t *testing.T, v tlb.Voucher, key ed25519.PrivateKey) tlb.SignedVoucher {
	t.Helper()
	signed, err := tlb.SignVoucher(v, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// header is of a request that our client could send, but for its voucher.
func (p *payer) header(body []byte) session.Header {
	h := session.Header{Kind: session.ChatCompletions, Model: p.offer.Model, Stream: true, Price: p.offer.Price, MaxTokens: 3000,
		PromptBound: engine.PromptBound(body), BodySize: uint64(len(body)), Timeout: time.Minute, Channel: p.first.Channel.StringRaw()}
	rand.Read(h.ID[:])
	cost, err := h.Price.Cost(tlb.Usage{Prompt: h.PromptBound, Completion: h.MaxTokens})
	if err != nil {
		p.t.Fatal(err)
	}
	h.MaxCost = cost
	return h
}

// begin is what the proxy wants authorised before it begins.
func (p *payer) begin(h session.Header) tlb.Nano {
	cost, err := h.Price.Cost(tlb.Usage{Prompt: h.PromptBound, Completion: 16})
	if err != nil {
		p.t.Fatal(err)
	}
	return cost
}

func prompt(text string) []byte {
	body, err := json.Marshal(map[string]any{"model": devnet.DemoModel, "stream": true, "stream_options": map[string]bool{"include_usage": true},
		"max_tokens": 3000, "messages": []map[string]string{{"role": "user", "content": text}}})
	if err != nil {
		panic(err)
	}
	return body
}

// ending is how a request went.
type ending struct {
	parts  int
	spent  tlb.Nano  // as stated with the last part
	asked  time.Time // when the proxy first wanted a voucher
	done   *session.Done
	failed *session.Failed
	at     time.Time
}

// request sends a request and listens to its end. more is called when the proxy
// wants a voucher; nil: it gets none.
func (p *payer) request(h session.Header, body []byte, more func(*session.Outgoing, session.NeedVoucher)) ending {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer stop()
	out, err := p.session.Request(ctx, p.proxy, h, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	var e ending
	for {
		event, err := out.Next(ctx)
		if err != nil {
			p.t.Fatalf("after %d parts: %v", e.parts, err)
		}
		switch event := event.(type) {
		case session.Part:
			e.parts, e.spent = e.parts+1, event.Spent
		case session.NeedVoucher:
			if e.asked.IsZero() {
				e.asked = time.Now()
			}
			if more != nil {
				more(out, event)
			}
		case session.Done:
			e.done, e.at = &event, time.Now()
			return e
		case session.Failed:
			e.failed, e.at = &event, time.Now()
			return e
		}
	}
}

// earning is the channel as the payee counts it.
func earning(t *testing.T, r *devnet.Running, at string) node.Channel {
	t.Helper()
	for _, c := range r.Channels() {
		if c.End == "earning" && c.Channel == at {
			return c
		}
	}
	t.Fatalf("no channel at %s pays the %s", at, r.Status().Role)
	return node.Channel{}
}

// paidWorld is a proxy with a worker, whose engine counts what it is asked.
func paidWorld(t *testing.T, pace time.Duration, edits ...func(*node.Config)) (network *devnet.Network, proxy *devnet.Running, asked *atomic.Int64) {
	asked = &atomic.Int64{}
	demo := &engine.Demo{Pace: pace}
	e := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			asked.Add(1)
		}
		demo.ServeHTTP(w, r)
	}))
	t.Cleanup(e.Close)
	network = openNetwork(t)
	o := devnet.RoleOptions{Engine: e.URL, Edit: func(c *node.Config) {
		for _, edit := range edits {
			edit(c)
		}
	}}
	proxy = start(t, role(t, network, node.Proxy, o), nil)
	start(t, role(t, network, node.Worker, o), nil)
	return network, proxy, asked
}

// TestBadVouchers: a voucher that does not pay buys nothing, costs nothing, and
// takes nothing away from what was authorised before.
func TestBadVouchers(t *testing.T) {
	network, proxy, asked := paidWorld(t, 0)
	p := newPayer(t, network, proxy)
	body := prompt("count to 5")
	good := p.header(body)
	held := p.sign(1, p.begin(good))
	good.Voucher = &held
	e := p.request(good, body, nil)
	if e.done == nil {
		t.Fatalf("an honest request failed: %+v", e.failed)
	}
	if err := e.done.Receipt.Verify(p.hello.PayeeKey[:]); err != nil {
		t.Errorf("its receipt: %v", err)
	}
	before, answers := earning(t, proxy, good.Channel), asked.Load()

	_, otherKey, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	enough := 2 * p.begin(good)
	voucher := func(edit func(*tlb.Voucher)) func(*session.Header) {
		return func(h *session.Header) {
			v := p.first
			v.Seq, v.Cumulative = 2, enough
			edit(&v)
			signed := mustSign(t, v, p.key)
			h.Voucher = &signed
		}
	}
	for _, c := range []struct {
		name string
		edit func(*session.Header)
		want error
	}{
		{"none", func(h *session.Header) { h.Voucher = nil }, session.ErrUnderauthorised},
		{"replayed", func(h *session.Header) { h.Voucher = &held }, session.ErrUnderauthorised},
		{"too low", voucher(func(v *tlb.Voucher) { v.Cumulative = 1 }), session.ErrUnderauthorised},
		{"a little more, not enough", voucher(func(v *tlb.Voucher) { v.Cumulative = held.Voucher.Cumulative }), session.ErrUnderauthorised},
		{"for another channel", voucher(func(v *tlb.Voucher) { v.Channel = p.cfg.Payer }), session.ErrVoucherChannel},
		{"for another network", voucher(func(v *tlb.Voucher) { v.Network = -239 }), session.ErrVoucherNetwork},
		{"of another epoch", voucher(func(v *tlb.Voucher) { v.Epoch++ }), session.ErrVoucherEpoch},
		{"over the deposit", voucher(func(v *tlb.Voucher) { v.Cumulative = tlb.TON }), session.ErrOverDeposit},
		{"signed by another key", func(h *session.Header) {
			v := p.first
			v.Seq, v.Cumulative = 2, enough
			signed := mustSign(t, v, otherKey)
			h.Voucher = &signed
		}, session.ErrVoucherSignature},
		{"with another amount than signed", func(h *session.Header) {
			signed := p.sign(2, enough)
			signed.Voucher.Cumulative++
			h.Voucher = &signed
		}, session.ErrVoucherSignature},
		{"good, for a channel that is not ours", func(h *session.Header) {
			signed := p.sign(2, enough)
			h.Voucher, h.Channel = &signed, p.cfg.Payer.StringRaw()
		}, session.ErrChannelUnknown},
		{"good, at another price", func(h *session.Header) {
			signed := p.sign(2, enough)
			h.Voucher = &signed
			h.Price.Completion--
		}, session.ErrPrice},
		{"good, for a model that is not served", func(h *session.Header) {
			signed := p.sign(2, enough)
			h.Voucher, h.Model = &signed, "gpt-9000"
		}, session.ErrModelUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := p.header(body)
			c.edit(&h)
			e := p.request(h, body, nil)
			if e.failed == nil || !errors.Is(e.failed.Err(), c.want) {
				t.Fatalf("got %+v, want %v", e, c.want)
			}
			if e.parts > 0 || e.failed.Cost != 0 || e.failed.Receipt != nil {
				t.Errorf("%d parts were delivered for %s", e.parts, e.failed.Cost)
			}
			if e.failed.Message == "" {
				t.Error("it does not say what is wrong")
			}
			if c.want == session.ErrUnderauthorised && e.failed.Need == 0 {
				t.Error("it does not say how much is needed")
			}
			t.Logf("%v; %s", e.failed.Err(), e.failed.Hint)
		})
	}
	if n := asked.Load() - answers; n != 0 {
		t.Errorf("the engine was asked %d times", n)
	}
	if after := earning(t, proxy, good.Channel); after.Spent != before.Spent || after.Running != 0 {
		t.Errorf("the channel changed from %+v to %+v", before, after)
	}

	t.Run("another peer, with the channel's address", func(t *testing.T) {
		q := *p
		q.t = t
		q.session, q.proxy = stranger(t, proxy)
		h := q.header(body)
		signed := p.sign(2, enough)
		h.Voucher = &signed
		if e := q.request(h, body, nil); e.failed == nil || !errors.Is(e.failed.Err(), session.ErrChannelUnknown) {
			t.Errorf("got %+v", e)
		}
		if _, err := q.session.Announce(t.Context(), q.proxy, q.cfg, otherKey); !errors.Is(err, session.ErrUnauthorised) {
			t.Errorf("announced with another key: %v", err)
		}
	})

	h := p.header(body)
	signed := p.sign(2, earning(t, proxy, good.Channel).Spent+p.begin(h))
	h.Voucher = &signed
	if e := p.request(h, body, nil); e.done == nil {
		t.Errorf("an honest request after all that: %+v", e.failed)
	}
}

// TestPayerStopsSigning: whoever stops paying gets nothing more after the grace
// period, and what the proxy gave away is less than one window.
func TestPayerStopsSigning(t *testing.T) {
	network, proxy, _ := paidWorld(t, time.Millisecond)
	p := newPayer(t, network, proxy)
	defaults := node.DefaultConfig(node.Proxy).Proxy
	body := prompt("count to 2000")
	authorised := tlb.Nano(0)
	for seq, c := range []struct {
		name string
		more func(*session.Outgoing, session.NeedVoucher)
		want error
		wait time.Duration // at least, from the proxy's first request for more to the end
	}{
		{"silent", nil, session.ErrPaymentStopped, time.Duration(defaults.Grace)},
		{"the same voucher again", func(o *session.Outgoing, _ session.NeedVoucher) { o.SendVoucher(p.sign(1, authorised)) },
			session.ErrPaymentStopped, time.Duration(defaults.Grace)},
		{"a forged voucher", func(o *session.Outgoing, n session.NeedVoucher) {
			v := p.sign(9, authorised+n.Need)
			v.Signature[0] ^= 1
			o.SendVoucher(v)
		}, session.ErrVoucherSignature, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := p.header(body)
			before := earning(t, proxy, h.Channel)
			paidOut := paying(t, proxy)
			authorised = before.Spent + p.begin(h)
			signed := p.sign(uint64(seq+1), authorised)
			h.Voucher = &signed
			e := p.request(h, body, c.more)
			if e.failed == nil || !errors.Is(e.failed.Err(), c.want) {
				t.Fatalf("got %+v, want %v", e, c.want)
			}
			if took := e.at.Sub(e.asked); took < c.wait-100*time.Millisecond || took > 2*time.Duration(defaults.Grace)-100*time.Millisecond {
				t.Errorf("it ended %s after it asked, want %s", took, c.wait)
			}
			if e.parts == 0 || e.failed.Receipt == nil || e.failed.Cost != e.spent || e.failed.Cost > p.begin(h) {
				t.Errorf("%d parts, cost %s of %s, the last part said %s", e.parts, e.failed.Cost, p.begin(h), e.spent)
			}
			after := earning(t, proxy, h.Channel)
			if after.Spent != before.Spent+e.failed.Cost || after.Running != 0 {
				t.Errorf("the channel went from %s to %s for %s", before.Spent, after.Spent, e.failed.Cost)
			}
			loss := int64(paying(t, proxy).Spent-paidOut.Spent) - int64(e.failed.Cost)
			if loss > int64(defaults.Window) {
				t.Errorf("the proxy lost %d nanoTON, more than its window of %s", loss, defaults.Window)
			}
			t.Logf("%d parts for %s, the proxy lost %d nanoTON; %v; %s", e.parts, e.failed.Cost, loss, e.failed.Err(), e.failed.Hint)
		})
	}
}

// paying is the node's one channel into which it pays.
func paying(t *testing.T, r *devnet.Running) node.Channel {
	t.Helper()
	for _, c := range r.Channels() {
		if c.End == "paying" {
			return c
		}
	}
	t.Fatalf("the %s pays into no channel", r.Status().Role)
	return node.Channel{}
}

// An answer that comes as a whole is paid for as a whole, at its end. A client that
// does not sign for it costs the proxy no more than its window: what goes beyond,
// the proxy authorises only after its client did.
func TestPayerDoesNotSignForAWholeAnswer(t *testing.T) {
	network, proxy, asked := paidWorld(t, 0, func(c *node.Config) {
		if c.Worker != nil {
			c.Worker.Models[0].Completion *= 100 // 2000 tokens cost many windows
		}
	})
	window := node.DefaultConfig(node.Proxy).Proxy.Window
	p := newPayer(t, network, proxy)
	body := bytes.Replace(prompt("count to 2000"), []byte(`"stream":true,"stream_options":{"include_usage":true}`), []byte(`"stream":false`), 1)
	h := p.header(body)
	h.Stream = false
	signed := p.sign(1, p.begin(h))
	h.Voucher = &signed
	before := paying(t, proxy)
	e := p.request(h, body, nil)
	if e.failed == nil || !errors.Is(e.failed.Err(), session.ErrPaymentStopped) || e.parts != 0 {
		t.Fatalf("got %+v", e)
	}
	if asked.Load() != 1 {
		t.Errorf("the engine was asked %d times", asked.Load())
	}
	after := paying(t, proxy)
	if signed := after.Authorised - before.Authorised; signed > p.begin(h)+window {
		t.Errorf("the proxy authorised %s to the worker, more than the start and its window of %s", signed, window)
	}
	if lost := after.Spent - before.Spent; lost > e.failed.Cost+window {
		t.Errorf("the proxy paid %s for what it billed at %s", lost, e.failed.Cost)
	}
}
