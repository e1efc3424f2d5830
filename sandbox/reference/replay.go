package reference

import (
	"fmt"

	tontlb "github.com/xssnick/tonutils-go/tlb"
)

// A Report is how a replay ended.
type Report struct {
	Name    string `json:"name,omitempty"`
	Account string `json:"account"`
	LT      uint64 `json:"lt"`             // of the transaction
	Hash    string `json:"hash,omitempty"` // of the transaction that should come out; none for a refusal
	Gas     uint64 `json:"gas"`
	Exit    int    `json:"exit_code"`

	Differences []Difference `json:"differences,omitempty"`
}

// OK reports whether the transaction came out bit for bit.
func (r Report) OK() bool { return len(r.Differences) == 0 }

// Replay executes what the fixture says and compares with what it expects. An
// executor that refuses the input has refused the message.
func Replay(f Fixture, run Executor) (Report, error) {
	in, err := f.Execution()
	if err != nil {
		return Report{}, err
	}
	r := Report{Name: f.Name, Account: f.Account.StringRaw(), LT: f.LT}
	out, err := run(in)
	if err != nil && !f.Expected.Refused {
		return r, fmt.Errorf("%s: %w", r.Account, err)
	}
	r.Gas, r.Exit = out.Gas, int(out.Exit)
	got, want := out.Transaction, f.Expected.Transaction
	switch {
	case (got != nil) != (want != nil):
		r.Differences = []Difference{{Field: "accepted", Want: fmt.Sprint(want != nil), Got: fmt.Sprint(got != nil)}}
	case got == nil:
	default:
		r.Hash = hash(want.Cell)
		r.LT, r.Differences = lt(f), Differences(got, want.Cell)
		if after := f.Expected.After; after != nil {
			r.Differences = append(r.Differences, accountDifferences(out.After, after.Cell)...)
		}
	}
	return r, nil
}

func lt(f Fixture) uint64 {
	var tx tontlb.Transaction
	if err := tontlb.Parse(&tx, f.Expected.Transaction.Cell); err != nil {
		return f.LT
	}
	return tx.LT
}
