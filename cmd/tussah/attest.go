package main

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

func attestCommand() *cobra.Command {
	return group("attest", "Look at evidence of machines, and judge it",
		attestInspectCommand(), attestVerifyCommand(), attestPolicyCommand(), attestMeasureCommand(),
		attestCollateralCommand(), attestDoctorCommand(), attestSimulateCommand())
}

// maxAttestFile bounds what these commands read: the largest are RAM disks and
// bundles of collateral.
const maxAttestFile = 1 << 30

// readBounded reads a file, or standard input for "-".
func readBounded(c *cobra.Command, name string, limit int64) ([]byte, error) {
	in := c.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return b, nil
}

// unhex undoes the forms in which evidence is passed around: hexadecimal text,
// and nothing else.
func unhex(b []byte) []byte {
	text := bytes.TrimSpace(b)
	if len(text) < 2 {
		return b
	}
	raw := make([]byte, hex.DecodedLen(len(text)))
	if n, err := hex.Decode(raw, text); err == nil {
		return raw[:n]
	}
	return b
}

// certificatesIn are the certificates of a PEM file, in DER.
func certificatesIn(text []byte) (ders [][]byte) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			ders = append(ders, block.Bytes)
		}
	}
	return ders
}

// parseReportData reads up to 64 bytes; what is missing is zero.
func parseReportData(text string) (data [64]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw) > len(data) {
		return data, errors.New("report data is not 1 to 64 bytes in hexadecimal")
	}
	copy(data[:], raw)
	return data, nil
}

// atFlag adds --at to a command that judges by dates.
func atFlag(c *cobra.Command) func() (time.Time, error) {
	text := c.Flags().String("at", "", "judge as of this time, such as 2026-03-01T00:00:00Z (default: now)")
	return func() (time.Time, error) {
		if *text == "" {
			return time.Now(), nil
		}
		at, err := time.Parse(time.RFC3339, *text)
		if err != nil {
			return at, hint(fmt.Errorf("%q is no time", *text), "write --at 2026-03-01T00:00:00Z")
		}
		return at, nil
	}
}

// writeNewFile writes a file that must not exist yet.
func writeNewFile(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return hint(err, "name another file")
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// saying is one thing that a file says, in words. Its order is for people; in
// JSON it is a member of an object.
type saying struct{ name, text string }

type sayings []saying

func (s *sayings) add(name, format string, args ...any) {
	*s = append(*s, saying{name, fmt.Sprintf(format, args...)})
}

// MarshalJSON keeps the order.
func (s sayings) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, one := range s {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(one.name)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(one.text)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), text...)
	}
	return append(b, '}'), nil
}

func (s sayings) print(w io.Writer, indent string) {
	wide := 0
	for _, one := range s {
		wide = max(wide, len(one.name))
	}
	for _, one := range s {
		fmt.Fprintf(w, "%s%-*s  %s\n", indent, wide, one.name, one.text)
	}
}

// sortRows sorts a table by its first column.
func sortRows(rows [][]string) {
	slices.SortFunc(rows, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
}
