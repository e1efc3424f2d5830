package node_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// spy is a registered proxy that serves nobody and counts what it hears.
type spy struct {
	hello            session.Hello
	hellos, requests atomic.Int64
	heard            atomic.Value // string: the last prompt
}

func (s *spy) Hello(context.Context, session.Peer, session.Hello) (session.Hello, error) {
	s.hellos.Add(1)
	return s.hello, nil
}

func (s *spy) Announce(_ context.Context, _ session.Peer, cfg tlb.ChannelConfig) (session.ChannelStatus, error) {
	at, err := contracts.ChannelAddress(cfg)
	if err != nil {
		return session.ChannelStatus{}, err
	}
	return session.ChannelStatus{Channel: at.StringRaw()}, nil
}

func (s *spy) CloseChannel(context.Context, session.Peer, string) (tlb.SignedCoopClose, error) {
	return tlb.SignedCoopClose{}, session.ErrChannelUnknown
}

func (s *spy) Offers(context.Context, session.Peer) ([]session.Offer, error) {
	return s.hello.Offers, nil
}

func (s *spy) Request(_ context.Context, _ session.Peer, in *session.Incoming) error {
	s.requests.Add(1)
	body, err := io.ReadAll(in.Body)
	s.heard.Store(string(body))
	return errors.Join(err, session.ErrDeadline) // one that nobody tries again
}

// startSpy registers a proxy and lets a spy with other evidence listen in its place.
func startSpy(t *testing.T, network *devnet.Network, name string, provider attest.Provider) *spy {
	t.Helper()
	cfg, err := node.LoadConfig(role(t, network, node.Proxy, devnet.RoleOptions{Name: name}))
	if err != nil {
		t.Fatal(err)
	}
	identity, err := p2p.LoadIdentity(filepath.Join(cfg.DataDir, node.IdentityFile))
	if err != nil {
		t.Fatal(err)
	}
	if provider != nil {
		if err := node.MeasureAs(t.Context(), provider, cfg); err != nil {
			t.Fatal(err)
		}
	}
	o := ratls.Options{Provider: provider, UnattestedInbound: true, Network: cfg.Network.ID, Registry: network.Registry.StringRaw(),
		Self: func() ratls.Claims {
			return ratls.Claims{Role: ratls.RoleProxy, Contract: network.Registry.StringRaw()}
		}}
	host, err := p2p.Open(identity, p2p.Options{RATLS: o, Listen: cfg.P2P.Listen, AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() })
	payee, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{hello: session.Hello{Version: session.Version, Role: session.RoleProxy, Network: sandbox.DefaultGlobalID,
		Registry: network.Registry.StringRaw(), Agent: "spy", PayeeKey: [32]byte(payee), Payout: network.Registry.StringRaw(),
		MinDeposit: tlb.TON / 10, CloseDelay: 60, Window: 2_000_000,
		Offers: []session.Offer{{Model: devnet.DemoModel, Price: tlb.Price{Prompt: 1, Cached: 1, Completion: 1, Reasoning: 1},
			MaxContext: 4096, MaxTokens: 4096, Slots: 16, TTL: time.Minute}}}}
	server := session.Serve(host, s, session.Options{Admit: func(session.Peer) error { return nil }})
	t.Cleanup(server.Close)
	return s
}

// rebound makes quotes that are genuine, but for somebody else's key.
type rebound struct{ attest.Provider }

func (r rebound) Evidence(ctx context.Context, reportData [64]byte) (attest.Evidence, error) {
	reportData[0] ^= 1
	return r.Provider.Evidence(ctx, reportData)
}

// TestImposters: a client says nothing at all to a proxy whose evidence does not
// hold, however cheap it is; and to one that did hold, nothing more once the
// registry revokes its image.
func TestImposters(t *testing.T) {
	network := openNetwork(t)
	file := role(t, network, node.Client, devnet.RoleOptions{})
	cfg, err := node.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := sim.LoadCA(cfg.Attestation.SimulatedCA)
	if err != nil {
		t.Fatal(err)
	}
	otherCA, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	spyVM := func(ca *sim.CA, image string) attest.Provider { return ca.Platform("spy").VM(sim.Measure(image)) }
	debug := sim.Measure(devnet.ProxyImage)
	debug.Attributes |= 1 // the TD can be debugged from outside

	cases := map[string]struct {
		provider attest.Provider
		says     string
	}{
		"unlisted":   {spyVM(ca, "tussah-proxy of mine"), "image is not allowed"},
		"rebound":    {rebound{spyVM(ca, devnet.ProxyImage)}, "evidence is bound to another key"},
		"no-quote":   {nil, "peer shows no evidence"},
		"other-root": {spyVM(otherCA, devnet.ProxyImage), "does not lead to a trusted root"},
		"debug":      {ca.Platform("spy").VM(debug), "can be debugged by its host"},
		"as-worker":  {spyVM(ca, devnet.WorkerImage), "does not allow this image for a proxy"},
	}
	imposters := map[string]*spy{}
	for name, c := range cases {
		imposters[name] = startSpy(t, network, name, c.provider)
	}
	client := start(t, file, nil)
	wait(t, "the client has tried all proxies", func() bool {
		peers := client.Status().Peers
		return len(peers) == len(imposters) && !slices.ContainsFunc(peers, func(p node.Linked) bool { return p.Problem == "" })
	})
	const canary = "my secret is 7781"
	got := mustAsk(t, client.Endpoint(), devnet.DemoModel, canary, true)
	got.expect(t, 503, "no_worker")
	for name, c := range cases {
		if !strings.Contains(got.Error.Message, c.says) {
			t.Errorf("%s: the message does not say %q: %s", name, c.says, got.Error.Message)
		}
	}
	silent := func() {
		t.Helper()
		for name, s := range imposters {
			if s.hellos.Load() != 0 || s.requests.Load() != 0 {
				t.Errorf("%s was said %d hellos and %d requests", name, s.hellos.Load(), s.requests.Load())
			}
		}
	}
	silent()
	if open := client.Channels(); len(open) != 0 {
		t.Errorf("a channel was opened: %+v", open)
	}

	// The same spy with good evidence hears everything: so the silence above says something.
	trusted := startSpy(t, network, "trusted", spyVM(ca, devnet.ProxyImage))
	wait(t, "the client opens a channel", func() bool { return client.Serves(devnet.DemoModel) })
	mustAsk(t, client.Endpoint(), devnet.DemoModel, canary, true)
	if heard, _ := trusted.heard.Load().(string); !strings.Contains(heard, canary) {
		t.Fatalf("the trusted spy heard %q", heard)
	}
	requests := trusted.requests.Load()

	owner, err := network.Party(t.Context(), "owner", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	image := sim.Measure(devnet.ProxyImage).Image()
	revoke, err := contracts.Revoke(network.Registry, tlb.RevokeImage, image)
	if err != nil {
		t.Fatal(err)
	}
	version := client.Status().Version
	if err := owner.Send(t.Context(), "revoke", revoke); err != nil {
		t.Fatal(err)
	}
	wait(t, "the client sees the revocation", func() bool { return client.Status().Version > version })
	mustAsk(t, client.Endpoint(), devnet.DemoModel, canary, true).expect(t, 503, "no_worker",
		fmt.Sprintf("does not allow this image for a proxy: %x", image))
	if n := trusted.requests.Load(); n != requests {
		t.Error("the revoked proxy was sent the prompt")
	}
	silent()
}
