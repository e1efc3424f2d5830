package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/policyfile"
)

// verifyFlags are the command's.
type verifyFlags struct {
	policy, collateral, simulated, amdCRL, reportData, role string
	anyBinding                                              bool
}

func attestVerifyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify FILE --policy FILE",
		Short: "Take evidence through the whole checklist and print every step",
		Long: `Takes a TDX quote or SEV-SNP evidence, or a certificate that has it, through the same checklist as a node does, and
prints each step: ✓ passed, ✗ refused and why, – not reached. It succeeds only when the evidence is accepted. Nothing is
fetched: collateral comes from a bundle (tussah attest collateral export), AMD's revocation list from a file.

The manufacturer's root is known by its key; with --simulated-ca, that authority's is believed, too.

What only a node can ask is not asked: the registry, and the events a machine measured, which a quote does not hold.`,
		Args: cobra.ExactArgs(1),
	}
	var f verifyFlags
	flags := c.Flags()
	flags.StringVar(&f.policy, "policy", "", "policy file (tussah attest policy example)")
	flags.StringVar(&f.collateral, "collateral", "", "bundle of Intel's collateral")
	flags.StringVar(&f.amdCRL, "amd-crl", "", "AMD's revocation list for the product line, in DER")
	flags.StringVar(&f.simulated, "simulated-ca", "", "folder of a simulated authority, whose evidence is then accepted")
	flags.StringVar(&f.reportData, "report-data", "", "what the evidence must be bound to, up to 64 bytes in hexadecimal")
	flags.BoolVar(&f.anyBinding, "any-binding", false, "accept whatever the evidence is bound to: it may be anybody's")
	flags.StringVar(&f.role, "role", "", "role whose images are allowed: proxy or worker (default: either)")
	c.MarkFlagRequired("policy")
	c.MarkFlagsMutuallyExclusive("report-data", "any-binding")
	c.MarkFlagsOneRequired("report-data", "any-binding")
	at, asJSON := atFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		now, err := at()
		if err != nil {
			return err
		}
		raw, err := readBounded(c, args[0], maxInspected)
		if err != nil {
			return err
		}
		result, refused, err := f.verify(c, raw, now)
		if err != nil {
			return err
		}
		if *asJSON {
			err = printJSON(c, result)
		} else {
			result.print(c.OutOrStdout())
		}
		if err == nil && refused != nil {
			err = hint(result.reason(refused), "tussah attest inspect %s says what it claims", args[0])
		}
		return err
	}
	return c
}

// verification is what the command found.
type verification struct {
	Accepted       bool             `json:"accepted"`
	TEE            string           `json:"tee"`
	At             time.Time        `json:"at"`
	BindingChecked bool             `json:"binding_checked"`
	Notes          []string         `json:"notes,omitempty"`
	Steps          []verifyStep     `json:"steps"`
	Appraisal      *appraisalResult `json:"appraisal,omitempty"`
}

type verifyStep struct {
	Name   string `json:"name"`
	Result string `json:"result"`
	Code   uint16 `json:"code"` // of the refusal, as peers are told
	Error  string `json:"error,omitempty"`
}

// Results of a step.
const (
	stepPassed     = "passed"
	stepRefused    = "refused"
	stepNotReached = "not reached"
	stepNotChecked = "not checked" // by this command
)

type appraisalResult struct {
	Simulated  bool      `json:"simulated"`
	Image      string    `json:"image"`
	Upstream   string    `json:"upstream,omitempty"`
	Platform   string    `json:"platform"`
	Status     string    `json:"status"`
	Advisories []string  `json:"advisories"`
	Evaluation uint32    `json:"evaluation,omitempty"`
	Expiry     time.Time `json:"expiry"`
}

