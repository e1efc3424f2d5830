// Package contracts holds Tussah's two contracts, their Tolk sources and compiled code, and for each a
// typed wrapper: its messages, its get methods and a parser of its storage. Layouts are in tlb.
//
// The channel (channel.tolk) is one payer's deposit for one payee, and holds its own coins:
//
//  1. The payer opens it ([OpenChannel]): deploy and first deposit in one message. Anyone may [TopUp].
//  2. Off chain the payer signs vouchers. Anyone may [Claim] one; it pays the payee's fixed address.
//  3. The payer may [Rotate] its session key. Vouchers of the old one live for one more close delay,
//     so a payee treats a rotation like a request to close: claim before it dies.
//  4. The payer ends it alone ([RequestClose], wait for the close delay, [Finish]) or at once with the
//     payee's consent ([CoopClose]). What is left goes to the payer and the account is deleted.
//
// Its promises: the payee never gets more than the payer signed (C1) or deposited (C2); coins leave
// only to payer, payout address, or as gas change to a caller (C3); the payer alone gets the remainder
// (C4); a voucher signed before a request to close is good for the whole window (C5); after every
// accepted message the coins cover deposit − settled + [ChannelReserve] (C6; storage is paid from
// the reserve in between, and whoever sends the next message makes up for it); replays change nothing
// (C7); a payee's stolen key redirects nothing (C8). All refusals come before the signature check but
// the signature's own; each has an [Exit] of its own.
//
// About C7: a closed channel leaves no trace on chain, so its address can be opened again. Only the payer
// can do that, with a new deposit, and epochs start at the time of opening, so old vouchers name dead
// epochs. A [tlb.CoopClose] names no epoch: a payee never serves an address again on which it consented
// to a close. Payers draw a random salt for every channel, so the question does not come up.
//
// The registry (registry.tolk) says what a network trusts. Its owner announces changes and executes
// them after a timelock; revoking takes effect at once; the owner itself is handed over in two steps
// behind the same timelock. Anyone registers a proxy by locking a stake, which pays for its entry's storage
// and is returned after unbonding. Genesis policy is part of the address ([DeployRegistry]).
//
// Neither contract sends a message that can bounce, and neither has an external entry point.
//
// Start reading at channel.tolk; then channel.go and channel_read.go.
package contracts
