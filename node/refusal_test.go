package node_test

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/wallet"
)

// TestNodeRefusesToStart: what an operator can get wrong beside the configuration's
// text, which TestParseConfigRefuses is about.
func TestNodeRefusesToStart(t *testing.T) {
	network := openNetwork(t)
	file := role(t, network, node.Client, devnet.RoleOptions{})
	good, err := node.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	silent := taken.Addr().String() // accepts, and never says a word

	locked := filepath.Join(t.TempDir(), "wallet.key")
	key, err := wallet.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := wallet.SaveKey(locked, key, []byte("correct horse")); err != nil {
		t.Fatal(err)
	}
	nobody, err := wallet.New(key, wallet.V5R1, good.Network.ID)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := network.Party(t.Context(), "owner", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	used := filepath.Join(t.TempDir(), "used")
	store, err := node.OpenStore(filepath.Join(used, "db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()

	for _, c := range []struct {
		name string
		edit func(*node.Config)
		want error
		says string
	}{
		{"wrong passphrase", func(c *node.Config) { c.Wallet.Key = locked }, wallet.ErrPassphrase, "wallet.key"},
		{"no wallet key", func(c *node.Config) { c.Wallet.Key = locked + ".missing" }, syscall.ENOENT, "wallet.key"},
		{"endpoint's port taken", func(c *node.Config) { c.Client.Listen = silent }, syscall.EADDRINUSE, "client.listen"},
		{"admin port taken", func(c *node.Config) { c.Admin.Listen = silent }, syscall.EADDRINUSE, "admin.listen"},
		{"no liteserver", func(c *node.Config) { c.Network.Liteservers[0].Address = closedPort(t) }, lite.ErrNoServer, "reach the TON network"},
		{"liteserver with another key", func(c *node.Config) { c.Network.Liteservers[0].Key = strings.Repeat("A", 43) + "=" }, lite.ErrNoServer, "reach the TON network"},
		{"registry is nothing", func(c *node.Config) { c.Network.Registry = nobody.Address().StringRaw() }, contracts.ErrNotRegistry, "read the registry"},
		{"registry is a wallet", func(c *node.Config) { c.Network.Registry = owner.Wallet.Address().StringRaw() }, contracts.ErrNotRegistry, "read the registry"},
		{"another network", func(c *node.Config) { c.Network.ID = -218 }, nil, "-217"},
		{"data folder in use", func(c *node.Config) { c.DataDir = used }, node.ErrStoreInUse, "stop it first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(node.PassphraseVariable, "incorrect horse")
			cfg := good
			cfg.Network.Liteservers = []node.LiteserverConfig{good.Network.Liteservers[0]}
			client := *good.Client
			cfg.Client = &client
			cfg.DataDir = t.TempDir()
			c.edit(&cfg)
			n, err := node.New(cfg, node.Options{Ready: func(*node.Node) { t.Error("it started") }})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			err = n.Run(t.Context())
			if c.want != nil && !errors.Is(err, c.want) || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v that says %q", err, c.want, c.says)
			}
			t.Logf("%s: %v", time.Since(began).Round(time.Millisecond), err)
		})
	}
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
