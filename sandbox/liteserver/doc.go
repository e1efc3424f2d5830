// Package liteserver answers TON lite clients from a chain in this process,
// over ADNL on TCP. Unmodified clients read accounts, transactions, blocks,
// configuration and get-method results from it, with the Merkle proofs they
// verify, and send messages through it.
//
// One query goes this way:
//
//  1. [Server].Run accepts a connection; accept (adnl.go) does the handshake.
//  2. serve (conn.go) reads frames and starts one goroutine for each query,
//     within a limit per connection.
//  3. resolve (server.go) parses the query (message.go), waits if it has a
//     waitMasterchainSeqno prefix, takes a worker's place and recovers panics.
//  4. answerer.answer (answer.go) picks the method. Methods about a state work on
//     a view (views.go): a block, its state, and the proof that links them.
//  5. prove (proof.go) builds proofs: whatever a method opens through the traced
//     root is in the proof, the rest is pruned.
//  6. The answer, or a liteServer.error with TON's codes (errors.go), goes back
//     through the connection's writer.
//
// Invariants:
//
//   - The server knows the chain only through [Source] and keeps nothing of its
//     own but caches; it never answers with a block or state whose hash is not
//     the one asked for.
//   - Nothing a client sends allocates more than limits.go says, stops the
//     server or keeps other clients from being answered.
//   - Every answer about a state carries a proof from the block the client named,
//     also when it says that an account is absent.
//
// Read source.go first, then answer.go and account.go.
package liteserver
