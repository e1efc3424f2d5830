package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/p2p"
)

func demoCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Set up a whole network in this process and run one paid prompt through it",
		Long: `Starts a sandbox TON network, deploys the registry, runs a proxy, a worker and a client as three nodes with
their own folders and keys, opens payment channels, streams one completion through the client's endpoint, prints the
receipt, settles, closes, and accounts for every nanoTON. Everything happens on loopback and in a temporary folder.`,
		Args: cobra.NoArgs,
	}
	var o devnet.DemoOptions
	c.Flags().BoolVar(&o.Keep, "keep", false, "leave the network running until Ctrl-C")
	c.Flags().StringVar(&o.Engine, "engine", "", "base URL of an OpenAI-compatible engine (default: the built-in demo engine)")
	c.Flags().StringVar(&o.Model, "model", "", "the engine's model, if it has several")
	c.Flags().StringVar(&o.Prompt, "prompt", devnet.DefaultPrompt, "what to ask")
	c.Flags().StringVar(&o.Dir, "dir", "", "keep everything in this folder (default: a temporary one, removed at the end)")
	verbose := c.Flags().Bool("verbose", false, "log what the nodes do")
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.Out = c.OutOrStdout()
		o.Progress = progress(c)
		o.Log = logger(c, *verbose)
		if o.Dir == "" {
			dir, err := os.MkdirTemp("", "tussah-demo-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			o.Dir = dir
		}
		return hint(devnet.Demo(c.Context(), o), "run again with --verbose to see what the nodes log")
	}
	return c
}

// progress prints steps of long work to standard error.
func progress(c *cobra.Command) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(c.ErrOrStderr(), "· "+format+"\n", args...) }
}

// logger writes to standard error: warnings, or everything.
func logger(c *cobra.Command, verbose bool) *slog.Logger {
	level := slog.LevelError
	if verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
	p2p.LibraryLog(log) // libp2p would write to standard error by itself
	return log
}
