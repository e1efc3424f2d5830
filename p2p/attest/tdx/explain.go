package tdx

import (
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Explain takes evidence through the whole checklist, past refusals as far as
// that makes sense, and reports each step. It is for people: what to believe
// [Verifier.Appraise] says, which accepts exactly what no step here refuses.
func (v *Verifier) Explain(e attest.Evidence, reportData [64]byte, p attest.Policy, now time.Time) []attest.StepResult {
	c := &candidate{verifier: v, evidence: e, reportData: reportData, policy: p, now: now}
	results := make([]attest.StepResult, len(checklist))
	var have fact
	for i, s := range checklist {
		r := attest.StepResult{Name: s.name, Refusal: s.refusal}
		if r.Skipped = s.needs&^have != 0; !r.Skipped {
			r.Err = s.check(c)
		}
		if !r.Skipped && r.Err == nil {
			have |= s.gives
		}
		results[i] = r
	}
	return results
}
