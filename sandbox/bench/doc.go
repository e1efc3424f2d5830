// Package bench measures the sandbox against its peers, in one run and on one
// core: the same counter contract and the same messages through a chain of
// ours, through the emulator of tonutils-go alone (raw.go), and through
// @ton/sandbox from npm in Node (peer.go, peer.mjs). [RunNetwork] measures a
// network over its sockets. `tussah bench` prints what they return.
//
// Start reading at [Run].
package bench
