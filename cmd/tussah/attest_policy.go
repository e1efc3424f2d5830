package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest/policyfile"
)

func attestPolicyCommand() *cobra.Command {
	return group("policy", "The file that says what a node accepts of other machines", policyShowCommand(), policyCheckCommand(), policyExampleCommand())
}

func policyExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print a policy file with every key and its meaning",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(policyfile.Example())
			return err
		},
	}
}

func loadPolicy(c *cobra.Command, name string) (policyfile.File, error) {
	text, err := readBounded(c, name, maxInspected)
	if err != nil {
		return policyfile.File{}, err
	}
	f, err := policyfile.Parse(text)
	if err != nil {
		return f, hint(fmt.Errorf("%s: %w", name, err), "tussah attest policy example prints a complete file with comments")
	}
	return f, nil
}

func policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a policy file and print every fault",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := loadPolicy(c, args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s: ok\n", args[0])
			return err
		},
	}
}

func policyShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Print in words what a policy file accepts",
		Args:  cobra.ExactArgs(1),
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		f, err := loadPolicy(c, args[0])
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, f)
		}
		policySays(f, time.Now()).print(c.OutOrStdout(), "")
		return nil
	}
	return c
}

// policySays is a file in words.
func policySays(f policyfile.File, now time.Time) (s sayings) {
	s.add("images of proxies", "%s", listed(f.Images.Proxy))
	s.add("images of workers", "%s", listed(f.Images.Worker))
	s.add("models", "%s", listed(f.Models))
	s.add("platforms", "%s", listed(f.Platforms.Allowed))
	if len(f.Platforms.Denied) > 0 {
		s.add("but never", "%v", f.Platforms.Denied)
	}
	s.add("registered", "%s", yesNo(f.Registered, "platforms must be", "platforms need not be"))
	s.add("updates", "up to date, evaluation %d or later", f.MinEvaluation)
	for _, g := range f.Grace {
		end, err := time.Parse(time.DateOnly, g.Until)
		over := yesNo(err == nil && now.Before(end.AddDate(0, 0, 1)), "", " (ENDED)")
		s.add("or, until "+g.Until, "%s with no other advisories than %v: %s%s", g.Status, g.Advisories, g.Reason, over)
	}
	for _, m := range f.Devices.Models {
		s.add("GPU "+m.Name, "%v, driver %s or later, VBIOS %s or later, answered within %s", m.SKUs, m.MinDriver, m.MinVBIOS, f.Devices.MaxAge)
	}
	if len(f.Devices.Models) == 0 {
		s.add("GPUs", "none")
	}
	rules := f.SNP()
	for _, p := range f.SEVSNP.Products {
		for product, least := range rules.Products {
			if product.String() == p.Name {
				s.add("SEV-SNP "+p.Name, "at least %s", least)
			}
		}
	}
	if len(f.SEVSNP.Products) == 0 {
		s.add("SEV-SNP", "none")
	}
	s.add("relied on for", "%s, shown anew every %s", f.TTL, f.GateEvery)
	return s
}

// listed is a list in words.
func listed(list []string) string {
	switch {
	case len(list) == 0:
		return "none: an empty list denies"
	case list[0] == policyfile.Any:
		return "any that the registry allows"
	}
	return fmt.Sprint(list)
}
