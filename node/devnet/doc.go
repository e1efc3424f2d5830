// Package devnet is a whole network in one folder and one process: a sandbox TON
// chain with its liteserver, a registry, a simulated quoting enclave, and funded
// wallets with configuration files for the three roles. `tussah demo`, `tussah
// sandbox up`, the benchmarks and the end-to-end tests are all made of it.
//
// What it starts is the real thing: nodes are built by package node from
// configuration files as an operator would write them, and speak to the chain and
// to each other over loopback sockets. Only the evidence is simulated, under a
// certificate authority that production networks refuse.
//
// Start reading at [Open], then [Network.Role] and [Start].
package devnet
