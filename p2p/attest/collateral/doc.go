// Package collateral keeps what manufacturers say about platforms: which versions
// are good, which certificates are revoked, what firmware measures as.
//
// A verifier needs it while a peer waits, so it is at hand before: [Service]
// fetches it, verifies it, remembers what it saw, keeps it on disk and serves it.
//
// The flow:
//
//  1. [Service.Open] loads the folder and verifies all of it again;
//  2. a verifier asks through [Service.Collateral] or [Service.Document]. What is
//     missing is refused at once and put on a bounded list;
//  3. [Service.Run] fetches what is on the list through [Client], and refreshes it
//     at half of its remaining life, a day before its end and at least daily;
//  4. an answer is verified, held against the highest numbers ever seen, written,
//     recorded as seen, and served, in this order;
//  5. [Service.Status] says what there is and what runs out next. [Service.Export]
//     and [Service.Import] carry it to machines that reach no service.
//
// Intel's documents are verified by package tdx, as sets. AMD's and NVIDIA's are
// verified by whoever asks for them, through a [Check].
//
// The folder:
//
//	marks        highest numbers seen, see marks.go; outlives the documents
//	documents/   one file each, see document.go; may be deleted at any time
//	damaged/     files that were not what was written; for people only
//	lock         held by the process that uses the folder
//
// Invariants:
//
//   - nothing a peer shows is an address, or text in one: a [Name] has checked
//     fields only, and hosts come from [ClientOptions];
//   - no caller waits for a fetch, and no fetch reads more than its limit;
//   - nothing unverified is written, and what is read back is verified again;
//   - a number lower than one seen before is refused ([ErrRolledBack]), also after
//     a restart, also after the documents were deleted. Without a readable record
//     of what was seen, nothing is served ([ErrMarks]);
//   - a crash at any point leaves documents that verify and marks not above what
//     was written;
//   - what cannot be refreshed is served until it expires, with an alert a day
//     before.
//
// What it cannot do: tell that a whole folder, marks included, was replaced by an
// older copy. A policy's least evaluation number is for that.
//
// Start reading at [Service], then refresh.go and adopt.go.
package collateral
