// Package node is one participant of the network: it composes configuration,
// storage, chain access, channels and peers into the role that its configuration
// names.
//
// [Node.Run] starts the parts in one visible order and stops them in reverse:
//
//  1. keys and database (keys.go, store.go)
//  2. the chain through guarded liteservers, and the registry index on it
//  3. the wallet and its sending queue
//  4. the libp2p host with this node's evidence (policy.go says whose is believed)
//  5. both ends of its channels: payers.go where it pays, payees.go where it earns
//  6. its role: client.go, proxy.go or worker.go
//  7. the listeners: the API of a client, and the admin listener of every role
//
// One paid request is pay.go at the paying end and bill.go at the earning end; a
// proxy runs both, with the answer's parts passing through unread.
//
// Invariants: what is authorised or spent is on disk before it leaves; nothing is
// spent on a stale view of the chain; no prompt and no answer is ever logged,
// stored, or put into an error.
package node
