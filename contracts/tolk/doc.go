// Package tolk compiles Tolk with the official compiler, in this process: the wasm of the npm package
// @ton/tolk-js runs in wazero. Compiling needs no Node; npm fetches the package, once.
//
// How it goes:
//
//  1. [Open] takes the package from the cache folder, or has npm bring it there, and checks it against
//     the pinned hash (package.go). Nothing of it is in this repository: its licence is not ours.
//  2. It reads the wasm and the standard library out of the package's JavaScript, and makes native code,
//     which is kept beside the package. That, and running it, is contracts/emscripten.
//  3. [Compiler.Compile] makes a fresh machine: after a failed assertion the C++ side is of no use.
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
