package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/contracts/tolk"
)

func contractsCommand() *cobra.Command {
	return group("contracts", "Compile contracts written in Tolk", contractsBuildCommand())
}

func contractsBuildCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "build [FILE.tolk ...]",
		Short: "Compile Tolk files with the official compiler, each into a .boc file beside it",
		Long: `Compiles each NAME.tolk into NAME.boc, with the official compiler from npm running in this process.

Without a file it compiles the contracts of this repository and compares them with the committed code.`,
	}
	dir := c.Flags().String("dir", "contracts", "folder of the sources")
	write := c.Flags().Bool("write", false, "write the compiled code instead of comparing it")
	c.RunE = func(c *cobra.Command, files []string) error {
		if len(files) > 0 {
			built, err := tolk.BuildFiles(c.Context(), files)
			return errors.Join(err, printBuilt(c, built))
		}
		built, err := tolk.Build(c.Context(), *dir, *write)
		if err != nil {
			return hint(err, "after a change of the sources: tussah contracts build --write")
		}
		return printBuilt(c, built)
	}
	return c
}

func printBuilt(c *cobra.Command, built []tolk.Built) error {
	for _, b := range built {
		if _, err := fmt.Fprintf(c.OutOrStdout(), "%s  %x  %d bytes\n", b.Name, b.Hash, b.Size); err != nil {
			return err
		}
	}
	return nil
}
