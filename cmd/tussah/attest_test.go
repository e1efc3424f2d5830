package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
	"github.com/tussah-network/tussah/p2p/attest/host"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/snp/snpsim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// TestAttestScripts have these commands of their own:
//
//	here ARG …        tussah in this process, which is faster than exec tussah
//	pccs DIR          serve a simulated authority's collateral at $PCCS
//	certify OUT FILE  put evidence into a certificate, in PEM
//	snpevidence OUT   evidence of a simulated SEV-SNP machine
//	gpuevidence OUT   evidence of simulated GPUs
//	boot DIR          the files that a TDX machine boots, and its event log
//
// and the conditions [vectors], for real quotes that are kept outside the
// repository, and [ready], for a machine that lacks nothing to give evidence.
func TestAttestScripts(t *testing.T) {
	vectors, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "vectors"))
	if err != nil {
		t.Fatal(err)
	}
	// The commands below change folders.
	scripts, err := filepath.Abs(filepath.Join("testdata", "attest"))
	if err != nil {
		t.Fatal(err)
	}
	_, missing := os.Stat(vectors)
	testscript.Run(t, testscript.Params{
		Dir: scripts,
		Setup: func(env *testscript.Env) error {
			env.Setenv("VECTORS", vectors)
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "vectors":
				return missing == nil, nil
			case "ready":
				return !slices.ContainsFunc(host.Doctor(t.Context(), host.Local()), func(f host.Finding) bool { return !f.OK }), nil
			}
			return false, fmt.Errorf("no condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"here":        runHere,
			"pccs":        serveCollateral,
			"certify":     certifyEvidence,
			"snpevidence": writeSNP,
			"gpuevidence": writeGPU,
			"boot":        writeBoot,
		},
	})
}

// folder is held by the script whose folder is this process's.
var folder sync.Mutex

func runHere(ts *testscript.TestScript, fails bool, args []string) {
	folder.Lock()
	defer folder.Unlock()
	back, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	code := run(context.Background(), args, strings.NewReader(""), ts.Stdout(), ts.Stderr())
	ts.Check(os.Chdir(back))
	if fails == (code == 0) {
		ts.Fatalf("tussah returned %d", code)
	}
}

func serveCollateral(ts *testscript.TestScript, _ bool, args []string) {
	ca, err := sim.LoadCA(ts.MkAbs(args[0]))
	ts.Check(err)
	server := httptest.NewServer(ca.Handler(sim.HandlerOptions{}))
	ts.Defer(server.Close)
	ts.Setenv("PCCS", server.URL)
}

func certifyEvidence(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "peer"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 12345, 1}, Value: []byte(ts.ReadFile(args[1]))}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	writeScriptFile(ts, args[0], pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func writeSNP(ts *testscript.TestScript, _ bool, args []string) {
	ca, err := snpsim.NewCA(snp.Genoa)
	ts.Check(err)
	e, err := ca.Platform("1").VM(snpsim.Measure("worker")).Evidence(context.Background(), [64]byte{1, 2})
	ts.Check(err)
	writeScriptFile(ts, args[0], e.Report)
}

func writeGPU(ts *testscript.TestScript, _ bool, args []string) {
	m, err := gpusim.NewManufacturer(gpusim.Options{})
	ts.Check(err)
	one, err := m.NewGPU()
	ts.Check(err)
	devices, err := gpusim.Collector{one}.Collect(context.Background(), [32]byte{7})
	ts.Check(err)
	evidence, err := gpu.Encode(devices)
	ts.Check(err)
	writeScriptFile(ts, args[0], evidence)
}

func writeScriptFile(ts *testscript.TestScript, name string, content []byte) {
	ts.Check(os.WriteFile(ts.MkAbs(name), content, 0o644))
}

// Nothing that anybody may write makes these commands panic, or is accepted.
func FuzzInspect(f *testing.F) {
	ca, err := sim.NewCA()
	if err != nil {
		f.Fatal(err)
	}
	e, err := ca.Platform("1").VM(sim.Measure("worker")).Evidence(context.Background(), [64]byte{1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.Report)
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n"))
	f.Add([]byte(`{"version":1,"sets":[]}`))
	f.Add([]byte(`{"evidences":[{"evidence":"AA==","certificate":""}]}`))
	f.Add(bytes.Repeat([]byte{2, 0, 0, 0, 1}, 300))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if d, err := inspect(raw); err == nil {
			d.print(new(bytes.Buffer), "")
		}
		if e, _, err := evidenceOf(raw); err == nil {
			ownReportData(e)
		}
	})
}

// The words for a checklist that does not explain itself follow its order.
func TestStepsUntil(t *testing.T) {
	refusals := snp.Refusals()
	steps := stepsUntil(refusals, fmt.Errorf("%w: of the chain", snp.ErrChain))
	var refused int
	for i, s := range steps {
		if s.Result == stepRefused {
			refused = i
		}
	}
	if len(steps) != len(refusals) || refusals[refused] != snp.ErrChain || steps[refused-1].Result != stepPassed || steps[refused+1].Result != stepNotReached {
		t.Errorf("got %+v", steps)
	}
	for _, s := range stepsUntil(refusals, nil) {
		if s.Result != stepPassed {
			t.Errorf("accepted, but %s is %s", s.Name, s.Result)
		}
	}
}

func TestBundleSource(t *testing.T) {
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	set, err := ca.Collateral()
	if err != nil {
		t.Fatal(err)
	}
	simulated := [6]byte{0x90, 0xc0, 0x6f}
	s := parseSets([]tdx.Collateral{set}, nil, time.Now())
	if _, err := s.Collateral(simulated, tdx.PlatformCA); err == nil {
		t.Error("collateral of no trusted root is served")
	}
	s = parseSets([]tdx.Collateral{set}, []*x509.Certificate{ca.Root()}, time.Now())
	if _, err := s.Collateral(simulated, tdx.PlatformCA); err != nil {
		t.Error(err)
	}
	if _, err := s.Collateral([6]byte{1}, tdx.PlatformCA); err == nil {
		t.Error("collateral of another family is served")
	}
}
