package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/sandbox/bench"
)

// runInto runs a command that writes a file of rows, and decodes it strictly.
func runInto(t *testing.T, rows any, args ...string) (stdout string) {
	t.Helper()
	t.Parallel()
	file := filepath.Join(t.TempDir(), "rows.json")
	var out, words bytes.Buffer
	if code := run(t.Context(), append(args, "--out", file), strings.NewReader(""), &out, &words); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, words.String(), out.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(rows); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out.String()
}

func TestBenchCommand(t *testing.T) {
	var rows []bench.Row
	out := runInto(t, &rows, "bench", "--requests", "10", "--in-flight", "2", "--time", "200ms", "--node=false")
	var names []string
	for _, r := range rows {
		names = append(names, r.Name)
		if r.Unit == "" || r.Value <= 0 || r.Peer != "" && r.PeerValue <= 0 {
			t.Errorf("row %+v was not measured", r)
		}
		if !strings.Contains(out, r.Name) {
			t.Errorf("the table lacks %s:\n%s", r.Name, out)
		}
	}
	want := "request_added_latency_p50 request_added_latency_p99 paid_requests_per_second sandbox_tx_per_second " +
		"appraisal_full appraisal_known_platform appraisal_cached ratls_handshake_vs_tls ratls_both_gates_vs_tls " +
		"sandbox_ready sandbox_send_to_included_p50 liteserver_secure_get_account sandbox_tx_vs_tonutils sandbox_new_chain"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("rows are %s, want %s", got, want)
	}
}

func TestAssuranceCommand(t *testing.T) {
	var rows, printed []devnet.AssuranceRow
	out := runInto(t, &rows, "assurance", "--requests", "48", "--json")
	if err := json.Unmarshal([]byte(out), &printed); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(rows) != 1 || len(printed) != 1 || rows[0] != printed[0] {
		t.Fatalf("file has %+v, output %+v", rows, printed)
	}
	if r := rows[0]; r.Name != "paid_requests_conservation" || r.Runs != 48 || r.Failures != 0 {
		t.Errorf("row is %+v", r)
	}
}

func TestVerdict(t *testing.T) {
	rows := []devnet.AssuranceRow{{Name: "right", Runs: 3}}
	if err := verdict(rows); err != nil {
		t.Errorf("nothing is wrong, but the verdict is %v", err)
	}
	rows = append(rows, devnet.AssuranceRow{Name: "broken", Runs: 3, Failures: 2})
	if err := verdict(rows); err == nil || err.Error() != "broken: 2 failures in 3 runs" {
		t.Errorf("the verdict is %v", err)
	}
}
