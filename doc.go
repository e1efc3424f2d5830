// Package tussah is the root of an open network for confidential AI inference
// settled on TON. It holds no code, only this map and the test that enforces it.
//
// # The map
//
// Imports go down only; layers_test.go fails on any other edge.
//
//	cmd/tussah   main is one call; one file per subcommand: parse, call one package, print
//	node         composes: configuration, storage, chain access, roles, HTTP APIs, metrics
//	registry     root registry: an index in Pebble, and the policy view made from it
//	wallet       keys, TON wallets, the sending queue; wallet/channel: payment channels and their journal
//	p2p          libp2p host, discovery; p2p/session the protocol, p2p/ratls attested TLS, p2p/attest evidence and appraisal
//	contracts    Tolk sources, compiled code, typed wrappers; contracts/tolk drives the compiler
//	sandbox      a TON network in one process; sandbox/liteserver serves it over ADNL
//	tlb          ground floor: the TL-B types of this system, money, guards for untrusted cells
//
// # The words
//
// One word per idea, in code, docs, flags and log keys.
//
//   - client, proxy, worker: the three roles. A client pays a proxy, a proxy pays a worker.
//   - payer, payee: the two ends of a channel.
//   - channel: a contract that holds one payer's deposit for one payee.
//   - voucher: a payer-signed, cumulative authorisation to pay.
//   - authorised, spent, settled: signed by the payer; owed for delivered work; paid on chain.
//   - receipt: the payee-signed account of one request, with the worker's signed statement of work in it.
//   - offer: a price statement. A quote is only ever a TEE quote.
//   - evidence, appraisal, policy: what a peer shows, what we conclude, what we accept.
//   - image: a measured virtual machine, named by the digest of its measurements.
//   - registry: the root contract that lists images, models and proxies.
//   - Nano is nanoTON; a token is a model token; lt is logical time.
//
// # Where to start
//
// Read node.Run for how the parts meet, p2p/session for what peers say to each
// other, and wallet/channel for how money moves.
package tussah
