package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/sandbox/bench"
)

func benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure the network on this machine and write bench.json",
		Long: `Runs a whole network in this process and measures it, and what it is compared with, in one run: the latency that
the two paid hops add to an engine called directly, paid requests per second, what an appraisal costs,
attested handshakes beside those of libp2p's TLS, and what the sandbox does, on one core beside the emulator it is made of and @ton/sandbox in Node, and over its sockets. Durations are in microseconds, rates
per second; a figure appears only when it was measured.`,
		Args: cobra.NoArgs,
	}
	var o devnet.BenchOptions
	c.Flags().IntVar(&o.Requests, "requests", 1000, "requests per latency")
	c.Flags().IntVar(&o.InFlight, "in-flight", 64, "requests at once, for rates")
	c.Flags().DurationVar(&o.Time, "time", 0, "how long to measure each rate (default 5s)")
	node := c.Flags().Bool("node", true, "compare with @ton/sandbox, which npm fetches and Node runs")
	out := c.Flags().String("out", "bench.json", "file to write")
	asJSON := jsonFlag(c)
	verbose := c.Flags().Bool("verbose", false, "log what the nodes do")
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.Progress, o.Log = progress(c), logger(c, *verbose)
		var rows []bench.Row
		err := inTemporary("tussah-bench-", func(dir string) (err error) {
			o.Dir = dir
			if rows, err = devnet.Bench(c.Context(), o); err != nil {
				return err
			}
			o.Progress("measuring attestation")
			attested, err := devnet.BenchAttest(c.Context(), o.Time)
			if err != nil {
				return err
			}
			rows = append(rows, attested...)
			of := bench.Options{Period: o.Time, NoPeer: !*node, Progress: o.Progress}
			for _, measure := range []func(context.Context, bench.Options) ([]bench.Row, error){bench.RunNetwork, bench.Run} {
				more, err := measure(c.Context(), of)
				rows = append(rows, more...)
				if errors.Is(err, bench.ErrNoPeer) {
					o.Progress("%v", err)
				} else if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return hint(err, "run again with --verbose to see what the nodes log")
		}
		if err := writeJSON(*out, rows); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, rows)
		}
		var table [][]string
		for _, r := range rows {
			row := []string{r.Name, number(r.Value), r.Unit, "", "", ""}
			if r.Peer != "" {
				row[3], row[4], row[5] = r.Peer, number(r.PeerValue), number(r.Ratio)
			}
			table = append(table, row)
		}
		return printTable(c.OutOrStdout(), []string{"NAME", "VALUE", "UNIT", "PEER", "PEER VALUE", "RATIO"}, table)
	}
	return c
}

func assuranceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "assurance",
		Short: "Run the long safety suites and write assurance.json",
		Long: `paid_requests_conservation sends paid requests through three nodes, 16 at a time, half of them streaming, some
left by their caller, and restarts each node under load in between. Every answer must be the engine's own, every
request must leave a receipt, and after all channels are closed every nanoTON must be where receipts and fees say.

With --suites, in a checkout of the repository: strict_client_calls walks chains with a client that verifies
everything, sandbox_kill_points kills a stored chain at any time, and reference_differential runs random transactions
on the C++ reference too; and of attestation, all evidence that must be refused and the attacks on attested channels.

The command fails if anything was wrong.`,
		Args: cobra.NoArgs,
	}
	var o devnet.AssuranceOptions
	c.Flags().IntVar(&o.Requests, "requests", 2000, "requests of paid_requests_conservation")
	suites := c.Flags().Bool("suites", false, "run the long tests of the sandbox and of attestation too, with the go command")
	out := c.Flags().String("out", "assurance.json", "file to write")
	asJSON := jsonFlag(c)
	verbose := c.Flags().Bool("verbose", false, "log what the nodes do")
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.Progress, o.Log = progress(c), logger(c, *verbose)
		var rows []devnet.AssuranceRow
		err := inTemporary("tussah-assurance-", func(dir string) (err error) {
			o.Dir = dir
			rows, err = devnet.Assurance(c.Context(), o)
			return err
		})
		if err == nil && *suites {
			var more []devnet.AssuranceRow
			more, err = devnet.Suites(c.Context(), o.Progress)
			rows = append(rows, more...)
			if errors.Is(err, devnet.ErrNotRun) {
				o.Progress("%v", err)
				err = nil
			}
		}
		if err != nil {
			return hint(err, "run again with --verbose to see what the nodes log")
		}
		if err := writeJSON(*out, rows); err != nil {
			return err
		}
		var table [][]string
		for _, r := range rows {
			table = append(table, []string{r.Name, strconv.Itoa(r.Runs), strconv.Itoa(r.Failures), number(r.Seconds)})
		}
		if *asJSON {
			err = printJSON(c, rows)
		} else {
			err = printTable(c.OutOrStdout(), []string{"NAME", "RUNS", "FAILURES", "SECONDS"}, table)
		}
		return errors.Join(verdict(rows), err)
	}
	return c
}

// verdict is an error if any suite found something wrong.
func verdict(rows []devnet.AssuranceRow) error {
	var wrong []error
	for _, r := range rows {
		if r.Failures > 0 {
			wrong = append(wrong, fmt.Errorf("%s: %d failures in %d runs", r.Name, r.Failures, r.Runs))
		}
	}
	return errors.Join(wrong...)
}

// inTemporary runs work in a folder that is gone afterwards.
func inTemporary(name string, work func(dir string) error) error {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		return err
	}
	return errors.Join(work(dir), os.RemoveAll(dir))
}

func writeJSON(file string, rows any) error {
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
