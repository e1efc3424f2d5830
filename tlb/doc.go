// Package tlb is the ground floor of Tussah: the values that are signed, stored on chain or sent to
// a contract, and the guards that untrusted cells pass before anything reads them. It is pure: no
// I/O, no clock, no logger, no goroutine.
//
// How a paid request uses it:
//
//  1. The payee states a [Price]; the payer signs a [Voucher] ([SignVoucher]) that authorises a
//     cumulative amount of one channel. Vouchers supersede each other; only the highest counts.
//  2. The worker counts the [Usage] and signs the [Work] it did.
//  3. The payee wraps it in a [Receipt] that names the cost ([Price.Cost]) and what was spent on the
//     channel so far, and signs that. The payer's next voucher carries the receipt's hash, so the
//     chain of vouchers is also a chain of evidence.
//  4. The channel contract pays out against a [SignedVoucher], or against a [SignedCoopClose], the
//     payee's consent to close early. The messages and storage of the channel and registry contracts
//     are in the channel_*.go and registry_*.go files.
//
// Invariants:
//
//   - A value has exactly one encoding. Parsers refuse every other one (trailing bits, non-minimal
//     coins, unusual addresses, a re-ordered BoC) and return nothing on error.
//   - Everything signed starts with a 32-bit tag of its own ([TagVoucher] and its neighbours), so
//     that no signature can be used for another purpose.
//   - Money is [Nano], with checked arithmetic; nothing here computes money in floating point.
//   - A parser reads a cell only if it is an ordinary cell of level zero. Call [CheckCell] on a tree
//     of cells that somebody else sent, or decode it with [ParseBoC], which does.
//   - No input makes this package panic, and no allocation is larger than the input justifies.
//
// Start reading at voucher.go; nano.go, wire.go and guard.go are what it stands on.
package tlb
