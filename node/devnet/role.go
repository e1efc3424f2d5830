package devnet

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// What the parties of a devnet start with.
const (
	ClientFunds = 10 * tlb.TON
	ProxyFunds  = 20 * tlb.TON
	WorkerFunds = 2 * tlb.TON
	ProxyStake  = 2 * tlb.TON
)

// RoleOptions change what [Network.Role] writes.
type RoleOptions struct {
	Name   string // folder; the role's name if empty
	Engine string // of a worker; the demo engine if empty
	Model  string // of a worker; DemoModel if empty
	Listen string // of a client's API; a free port if empty
	Edit   func(*node.Config)
}

// Role prepares a node of the network: a folder with a funded wallet and a
// configuration file, whose name it returns. A proxy is registered with its
// stake. An existing folder is left as it is, but for the network's address.
func (n *Network) Role(ctx context.Context, role node.Role, o RoleOptions) (string, error) {
	if o.Name == "" {
		o.Name = string(role)
	}
	dir := filepath.Join(n.dir, o.Name)
	file := filepath.Join(dir, o.Name+".toml")
	cfg, err := node.LoadConfig(file)
	fresh := err != nil
	if fresh {
		if cfg, err = n.draft(role, dir, o); err != nil {
			return "", err
		}
	}
	cfg.Network.Liteservers = []node.LiteserverConfig{n.LiteserverConfig()}
	if err := writeConfig(file, cfg); err != nil {
		return "", err
	}
	funds := map[node.Role]tlb.Nano{node.Client: ClientFunds, node.Proxy: ProxyFunds, node.Worker: WorkerFunds}[role]
	if !fresh {
		return file, nil
	}
	party, err := n.Party(ctx, o.Name, funds)
	if err != nil {
		return "", err
	}
	defer party.Close()
	if role == node.Proxy {
		if err := n.register(ctx, party, cfg); err != nil {
			return "", fmt.Errorf("register the proxy: %w", err)
		}
	}
	n.o.Progress("%s ready: wallet %s", o.Name, party.Wallet.Address())
	return file, nil
}

func (n *Network) draft(role node.Role, dir string, o RoleOptions) (node.Config, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return node.Config{}, err
	}
	cfg := node.DefaultConfig(role)
	cfg.DataDir = filepath.Join(dir, "data")
	cfg.Network = node.NetworkConfig{ID: sandbox.DefaultGlobalID, Registry: n.Registry.StringRaw()}
	cfg.Wallet.Key = filepath.Join(dir, "wallet.key")
	cfg.P2P.AllowPrivate = true
	cfg.Attestation.SimulatedCA = n.caDir()
	var err error
	if cfg.Admin.Listen, err = freePort(); err != nil {
		return node.Config{}, err
	}
	switch role {
	case node.Client:
		cfg.P2P.Listen = nil
		cfg.Client.CloseDelay = node.Duration(CloseDelay)
		if cfg.Client.Listen = o.Listen; o.Listen == "" {
			cfg.Client.Listen, err = freePort()
		}
	case node.Proxy:
		cfg.Attestation.Image = ProxyImage
		cfg.Proxy.CloseDelay = node.Duration(CloseDelay)
		cfg.Proxy.Deposit = tlb.TON
		var at string
		if at, err = freePort(); err == nil {
			host, port, _ := net.SplitHostPort(at)
			cfg.P2P.Listen = []string{"/ip4/" + host + "/tcp/" + port}
		}
	case node.Worker:
		cfg.P2P.Listen = nil
		cfg.Attestation.Image = WorkerImage
		cfg.Worker.CloseDelay = node.Duration(CloseDelay)
		if cfg.Worker.Engine = o.Engine; o.Engine == "" {
			cfg.Worker.Engine = node.DemoEngine
		}
		if cfg.Worker.Models[0].Name = o.Model; o.Model == "" {
			cfg.Worker.Models[0].Name = DemoModel
		}
	}
	if o.Edit != nil {
		o.Edit(&cfg)
	}
	return cfg, err
}

// register locks the proxy's stake under its own wallet.
func (n *Network) register(ctx context.Context, party *Party, cfg node.Config) error {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return err
	}
	identity, err := p2p.LoadOrCreateIdentity(filepath.Join(cfg.DataDir, node.IdentityFile))
	if err != nil {
		return err
	}
	message, err := contracts.RegisterProxy(n.Registry, tlb.ProxyEntry{
		Payout: party.Wallet.Address(), PeerID: []byte(identity.ID()), Addrs: cfg.P2P.Listen,
	}, ProxyStake)
	if err != nil {
		return err
	}
	return party.Send(ctx, "register the proxy", message)
}

func writeConfig(file string, cfg node.Config) error {
	text, err := toml.Marshal(cfg)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Running is a node in this process.
type Running struct {
	*node.Node
	stop context.CancelFunc
	done chan error
}

// Start runs the node of a configuration file and returns when it is ready.
func Start(ctx context.Context, file string, o node.Options) (*Running, error) {
	cfg, err := node.LoadConfig(file)
	if err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	o.Ready = func(*node.Node) { close(ready) }
	n, err := node.New(cfg, o)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	r := &Running{Node: n, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- n.Run(running) }()
	select {
	case <-ready:
		return r, nil
	case err := <-r.done:
		stop()
		return nil, fmt.Errorf("start the %s: %w", cfg.Role(), err)
	case <-ctx.Done():
		return nil, fmt.Errorf("start the %s: %w", cfg.Role(), context.Cause(ctx))
	}
}

// Stop ends the node and waits for it.
func (r *Running) Stop() error {
	r.stop()
	return <-r.done
}
