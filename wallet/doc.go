// Package wallet keeps keys, and sends coins and messages from TON wallets so
// that a crash at any moment neither loses a message nor sends it twice.
// Payment channels are in wallet/channel.
//
// # From intent to transaction
//
//  1. [Queue.Enqueue] checks that the wallet can pay, and writes the messages
//     down under the caller's id. The same id again changes nothing.
//  2. [Queue.Run] puts waiting messages into one batch and signs an external
//     message that the wallet can execute once: a V5R1 wallet by its sequence
//     number, a Highload V3 wallet by a query id. The signed bytes are written
//     down before they are sent.
//  3. The same bytes are sent again and again until a transaction of the wallet
//     shows their body, or until they can never be executed any more: the
//     sequence number passed, or the chain's time passed their expiry. Only then
//     is the batch signed anew.
//  4. The transaction tells which messages really left; [Queue.Wait] returns it.
//
// # Invariants
//
//   - One signed message is under way per wallet. Nothing else may send from it:
//     one Queue, in one process.
//   - Whether a message left is decided by the wallet's transactions, read back
//     to where they were when it was signed, never by an answer to Send.
//   - Secrets do not show: a [Key] prints as "redacted", in logs and in JSON too.
//     Key files are readable by their owner alone, and encrypted if a passphrase is given.
//
// # Reading
//
// key.go and key_file.go; wallet.go for the two kinds of wallet; queue.go, then
// queue_step.go, which is the heart.
package wallet
