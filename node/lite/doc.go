// Package lite reads the TON network through liteservers and believes none of
// them. What it returns is proven up to a key block that the node trusts.
//
// One call goes this way:
//
//  1. A method of [Client] builds a query and hands it to each (server.go), which
//     tries the servers one after the other and bounds every attempt in time.
//  2. The query travels over ADNL on TCP (conn.go). The answer is taken apart field
//     by field (answer.go); a byte too few or too many refuses it.
//  3. Cells in an answer pass the guard (cells.go): level masks are computed anew,
//     never taken from the sender, and Merkle cells must hash to what they claim.
//  4. The method's own file follows the proof down from a block's hash: head.go by
//     validators' signatures from key block to key block, state.go from a block to
//     its state, account.go to an account or to the proof that there is none,
//     config.go to the configuration. No pruned cell is ever read as content.
//  5. A server whose answer proves nothing, or something else than asked, is
//     dropped for a while ([DroppedError]) and the next one is asked. One whose
//     newest block is old is compared with another, and the one ahead is preferred.
//
// Get methods run in this process on proven state (package tlb/get). A server's
// word alone counts for nothing but delay: it can be silent, old or refuse.
//
// Invariants:
//
//   - Every error that an answer can cause is returned: nothing panics, and
//     nothing is written to the standard logger.
//   - Absence of an account is proven by the path in the accounts' dictionary, as
//     presence is.
//   - The head never goes back, and belongs to the network of [Options].Global.
//   - No answer is waited for longer than [Options].Timeout, and no server has more
//     than four times that for one read, however many answers it takes; what they
//     proved is kept. A method reads once, RunGet up to three times; Wait goes on
//     until its context ends.
//
// Trust begins at [Options].Trusted. Without it the client trusts on first use:
// it pins the newest key block that the first server to answer knows, reports it
// through [Options].OnTrust, and follows the chain from there. Keep what OnTrust
// reports and pass it back next time, and only the very first start relies on a
// server's honesty.
//
// Only the transport and the proofs are own; the queries, the block and account
// types and the check of signatures are tonutils-go's. Its lite client is not
// used, since it writes to the standard logger, and lets a malformed answer wait
// for the caller's deadline.
//
// Start reading at client.go, then account.go.
package lite
