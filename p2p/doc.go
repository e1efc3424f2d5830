// Package p2p is a node's place in the peer-to-peer network: its identity, its
// libp2p host, and where it finds other peers.
//
// # Flow
//
//  1. [LoadIdentity] (or [NewIdentity] and [Identity.Save]) gives the node its key;
//     the peer id is derived from it.
//  2. [Open] makes the [Host]: TCP, attested TLS (p2p/ratls), yamux, nothing else,
//     with the limits of limits.go and a gater over what it dials.
//  3. Discovery fills a [Book]: entries of the registry with [Book.Replace], peers
//     of the local network with [RunMDNS]. Further sources add to the same book.
//  4. [Host.Dial] connects to a [Candidate] of the book. p2p/session speaks on the
//     connection; a *Host is the host.Host it wants.
//
// # Invariants
//
//   - What discovery finds is a hint. Who a peer is comes from the handshake, and
//     whether it may serve from its appraisal and the registry.
//   - No address that a remote party chose makes this node dial into loopback or a
//     private network, unless [Options.AllowPrivate] says so. The check sees
//     resolved addresses, so a name cannot get around it.
//   - Connections, streams and memory are bounded per peer, per address and in all.
//   - A connection that did not pass the attested handshake is closed before a
//     stream exists.
//
// Start reading at [Open].
package p2p
