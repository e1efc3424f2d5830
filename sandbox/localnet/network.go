package localnet

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
	"github.com/tussah-network/tussah/sandbox/liteserver"
	"github.com/tussah-network/tussah/sandbox/toncenter"
	"github.com/tussah-network/tussah/tlb"
)

// Options of a [Network]. The zero value is one in memory, in instant mode, on
// free ports.
type Options struct {
	// Dir is the network's folder. Empty: it lives as long as the process.
	Dir string
	// Mode, Interval, SplitDepth, Genesis and Load are those of
	// [sandbox.Options]; the last three count only for a new chain.
	Mode       sandbox.Mode
	Interval   time.Duration
	SplitDepth uint8
	Genesis    []sandbox.GenesisAccount
	Load       io.Reader
	// Addresses to listen on. Default: a free port of the loopback.
	Liteserver, HTTP, Control string
	// Log hears of blocks and calls. Default: discarded.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	for _, address := range []*string{&o.Liteserver, &o.HTTP, &o.Control} {
		if *address == "" {
			*address = "127.0.0.1:0"
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Network is a chain and its three servers.
type Network struct {
	Chain *sandbox.Chain
	// Continued: the folder had a chain already.
	Continued bool

	dir       string // empty: no files
	described bool   // the files are there
	lite      *liteserver.Server
	listeners []net.Listener // one for each of the handlers
	handlers  []http.Handler
}

// Open opens the network, or makes a new one, and listens. Run has to be
// called for anybody to be answered; Close undoes Open.
func Open(o Options) (_ *Network, err error) {
	o = o.withDefaults()
	n := &Network{dir: o.Dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	chain := sandbox.Options{
		Mode: o.Mode, Interval: o.Interval, SplitDepth: o.SplitDepth, Genesis: o.Genesis, Load: o.Load, Log: o.Log,
	}
	if o.Dir != "" {
		chain.Dir = filepath.Join(o.Dir, "chain")
		if err := os.MkdirAll(o.Dir, 0o755); err != nil {
			return nil, err
		}
	}
	if n.Chain, err = sandbox.Open(chain); err != nil {
		return nil, err
	}
	n.Continued = n.Chain.MasterHead().SeqNo != 0
	if !n.Continued {
		// Clients begin with a key block, which is what the first block is.
		if _, err := n.Chain.Seal(context.Background()); err != nil {
			return nil, err
		}
	}
	n.lite = liteserver.New(n.Chain, liteserverKey(), liteserver.Options{Log: o.Log})
	if err := n.lite.Listen(o.Liteserver); err != nil {
		return nil, err
	}
	if err := n.listen(o.HTTP, toncenter.New(n.Chain, toncenter.Options{Log: o.Log})); err != nil {
		return nil, fmt.Errorf("HTTP API: %w", err)
	}
	if err := n.listen(o.Control, control.New(n.Chain, control.Options{Log: o.Log})); err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return n, n.describe()
}

// liteserverKey is the same for every network, as that of the chain's
// validator is, so that clients need not be configured again for each.
func liteserverKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("tussah sandbox liteserver"))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (n *Network) listen(address string, handler http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	n.listeners, n.handlers = append(n.listeners, l), append(n.handlers, handler)
	return nil
}

// describe writes the files of the folder, if there is one.
func (n *Network) describe() error {
	if n.dir == "" {
		return nil
	}
	global, err := n.lite.GlobalConfig()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(n.dir, GlobalConfigFile), global, 0o644); err != nil {
		return err
	}
	n.described = true
	return n.Info().save(filepath.Join(n.dir, InfoFile))
}

// Info is how to connect.
func (n *Network) Info() Info {
	return Info{
		GlobalID: sandbox.DefaultGlobalID, Liteserver: n.lite.Addr().String(), LiteserverKey: n.lite.Key(),
		HTTP: "http://" + n.listeners[0].Addr().String(), Control: "http://" + n.listeners[1].Addr().String(),
	}
}

// GlobalConfig is TON's global config, for any lite client.
func (n *Network) GlobalConfig() ([]byte, error) { return n.lite.GlobalConfig() }

// Run serves and makes blocks until the context ends, and returns nil then. It
// closes the network.
func (n *Network) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.Chain.Run(ctx) })
	group.Go(func() error { return n.lite.Run(ctx) })
	group.Go(warmUp)
	for i, l := range n.listeners {
		server := &http.Server{Handler: n.handlers[i], ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
		group.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			// Whoever waits for a block waits in vain: nothing to be patient for.
			return server.Close()
		})
	}
	return errors.Join(group.Wait(), n.Close())
}

// warmUp makes a transaction on a chain that is thrown away. The first of a
// process takes some 100 ms more than others, to make the virtual machine: no
// caller should wait for that.
func warmUp() error {
	c, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		return err
	}
	return errors.Join(c.Faucet(context.Background(), sandbox.Giver(), tlb.TON), c.Close())
}

// Close stops listening and closes the chain.
func (n *Network) Close() error {
	var faults []error
	for _, l := range n.listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			faults = append(faults, err)
		}
	}
	if n.lite != nil {
		n.lite.Close()
	}
	if n.Chain != nil {
		faults = append(faults, n.Chain.Close())
	}
	if n.described { // else the file is of another process, which has the folder
		if err := os.Remove(filepath.Join(n.dir, InfoFile)); !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
