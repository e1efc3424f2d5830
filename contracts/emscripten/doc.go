// Package emscripten runs C++ programs that emscripten built for JavaScript, in this process and without
// Node: the wasm inside an npm package runs in wazero. The official Tolk compiler is one (contracts/tolk),
// the node's emulator, as npm's @ton/sandbox has it, another (tests of sandbox/reference).
//
//  1. [Package.Load] takes a package from a folder, or has npm bring it there, and checks it against the
//     pinned hash (package.go). Nothing of these packages is in this repository: their licence is not ours.
//  2. [Unpack], [ParseWasm] and [ParseNames] read the wasm and its minified names out of the package's
//     JavaScript (names.go).
//  3. [Open] makes native code of the wasm (program.go).
//  4. [Program.New] makes a [Machine], with the few functions that programs import (host.go), their C++
//     exceptions (call.go, exception.go) and a small generated module for what Go cannot do with a wasm
//     table (trampoline.go). [Machine.Call] calls a function by its name in the JavaScript.
//
// Invariants:
//
//   - Nothing runs that does not have the pinned hash.
//   - A program sees what it is given, no clock, no chance, no file and no environment: what comes out
//     follows from what went in. The bytes are those that it gives under Node.
//   - A crash of a program is an error, costs its own machine only, and no result comes of a call that
//     overran its stack. Memory is bounded.
//   - A context ends a call at the next C++ call. (wazero could also end a loop that calls nothing, but
//     with that the same work takes ten times as long.)
//
// Start reading at program.go, then machine.go.
package emscripten
