// Package host obtains evidence from the machine this process runs in, and
// examines machines on which that does not work.
//
// It speaks to Linux alone: the kernel's configfs-tsm interface, which is one for
// all makers of processors, gives reports, and a register's file takes events.
// Nothing here judges evidence; what a report means is for the TEE's own package,
// whose form of it is a parameter of each provider.
//
// Flow of a [TDX] machine:
//
//  1. [TDX.Measure] writes an event into the journal, then extends RTMR3 with the
//     SHA-384 of its digest.
//  2. [TDX.Evidence] compares RTMR3 with the journal, has the kernel fetch a quote,
//     and returns it in the form of package tdx, with the journal's events.
//  3. A process that starts again in the same boot finds the journal. It measures
//     the same events as before, in the same order, and nothing is extended twice;
//     a different event is an error, since RTMR3 cannot go back.
//
// An [SNP] machine has no such register: its events are fixed when it is launched.
//
// Invariants:
//
//   - The journal and RTMR3 agree, or there is no evidence: a node never shows
//     events that its quote does not bear out.
//   - A crash between journal and register is mended at the next start.
//   - What the kernel returns is bounded before it is kept.
//   - New… does no I/O. A call that the kernel does not answer ends with its
//     context, and the next one waits for the kernel.
//
// [Doctor] is for operators: each [Finding] says what was looked at, what was
// found, why it matters and how to mend it.
//
// Start reading in tdx.go, then journal.go; the doctor begins in doctor.go.
package host
