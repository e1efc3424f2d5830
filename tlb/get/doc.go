// Package get runs the get methods of contracts locally, in the Go TVM. A node uses it on account
// states that it has proven, so that no liteserver's word is taken for a method's result; the sandbox
// uses it to answer clients.
//
//  1. [Run] looks up the method's id, builds the context register c7 from [State] and runs the code
//     with at most [GasLimit] gas.
//  2. [Result] holds the exit code, the gas used and the stack that the method left. The accessors
//     ([Stack.Int], [Stack.Cell], …) check index, type and range, and refuse with [ErrExit] after a
//     method that failed, so that a forgotten look at Exit does no harm.
//
// Invariants:
//
//   - A result depends on the arguments alone: the random seed is zero and the time is State.Now.
//   - Whatever the code is, Run ends within the gas limit, and a panic inside the VM is an error
//     ([ErrVM]).
//   - Code and data are run as given. Pass cells from outside through [tlb.CheckCell] first.
//
// Start reading at run.go.
package get
