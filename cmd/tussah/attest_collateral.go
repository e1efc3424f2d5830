package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest/collateral"
)

func attestCollateralCommand() *cobra.Command {
	return group("collateral", "What manufacturers say about platforms: fetch it, carry it, see what expires",
		collateralStatusCommand(), collateralFetchCommand(), collateralExportCommand(), collateralImportCommand())
}

// collateralFolder is a folder of collateral as commands see it.
type collateralFolder struct{ dir, simulated *string }

func addCollateralFlags(c *cobra.Command) collateralFolder {
	return collateralFolder{
		dir:       c.Flags().String("dir", "", "folder of collateral"),
		simulated: c.Flags().String("simulated-ca", "", "folder of a simulated authority, whose collateral is then believed"),
	}
}

// open opens the folder. Whoever changes it must be alone there.
func (f collateralFolder) open(o collateral.Options) (*collateral.Service, error) {
	roots, err := simulatedRoots(*f.simulated)
	if err != nil {
		return nil, err
	}
	o.Dir, o.Roots = *f.dir, roots
	s := collateral.New(o)
	switch err := s.Open(); {
	case errors.Is(err, collateral.ErrLocked):
		return nil, hint(err, "stop the node that uses the folder, or work in another one")
	case err != nil:
		return nil, err
	}
	return s, nil
}

// collateralReport is the state of a folder or a bundle.
type collateralReport struct {
	collateral.Status
	Marks map[string]uint64 `json:"marks,omitempty"` // highest numbers seen
}

func collateralStatusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status --dir DIR | --bundle FILE",
		Short: "Print what there is, how old it is, what expires next, and the highest numbers seen",
		Long: `Prints what a folder or a bundle holds, verified now: what expires next comes first. The highest numbers seen are what
an older statement is refused by, also after the documents are gone. The folder is not changed, and may be in use.`,
		Args: cobra.NoArgs,
	}
	folder := addCollateralFlags(c)
	bundle := c.Flags().String("bundle", "", "bundle to look at in place of a folder")
	c.MarkFlagsOneRequired("dir", "bundle")
	c.MarkFlagsMutuallyExclusive("dir", "bundle")
	at, asJSON := atFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		now, err := at()
		if err != nil {
			return err
		}
		var r collateralReport
		if *bundle != "" {
			r, err = folder.bundleStatus(c, *bundle, now)
		} else {
			r, err = folder.status(now)
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, r)
		}
		return r.print(c, now)
	}
	return c
}

func (f collateralFolder) status(now time.Time) (collateralReport, error) {
	if !exists(*f.dir) {
		return collateralReport{}, hint(fmt.Errorf("there is no folder %s", *f.dir), "tussah attest collateral fetch and import make one")
	}
	s, err := f.open(collateral.Options{ReadOnly: true, Now: func() time.Time { return now }})
	if err != nil {
		return collateralReport{}, err
	}
	r := collateralReport{Status: s.Status(), Marks: map[string]uint64{}}
	marks, err := os.ReadFile(filepath.Join(*f.dir, "marks"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return r, errors.Join(err, s.Close())
	}
	for line := range strings.Lines(string(marks)) {
		// The service has read the file strictly; here it is only shown.
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseUint(number, 10, 64); err == nil && strings.Contains(name, "/") {
			r.Marks[name] = n
		}
	}
	return r, s.Close()
}

func (f collateralFolder) bundleStatus(c *cobra.Command, name string, now time.Time) (r collateralReport, err error) {
	text, err := readBounded(c, name, maxInspected)
	if err != nil {
		return r, err
	}
	sets, err := collateral.ParseBundle(bytes.NewReader(text))
	if err != nil {
		return r, err
	}
	roots, err := simulatedRoots(*f.simulated)
	if err != nil {
		return r, err
	}
	source := parseSets(sets, roots, now)
	for _, v := range source.sets {
		about := fmt.Sprintf("%x/%s", v.FMSPC(), v.CA())
		r.Subjects = append(r.Subjects, collateral.SubjectStatus{Name: about, Served: true, Expires: v.Expires()})
		for _, p := range v.Parts() {
			r.Documents = append(r.Documents, collateral.DocumentStatus{Name: about + " " + p.Name, Number: p.Number, Issued: p.Issued, Expires: p.Expires, Source: "bundle"})
		}
	}
	for i, err := range source.refused {
		r.Subjects = append(r.Subjects, collateral.SubjectStatus{Name: fmt.Sprintf("refused/%d", i+1), Error: err.Error()})
	}
	return r, nil
}

func (r collateralReport) print(c *cobra.Command, now time.Time) error {
	w := c.OutOrStdout()
	if len(r.Subjects)+len(r.Damaged)+len(r.Marks) == 0 {
		_, err := fmt.Fprintln(w, "there is no collateral here")
		return err
	}
	var rows [][]string
	for _, s := range r.Subjects {
		state := yesNo(s.Served, "ok", "NOT IN FORCE")
		if s.Error != "" {
			state += ": " + s.Error
		}
		rows = append(rows, []string{s.Name, until(s.Expires, now), state})
	}
	if err := printTable(w, []string{"PLATFORMS", "EXPIRES", "STATE"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, d := range r.Documents {
		age := "-"
		if !d.Fetched.IsZero() {
			age = days(d.Age(now))
		}
		rows = append(rows, []string{d.Name, strconv.FormatUint(d.Number, 10), days(now.Sub(d.Issued)), age, until(d.Expires, now), d.Source})
	}
	fmt.Fprintln(w)
	if err := printTable(w, []string{"DOCUMENT", "NUMBER", "ISSUED", "FETCHED", "EXPIRES", "FROM"}, rows); err != nil {
		return err
	}
	for _, d := range r.Damaged {
		fmt.Fprintf(w, "damaged: %s: %s\n", d.File, d.Error)
	}
	rows = nil
	for name, n := range r.Marks {
		rows = append(rows, []string{name, strconv.FormatUint(n, 10)})
	}
	if len(rows) == 0 {
		return nil
	}
	sortRows(rows)
	fmt.Fprintln(w)
	return printTable(w, []string{"HIGHEST SEEN", "NUMBER"}, rows)
}

// until says when something ends, and how long that is.
func until(t, now time.Time) string {
	switch {
	case t.IsZero():
		return "-"
	case now.After(t):
		return t.UTC().Format(time.DateOnly) + " EXPIRED"
	}
	return t.UTC().Format(time.DateOnly) + " in " + days(t.Sub(now))
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Truncate(time.Minute).String()
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
