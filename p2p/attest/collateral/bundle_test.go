package collateral

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

func TestBundleRoundTrip(t *testing.T) {
	u := newUpstream(t)
	first := must(u.ca.Collateral())
	second := must(u.ca.FaultyCollateral(sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.FMSPC = "B0C06F000000" }}))
	for _, want := range [][]tdx.Collateral{nil, {first}, {first, second}} {
		got, err := ParseBundle(bundleOf(t, want...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}

	l := newLab(t, u, vfs.NewMem(), nil)
	l.open()
	if n, err := l.Import(bundleOf(t, first, second)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	var exported bytes.Buffer
	if err := l.Export(&exported); err != nil {
		t.Fatal(err)
	}
	offline := newLab(t, u, vfs.NewMem(), nil)
	offline.open()
	if n, err := offline.Import(&exported); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	for _, fmspc := range [][6]byte{simulated, other} {
		a, b := must(l.Collateral(fmspc, tdx.PlatformCA)), must(offline.Collateral(fmspc, tdx.PlatformCA))
		if a.TCBEvaluation() != b.TCBEvaluation() || !a.Expires().Equal(b.Expires()) {
			t.Errorf("%x differs after export and import", fmspc)
		}
	}
	if got := offline.Status(); len(got.Documents) != 5 || got.Documents[0].Source != "bundle" || len(got.Subjects) != 2 || !got.Subjects[0].Served {
		t.Errorf("status: %+v", got)
	}
}

func TestBundleForm(t *testing.T) {
	c := must(must(sim.NewCA()).Collateral())
	good := bundleOf(t, c).String()
	var shape struct{ Sets []map[string]string }
	if err := json.Unmarshal([]byte(good), &shape); err != nil {
		t.Fatal(err)
	}
	single := func(change func(map[string]string)) string {
		m := map[string]string{}
		for k, v := range shape.Sets[0] {
			m[k] = v
		}
		change(m)
		return string(must(json.Marshal(m)))
	}
	if got, err := ParseBundle(strings.NewReader(single(func(map[string]string) {}))); err != nil || cmp.Diff([]tdx.Collateral{c}, got) != "" {
		t.Fatalf("a single set: %v", err)
	}
	for name, text := range map[string]string{
		"empty": "", "null": "null", "array": "[]", "no sets": "{}", "another version": strings.Replace(good, `"version": 1`, `"version": 2`, 1),
		"no version": `{"sets":[]}`, "version as text": `{"version":"1","sets":[]}`, "broken number": `{"version":1.5,"sets":[]}`,
		"both forms": strings.Replace(good, `{`, `{"tcb_info":"{}",`, 1), "something after": good + "{}", "cut": good[:len(good)/2],
		"key twice":            strings.Replace(good, `"tcb_info":`, `"tcb_info":"{}","tcb_info":`, 1),
		"key twice, escaped":   strings.Replace(good, `"tcb_info":`, `"\u0074cb_info":"{}","tcb_info":`, 1),
		"key in other letters": strings.Replace(good, `"tcb_info":`, `"TCB_INFO":`, 1),
		"unknown key":          single(func(m map[string]string) { m["more"] = "x" }),
		"missing key":          single(func(m map[string]string) { delete(m, "pck_crl") }),
		"empty value":          single(func(m map[string]string) { m["pck_crl"] = "" }),
		"list not hexadecimal": single(func(m map[string]string) { m["root_ca_crl"] = "zz" }),
		"signature too short":  single(func(m map[string]string) { m["qe_identity_signature"] = "00" }),
		"document not JSON":    single(func(m map[string]string) { m["tcb_info"] = `{},"signature":"` }),
		"chain malformed":      single(func(m map[string]string) { m["pck_crl_issuer_chain"] = "x" }),
		"value too long":       single(func(m map[string]string) { m["pck_crl"] = strings.Repeat("00", maxBody+1) }),
		"too many sets":        `{"version":1,"sets":[` + strings.Repeat(single(func(map[string]string) {})+",", maxSets) + single(func(map[string]string) {}) + `]}`,
	} {
		if got, err := ParseBundle(strings.NewReader(text)); !errors.Is(err, ErrBundle) || got != nil {
			t.Errorf("%s: got %d sets, %v", name, len(got), err)
		}
	}
}

// One bad set keeps all others out, too: nothing is half done.
func TestImportIsAllOrNothing(t *testing.T) {
	u := newUpstream(t)
	with := func(f sim.CollateralFaults) tdx.Collateral { return must(u.ca.FaultyCollateral(f)) }
	good := with(evaluation(20))
	for name, c := range map[string]struct {
		bad  tdx.Collateral
		want error
	}{
		"of another issuer": {must(must(sim.NewCA()).Collateral()), tdx.ErrCollateralSigner},
		"expired":           {with(lasting(-time.Hour / 2)), tdx.ErrCollateralDates},
		"older than what is beside it": {with(sim.CollateralFaults{QEIdentity: evaluation(3).QEIdentity,
			TCBInfo: func(i *sim.TCBInfo) { i.FMSPC = "B0C06F000000" }}), ErrRolledBack},
		"forged": {func() tdx.Collateral {
			c := good
			c.TCBInfo = bytes.Replace(c.TCBInfo, []byte("UpToDate"), []byte("Revoked!"), 1)
			return c
		}(), ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, u, vfs.NewMem(), nil)
			l.open()
			if n, err := l.Import(bundleOf(t, good, c.bad)); n != 0 || !errors.Is(err, c.want) {
				t.Errorf("took %d, %v, want %v", n, err, c.want)
			}
			if got := documentFiles(t, l.fs); len(got) != 0 {
				t.Errorf("written: %v", got)
			}
			if len(l.work.marks.at) != 0 {
				t.Errorf("recorded as seen: %v", l.work.marks.at)
			}
			if n, err := l.Import(bundleOf(t, good)); n != 1 || err != nil {
				t.Errorf("the good one: %d, %v", n, err)
			}
		})
	}
}

