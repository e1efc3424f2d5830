package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest/collateral"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// fetchTimeout bounds a fetch of one platform's documents.
const fetchTimeout = 90 * time.Second

func collateralFetchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "fetch --dir DIR --quote FILE",
		Short: "Fetch what Intel says about a platform, verify it, and keep it",
		Long: `Asks Intel's service, or a cache of it (PCCS), about the platform of a quote, or about --fmspc and --ca. Answers are
verified and held against the highest numbers ever seen before they are kept. A cache needs no trust: it can withhold,
not forge.`,
		Args: cobra.NoArgs,
	}
	folder := addCollateralFlags(c)
	c.MarkFlagRequired("dir")
	quote := c.Flags().String("quote", "", "quote of the platform to ask about")
	fmspc := c.Flags().String("fmspc", "", "family of platforms to ask about, 12 digits in hexadecimal")
	ca := c.Flags().String("ca", tdx.PlatformCA.String(), "who certified it: platform or processor")
	url := c.Flags().String("url", "", "address of a PCCS (default: Intel's own services)")
	c.MarkFlagsOneRequired("quote", "fmspc")
	c.MarkFlagsMutuallyExclusive("quote", "fmspc")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := platformToFetch(c, *quote, *fmspc, *ca)
		if err != nil {
			return err
		}
		client, err := collateral.NewClient(collateral.ClientOptions{PCCS: *url})
		if err != nil {
			return err
		}
		return folder.fetch(c, client, p)
	}
	return c
}

// fetchedPlatform is whose collateral is fetched.
type fetchedPlatform struct {
	fmspc [6]byte
	ca    tdx.CA
}

func platformToFetch(c *cobra.Command, quote, fmspc, ca string) (p fetchedPlatform, err error) {
	if quote != "" {
		raw, err := readBounded(c, quote, maxInspected)
		if err != nil {
			return p, err
		}
		r, err := tdx.Inspect(unhex(raw))
		if err != nil {
			return p, fmt.Errorf("%s: %w", quote, err)
		}
		if r.Platform == nil {
			return p, fmt.Errorf("%s does not name its platform", quote)
		}
		return fetchedPlatform{r.Platform.FMSPC, r.CA}, nil
	}
	raw, err := hex.DecodeString(fmspc)
	if err != nil || len(raw) != len(p.fmspc) {
		return p, errors.New("--fmspc is not 12 digits in hexadecimal")
	}
	p = fetchedPlatform{fmspc: [6]byte(raw)}
	for _, known := range []tdx.CA{tdx.PlatformCA, tdx.ProcessorCA} {
		if known.String() == ca {
			p.ca = known
		}
	}
	if p.ca == 0 {
		return p, fmt.Errorf("--ca %q is neither platform nor processor", ca)
	}
	return p, nil
}

func (f collateralFolder) fetch(c *cobra.Command, client *collateral.Client, p fetchedPlatform) (err error) {
	s, err := f.open(collateral.Options{Client: client})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ctx, stop := context.WithTimeout(c.Context(), fetchTimeout)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	began := time.Now()
	fetchErr := s.Want(p.fmspc, p.ca)
	for fetchErr == nil {
		done, err := fetched(s.Status(), p, began)
		if done || err != nil {
			fetchErr = err
			break
		}
		select {
		case <-ctx.Done():
			fetchErr = fmt.Errorf("nothing came within %s", fetchTimeout)
		case <-time.After(20 * time.Millisecond):
		}
	}
	stop()
	<-ended // it says no more than that it was stopped
	if fetchErr != nil {
		return hint(fetchErr, "behind a firewall: fetch elsewhere, and carry a bundle here (export, import)")
	}
	v, err := s.Collateral(p.fmspc, p.ca)
	if err != nil {
		return err
	}
	kept := " (at hand before, and not due yet)"
	for _, d := range s.Status().Documents {
		// Times of documents are in whole seconds.
		if !d.Fetched.Before(began.Truncate(time.Second)) {
			kept = ""
		}
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%x/%s: evaluation %d, expires %s%s\n", p.fmspc, p.ca, v.TCBEvaluation(), v.Expires().UTC().Format(time.RFC3339), kept)
	return err
}

// fetched tells whether the platform's set came, all of it since a time.
func fetched(s collateral.Status, p fetchedPlatform, since time.Time) (bool, error) {
	for _, subject := range s.Subjects {
		if !strings.Contains(subject.Name, hex.EncodeToString(p.fmspc[:])) || !strings.Contains(subject.Name, p.ca.String()) {
			continue
		}
		if subject.Error != "" && subject.Failures > 0 {
			return false, errors.New(subject.Error)
		}
		// What was kept before is due at once only where it is old.
		return subject.Served && subject.Next.After(since), nil
	}
	return false, nil
}
