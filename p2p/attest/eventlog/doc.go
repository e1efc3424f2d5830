// Package eventlog reads the log that firmware, boot loader and kernel keep of
// what they measured: the TCG2 crypto-agile format, in which a TDX machine keeps
// it at /sys/firmware/acpi/tables/data/CCEL.
//
// A log proves nothing by itself: anybody can write one. It explains the
// measurement registers of a report that was verified elsewhere, and only when
// [Log.Replay] gives exactly their values. What an event says it measured is
// bound to its digest only where [Event.Covered] says so; everything else in an
// event is a remark by whoever wrote it, good for display.
//
// Flow:
//
//  1. [Parse] takes the whole log, filling included, or refuses it.
//  2. [Log.Replay] computes RTMR0 to RTMR3; the caller compares them with a report.
//  3. [Event.Details] says in words what was measured.
//
// Invariants:
//
//   - No input makes the parser panic, and everything it allocates is bounded by
//     the input's size, which [MaxLog] bounds.
//   - A log has one accepted form: [Log.Encode] gives back the parsed bytes, apart
//     from the filling behind the last event.
//   - Digests are of exactly the algorithms that the log's header declares.
//
// Start reading in log.go, then replay.go, then details.go.
package eventlog
