// Package strict walks a chain the way a client does that believes nothing but
// one block: everything else it reads, over the liteserver protocol with an
// unmodified tonutils-go under its secure proof policy, it verifies from there.
// Tests and the assurance report use it to say how many calls a strict client
// made of a sandbox without finding fault.
//
// [Walk] does this, in rounds, until it made as many calls as asked for:
//
//  1. chain.go follows the masterchain from the trusted block to the newest one
//     over every key block, back again, and between other pairs of blocks.
//  2. blocks.go picks a masterchain block and reads it and the shard blocks it
//     lists: data against hashes, headers, parents, configuration, transactions.
//  3. lookup.go looks blocks up by number, logical time and time, with proof,
//     and has each shard block proven back to the masterchain.
//  4. accounts.go reads accounts that transactions touched and some that do not
//     exist, with their histories, queues and get methods. A method is run here
//     too, on the proven account, and must give the same.
//
// Invariants:
//
//   - What is compared was proven, or comes from what was. Nothing is taken on
//     the server's word but what cannot be otherwise: its time, and which block
//     is the newest.
//   - A walk is decided by its seed and the chain.
//
// Start reading at walk.go.
package strict
