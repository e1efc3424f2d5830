// Package liteserver answers TON lite clients from a chain in this process,
// over ADNL on TCP. Unmodified clients read accounts, transactions, blocks,
// configuration, queues and get-method results from it, with the Merkle proofs
// they verify, and send messages through it. It has every method of
// lite_api.tl; those that one validator makes meaningless are refused, and
// methods_test.go says which and why.
//
// One query goes this way:
//
//  1. [Server].Run accepts a connection and counts it to the client's host
//     (host.go); accept (adnl.go) does the handshake.
//  2. serve (conn.go) reads frames and starts one goroutine for each query,
//     within a limit per connection. Whatever takes the processor runs in a
//     place of the host's.
//  3. resolve (server.go) waits if the query has a waitMasterchainSeqno prefix;
//     compute recovers panics.
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
//     the one asked for. Cells may be loaded as they are opened: what cannot be
//     loaded is an error, and no method reads a whole state but getState, which
//     refuses large ones.
//   - Nothing a client sends allocates more than limits.go says, stops the
//     server or keeps clients of other hosts from being answered. Connections of
//     one host share what the server has for it.
//   - Every answer about a state carries a proof from the block the client named,
//     also when it says that an account, a shard or a library is absent. A proof
//     has the cells that TON's own client, in C++, opens, which are more than
//     other clients look at (tonlib_test.go).
//   - A chain of block proofs starts at any block, however old (old_state.go).
//
// Read source.go first, then answer.go and account.go.
package liteserver
