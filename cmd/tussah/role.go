package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/wallet"
)

var roleSummaries = map[node.Role]string{
	node.Client: "Run a client: an OpenAI-compatible endpoint that pays proxies",
	node.Proxy:  "Run a proxy: serve clients with the workers that dial in",
	node.Worker: "Run a worker: serve an engine's models to the registered proxies",
}

func roleCommand(role node.Role) *cobra.Command {
	c := &cobra.Command{
		Use:   string(role) + " --config FILE",
		Short: roleSummaries[role],
		Long: roleSummaries[role] + `.

Everything is in the configuration file; "tussah config sample ` + string(role) + `" prints one with every key. An
encrypted wallet key is opened with the passphrase in ` + node.PassphraseVariable + `. Runs until Ctrl-C or SIGTERM.`,
		Args: cobra.NoArgs,
	}
	file := configFlag(c)
	verbose := c.Flags().Bool("verbose", false, "log what the node does")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := loadConfig(*file)
		if err != nil {
			return err
		}
		if cfg.Role() != role {
			return hint(fmt.Errorf("%s is the configuration of a %s", *file, cfg.Role()), "tussah %s --config %s", cfg.Role(), *file)
		}
		say := progress(c)
		n, err := node.New(cfg, node.Options{Log: logger(c, *verbose), Ready: func(n *node.Node) {
			s := n.Status()
			say("%s %s runs on network %d, wallet %s", role, s.Peer, s.Network, s.Wallet)
			if s.Endpoint != "" {
				say("OpenAI-compatible endpoint: %s/v1", s.Endpoint)
			}
			if n.Admin() != "" {
				say("status: %s/status, metrics: %s/metrics", n.Admin(), n.Admin())
			}
		}})
		if err != nil {
			return err
		}
		return advise(n.Run(c.Context()), cfg)
	}
	return c
}

func configFlag(c *cobra.Command) *string {
	file := c.Flags().StringP("config", "c", "", "configuration file (required)")
	if err := c.MarkFlagRequired("config"); err != nil {
		panic("tussah: internal error: " + err.Error())
	}
	return file
}

// advise adds what an operator can do about the usual reasons that a node does
// not start.
func advise(err error, cfg node.Config) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return hint(err, "another program uses the port; stop it or change the listen address")
	case errors.Is(err, node.ErrStoreInUse):
		return hint(err, "one process per data folder; is the node running already?")
	case errors.Is(err, lite.ErrNoServer):
		return hint(err, "check network.liteservers; a sandbox prints its own when it starts")
	case errors.Is(err, contracts.ErrNotRegistry):
		return hint(err, "check network.registry: %s is no registry on network %d", cfg.Network.Registry, cfg.Network.ID)
	case errors.Is(err, wallet.ErrPassphrase):
		return hint(err, "set %s to the passphrase of %s", node.PassphraseVariable, cfg.Wallet.Key)
	case errors.Is(err, wallet.ErrKeyMode):
		return hint(err, "chmod 600 %s", cfg.Wallet.Key)
	case errors.Is(err, os.ErrNotExist):
		return hint(err, "tussah wallet new --out %s makes a wallet key", cfg.Wallet.Key)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return hint(err, "check the address %v", op.Addr)
	}
	return err
}
