// Package ratls secures libp2p connections by TLS 1.3 with attestation at both
// ends, in two gates.
//
// Gate A is in the handshake: evidence in a certificate, bound to its holder's
// libp2p key and TLS key ([ReportData]). It is cheap, and shows that some machine
// once held these keys. Gate B follows inside the connection, before any byte of
// a protocol: fresh evidence, bound to this connection, to both ends' keys and to
// what its holder claims to be ([Preimage]). It shows that the machine is at the
// other end, now, and was meant.
//
// The flow of a connection:
//
//  1. the dialer pays a toll, which is nothing unless handshakes come fast (toll.go)
//  2. each end has a self-signed certificate of at most 24 h with libp2p's key
//     extension and, given a Provider, evidence in a second extension; it is
//     re-issued at half its life
//  3. the dialer checks the acceptor inside the handshake and breaks it off at
//     the first fault, before it has shown a certificate of its own
//  4. the acceptor checks the dialer after the handshake and answers with two
//     bytes: accepted, or why not; the dialer waits for them, so that a refusal is
//     the error of the dial and not of the first use
//  5. gate B: both ends exchange challenges, proofs and verdicts (gate.go)
//  6. the muxer keeps the peer's appraisal: [FromConn] gives it to stream handlers
//  7. a [Keeper] repeats gate B when an appraisal gets old or the policy changed,
//     and drops who does not pass
//
// Invariants:
//
//   - evidence that is present must pass; absent evidence passes only in a
//     direction for which Options say so; zero Options accept nobody;
//   - evidence at gate B is of the machine that passed gate A;
//   - no resumption: no tickets, no session cache, every connection is checked;
//   - a panic in a check is a refusal;
//   - a handshake ends within 10 s, at most 64 inbound ones run at a time, and
//     nothing is fetched in between.
//
// Peers of the Cocoon network know gate A only. [Options.Compatible] lets them
// in, under another protocol id and with less to show for it.
//
// The host must not offer another security protocol, nor QUIC, WebTransport or
// WebRTC, which bring their own: [Option] sets security and muxer, the host's
// transports must be TCP. On any other connection [FromConn] reports false.
//
// Start reading at [Option], then transport.go, check.go and gate.go.
package ratls
