package kit

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tussah-network/tussah/tlb"
)

// Usage is what the contracts of a result used. The test's own treasuries do
// not count.
type Usage struct {
	Gas uint64
	// Fees are all fees but those for storage, which depend on how much time
	// passed: for gas, for the messages sent, for external messages.
	Fees tlb.Nano
	// ForwardFees are those of Fees that were for messages.
	ForwardFees tlb.Nano
	// Messages were sent, and took so many cells and bits.
	Messages, Cells, Bits uint64
}

// Usage sums up what was used.
func (r *Result) Usage() Usage {
	var u Usage
	for _, t := range r.All {
		if r.world.isTreasury(t.Message.To) {
			continue
		}
		b := t.bill()
		u.add(Usage{
			Gas: t.Gas, Fees: b.gas + b.forward + b.imported, ForwardFees: b.forward, Messages: uint64(t.OutMessages()),
		})
		if a := t.phases.ActionPhase; a != nil && a.TotalMsgSize.Cells != nil && a.TotalMsgSize.Bits != nil {
			u.add(Usage{Cells: a.TotalMsgSize.Cells.Uint64(), Bits: a.TotalMsgSize.Bits.Uint64()})
		}
	}
	return u
}

func (u *Usage) add(v Usage) {
	u.Gas += v.Gas
	u.Fees += v.Fees
	u.ForwardFees += v.ForwardFees
	u.Messages += v.Messages
	u.Cells += v.Cells
	u.Bits += v.Bits
}

// metrics are the parts of a usage under the names they have in snapshots.
func (u Usage) metrics() map[string]uint64 {
	return map[string]uint64{
		"gas": u.Gas, "fees": uint64(u.Fees), "forward_fees": uint64(u.ForwardFees),
		"messages": u.Messages, "cells": u.Cells, "bits": u.Bits,
	}
}

// metricNames are the names of all metrics, sorted.
var metricNames = slices.Sorted(maps.Keys(Usage{}.metrics()))

func (u Usage) String() string {
	return fmt.Sprintf("%d gas, %s fees, %s of them for %s of %s and %s",
		u.Gas, u.Fees, u.ForwardFees, plural(int(u.Messages), "message"), plural(int(u.Cells), "cell"), plural(int(u.Bits), "bit"))
}

// B is the part of testing.B that [Gas] needs.
type B interface {
	Helper()
	Fatalf(format string, args ...any)
	Loop() bool
	ReportMetric(n float64, unit string)
}

// Gas is the body of a benchmark that measures what one operation costs on the
// chain, besides the time it takes here:
//
//	func BenchmarkIncrement(b *testing.B) {
//		w := kit.New(b, sandbox.New(b))
//		...
//		kit.Gas(b, func() *kit.Result { return alice.Send(increment) })
//	}
//
// The metrics, means over all rounds, are those of [Usage]: gas/op, nanoTON/op,
// fwd-nanoTON/op, msgs/op, cells/op and bits/op. benchstat reads them.
func Gas(b B, op func() *Result) {
	b.Helper()
	var total Usage
	rounds := 0
	for b.Loop() {
		r := op()
		if r == nil || r.Refused != nil {
			b.Fatalf("kit: nothing happened in round %d", rounds+1)
			return
		}
		total.add(r.Usage())
		rounds++
	}
	for _, m := range []struct {
		total uint64
		unit  string
	}{
		{total.Gas, "gas/op"}, {uint64(total.Fees), "nanoTON/op"}, {uint64(total.ForwardFees), "fwd-nanoTON/op"},
		{total.Messages, "msgs/op"}, {total.Cells, "cells/op"}, {total.Bits, "bits/op"},
	} {
		b.ReportMetric(float64(m.total)/float64(rounds), m.unit)
	}
}
