// Package tolk compiles Tolk with the official compiler, in this process: the wasm of the npm package
// @ton/tolk-js runs in wazero. Compiling needs no Node; npm fetches the package, once.
//
// How it goes:
//
//  1. [Open] takes the package from the cache folder, or has npm bring it there, and checks it against
//     the pinned hash (fetch.go). Nothing of it is in this repository: its licence is not ours.
//  2. It reads the wasm, the standard library and the wasm's minified names out of the package's
//     JavaScript (package.go), and has wazero make native code, which is kept beside the package.
//  3. [Compiler.Compile] makes a fresh instance, a machine (machine.go), with the few functions that the
//     compiler imports (host.go), its C++ exceptions (call.go, exception.go) and a small generated module
//     for what Go cannot do with a wasm table (trampoline.go).
//  4. The compiler asks for sources by a callback (source.go) and replies in JSON (compile.go).
//  5. [Build] does that for this repository's contracts and compares with the committed code (build.go).
//
// Invariants:
//
//   - Nothing runs that does not have the pinned hash.
//   - The compiler sees the files of the given fs.FS and the standard library, no clock, no chance and
//     no environment: a compile is a function of its sources. The bytes are those that tolk-js gives.
//   - A crash of the compiler is an error ([ErrCrash]), costs its own instance only, and no code comes of
//     a compile that overran its stack. Memory is bounded.
//   - A context ends a compile at the next C++ call. (wazero could also end a loop that calls nothing,
//     but with that the same compile takes ten times as long.)
//
// Start reading at [Compiler.Compile].
package tolk
