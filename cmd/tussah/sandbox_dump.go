package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/sandbox/control"
)

func sandboxDumpCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "dump FILE",
		Short: "Write the world's state to a file, for: tussah sandbox start --load FILE",
		Long: `Writes accounts, configuration and time of the network to a file, - for standard output (GET /dump, or JSON-RPC
method dump). A file that exists is replaced once the new one is whole. Fees that blocks collected are on no account, so
the supply of a network that begins with the file is less by them.`,
		Args: cobra.ExactArgs(1),
	}
	connect := sandboxFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if args[0] == "-" {
			return adviseSandbox(c, connect().Dump(c.Context(), c.OutOrStdout()))
		}
		return adviseSandbox(c, dumpTo(c, connect(), args[0]))
	}
	return c
}

// aboutFile names the file that was asked for, not the one that is written
// until it is whole.
func aboutFile(file string, err error) error {
	cause := err
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		cause = path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		cause = link.Err
	}
	return fmt.Errorf("%s: %w", file, cause)
}

// dumpTo replaces a file with a dump, all or nothing.
func dumpTo(c *cobra.Command, client *control.Client, file string) (err error) {
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".part*")
	if err != nil {
		return aboutFile(file, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part.Name()))
		}
	}()
	if err := errors.Join(client.Dump(c.Context(), part), part.Close()); err != nil {
		return err
	}
	if err := os.Rename(part.Name(), file); err != nil {
		return aboutFile(file, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	progress(c)("%d bytes in %s", info.Size(), file)
	return nil
}
