// Package reference holds transactions against executors that are not ours.
// The sandbox runs messages on the pure-Go virtual machine of tonutils-go;
// whether that comes to what the chain would come to is decided here.
//
//  1. An [Execution] is everything a transaction follows from, an [Outcome]
//     what it led to, and an [Executor] whoever gets from one to the other. The
//     first two have the fields of their namesakes in package sandbox, which
//     this package must not import: built with the tag "reference", the
//     sandbox itself has every transaction checked here.
//  2. [Compare] holds two outcomes against each other. Its error names the
//     fields that differ (difference.go) and, as a [Mismatch], carries the
//     [Fixture] to repeat it.
//  3. A Fixture (fixture.go) is one execution as a JSON file, with what the
//     chain made of it. [Replay] runs it; "tussah sandbox replay" is its
//     command.
//  4. With the build tag "reference", and cgo, there is [Open]: the C++
//     emulator of the TON node, from the library inside the module
//     github.com/tonkeeper/tongo (emulator.go). [Check] is all of this in one
//     call (check.go); [RunMethod] is its get methods.
//
// The tests hold three executors against each other, in the replay of a block
// of mainnet and in random programs (random_test.go): ours, the C++ one, and
// the wasm of the npm package @ton/sandbox in wazero. Ours is known to differ
// from the node in the cases of testdata/known.txt; those that random programs
// still run into are in known_test.go, each with its reason.
//
// Invariants:
//
//   - Executors get and give serialised cells; no TL-B code of a library, ours
//     or theirs, stands between a message and the executor.
//   - Every difference is an error. Nothing is tolerated in product code.
//
// Start reading at execution.go, then compare.go.
package reference
