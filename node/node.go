package node

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/xssnick/tonutils-go/address"
	"golang.org/x/sync/errgroup"

	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/node/openai"
	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
)

// Options of a [Node]; the zero value works.
type Options struct {
	Log   *slog.Logger
	Agent string // software and version, told to peers; "tussah" if empty
	// Ready is called once everything has started.
	Ready func(*Node)
}

// Node is one participant. Make it with [New], and run it once with Run.
type Node struct {
	cfg      Config
	o        Options
	registry *address.Address

	// Set by Run, in this order.
	keys      keys
	store     *Store
	chain     *lite.Client
	index     *registry.Index
	wallet    wallet.Wallet
	queue     *wallet.Queue
	payout    *address.Address
	verifiers verifiers
	policy    policy
	evidence  *evidence
	host      *p2p.Host
	keeper    *ratls.Keeper
	book      *p2p.Book // where peers were found besides the registry
	session   *session.Client
	payers    *payers
	payees    *payees
	metrics   *metrics
	links     *links
	client    *client
	proxy     *proxy
	worker    *worker
	endpoint  string // URL of a client's API
	admin     string // URL of the admin listener
}

// New checks the configuration and starts nothing.
func New(cfg Config, o Options) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Agent == "" {
		o.Agent = "tussah"
	}
	at, err := ParseAddress(cfg.Network.Registry)
	if err != nil {
		return nil, err
	}
	return &Node{cfg: cfg, o: o, registry: at, metrics: newMetrics(cfg.Role())}, nil
}

// Admin is the URL of the admin listener, empty if there is none. It is known
// when Ready is called.
func (n *Node) Admin() string { return n.admin }

// Endpoint is the base URL of a client's API.
func (n *Node) Endpoint() string { return n.endpoint }

// drainTimeout is how long requests in progress may go on after a node was told to stop.
const drainTimeout = 5 * time.Second

// startTimeout bounds each step of the start that talks to others.
const startTimeout = 30 * time.Second

