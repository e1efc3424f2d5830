package main

import (
	"bytes"
	"encoding/json"
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
	listenFlags(c, &o.Liteserver, &o.HTTP, &o.Control)
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
		if o.SplitDepth > sandbox.MaxSplitDepth {
			return fmt.Errorf("--split-depth %d: at most %d", o.SplitDepth, sandbox.MaxSplitDepth)
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
		if err := printInfo(c, network, o.Dir, *asJSON); err != nil {
			return errors.Join(err, network.Close())
		}
		for _, name := range []string{"fund", "split-depth"} {
			if network.Continued && c.Flags().Changed(name) {
				progress(c)("the network in %s continues: --%s counts only for a new one, and is ignored", o.Dir, name)
			}
		}
		return network.Run(c.Context())
	}
	return c
}

// listenFlags are the addresses of a network.
func listenFlags(c *cobra.Command, liteserver, http, control *string) {
	c.Flags().StringVar(liteserver, "liteserver", localnet.DefaultLiteserver, "address of the liteserver")
	c.Flags().StringVar(http, "http", localnet.DefaultHTTP, "address of the HTTP API")
	c.Flags().StringVar(control, "rpc", localnet.DefaultControl, "address of the control")
}

func startMode(c *cobra.Command, text string) (sandbox.Mode, error) {
	var mode control.Mode
	if err := mode.UnmarshalText([]byte(text)); err != nil {
		return 0, err
	}
	if err := checkInterval(c); err != nil {
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

// checkInterval refuses what would be taken for a longer interval.
func checkInterval(c *cobra.Command) error {
	d, err := c.Flags().GetDuration("interval")
	if err == nil && c.Flags().Changed("interval") && d < sandbox.MinInterval {
		err = fmt.Errorf("--interval %s: at least %s", d, sandbox.MinInterval)
	}
	return err
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

func printInfo(c *cobra.Command, network *localnet.Network, dir string, asJSON bool) error {
	info := network.Info()
	global, err := network.GlobalConfig()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c, struct {
			localnet.Info
			GlobalConfig json.RawMessage `json:"global_config"`
		}{info, global})
	}
	config := filepath.Join(dir, localnet.GlobalConfigFile)
	if dir == "" {
		var line bytes.Buffer
		if err := json.Compact(&line, global); err != nil {
			return err
		}
		config = line.String()
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "network        %d\nliteserver     %s  key %x\nHTTP API       %s/api/v2/jsonRPC\ncontrol        %s\nglobal config  %s\n",
		info.GlobalID, info.Liteserver, info.LiteserverKey, info.HTTP, info.Control, config)
	progress(c)("Ctrl-C stops; tussah sandbox --help lists what can be done with it")
	return err
}
