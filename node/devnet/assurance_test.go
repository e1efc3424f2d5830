package devnet

import (
	"log/slog"
	"testing"
)

func TestAssurance(t *testing.T) {
	t.Parallel()
	rows, err := Assurance(t.Context(), AssuranceOptions{Dir: t.TempDir(), Requests: 96, Progress: t.Logf, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 {
		t.Fatalf("%d rows, want 1", len(rows))
	}
	r := rows[0]
	if r.Name != "paid_requests_conservation" || r.Runs != 96 || r.Failures != 0 || r.Seconds <= 0 {
		t.Errorf("row is %+v", r)
	}
}
