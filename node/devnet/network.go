package devnet

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/localnet"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
)

// Labels of the simulated images, and the model of the demo engine.
const (
	ProxyImage  = "tussah-proxy simulated"
	WorkerImage = "tussah-worker simulated"
	DemoModel   = "tussah-demo"
)

// CloseDelay of channels on a devnet: short, so that whole lives fit into a test.
const CloseDelay = time.Minute

// Options of a [Network].
type Options struct {
	Dir string // everything is kept here; a second Open continues
	// Addresses to listen on. Default: a free port of the loopback.
	Liteserver, HTTP, Control string
	Interval                  time.Duration // between blocks; 500 ms if zero
	Models                    []string      // registered; DemoModel if empty
	Log                       *slog.Logger
	Progress                  func(format string, args ...any) // one line per step; may be nil
}

// Network is a running devnet.
type Network struct {
	Chain    *sandbox.Chain
	Registry *address.Address

	o     Options
	dir   string
	local *localnet.Network
	owner *Party
	stop  context.CancelFunc
	done  chan error // of the local network
}

// state is what a folder remembers beside the chain.
type state struct {
	Registry string   `json:"registry"`
	Models   []string `json:"models"`
}

// Open starts the network in o.Dir, and sets it up if it is new: genesis, funded
// owner, registry with the two images and the models. The caller closes it.
func Open(ctx context.Context, o Options) (n *Network, err error) {
	if o.Interval == 0 {
		o.Interval = 500 * time.Millisecond
	}
	if len(o.Models) == 0 {
		o.Models = []string{DemoModel}
	}
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	local, err := localnet.Open(localnet.Options{Dir: dir, Mode: sandbox.Interval, Interval: o.Interval,
		Liteserver: o.Liteserver, HTTP: o.HTTP, Control: o.Control, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("open the sandbox network: %w", err)
	}
	n = &Network{Chain: local.Chain, o: o, dir: dir, local: local, done: make(chan error, 1)}
	opened := n // a failure below returns nil, and closes what was opened
	running, stop := context.WithCancel(context.Background())
	n.stop = stop
	go func() { n.done <- local.Run(running) }()
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	o.Progress("TON sandbox network %d runs, liteserver on %s", sandbox.DefaultGlobalID, local.Info().Liteserver)

	if n.owner, err = n.Party(ctx, "owner", 20*tlb.TON); err != nil {
		return nil, err
	}
	if err := n.makeCA(); err != nil {
		return nil, err
	}
	if err := n.findRegistry(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

// Close stops the network; its folder can be opened again.
func (n *Network) Close() error {
	n.stop()
	err := <-n.done
	if n.owner != nil {
		err = errors.Join(err, n.owner.Close())
	}
	return err
}

// LiteserverConfig is how nodes reach the chain.
func (n *Network) LiteserverConfig() node.LiteserverConfig {
	info := n.Info()
	return node.LiteserverConfig{Address: info.Liteserver, Key: base64.StdEncoding.EncodeToString(info.LiteserverKey)}
}

// Info is how others do. The folder has it too, and TON's global config.
func (n *Network) Info() localnet.Info { return n.local.Info() }

func (n *Network) caDir() string { return filepath.Join(n.dir, "simulated-ca") }

func (n *Network) makeCA() error {
	if _, err := sim.LoadCA(n.caDir()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ca, err := sim.NewCA()
	if err != nil {
		return err
	}
	return ca.Save(n.caDir())
}

// findRegistry deploys the registry of a new network.
func (n *Network) findRegistry(ctx context.Context) error {
	file := filepath.Join(n.dir, "network.json")
	text, err := os.ReadFile(file)
	if err == nil {
		var s state
		if err := json.Unmarshal(text, &s); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		n.Registry, err = node.ParseAddress(s.Registry)
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	params := tlb.RegistryParams{Network: sandbox.DefaultGlobalID, MinStake: 2 * tlb.TON, Unbonding: 60,
		MinCloseDelay: uint32(CloseDelay / time.Second), MaxCloseDelay: tlb.MaxCloseDelay, ChannelCode: contracts.ChannelCode().HashKey()}
	deploy, err := contracts.DeployRegistry(n.owner.Wallet.Address(), params, nil)
	if err != nil {
		return err
	}
	n.Registry = deploy.To
	if err := n.owner.Send(ctx, "deploy the registry", deploy); err != nil {
		return err
	}
	n.o.Progress("registry deployed at %s", n.Registry)

	// Images and models go the way of every later change: announced, then executed.
	changes := []tlb.RegistryChange{
		tlb.AllowImage{Image: sim.Measure(ProxyImage).Image(), Roles: tlb.RoleProxy},
		tlb.AllowImage{Image: sim.Measure(WorkerImage).Image(), Roles: tlb.RoleWorker},
	}
	for _, model := range n.o.Models {
		changes = append(changes, tlb.AllowModel{Name: model})
	}
	var announce, execute []contracts.Message
	for id, change := range changes {
		message, err := contracts.Announce(n.Registry, change)
		if err != nil {
			return err
		}
		announce = append(announce, message)
		execute = append(execute, contracts.Execute(n.Registry, uint32(id)))
	}
	if err := n.owner.Send(ctx, "announce images and models", announce...); err != nil {
		return err
	}
	if err := n.owner.Send(ctx, "execute the announced changes", execute...); err != nil {
		return err
	}
	n.o.Progress("registered: image %q, image %q, models %v", ProxyImage, WorkerImage, n.o.Models)
	text, err = json.MarshalIndent(state{Registry: n.Registry.StringRaw(), Models: n.o.Models}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

// key reads a key file of the network's folder, making it if it is missing.
func (n *Network) key(name string) (wallet.Key, error) {
	name = filepath.Join(n.dir, name)
	key, err := wallet.LoadKey(name, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return wallet.Key{}, err
	}
	if key, err = wallet.NewKey(); err != nil {
		return wallet.Key{}, err
	}
	return key, wallet.SaveKey(name, key, nil)
}