// verify returns an error if there is nothing to judge or to judge by, and in
// refused why the evidence was not accepted.
func (f verifyFlags) verify(c *cobra.Command, raw []byte, now time.Time) (v verification, refused, err error) {
	text, err := readBounded(c, f.policy, maxInspected)
	if err != nil {
		return v, nil, err
	}
	file, err := policyfile.Parse(text)
	if err != nil {
		return v, nil, hint(err, "tussah attest policy check %s lists every fault", f.policy)
	}
	roles := []policyfile.Role{policyfile.Proxy, policyfile.Worker}
	switch role := policyfile.Role(f.role); role {
	case "":
	case policyfile.Proxy, policyfile.Worker:
		roles = []policyfile.Role{role}
	default:
		return v, nil, fmt.Errorf("--role %q is neither proxy nor worker", f.role)
	}
	e, notes, err := evidenceOf(raw)
	if err != nil {
		return v, nil, err
	}
	v = verification{TEE: e.TEE.String(), At: now.UTC(), BindingChecked: !f.anyBinding, Notes: notes}
	var data [64]byte
	if f.anyBinding {
		data = ownReportData(e)
		v.Notes = append(v.Notes, "THE BINDING WAS NOT CHECKED: this evidence may belong to anybody, and may be old")
	} else if data, err = parseReportData(f.reportData); err != nil {
		return v, nil, hint(err, "tussah attest inspect shows what evidence is bound to")
	}
	v.Notes = append(v.Notes, "the registry was not asked, and events are not in a file: a node judges by both")
	if slices.Contains(slices.Concat(file.Images.Proxy, file.Images.Worker, file.Platforms.Allowed), policyfile.Any) {
		v.Notes = append(v.Notes, `what the policy leaves to the registry ("any") is accepted here`)
	}

	p := file.Policy(policyfile.View{
		Image:    func(policyfile.Role, [32]byte) error { return nil },
		Platform: attest.AnyPlatform,
	}, now, roles...)
	p.EventsLater = true
	p.AllowSimulated = f.simulated != ""

	verifier, explain, err := f.verifier(c, e, file, now)
	if err != nil {
		return v, nil, err
	}
	a, refused := verifier.Appraise(e, data, p, now)
	v.Accepted = refused == nil
	v.Steps = explain(data, p, refused)
	for i, step := range v.Steps {
		binding := step.Code == attest.ErrReportData.Code() && f.anyBinding
		if step.Result == stepPassed && (binding || step.Code == attest.ErrEvents.Code()) {
			v.Steps[i].Result = stepNotChecked
		}
	}
	if v.Accepted {
		v.Appraisal = &appraisalResult{Simulated: a.Simulated, Image: hex.EncodeToString(a.Image[:]), Platform: hex.EncodeToString(a.Platform[:]),
			Status: a.TCB.Status.String(), Advisories: append([]string{}, a.TCB.Advisories...), Evaluation: a.TCB.Evaluation, Expiry: a.Expiry.UTC()}
		if a.Upstream != ([32]byte{}) {
			v.Appraisal.Upstream = hex.EncodeToString(a.Upstream[:])
		}
	}
	return v, refused, nil
}

func (v verification) print(w io.Writer) {
	for _, note := range v.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	marks := map[string]string{stepPassed: "✓", stepRefused: "✗", stepNotReached: "–", stepNotChecked: "–"}
	for _, s := range v.Steps {
		line := marks[s.Result] + " " + s.Name
		switch s.Result {
		case stepRefused:
			line += ": " + s.Error
		case stepNotReached, stepNotChecked:
			line += ": " + s.Result
		}
		fmt.Fprintln(w, line)
	}
	if a := v.Appraisal; a != nil {
		var s sayings
		s.add("image", "%s", a.Image)
		s.add("platform", "%s", a.Platform)
		s.add("updates", "%s %v", a.Status, a.Advisories)
		s.add("rely on it until", "%s", a.Expiry.Format(time.RFC3339))
		s.print(w, "  ")
	}
	switch {
	case !v.Accepted:
		fmt.Fprintln(w, "REFUSED")
	case v.Appraisal.Simulated:
		fmt.Fprintln(w, "ACCEPTED, as simulated evidence: it proves nothing about hardware")
	default:
		fmt.Fprintln(w, "ACCEPTED")
	}
}

// exists tells whether there is such a file or folder.
func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
