// Package channel is how money moves while a request runs: the two ends of a
// payment channel, their journals, and nothing else. A channel is a contract on
// chain that holds a payer's deposit for one payee; between opening and closing
// the payer only signs vouchers, each for all that was ever authorised.
//
// Three numbers are never mixed: authorised (signed by the payer), spent (owed
// for delivered work), settled (paid on chain).
//
// # Flow of one request
//
//  1. [Payer.Begin] allots what the request needs to begin, and returns a voucher.
//  2. [Payee.Accept] checks the voucher and writes it; [Payee.Begin] reserves.
//  3. Before each part is delivered, [Payee.Charge] counts it. If that would pass
//     what is authorised, [Payee.WaitAuthorised] waits for the next voucher.
//  4. The payee states what the request cost so far; [Payer.Extend] answers with
//     the next voucher, one window ahead, never past the request's limit.
//  5. [Payee.Finish] fixes the cost; the receipt goes to [Payer.Finish], and its
//     hash into the payer's next voucher. Without one: [Payer.Abandon].
//  6. After a reconnect, [Payer.Ask] and [Payer.Reconcile] compare both ends' records.
//
// # Invariants
//
//   - Persist, then send: a voucher, a receipt, a status, a consent to close are on disk
//     before anybody sees them. Authorised and spent never go back, whatever crashes.
//   - settled ≤ authorised ≤ deposit, and at the payee spent + reserved ≤ authorised.
//   - A voucher counts as long as its key's epoch: when the payer changes its key
//     the payee delivers nothing more until the new key signed for all so far.
//   - The payer risks at most the start and one window per running request, the payee nothing
//     but what was charged within the last second before a crash.
//   - What a running request was allotted or charged counts as spent after a crash,
//     until the other end's records say otherwise.
//   - A failed write stops the channel; memory is never ahead of what is used.
//
// # Reading
//
// channel.md draws the phases. [PayerState] and [PayeeState] are pure machines:
// Step takes a state, an event and the time, and returns the next state and the
// effects, in the order in which they must happen. [Payer] and [Payee] run them
// over a [Store] for many requests at once; sequencer.go is where concurrent
// requests share a write. Begin with payer_state.go.
package channel
