package policyfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/policyfile"
)

const hash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func parse(t testing.TB, text string) policyfile.File {
	t.Helper()
	f, err := policyfile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestExample(t *testing.T) {
	f := parse(t, string(policyfile.Example()))
	if f.MinEvaluation != 17 || len(f.Grace) != 1 || f.GateInterval() != time.Hour {
		t.Errorf("got %+v", f)
	}
	if parse(t, "").GateInterval() != policyfile.DefaultGateEvery {
		t.Error("an empty file has no interval of gate B")
	}
}

// graceOf is a grace with one line replaced.
func graceOf(line string) string {
	lines := []string{`status = "SWHardeningNeeded"`, `advisories = ["INTEL-SA-00615"]`, `until = "2027-01-31"`, `reason = "r"`}
	for i, l := range lines {
		if key, _, _ := strings.Cut(line, " "); strings.HasPrefix(l, key+" ") {
			lines[i] = line
		}
	}
	return "[[grace]]\n" + strings.Join(lines, "\n")
}

func gpuOf(line string) string {
	lines := []string{`name = "GH100"`, `skus = ["1010_0200_895"]`, `min_driver = "550.90.07"`, `min_vbios = "96.00.9F.00.01"`}
	for i, l := range lines {
		if key, _, _ := strings.Cut(line, " "); strings.HasPrefix(l, key+" ") {
			lines[i] = line
		}
	}
	return "[[gpu.models]]\n" + strings.Join(lines, "\n")
}

func TestFaults(t *testing.T) {
	product := "[[sev_snp.products]]\n"
	for _, c := range []struct{ text, want string }{
		{`frob = 1`, "frob: unknown key"},
		{`TTL = "1h"`, "TTL: unknown key; keys are in small letters"},
		{`[images]` + "\nWorker = []", "images.Worker: unknown key; keys are in small letters"},
		{`xfam = 1`, "xfam: unknown key"},
		{`attributes = 1`, "attributes: unknown key"},
		{`[tdx]` + "\nattributes = 1", "tdx"},
		{"ttl = \"1h\"\nttl = \"2h\"", "ttl is already defined"},
		{`ttl = 5`, "line 1"},
		{`ttl = "x"`, "ttl: \"x\" is no duration"},
		{`ttl = "25h"`, "ttl: must be between"},
		{`ttl = "0s"`, "ttl: must be between"},
		{`gate_every = "1s"`, "gate_every: must be between"},
		{`min_evaluation = -1`, "-1 does not fit"},
		{`models = [""]`, "models[0]: a name has"},
		{`models = ["a", "a"]`, "models[1]: is there twice"},
		{`models = ["a", "any"]`, `models[1]: "any" stands alone`},
		{"[images]\nproxy = [\"12\"]", "images.proxy[0]: \"12\" is not 64 digits"},
		{"[images]\nworker = [\"" + strings.ToUpper(hash) + "\"]", "images.worker[0]"},
		{"[images]\nworker = [\"" + strings.Repeat("zz", 32) + "\"]", "images.worker[0]"},
		{"[images]\nclient = []", "images.client: unknown key"},
		{"[platforms]\nallowed = [\"" + hash + "\", \"" + hash + "\"]", "platforms.allowed[1]: is there twice"},
		{"[platforms]\ndenied = [\"any\"]", "platforms.denied: \"any\" would deny"},
		{graceOf(`status = "Fine"`), "grace[0].status: \"Fine\" is not a status"},
		{graceOf(`status = "UpToDate"`), "grace[0].status: UpToDate needs no grace"},
		{graceOf(`status = "OutOfDate"`), "grace[0].status: OutOfDate is never accepted"},
		{graceOf(`status = "OutOfDateConfigurationNeeded"`), "grace[0].status: OutOfDateConfigurationNeeded is never accepted"},
		{graceOf(`status = "Revoked"`), "grace[0].status: Revoked is never accepted"},
		{graceOf(`advisories = []`), "grace[0].advisories: is empty"},
		{graceOf(`advisories = ["any"]`), "grace[0].advisories: must name each"},
		{graceOf(`advisories = ["SA-1"]`), "grace[0].advisories[0]: \"SA-1\" is not the name"},
		{graceOf(`until = "2027-02-30"`), "grace[0].until: \"2027-02-30\" is no date"},
		{graceOf(`until = ""`), "grace[0].until"},
		{graceOf(`reason = " "`), "grace[0].reason: is missing"},
		{"[gpu]\nmax_age = \"1h\"", "gpu.max_age: must be between"},
		{gpuOf(`name = "gh100"`), "gpu.models[0].name"},
		{gpuOf(`skus = []`), "gpu.models[0].skus: is empty"},
		{gpuOf(`skus = ["any"]`), "gpu.models[0].skus[0]"},
		{gpuOf(`min_driver = ""`), "gpu.models[0].min_driver"},
		{gpuOf(`min_vbios = "96"`), "gpu.models[0].min_vbios"},
		{gpuOf("") + "\n" + gpuOf(""), "gpu.models[1].name: GH100 is there twice"},
		{product + `name = "Rome"`, "sev_snp.products[0].name: \"Rome\" is not"},
		{product + `name = "Milan"`, "sev_snp.products[0].name: Milan is never"},
		{product + `name = "Genoa"`, "sev_snp.products[0]: has no least firmware"},
		{product + "name = \"Genoa\"\nfmc = 1", "sev_snp.products[0].fmc: Genoa has no"},
		{product + "name = \"Genoa\"\nsnp = 256", "256 does not fit"},
		{product + "name = \"Genoa\"\nsnp = 1\n" + product + "name = \"Genoa\"\nsnp = 1", "sev_snp.products[1].name: Genoa is there twice"},
		{"#" + strings.Repeat(" ", 1<<20), "larger than"},
		{"models = [" + strings.Repeat(`"m",`, 4097) + "]", "models: has more than 4096"},
	} {
		name := c.text
		t.Run(name[:min(len(name), 50)], func(t *testing.T) {
			f, err := policyfile.Parse([]byte(c.text))
			if !errors.Is(err, policyfile.ErrFile) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if f.Models != nil || f.TTL != "" {
				t.Error("a refused file has content")
			}
		})
	}
}

// All faults are told at once.
func TestAllFaults(t *testing.T) {
	_, err := policyfile.Parse([]byte("ttl = \"x\"\ngate_every = \"x\"\nmodels = [\"\"]\n[platforms]\nallowed = [\"x\"]\n" + graceOf(`status = "x"`)))
	for _, key := range []string{"ttl:", "gate_every:", "models[0]:", "platforms.allowed[0]:", "grace[0].status:"} {
		if !strings.Contains(fmt.Sprint(err), key) {
			t.Errorf("%s is not in: %v", key, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(policyfile.Example())
	f.Add([]byte(graceOf("")))
	f.Add([]byte(gpuOf("")))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := policyfile.Parse(text)
		if err != nil {
			if !errors.Is(err, policyfile.ErrFile) {
				t.Errorf("%v is no fault of the file", err)
			}
			return
		}
		for _, g := range file.Grace {
			if strings.HasPrefix(g.Status, "OutOfDate") || g.Status == "Revoked" || len(g.Advisories) == 0 {
				t.Errorf("accepted %+v", g)
			}
		}
	})
}
