package main

import (
	"errors"
	"fmt"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/node"
)

func configCommand() *cobra.Command {
	return group("config", "Check and write configuration files", configCheckCommand(), configSampleCommand())
}

// loadConfig reads a command's configuration, with advice if that fails.
func loadConfig(file string) (node.Config, error) {
	cfg, err := node.LoadConfig(file)
	return cfg, hint(err, "tussah config check %s lists every fault", file)
}

func configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Check configuration files and print every fault",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			var faults []error
			for _, name := range files {
				cfg, err := node.LoadConfig(name)
				if err != nil {
					faults = append(faults, err)
					continue
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: ok, a %s\n", name, cfg.Role())
			}
			return hint(errors.Join(faults...), "tussah config sample ROLE prints a complete file with comments")
		},
	}
}

func configSampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "sample client|proxy|worker",
		Short:     "Print a role's configuration with every key, its default and its meaning",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{string(node.Client), string(node.Proxy), string(node.Worker)},
		RunE: func(c *cobra.Command, args []string) error {
			return toml.NewEncoder(c.OutOrStdout()).Encode(node.DefaultConfig(node.Role(args[0])))
		},
	}
}
