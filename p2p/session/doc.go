// Package session is Tussah's session protocol: what a payer and a payee say to
// each other over libp2p streams. Payers are clients towards a proxy and proxies
// towards a worker; both hops speak the same protocol.
//
// # Flow
//
//  1. Roles dial upwards: client to proxy, worker to proxy. The connection is
//     attested by p2p/ratls before a stream exists; [Options.Admit] judges the
//     peer again on every stream, before one byte of it is written or read.
//  2. [ControlProtocol]: one question, one answer, one stream. [Hello] introduces
//     both ends, Announce shows a channel, CloseChannel asks for consent to close
//     it. A worker repeats its Hello every few seconds; that refreshes its offers.
//  3. [RequestProtocol]: one stream is one paid request. The payer sends a
//     [Header], then the body in opaque parts, none tiny but the last, and a voucher whenever it
//     authorises more. The payee answers Accepted, [Head], [Part]… and ends with
//     exactly one terminal event, [Done] or [Failed]. [NeedVoucher] may come at
//     any time before that.
//
// # Wire
//
// A frame is a minimal uvarint length, a [Kind] byte and one CBOR map. The length
// counts kind and CBOR. CBOR is RFC 8949 core deterministic with integer keys; a
// message is accepted only when encoding it again gives the same bytes, so every
// value has one accepted encoding, and an unknown, missing or doubled field is a
// violation. limits.go bounds each kind before anything is allocated.
//
// # Invariants
//
//   - Header and body are separate: whoever relays needs the header and never the
//     body. Bodies and parts are opaque bytes here and appear in no log and no error.
//   - Both ends run the same state check (order.go) over what the payee says, so
//     neither sends nor believes an event out of order or after the terminal one.
//   - A payee never blocks on a body it does not read yet, so vouchers and Cancel are
//     seen at once. The body is kept in one buffer no larger than the header said,
//     which the stream's resource scope granted before the first part was read.
//   - A slow reader stalls the writer, up to a write timeout; then the stream breaks
//     and both ends get [ErrBroken]. Nothing is queued without a bound.
//   - A peer that breaks the protocol is disconnected, with the reason as the
//     connection's error code. A busy peer is answered [ErrOverloaded] instead.
//
// Start reading at [Client.Request] and [Handler].
package session
