package gpu_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
)

// vector reads a file about a real H100, kept outside the repository.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", "gpu", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("SKIPPED: %s is not on this machine; evidence of a real GPU was not tested", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sample is the report of a real GPU with one of its chains.
func sample(t testing.TB, chain string) gpu.Device {
	t.Helper()
	report, err := hex.DecodeString(strings.TrimSpace(string(vector(t, "hopperAttestationReport.txt"))))
	if err != nil {
		t.Fatal(err)
	}
	d := gpu.Device{Report: report}
	for b, rest := pem.Decode(vector(t, chain)); b != nil; b, rest = pem.Decode(rest) {
		d.Chain = append(d.Chain, b.Bytes)
	}
	return d
}

const goodChain = "hopper_cert_chain_case1.txt"

// genuine is how the sample is judged: all that its signature and certificates
// can tell. There are no documents about its VBIOS to compare with.
func genuine(t testing.TB, d gpu.Device) (evidence []byte, l *lab) {
	t.Helper()
	evidence, err := gpu.Encode([]gpu.Device{d})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	return evidence, &lab{
		now:        now,
		question:   gpu.Question{Nonce: [32]byte(d.Report[4:36]), Asked: now, CC: gpu.CCOn},
		collateral: gpu.Collateral{Revocations: &gpu.Revocations{Date: now}},
		policy: gpu.Policy{Device: gpu.AnyDevice,
			Models: map[string]gpu.Model{"GH100": {SKUs: []string{"1010_0200_882"}, MinDriver: "550.90.07", MinVBIOS: "96.00.9F.00.01"}}},
	}
}

func TestRealChains(t *testing.T) {
	for _, c := range []struct {
		chain string
		want  *attest.Refusal // ErrNoRIM: genuine, with nothing to compare to
	}{
		{goodChain, gpu.ErrNoRIM},
		{"hopper_cert_chain_case2.txt", gpu.ErrCertificates}, // the root only
		{"hopper_cert_chain_case3.txt", gpu.ErrChain},        // an intermediate is missing
	} {
		evidence, l := genuine(t, sample(t, c.chain))
		_, err := l.appraise(evidence)
		if first, ok := errors.AsType[*attest.Refusal](err); !ok || first != c.want {
			t.Errorf("%s: got %v, want %v", c.chain, err, c.want)
		}
	}
}

// With documents that suit it the real GPU is accepted. They are simulated, and
// so are not for it: a genuine device is held to genuine documents.
func TestRealDeviceWithSimulatedDocuments(t *testing.T) {
	d := sample(t, goodChain)
	evidence, l := genuine(t, d)
	m, err := gpusim.NewManufacturer(gpusim.Options{Now: l.now})
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.NewGPU()
	if err != nil {
		t.Fatal(err)
	}
	for i := range g.Measurements {
		g.Measurements[i] = [48]byte(d.Report[37+8+i*55+7:])
	}
	l.manufacturer, l.gpu = m, g
	l.document(t, func(driver, vbios *gpusim.Document) {})
	l.collateral.RIM = m.RIM
	for _, c := range []struct {
		allow bool
		want  *attest.Refusal
	}{{false, gpu.ErrRIMRoot}, {true, gpu.ErrRIMSubject}} {
		l.policy.AllowSimulated, l.policy.SimulatedRoots = c.allow, m.Roots()
		if _, err := l.appraise(evidence); !errors.Is(err, c.want) {
			t.Errorf("simulated documents allowed %v: got %v, want %v", c.allow, err, c.want)
		}
	}
}

func TestRealDeviceRefused(t *testing.T) {
	for name, c := range map[string]struct {
		want   *attest.Refusal
		change func(*lab)
	}{
		"newer driver wanted": {gpu.ErrDriver, func(l *lab) { l.model(func(m *gpu.Model) { m.MinDriver = "550.90.08" }) }},
		"newer VBIOS wanted":  {gpu.ErrVBIOS, func(l *lab) { l.model(func(m *gpu.Model) { m.MinVBIOS = "96.00.9F.00.02" }) }},
		"other nonce":         {gpu.ErrNonce, func(l *lab) { l.question.Nonce[31]++ }},
		"before its time":     {gpu.ErrDates, func(l *lab) { l.at(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)) }},
		"no mode measured":    {gpu.ErrCCMode, func(l *lab) { l.question.CC = 0 }},
	} {
		evidence, l := genuine(t, sample(t, goodChain))
		c.change(l)
		if _, err := l.appraise(evidence); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func (l *lab) at(now time.Time) {
	l.now, l.question.Asked, l.collateral.Revocations.Date = now, now, now
}

// Claims are what others read in the same report.
func TestRealClaims(t *testing.T) {
	var claims struct {
		Config struct {
			Driver string            `json:"driver_version"`
			VBIOS  string            `json:"vbios_version"`
			FWID   string            `json:"fwid"`
			Counts map[string]uint32 `json:"measurement_count"`
		} `json:"config"`
		Measurements map[string]string `json:"measurements"`
	}
	if err := json.Unmarshal(vector(t, "hopperAttestationReport-claims.txt"), &claims); err != nil {
		t.Fatal(err)
	}
	d := sample(t, goodChain)
	driver, vbios, fwid, measurements, err := gpu.ReadReport(d.Report)
	if err != nil {
		t.Fatal(err)
	}
	if driver != claims.Config.Driver || !strings.EqualFold(vbios, claims.Config.VBIOS) || hex.EncodeToString(fwid) != claims.Config.FWID {
		t.Errorf("driver %s, VBIOS %s, FWID %x", driver, vbios, fwid)
	}
	for i, m := range measurements {
		if got, want := hex.EncodeToString(m[:]), claims.Measurements[strconv.Itoa(i+1)]; got != want {
			t.Errorf("measurement %d: got %s, want %s", i+1, got, want)
		}
	}
	ids, err := gpu.RIMs(must(gpu.Encode([]gpu.Device{d})))
	if want := "NV_GPU_DRIVER_GH100_550.90.07 NV_GPU_VBIOS_1010_0200_882_96009F0001"; err != nil || strings.Join(ids, " ") != want {
		t.Errorf("documents %v, %v", ids, err)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// A bit of anything that is signed, turned, is noticed, in the report and in all
// certificates.
func TestRealDamage(t *testing.T) {
	d := sample(t, goodChain)
	good, l := genuine(t, d)
	const nonceAt = 4 + 4 // version, devices, size of the report; then the request
	tried := 0
	for at := 0; at < len(good); at += stride(t, 67) {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		// A changed nonce is what is asked for, so that the signature has to notice.
		l.question.Nonce = [32]byte(bad[nonceAt:])
		_, err := l.appraise(bad)
		if first, ok := errors.AsType[*attest.Refusal](err); !ok || first == gpu.ErrNoRIM {
			t.Fatalf("byte %d, bit %d: %v", at, at%8, err)
		}
		tried++
	}
	t.Logf("%d bits of a real sample turned, 0 accepted", tried)
}

// stride is the distance between bytes that are damaged, or what TUSSAH_FLIPS
// sets: 1 is every byte, for the nightly run.
func stride(t *testing.T, usual int) int {
	text := os.Getenv("TUSSAH_FLIPS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("TUSSAH_FLIPS=%q", text)
	}
	return n
}