// Run starts the node and blocks until ctx ends or a part fails. Parts are
// stopped in the reverse of the order they are started in.
func (n *Node) Run(ctx context.Context) (err error) {
	var undo []func() error
	defer func() {
		for _, stop := range slices.Backward(undo) {
			err = errors.Join(err, stop())
		}
	}()

	// 1. Keys and database.
	if n.keys, err = loadKeys(n.cfg.DataDir); err != nil {
		return err
	}
	if n.store, err = OpenStore(n.cfg.DataDir+"/db", nil); err != nil {
		return err
	}
	undo = append(undo, n.store.Close)

	// 2. The chain and the registry on it.
	if err := n.openChain(ctx); err != nil {
		return err
	}
	undo = append(undo, n.chain.Close)

	// 3. The wallet and its queue.
	if err := n.openWallet(); err != nil {
		return err
	}

	// 4. Evidence, what others' is judged by, and the libp2p host.
	if n.verifiers, err = openVerifiers(n.cfg.Attestation, n.cfg.DataDir, n.o.Log); err != nil {
		return err
	}
	undo = append(undo, n.verifiers.close)
	if n.verifiers.collateral != nil {
		n.metrics.watchCollateral(n.verifiers.collateral)
	}
	if err := n.openHost(ctx); err != nil {
		return err
	}
	undo = append(undo, n.host.Close)

	// 5. Both ends of the channels.
	if err := n.openChannels(); err != nil {
		return err
	}
	undo = append(undo, n.payers.close, n.payees.close)

	// What runs stops before what it stands on is closed.
	ctx, cancel := context.WithCancel(ctx)
	group, running := errgroup.WithContext(ctx)
	run := func(part func(context.Context) error) { group.Go(func() error { return part(running) }) }
	undo = append(undo, func() error {
		cancel()
		if err := group.Wait(); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	run(n.index.Run)
	run(n.keeper.Run)
	run(n.verifiers.run)
	run(n.queue.Run)
	if n.cfg.P2P.MDNS {
		run(func(ctx context.Context) error { return p2p.RunMDNS(ctx, n.host, n.cfg.Network.ID, n.book, n.o.Log) })
	}
	run(n.payers.follow)
	run(n.payees.follow)

	// 6. The role.
	handler, err := n.startRole(running, run)
	if err != nil {
		return err
	}
	if handler != nil {
		server := session.Serve(n.host, handler, session.Options{Admit: n.admitServed(), Log: n.o.Log})
		undo = append(undo, func() error {
			graceful, stop := context.WithTimeout(context.Background(), drainTimeout)
			defer stop()
			_ = server.Drain(graceful) // what is not done by then ends with a terminal event that says so
			server.Close()
			return nil
		})
	}
	if n.links != nil {
		run(n.links.run)
	}

	// 7. The listeners.
	if n.cfg.Admin.Listen != "" {
		if n.admin, err = serveHTTP(run, n.cfg.Admin.Listen, n.adminHandler()); err != nil {
			return fmt.Errorf("admin.listen: %w", err)
		}
	}
	if n.client != nil {
		keys, err := n.cfg.Client.keys()
		if err != nil {
			return err
		}
		api := openai.NewHandler(backend{n.client}, openai.Options{Keys: keys, RequireKey: len(keys) > 0, Log: n.o.Log})
		if n.endpoint, err = serveHTTP(run, n.cfg.Client.Listen, api); err != nil {
			return fmt.Errorf("client.listen: %w", err)
		}
	}
	if n.o.Ready != nil {
		n.o.Ready(n)
	}
	<-running.Done()
	return nil // the group's error is joined by its own undo
}

func (n *Node) openChain(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, startTimeout)
	defer stop()
	o, err := n.cfg.Network.Lite()
	if err != nil {
		return err
	}
	o.Log = n.o.Log
	if err := n.trust(&o); err != nil {
		return err
	}
	if n.chain, err = lite.Open(ctx, o); err != nil {
		return fmt.Errorf("reach the TON network: %w", err)
	}
	n.index = registry.NewIndex(n.chain, n.store.Table(tableIndex), n.registry, registry.Options{Log: n.o.Log})
	err = n.index.Load()
	if err == nil {
		err = n.index.Sync(ctx)
	}
	if err == nil {
		var view registry.View
		if view, err = n.index.View(); err == nil && view.State.Params.Network != n.cfg.Network.ID {
			err = fmt.Errorf("the registry is for network %d, the configuration says %d", view.State.Params.Network, n.cfg.Network.ID)
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("read the registry: %w", err), n.chain.Close())
	}
	return nil
}

// trust continues from the key block that an earlier run has come to, unless the
// configuration names a later one. Without either, the first key block that a
// liteserver shows is trusted. In a confidential VM the database is on its host's
// disk and proves nothing: there the chain is followed from the configured block.
func (n *Node) trust(o *lite.Options) error {
	if n.cfg.Attestation.TEE != "" {
		return nil
	}
	meta, row := n.store.Table(tableMeta), []byte("trusted key block")
	value, ok, err := meta.Get(row)
	if err == nil && ok {
		var stored lite.KeyBlock
		if err = json.Unmarshal(value, &stored); err == nil && stored.Seqno > o.Trusted.Seqno {
			o.Trusted = stored
		}
	}
	if err != nil {
		return fmt.Errorf("read the trusted key block: %w", err)
	}
	o.OnTrust = func(b lite.KeyBlock) {
		value, err := json.Marshal(b)
		if err == nil {
			err = meta.Commit(func(set func(key, value []byte), _ func([]byte)) { set(row, value) })
		}
		if err != nil {
			n.o.Log.Error("keep the trusted key block", slog.Any("error", err))
		}
	}
	return nil
}

// PassphraseVariable holds the passphrase of an encrypted wallet key.
const PassphraseVariable = "TUSSAH_WALLET_PASSPHRASE"

func (n *Node) openWallet() error {
	key, err := wallet.LoadKey(n.cfg.Wallet.Key, []byte(os.Getenv(PassphraseVariable)))
	if err != nil {
		return fmt.Errorf("wallet.key: %w", err)
	}
	if n.wallet, err = wallet.New(key, wallet.Version(n.cfg.Wallet.Version), n.cfg.Network.ID); err != nil {
		return err
	}
	n.queue, err = wallet.NewQueue(n.wallet, n.chain, n.store.QueueTable(), wallet.Options{Log: n.o.Log})
	return err
}

func (n *Node) openHost(ctx context.Context) error {
	var err error
	n.book = p2p.NewBook()
	n.policy = newPolicy(n.cfg, n.registry.StringRaw(), n.verifiers, n.index.View)
	if n.payout, err = n.payoutAddress(); err != nil {
		return err
	}
	if n.evidence, err = newEvidence(n.cfg, n.registry.StringRaw(), n.policy, n.o.Log); err != nil {
		return err
	}
	o := ratls.Options{Appraise: n.policy.appraise, Network: n.cfg.Network.ID, Registry: n.registry.StringRaw(),
		Self: n.claims, Identify: n.policy.identify, Epoch: n.policy.epoch, Every: n.policy.file.GateInterval(), Compatible: n.cfg.Attestation.Compatible, Log: n.o.Log}
	if n.evidence != nil {
		o.Provider = n.evidence
		if n.policy.gpus.collector != nil {
			o.GPU = n.policy.gpus.show
		}
		if err := n.measureSelf(ctx); err != nil {
			return err
		}
	}
	listen := n.cfg.P2P.Listen
	switch n.cfg.Role() {
	case Proxy:
		o.UnattestedInbound = true // clients; a worker's evidence is demanded with its hello
	case Client, Worker:
		if !n.cfg.P2P.MDNS { // which finds nothing for a host without an address
			listen = nil // they dial
		}
	}
	n.host, err = p2p.Open(n.keys.identity, p2p.Options{RATLS: o, Listen: listen, AllowPrivate: n.cfg.P2P.AllowPrivate, Log: n.o.Log})
	if err == nil {
		n.keeper = ratls.NewKeeper(n.host, o)
	}
	return err
}

// measureSelf has the machine measure what this node is, before anybody sees its evidence.
func (n *Node) measureSelf(ctx context.Context) error {
	events, err := eventsOf(n.cfg, n.registry.StringRaw())
	if err != nil {
		return err
	}
	if events[eventIndex(attest.EventGPU)].Payload, err = n.policy.gpus.measured(ctx); err != nil {
		return fmt.Errorf("measure the accelerators: %w", err)
	}
	return measure(ctx, n.evidence.provider, events)
}

// claims are what this node's evidence is bound to.
func (n *Node) claims() ratls.Claims {
	switch n.cfg.Role() {
	case Proxy:
		return ratls.Claims{Role: ratls.RoleProxy, Contract: n.payout.StringRaw()}
	case Worker:
		return ratls.Claims{Role: ratls.RoleWorker, Contract: n.payout.StringRaw()}
	}
	return ratls.Claims{Role: ratls.RoleClient}
}

// payoutAddress is where what this node earns is paid to.
func (n *Node) payoutAddress() (*address.Address, error) {
	payout := ""
	switch {
	case n.cfg.Proxy != nil:
		payout = n.cfg.Proxy.Payout
	case n.cfg.Worker != nil:
		payout = n.cfg.Worker.Payout
	}
	if payout == "" {
		return n.wallet.Address(), nil
	}
	return ParseAddress(payout)
}

func (n *Node) openChannels() error {
	role := tlb.RoleProxy
	if n.cfg.Role() == Proxy {
		role = tlb.RoleWorker
	}
	n.session = session.NewClient(n.host, session.Options{Admit: n.policy.admit(role), Log: n.o.Log})
	records := records{n.store.Table(tableChannels)}
	n.payers = &payers{records: records, store: n.store.Table(tablePayer), index: n.index, queue: n.queue, wallet: n.wallet.Address(),
		session: n.session, key: n.keys.session.Private(), network: n.cfg.Network.ID, log: n.o.Log}
	n.payees = &payees{records: records, store: n.store.Table(tablePayee), index: n.index, account: n.account, queue: n.queue, payout: n.payout,
		key: n.keys.payee.Private(), network: n.cfg.Network.ID, log: n.o.Log}
	switch {
	case n.cfg.Client != nil:
		c := n.cfg.Client
		n.payers.deposit, n.payers.window, n.payers.delay = c.Deposit, c.Window, time.Duration(c.CloseDelay)
	case n.cfg.Proxy != nil:
		c := n.cfg.Proxy
		n.payers.deposit, n.payers.window, n.payers.delay = c.Deposit, c.Window, time.Duration(c.CloseDelay)
		n.payees.minDeposit, n.payees.delay = c.MinDeposit, time.Duration(c.CloseDelay)
	case n.cfg.Worker != nil:
		c := n.cfg.Worker
		n.payees.minDeposit, n.payees.delay = c.MinDeposit, time.Duration(c.CloseDelay)
	}
	return errors.Join(n.payers.load(), n.payees.load())
}

// account is an account at the newest block.
func (n *Node) account(ctx context.Context, a *address.Address) (tlb.Account, error) {
	head, err := n.chain.Head(ctx)
	if err != nil {
		return tlb.Account{}, err
	}
	return n.chain.Account(ctx, head, a)
}

// hello introduces this node, without offers.
func (n *Node) hello() session.Hello {
	h := session.Hello{Version: session.Version, Network: n.cfg.Network.ID, Registry: n.registry.StringRaw(), Agent: n.o.Agent}
	switch {
	case n.cfg.Client != nil:
		h.Role = session.RoleClient
		return h
	case n.cfg.Proxy != nil:
		h.Role, h.Window = session.RoleProxy, n.cfg.Proxy.Window
	default:
		h.Role, h.Window = session.RoleWorker, n.cfg.Worker.Window
	}
	h.PayeeKey, h.Payout = n.keys.payee.Public(), n.payout.StringRaw()
	h.MinDeposit, h.CloseDelay = n.payees.minDeposit, uint32(n.payees.delay/time.Second)
	return h
}

// issuer is what this node signs receipts for a peer as: with the evidence that
// the peer has appraised.
func (n *Node) issuer(to session.Peer) issuer {
	return issuer{key: n.keys.payee.Private(), Image: n.image(), Evidence: to.Shown}
}

// image is what this node runs as; zero without evidence.
func (n *Node) image() [32]byte { return n.evidence.appraisal().Image }

// startRole builds the role and returns what answers its peers, if anything does.
func (n *Node) startRole(ctx context.Context, run func(func(context.Context) error)) (session.Handler, error) {
	n.links = (&links{view: n.index.View, connect: n.dial, drop: func(id peer.ID) { n.host.Network().ClosePeer(id) },
		session: n.session, hello: n.hello, log: n.o.Log}).init()
	switch {
	case n.cfg.Client != nil:
		n.client = &client{cfg: *n.cfg.Client, links: n.links, payers: n.payers, view: n.index.View, metrics: n.metrics, log: n.o.Log, ctx: ctx}
		n.links.onHello = n.client.keep
		return nil, nil
	case n.cfg.Proxy != nil:
		n.links = nil // proxies are dialled
		n.proxy = &proxy{cfg: *n.cfg.Proxy, payees: n.payees, payers: n.payers, admit: n.policy.admit(tlb.RoleWorker), hello: n.hello,
			issuer: n.issuer, metrics: n.metrics, log: n.o.Log, ctx: ctx,
			model: n.policy.model}
		return n.proxy, nil
	}
	base := n.cfg.Worker.Engine
	if base == DemoEngine {
		var err error
		if base, err = serveHTTP(run, "127.0.0.1:0", &engine.Demo{}); err != nil {
			return nil, err
		}
	}
	at, err := EngineURL(base)
	if err != nil {
		return nil, err
	}
	n.worker = &worker{cfg: *n.cfg.Worker, engine: engine.New(at, engine.Options{}), payees: n.payees, hello: n.hello, issuer: n.issuer, image: n.image,
		key: n.keys.identity.Private(), metrics: n.metrics, log: n.o.Log, models: map[string]*served{}}
	for _, m := range n.cfg.Worker.Models {
		n.worker.models[m.Name] = &served{ModelConfig: m}
	}
	n.links.hello = n.worker.introduction
	run(n.worker.probe)
	return n.worker, nil
}

// admitServed is who may open streams to us. A proxy serves clients, who have
// nothing to show; what a worker must show is asked with its hello.
func (n *Node) admitServed() func(session.Peer) error {
	if n.cfg.Proxy != nil {
		return func(session.Peer) error { return nil }
	}
	return n.policy.admit(tlb.RoleProxy)
}

// dial connects to a registered proxy, unless it is connected already: at its
// registered addresses, or where the local network has seen it. Who it is, the
// registry says and the handshake proves.
func (n *Node) dial(ctx context.Context, entry tlb.ProxyEntry) (peer.ID, error) {
	candidate, err := p2p.ParseCandidate(entry.PeerID, entry.Addrs, p2p.FromRegistry)
	if err != nil {
		return "", err
	}
	var errs []error
	for _, c := range append([]p2p.Candidate{candidate}, n.book.Find(candidate.ID)...) {
		if err := n.host.Dial(ctx, c); err == nil {
			return c.ID, nil
		} else {
			errs = append(errs, err)
		}
	}
	return candidate.ID, errors.Join(errs...)
}

// serveHTTP listens and serves until the group ends, and returns the base URL.
func serveHTTP(run func(func(context.Context) error), listen string, h http.Handler) (string, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return "", err
	}
	server := openai.NewServer(h)
	run(func(ctx context.Context) error {
		stopped := context.AfterFunc(ctx, func() {
			graceful, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer stop()
			if server.Shutdown(graceful) != nil {
				server.Close()
			}
		})
		defer stopped()
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return "http://" + l.Addr().String(), nil
}

// Lite is how to open the chain of the configuration.
func (c NetworkConfig) Lite() (lite.Options, error) {
	o := lite.Options{Global: c.ID}
	if c.TrustedBlock != "" {
		var err error
		if o.Trusted, err = lite.ParseKeyBlock(c.TrustedBlock); err != nil {
			return lite.Options{}, err
		}
	}
	for _, s := range c.Liteservers {
		key, err := s.key()
		if err != nil {
			return lite.Options{}, err
		}
		o.Servers = append(o.Servers, lite.Server{Addr: s.Address, Key: key})
	}
	return o, nil
}

func (s LiteserverConfig) key() ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(s.Key)
	if err != nil || len(key) != 32 {
		return nil, errors.New("is no Ed25519 key in base64")
	}
	return key, nil
}
