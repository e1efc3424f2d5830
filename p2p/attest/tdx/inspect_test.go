package tdx_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

func TestInspect(t *testing.T) {
	l := newLab(t)
	m := l.version5()
	m.Attributes |= 1 | 1<<50
	quote := l.quote(t, m)
	for name, raw := range map[string][]byte{"canonical": quote, "padded": append(slices.Clone(quote), make([]byte, 99)...)} {
		r, err := tdx.Inspect(raw)
		if err != nil {
			t.Fatal(err)
		}
		if r.Version != 5 || r.Canonical != (name == "canonical") || r.ReportData != l.data || r.Registers != m.Registers || r.Image != m.Image() ||
			r.Upstream != m.Registers.Upstream() || r.SVN != m.SVN || *r.CurrentSVN != m.TD15.CurrentSVN || *r.ServiceTD != m.TD15.ServiceTD || r.XFAM != m.XFAM {
			t.Errorf("%s: %+v", name, r)
		}
		if got, want := r.AttributeNames, []string{"DEBUG", "SEPT_VE_DISABLE", "reserved bit 50"}; !slices.Equal(got, want) {
			t.Errorf("attributes %q, want %q", got, want)
		}
		if r.Intel || r.CA != tdx.PlatformCA || r.Platform == nil || r.Platform.FMSPC != [6]byte{0x90, 0xc0, 0x6f} || r.QE.Product != 2 || r.QE.SVN != 6 ||
			r.Certificates[2].Err != nil || r.Certificates[2].Subject != r.Certificates[1].Issuer {
			t.Errorf("%s: platform %+v, QE %+v, certificates %+v", name, r.Platform, r.QE, r.Certificates)
		}
	}
	r, err := tdx.Inspect(editDER(t, quote, 0, func(der []byte) { der[0] ^= 1 }))
	if err != nil || r.Platform != nil || r.Certificates[0].Err == nil || r.Certificates[1].Err != nil {
		t.Errorf("with a broken certificate: %+v, %v", r.Certificates, err)
	}
	if _, err := tdx.Inspect(quote[:len(quote)-100]); !errors.Is(err, attest.ErrFormat) {
		t.Errorf("truncated: got %v, want %v", err, attest.ErrFormat)
	}
	if real, err := tdx.Inspect(vector(t, "tdx_quote")); err != nil || !real.Intel || real.Canonical {
		t.Errorf("real quote: %v, Intel %v", err, real.Intel)
	}
}

// Explain agrees with Appraise on every case, and skips what cannot be asked.
func TestExplain(t *testing.T) {
	l := newLab(t)
	for _, c := range append(refusalCases(t, l), refusalCase{name: "good", quote: l.quote(t, l.good)}) {
		p, now := l.policy, c.now
		if c.edit != nil {
			c.edit(&p)
		}
		if now.IsZero() {
			now = time.Now()
		}
		v := tdx.Verifier{Roots: p.Roots, Collateral: p.Collateral}
		results := v.Explain(attest.Evidence{TEE: attest.TDX, Report: c.quote}, l.data, p.Policy, now)
		first := slices.IndexFunc(results, func(r attest.StepResult) bool { return r.Err != nil || r.Skipped })
		switch {
		case c.want == nil:
			if first >= 0 {
				t.Errorf("%s: step %q: %v", c.name, results[first].Name, results[first].Err)
			}
		case first < 0 || results[first].Skipped || error(results[first].Refusal) != c.want:
			t.Errorf("%s: first bad step is %d of %+v, want %v", c.name, first, results, c.want)
		}
		for _, r := range results {
			if r.Name == "" || (r.Skipped && r.Err != nil) {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
	}
}

// One form: what the strict reader takes is what the canonical form is.
func FuzzInspect(f *testing.F) {
	for _, name := range golden {
		quote := goldenQuote(f, name)
		f.Add(quote)
		f.Add(append(quote, 0))
		f.Add(quote[:1500])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := tdx.Inspect(raw)
		if err != nil {
			return
		}
		var v tdx.Verifier
		_, err = v.Identify(attest.Evidence{TEE: attest.TDX, Report: raw}, r.ReportData)
		if (err == nil) != r.Canonical {
			t.Errorf("canonical %v, identified %v", r.Canonical, err)
		}
	})
}

func FuzzParseCollateral(f *testing.F) {
	p, now := goldenPolicy(f, goldenQuote(f, golden[0]))
	kept := goldenKept(f)
	f.Add(kept.TCBInfo, kept.QEIdentity, kept.RootCRL, kept.PCKCRL)
	f.Fuzz(func(t *testing.T, info, qe, rootCRL, pckCRL []byte) {
		c := kept
		c.TCBInfo, c.QEIdentity, c.RootCRL, c.PCKCRL = info, qe, rootCRL, pckCRL
		v, err := tdx.ParseCollateral(c, p.Roots, now)
		if err == nil && (string(info) != string(kept.TCBInfo) || string(qe) != string(kept.QEIdentity)) {
			t.Errorf("accepted %q, %q as %x", info, qe, v.ID())
		}
	})
}
