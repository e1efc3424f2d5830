package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest/collateral"
)

func collateralExportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "export --dir DIR -o FILE",
		Short: "Write everything in force as one bundle, for machines that reach no service",
		Args:  cobra.NoArgs,
	}
	folder := addCollateralFlags(c)
	c.MarkFlagRequired("dir")
	out := c.Flags().StringP("out", "o", "", "file to write, which must not exist yet")
	c.MarkFlagRequired("out")
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := folder.open(collateral.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := errors.Join(s.Export(&b), s.Close()); err != nil {
			return err
		}
		return writeNewFile(*out, b.Bytes())
	}
	return c
}

func collateralImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE --dir DIR",
		Short: "Take over a bundle: verified like what is fetched, all of it or nothing",
		Args:  cobra.ExactArgs(1),
	}
	folder := addCollateralFlags(c)
	c.MarkFlagRequired("dir")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		text, err := readBounded(c, args[0], maxInspected)
		if err != nil {
			return err
		}
		s, err := folder.open(collateral.Options{})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		n, err := s.Import(bytes.NewReader(text))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%d set(s) taken over\n", n)
		return err
	}
	return c
}
