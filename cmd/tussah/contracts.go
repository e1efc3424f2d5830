package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/contracts/tolk"
)

func contractsCommand() *cobra.Command {
	return group("contracts", "Build the contracts of this repository", contractsBuildCommand())
}

func contractsBuildCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "build",
		Short: "Compile contracts/*.tolk with the official compiler and compare with the committed code",
		Args:  cobra.NoArgs,
	}
	dir := c.Flags().String("dir", "contracts", "folder of the sources")
	write := c.Flags().Bool("write", false, "write the compiled code instead of comparing it")
	c.RunE = func(c *cobra.Command, _ []string) error {
		built, err := tolk.Build(c.Context(), *dir, *write)
		if err != nil {
			return hint(err, "after a change of the sources: tussah contracts build --write")
		}
		for _, b := range built {
			fmt.Fprintf(c.OutOrStdout(), "%s  %x  %d bytes\n", b.Name, b.Hash, b.Size)
		}
		return nil
	}
	return c
}
