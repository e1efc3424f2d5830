// Package registry follows the registry contract and the channels that concern
// this node, and makes the policy view from them.
//
// The [Index] goes from block to block:
//
//  1. ask the chain for its newest proven block and for the watched accounts at it;
//  2. where an account has moved on, walk its transactions back to the last one
//     that is stored, checking that each names the one before it;
//  3. store transactions, account states and the block in one synced commit, the
//     block last.
//
// What is stored is a pure function of proven chain data and of which accounts
// are watched: delete it, sync to the same block, and the bytes are the same. A
// crash at any point leaves a prefix that the next pass completes.
//
// [View] answers what the policy needs: which image may play which role, which
// models and proxies are registered, the network's parameters. It denies what it
// does not find, and a view older than Options.MaxAge is refused rather than used.
//
// Start reading at [Index.Sync].
package registry