// The manufacturer's own answers, kept outside the repository.
func TestRealCollateral(t *testing.T) {
	for file, now := range map[string]time.Time{
		"tdx_quote_collateral.json":          time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC),
		"tdx_quote_outdated_collateral.json": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", "tdx", file))
			if errors.Is(err, os.ErrNotExist) {
				t.Skipf("LOUD: real collateral is not here, nothing was checked: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			sets := must(ParseBundle(bytes.NewReader(text)))
			_, rest := pem.Decode(sets[0].TCBInfoChain)
			block, _ := pem.Decode(rest)
			root := must(x509.ParseCertificate(block.Bytes))
			l := New(Options{Dir: "/c", fs: vfs.NewMem(), Roots: []*x509.Certificate{root}, Now: func() time.Time { return now }})
			if err := l.Open(); err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if n, err := l.Import(bytes.NewReader(text)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if err := l.Export(&bytes.Buffer{}); err != nil {
				t.Error(err)
			}
			again := must(ParseBundle(bundleOf(t, sets...)))
			if diff := cmp.Diff(sets, again); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseBundle(f *testing.F) {
	c := must(must(sim.NewCA()).Collateral())
	f.Add(bundleOf(f, c, c).Bytes())
	f.Add([]byte(`{"version":1,"sets":[]}`))
	f.Add([]byte(`{"tcb_info":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		sets, err := ParseBundle(bytes.NewReader(text))
		if err != nil {
			return
		}
		again, err := ParseBundle(bundleOf(t, sets...))
		if err != nil || cmp.Diff(sets, again) != "" {
			t.Errorf("another bundle after a round trip: %v", err)
		}
	})
}

func FuzzParseChain(f *testing.F) {
	c := must(must(sim.NewCA()).Collateral())
	f.Add(strings.NewReplacer("\n", "%0A", " ", "%20").Replace(string(c.TCBInfoChain)))
	f.Add("%2D")
	f.Fuzz(func(t *testing.T, header string) {
		chain, err := parseChain(header)
		if err != nil {
			return
		}
		if again, err := canonicalChain(chain); err != nil || !bytes.Equal(chain, again) {
			t.Errorf("another chain after a round trip: %v", err)
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	d := &document{name: QEIdentity(), body: []byte("b"), chain: []byte("c"), source: "s", fetched: time.Unix(1, 0)}
	f.Add(must(d.encode()))
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := parseDocument(file)
		if err != nil {
			return
		}
		if again, err := d.encode(); err != nil || !bytes.Equal(file, again) {
			t.Errorf("a second encoding: %v", err)
		}
	})
}

func FuzzParseMarks(f *testing.F) {
	f.Add(encodeMarks(map[string]uint64{"tdx/a": 1}))
	f.Fuzz(func(t *testing.T, file []byte) {
		if at, err := parseMarks(file); err == nil && !bytes.Equal(encodeMarks(at), file) {
			t.Error("a second encoding")
		}
	})
}
