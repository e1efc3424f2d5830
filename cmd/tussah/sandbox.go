package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/sandbox/localnet"
)

func sandboxCommand() *cobra.Command {
	return group("sandbox", "A TON network in one process, for development",
		append([]*cobra.Command{sandboxUpCommand(), sandboxStartCommand(), sandboxReplayCommand()}, sandboxVerbs()...)...)
}

func sandboxUpCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "up",
		Short: "Run a sandbox network with a registry, and write configuration files for the three roles",
		Long: `Runs a TON network until Ctrl-C, with a liteserver, a toncenter-compatible HTTP API and the control of the other
sandbox commands, as tussah sandbox start does. In its folder it leaves a registry, a simulated quoting enclave's CA, and
for each role a funded wallet and a configuration file, so that

  tussah proxy --config DIR/proxy/proxy.toml
  tussah worker --config DIR/worker/worker.toml
  tussah client --config DIR/client/client.toml

run a whole network in four terminals. Started again on the same folder it continues the chain.`,
		Args: cobra.NoArgs,
	}
	dir := c.Flags().String("dir", sandboxDir, "folder of the network")
	var o devnet.Options
	listenFlags(c, &o.Liteserver, &o.HTTP, &o.Control)
	interval := c.Flags().Duration("interval", time.Second, "time between blocks, at least 50ms")
	model := c.Flags().String("model", devnet.DemoModel, "model to register and to offer")
	engine := c.Flags().String("engine", "", "engine of the worker (default: the built-in demo engine)")
	endpoint := c.Flags().String("client-listen", "127.0.0.1:10000", "address of the client's API in its configuration file")
	verbose := c.Flags().Bool("verbose", false, "log what the network does")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if err := checkInterval(c); err != nil {
			return err
		}
		say := progress(c)
		o.Dir, o.Interval, o.Models, o.Log, o.Progress = *dir, *interval, []string{*model}, logger(c, *verbose), say
		network, err := devnet.Open(c.Context(), o)
		if err != nil {
			return adviseStart(err, *dir)
		}
		defer func() { err = errors.Join(err, network.Close()) }()
		for _, role := range []node.Role{node.Proxy, node.Worker, node.Client} {
			file, err := network.Role(c.Context(), role, devnet.RoleOptions{Engine: *engine, Model: *model, Listen: *endpoint})
			if err != nil {
				return fmt.Errorf("prepare the %s: %w", role, err)
			}
			fmt.Fprintf(c.OutOrStdout(), "tussah %s --config %s\n", role, file)
		}
		info := network.Info()
		say("HTTP API %s/api/v2/jsonRPC, control %s", info.HTTP, info.Control)
		say("any TON client connects with %s; Ctrl-C stops", filepath.Join(*dir, localnet.GlobalConfigFile))
		<-c.Context().Done()
		return nil
	}
	return c
}
