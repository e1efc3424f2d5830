package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/reference"
)

// errDiffers: a transaction came out differently.
var errDiffers = errors.New("a transaction did not come out as expected")

func sandboxReplayCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Execute transactions of a real network once more and compare bit for bit",
		Long: `Each file is one transaction as JSON: the account before, the message, the configuration, time, logical time and
random seed, and what the network made of them (see sandbox/reference, type Fixture). It is executed on the sandbox's
virtual machine; every field that comes out differently is printed, and the command fails.`,
		Args: cobra.MinimumNArgs(1),
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		var reports []reference.Report
		differ := false
		for _, file := range files {
			report, err := replayFile(file)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			reports = append(reports, report)
			differ = differ || !report.OK()
			if !*asJSON {
				printReplay(c, file, report)
			}
		}
		var err error
		if *asJSON {
			err = printJSON(c, reports)
		}
		if differ {
			err = errors.Join(err, errDiffers)
		}
		return err
	}
	return c
}

func replayFile(file string) (reference.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return reference.Report{}, err
	}
	defer f.Close()
	fixture, err := reference.ReadFixture(f)
	if err != nil {
		return reference.Report{}, err
	}
	return reference.Replay(fixture, func(e reference.Execution) (reference.Outcome, error) {
		o, err := sandbox.Execution(e).Run(nil)
		return reference.Outcome(o), err
	})
}

func printReplay(c *cobra.Command, file string, r reference.Report) {
	mark := "✓"
	if !r.OK() {
		mark = "✗"
	}
	fmt.Fprintf(c.OutOrStdout(), "%s %s  account %s  lt %d  exit %d  gas %d\n", mark, file, r.Account, r.LT, r.Exit, r.Gas)
	for _, d := range r.Differences {
		fmt.Fprintf(c.OutOrStdout(), "    %s: expected %s, got %s\n", d.Field, d.Want, d.Got)
	}
}
