package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest/host"
	"github.com/tussah-network/tussah/p2p/attest/sim"
)

func attestDoctorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Examine this machine for what it needs to give evidence, with the fix for each fault",
		Long: `Looks at processor, kernel, configfs-tsm, quoting service, GPU and clock. It changes nothing; in a confidential VM it
asks for one report. It fails when something is missing.`,
		Args: cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		findings := host.Doctor(c.Context(), host.Local())
		missing := 0
		for _, f := range findings {
			if !f.OK {
				missing++
			}
		}
		if *asJSON {
			views := []findingView{}
			for _, f := range findings {
				views = append(views, findingView(f))
			}
			if err := printJSON(c, views); err != nil {
				return err
			}
		} else if err := printFindings(c, findings); err != nil {
			return err
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d things are missing", missing, len(findings))
		}
		return nil
	}
	return c
}

// findingView is a finding as the command prints it in JSON.
type findingView struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Why   string `json:"why"`
	Fix   string `json:"fix,omitempty"`
}

func printFindings(c *cobra.Command, findings []host.Finding) error {
	var rows [][]string
	for _, f := range findings {
		rows = append(rows, []string{yesNo(f.OK, "✓", "✗"), f.Name, f.Found})
	}
	w := c.OutOrStdout()
	if err := printTable(w, []string{" ", "LOOKED AT", "FOUND"}, rows); err != nil {
		return err
	}
	for _, f := range findings {
		if !f.OK {
			fmt.Fprintf(w, "\n%s: %s\n  fix: %s\n", f.Name, f.Why, f.Fix)
		}
	}
	return nil
}

func attestSimulateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate --simulated-ca DIR --image LABEL --report-data HEX -o FILE",
		Short: "Write a simulated quote, to try the other commands with",
		Long: `Writes a quote in the format of real ones, of a machine under a simulated authority: it proves nothing about hardware,
and production networks refuse it. The authority is made if its folder does not exist.`,
		Args: cobra.NoArgs,
	}
	flags := c.Flags()
	dir := flags.String("simulated-ca", "", "folder of the authority")
	image := flags.String("image", "", "label of the image; equal labels have equal digests")
	platform := flags.String("platform", "1", "name of the machine; equal names are one processor")
	reportData := flags.String("report-data", "", "what the quote is bound to, up to 64 bytes in hexadecimal")
	out := flags.StringP("out", "o", "", "file to write, which must not exist yet")
	for _, name := range []string{"simulated-ca", "image", "report-data", "out"} {
		c.MarkFlagRequired(name)
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		data, err := parseReportData(*reportData)
		if err != nil {
			return err
		}
		if exists(*out) {
			return hint(fmt.Errorf("%s: %w", *out, fs.ErrExist), "name another file")
		}
		ca, err := authority(c, *dir)
		if err != nil {
			return err
		}
		e, err := ca.Platform(*platform).VM(sim.Measure(*image)).Evidence(c.Context(), data)
		if err != nil {
			return err
		}
		if err := writeNewFile(*out, e.Report); err != nil {
			return err
		}
		digest := sim.Measure(*image).Image()
		_, err = fmt.Fprintf(c.OutOrStdout(), "image  %x\n", digest)
		return err
	}
	return c
}

// authority loads a simulated one, or makes it.
func authority(c *cobra.Command, dir string) (*sim.CA, error) {
	ca, err := sim.LoadCA(dir)
	if !errors.Is(err, fs.ErrNotExist) || exists(dir) {
		return ca, err
	}
	if ca, err = sim.NewCA(); err != nil {
		return nil, err
	}
	progress(c)("a new simulated authority in %s", dir)
	return ca, ca.Save(dir)
}
