package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// description is what a file says about itself. Verified is always false: to read
// is not to verify.
type description struct {
	Kind     string        `json:"kind"`
	Verified bool          `json:"verified"`
	Says     sayings       `json:"says"`
	Parts    []description `json:"parts,omitempty"`
}

func (d description) print(w io.Writer, indent string) {
	fmt.Fprintf(w, "%s%s\n", indent, d.Kind)
	d.Says.print(w, indent+"  ")
	for _, part := range d.Parts {
		part.print(w, indent+"  ")
	}
}

// maxInspected bounds what is inspected; the largest is a bundle of collateral.
const maxInspected = 64 << 20

func attestInspectCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say in words what a quote, report, certificate, event log or bundle says. Verifies nothing",
		Long: `Detects what a file is and prints what it says: a TDX quote, SEV-SNP evidence, a certificate with evidence in it,
evidence of GPUs, an event log (CCEL), or a bundle of collateral; in binary, PEM, JSON or hexadecimal. - is standard input.

Nothing is verified: anybody can write a file that says anything. For that there is tussah attest verify.`,
		Args: cobra.ExactArgs(1),
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		raw, err := readBounded(c, args[0], maxInspected)
		if err != nil {
			return err
		}
		d, err := inspect(raw)
		if err != nil {
			return hint(fmt.Errorf("%s: %w", args[0], err),
				"it may be a TDX quote, SEV-SNP evidence, a certificate, GPU evidence, an event log or a bundle of collateral")
		}
		if *asJSON {
			return printJSON(c, d)
		}
		d.print(c.OutOrStdout(), "")
		_, err = fmt.Fprintln(c.OutOrStdout(), "nothing was verified: anybody can write a file that says this")
		return err
	}
	return c
}

// errNotThis is the answer of a reader to a file of another kind.
var errNotThis = errors.New("not of this kind")

// inspect asks each reader. One that recognises a file and cannot read it has the
// last word: what is damaged is not something else.
func inspect(raw []byte) (description, error) {
	text := bytes.TrimSpace(raw)
	readers := []func([]byte) (description, error){inspectQuote, inspectSNP, inspectCertificate, inspectLog, inspectGPU}
	switch {
	case len(text) == 0:
		return description{}, errors.New("the file is empty")
	case text[0] == '{':
		raw, readers = text, []func([]byte) (description, error){inspectBundle, inspectGPUJSON}
	case bytes.HasPrefix(text, []byte("-----BEGIN")):
		return inspectPEM(text)
	default:
		raw = unhex(raw)
	}
	for _, read := range readers {
		d, err := read(raw)
		if !errors.Is(err, errNotThis) {
			return d, err
		}
	}
	return description{}, errors.New("nothing known here")
}
