// Package sandbox is a TON network in one process: a masterchain and a
// basechain with real transactions, fees and blocks, for demonstrations and
// for the tests of any contract. In a test:
//
//	chain := sandbox.New(t)
//	err := chain.Faucet(ctx, wallet, 10*tlb.TON)
//	trace, err := chain.SendInternal(ctx, sandbox.Internal{From: alice, To: contract, Amount: tlb.TON, Body: body})
//
// The trace is the whole tree of transactions a message set off. Nothing has
// to be waited for: in [Instant] mode, all of it is in the chain by then.
//
// # From message to block
//
//  1. [Chain.Send], [Chain.Faucet] and [Chain.SendInternal] put a message into
//     the pool (send.go).
//  2. A seal (seal.go) collates a block for each shard of the basechain, then
//     for the masterchain. A collation (collation.go) takes messages from the
//     queues of all shards, from the pool, and those sent meanwhile, each
//     through the transaction executor of tonutils-go, until the limits of a
//     block. What is left goes to the shard's queue.
//  3. The outcome becomes the shard's new state (state.go) and its block
//     (block.go, descriptors.go, master_extra.go, merkle.go), signed by the
//     one validator there is (sign.go).
//  4. Blocks, changed accounts and the rest are stored in one batch
//     (store_pebble.go); only then do others see them (history.go, source.go).
//
// # What always holds
//
//   - Messages are received later, in logical time, than they were created,
//     and by each shard in the order of logical time. No two transactions of
//     an account have the same.
//   - Balances, messages under way and fees add up to the supply:
//     [Chain.Balances], [Chain.InFlight], [Chain.Fees], [Chain.Supply]. Unlike
//     mainnet, blocks create no coins and burn none. Every block's value flow
//     is checked before it is stored.
//   - Block time never goes back, whatever the clock does.
//   - A stored chain ends at a whole step. Opening it builds the states anew
//     and compares their hashes with those stored.
//   - The same options and messages at the same times make the same chain, to
//     the last hash. The validator's key is therefore no secret.
//
// # Bounds
//
// In memory: all accounts (as cells), a record of some 130 bytes for every
// block, the last [StatesKept] states and, without a Dir, all blocks. Bounded
// are the pool ([MaxPool]), the blocks of one cascade ([MaxCascadeBlocks]) and
// the transactions of a block. Messages in the pool are not stored: a restart
// loses them. There are no libraries, no elections, no shard splits.
//
// Start reading at chain.go, then seal.go and collation.go.
package sandbox
