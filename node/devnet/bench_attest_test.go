package devnet

import (
	"testing"
	"time"
)

func TestBenchAttest(t *testing.T) {
	t.Parallel()
	rows, err := BenchAttest(t.Context(), 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"appraisal_full", "appraisal_known_platform", "appraisal_cached", "ratls_handshake_vs_tls", "ratls_both_gates_vs_tls"}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, r := range rows {
		if r.Name != want[i] || r.Value <= 0 || i >= 3 && r.Ratio <= 0 {
			t.Errorf("row %d: %+v, want %s", i, r, want[i])
		}
	}
}
