// Package ratls secures libp2p connections with TLS 1.3 certificates that carry
// attestation evidence.
//
// It is gate A of the network: before the first byte of a protocol, each end
// knows the other's peer id and, if the other showed evidence, the appraisal of
// it. Evidence is bound to the peer's libp2p key and to the TLS key of its
// certificate ([ReportData]), so a quote is of no use to anybody else.
//
// The flow of a connection:
//
//  1. each end has a self-signed certificate of at most 24 h with libp2p's key
//     extension and, given a Quoter, a quote in a second extension; it is
//     re-issued at half its life
//  2. the dialer checks the acceptor inside the handshake and breaks it off at
//     the first fault, before it has shown a certificate of its own
//  3. the acceptor checks the dialer after the handshake and answers with one
//     byte: accepted, or why not; the dialer waits for it, so that a refusal is
//     the error of the dial and not of the first use
//  4. the muxer keeps the peer's appraisal: [FromConn] gives it to stream handlers
//
// Invariants:
//
//   - evidence that is present must pass; absent evidence passes only in a
//     direction for which Options say so; zero Options accept nobody;
//   - no resumption: no tickets, no session cache, every connection is checked;
//   - a panic in a check is a refusal;
//   - a handshake ends within 10 s, at most 64 inbound ones run at a time, and
//     nothing is fetched in between.
//
// What gate A does not show: that the peer is the one that was meant (any
// allowed VM passes) or that its evidence is fresh. A challenge inside the
// connection, over [Peer.Export], is to close that.
//
// The host must not offer another security protocol, nor QUIC, WebTransport or
// WebRTC, which bring their own: [Option] sets security and muxer, the host's
// transports must be TCP. On any other connection [FromConn] reports false.
//
// Start reading at [Option], then transport.go, then check.go.
package ratls
