package kit

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// gasFile is where gas snapshots are, in the folder of the test package.
const gasFile = "testdata/gas.json"

// update rewrites snapshots. It is not called -update since a test package
// with a flag of that name could not import the kit.
var update = flag.Bool("kit.update", false, "rewrite gas snapshots, as -update does if the test has such a flag")

func updating() bool {
	if *update {
		return true
	}
	if f := flag.Lookup("update"); f != nil {
		return f.Value.String() == "true"
	}
	return false
}

// Tolerance is by how many percent metrics may differ from a snapshot, up or
// down. The metrics are gas, fees, forward_fees, messages, cells and bits;
// those not mentioned have to be the same.
type Tolerance map[string]uint64

// gasFiles is held while a snapshot file is read or written.
var gasFiles sync.Mutex

// snapshots are the usages in a file, by name and metric.
type snapshots map[string]map[string]uint64

// GasSnapshot compares the [Usage] of a result with what testdata/gas.json says
// under this name, and fails the test if it is another. To take what is there
// now for right, run the test with -kit.update, or with -update if the test
// defines that flag; and look at the diff before you commit it.
func (w *World) GasSnapshot(name string, r *Result, tolerance ...Tolerance) {
	w.t.Helper()
	allowed, err := merge(tolerance)
	if err != nil {
		w.t.Fatalf("kit: gas snapshot %s: %v", name, err)
		return
	}
	gasFiles.Lock()
	defer gasFiles.Unlock()
	all, err := readSnapshots(gasFile)
	if err != nil {
		w.t.Fatalf("kit: gas snapshots: %v", err)
		return
	}
	got := r.Usage().metrics()
	if updating() {
		all[name] = got
		if err := all.write(gasFile); err != nil {
			w.t.Fatalf("kit: gas snapshots: %v", err)
		}
		return
	}
	stored, ok := all[name]
	if !ok {
		w.t.Errorf("kit: %s has no gas snapshot %q; it is\n%srun with -kit.update to store that", gasFile, name, compare(nil, got, nil))
		return
	}
	if diff := compare(stored, got, allowed); diff != "" {
		w.t.Errorf("kit: gas snapshot %q changed\n%srun with -kit.update if that is right", name, diff)
	}
}

func merge(list []Tolerance) (Tolerance, error) {
	all := Tolerance{}
	known := Usage{}.metrics()
	for _, t := range list {
		for name, percent := range t {
			if _, ok := known[name]; !ok {
				return nil, fmt.Errorf("tolerance for %q: the metrics are %v", name, metricNames)
			}
			all[name] = percent
		}
	}
	return all, nil
}

// compare lists the metrics beyond their tolerance, "" if there are none.
func compare(stored, got map[string]uint64, allowed Tolerance) string {
	var lines []string
	for _, name := range metricNames {
		was, is := stored[name], got[name]
		if stored == nil {
			lines = append(lines, fmt.Sprintf("  %s\t%d", name, is))
			continue
		}
		apart := max(was, is) - min(was, is)
		if apart*100 <= was*allowed[name] {
			continue
		}
		sign := "+"
		if is < was {
			sign = "-"
		}
		line := fmt.Sprintf("  %s\t%d -> %d\t%s%d", name, was, is, sign, apart)
		if was > 0 {
			line += fmt.Sprintf("\t%s%d.%02d%%", sign, apart*100/was, apart*10_000/was%100)
		}
		lines = append(lines, line)
	}
	if lines == nil {
		return ""
	}
	return table(lines)
}

func readSnapshots(file string) (snapshots, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return snapshots{}, nil
	}
	if err != nil {
		return nil, err
	}
	var all snapshots
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if all == nil {
		all = snapshots{}
	}
	return all, nil
}

// write replaces the file at once, so that a test that is killed leaves the
// old one. Names are sorted, since JSON objects made of maps are.
func (s snapshots) write(file string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, raw) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", raw, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
