// Package registry follows the registry contract and the channels that concern
// this node, and makes the policy view from them.
//
// The [Index] goes from block to block:
//
//  1. [Index.Sync] asks the chain for its newest proven block and for the followed
//     accounts at it, and stores states and block in one synced commit. From then on
//     [Index.View] and [Index.Channel] are current.
//  2. Where an account has moved on, the same commit opens a gap in its history: a
//     row that says which transaction is missing next, and where the stored ones
//     begin.
//  3. [Index.Fill] reads the transactions in the gaps page by page, the registry's
//     first, checking that each names the one before it, and stores each page with
//     what is left of the gap. A closed gap has no row.
//
// Anybody can send to the registry's address, as often as they pay for it. So no
// decision waits for history: a pass of Fill is a bounded number of pages, and what
// it read is not read again, however often the node is started.
//
// # Invariants
//
//   - Once no gap is left, what is stored is a pure function of proven chain data and
//     of which accounts are watched: delete it, sync and fill to the same block, and
//     the bytes are the same. A crash at any point leaves what the next pass goes on
//     from.
//   - States and block are of the same moment; an account's state never goes back.
//   - An account has one gap at most. What it does meanwhile is the next gap, so the
//     transactions stored below a gap, and those read into it, are without holes.
//
// [View] answers what the policy needs: which image may play which role, which
// models and proxies are registered, the network's parameters. It denies what it
// does not find, and a view older than Options.MaxAge is refused rather than used.
//
// Start reading at [Index.Sync].
package registry
