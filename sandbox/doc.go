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
//     the pool (send.go). What no message can change, accounts, configuration
//     and time among it, is changed by control.go and edit.go.
//  2. A seal (seal.go) executes a round: a collation for each shard of the
//     basechain, then for the masterchain. A collation (collation.go) takes
//     messages from the queues of all shards, from the pool, and those sent
//     meanwhile, each through the transaction executor of tonutils-go, until the
//     limits of a block. What is left goes to the shard's queue.
//  3. A round becomes a block and a state of each shard (build.go, block.go,
//     descriptors.go, master_extra.go, merkle.go, state.go), signed by the one
//     validator there is (sign.go): at once in a stored chain, and when somebody
//     looks in one that is in memory.
//  4. A stored chain writes blocks and the cells of its states in one batch
//     (store_pebble.go) and reads states back cell by cell (cells.go). The past
//     (history.go) is what liteservers and [Chain.Restore] go back to.
//
// Every transaction knows what it follows from, its [Execution], and can be run
// again. Built with the tag "reference", each one is: by the C++ emulator.
//
// # What always holds
//
//   - Messages are received later, in logical time, than they were created,
//     and, unless [Options.Order] says otherwise, by each shard in the order of
//     logical time. No two transactions of an account have the same.
//   - Balances, messages under way and fees add up to the supply:
//     [Chain.Balances], [Chain.InFlight], [Chain.Fees], [Chain.Supply]. Unlike
//     mainnet, blocks create no coins and burn none. Every block's value flow
//     is checked.
//   - Block time never goes back, whatever the clock does.
//   - A stored chain ends at a whole round, wherever its process was killed.
//   - The same options and messages at the same times make the same chain, to
//     the last hash, whenever its blocks are made. The validator's key is
//     therefore no secret.
//
// # Bounds
//
// In memory: a record of some 130 bytes for every block; of a stored chain what
// [Options.CacheBytes] says, of another all accounts, all blocks and at least
// the last [StatesKept] states. Bounded are the pool ([MaxPool]), the blocks of
// one cascade ([MaxCascadeBlocks]) and the transactions of a block. Rounds of a
// chain in memory that nobody looked at yet take some 10 KB each, and the first
// look makes blocks of all of them: who seals by the hundred thousand should call
// [Chain.Head] now and then. [Chain.Run] does. Messages in the pool, edits that
// wait and snapshots are not stored: a restart loses them. There are no
// elections, no tick-tock, and shards neither split nor merge.
//
// Start reading at chain.go, then seal.go and collation.go.
package sandbox
