package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
	"github.com/tussah-network/tussah/sandbox/localnet"
	"github.com/tussah-network/tussah/tlb"
)

func sandboxStartCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "start",
		Short: "Run a bare sandbox network, for developing contracts",
		Long: `Runs a TON network until Ctrl-C, and prints how to connect: a liteserver for any lite client, a
toncenter-compatible HTTP API, and the control that the other sandbox commands speak with. With --dir the network is
kept in a folder, and continues when it is started again.

  npx blueprint run --custom http://127.0.0.1:17001/api/v2/jsonRPC --custom-version v2
  tussah sandbox faucet ADDRESS "100 TON"`,
		Args: cobra.NoArgs,
	}
	var o localnet.Options
	c.Flags().StringVar(&o.Dir, "dir", "", "folder of the network (default: none, it is forgotten)")
	mode := c.Flags().String("mode", "instant", "when blocks are made: instant, interval or manual")
	c.Flags().DurationVar(&o.Interval, "interval", 0, "time between blocks, at least 50ms; implies --mode interval (default 1s)")
	c.Flags().StringVar(&o.Liteserver, "liteserver", localnet.DefaultLiteserver, "address of the liteserver")
	c.Flags().StringVar(&o.HTTP, "http", localnet.DefaultHTTP, "address of the HTTP API")
	c.Flags().StringVar(&o.Control, "rpc", localnet.DefaultControl, "address of the control")
	c.Flags().Uint8Var(&o.SplitDepth, "split-depth", 0, "begin with 2^N shards, N up to 4")
	load := c.Flags().String("load", "", "begin with the world in a file that tussah sandbox dump wrote")
	fund := c.Flags().StringArray("fund", nil, `begin with coins at an address, as ADDRESS=AMOUNT; repeatable`)
	asJSON := jsonFlag(c)
	verbose := c.Flags().Bool("verbose", false, "log what the network does")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		o.Log = logger(c, *verbose)
		if o.Mode, err = startMode(c, *mode); err != nil {
			return err
		}
		if o.Genesis, err = parseFunds(*fund); err != nil {
			return err
		}
		if *load != "" {
			file, err := os.Open(*load)
			if err != nil {
				return err
			}
			defer file.Close()
			o.Load = file
		}
		network, err := localnet.Open(o)
		if err != nil {
			return adviseStart(err, o.Dir)
		}
		if err := printInfo(c, network.Info(), o.Dir, *asJSON); err != nil {
			return errors.Join(err, network.Close())
		}
		return network.Run(c.Context())
	}
	return c
}

func startMode(c *cobra.Command, text string) (sandbox.Mode, error) {
	var mode control.Mode
	if err := mode.UnmarshalText([]byte(text)); err != nil {
		return 0, err
	}
	switch {
	case !c.Flags().Changed("interval"):
	case !c.Flags().Changed("mode"):
		return sandbox.Interval, nil
	case sandbox.Mode(mode) != sandbox.Interval:
		return 0, fmt.Errorf("--interval is for --mode interval, not %s", mode)
	}
	return sandbox.Mode(mode), nil
}

func parseFunds(texts []string) (accounts []sandbox.GenesisAccount, err error) {
	for _, text := range texts {
		to, amount, _ := strings.Cut(text, "=")
		var a control.Address
		var n control.Amount
		if err := errors.Join(a.UnmarshalText([]byte(to)), n.UnmarshalText([]byte(amount))); err != nil {
			return nil, hint(fmt.Errorf("--fund %s: %w", text, err), `write --fund "EQ…=100 TON"`)
		}
		accounts = append(accounts, sandbox.GenesisAccount{Address: a.Address, Balance: tlb.Nano(n)})
	}
	return accounts, nil
}

func adviseStart(err error, dir string) error {
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return hint(err, "is a sandbox running on %s already? name another folder with --dir", dir)
	case errors.Is(err, syscall.EADDRINUSE):
		return hint(err, "is a sandbox running already? name other addresses with --liteserver, --http and --rpc")
	}
	return err
}

func printInfo(c *cobra.Command, info localnet.Info, dir string, asJSON bool) error {
	if asJSON {
		return printJSON(c, info)
	}
	lite := fmt.Sprintf("%s  key %x", info.Liteserver, info.LiteserverKey)
	if dir != "" {
		lite += "  " + filepath.Join(dir, localnet.GlobalConfigFile)
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "network     %d\nliteserver  %s\nHTTP API    %s/api/v2/jsonRPC\ncontrol     %s\n",
		info.GlobalID, lite, info.HTTP, info.Control)
	progress(c)("Ctrl-C stops; tussah sandbox --help lists what can be done with it")
	return err
}
