// Package probe builds virtual machines that show the instructions they run:
// for profiles of gas, for coverage, and for refusing instructions that
// execution on this network cannot honour. The machine of tonutils-go has no
// such hook, but it has the list of its instructions, and a machine keeps the
// list it was made from:
//
//  1. [Wrap] takes the list, and puts a wrapper around each instruction that
//     was picked. A wrapper has the prefixes, the price and the minimum
//     version of what it wraps, and calls back before it runs it.
//  2. It makes a machine from that list, and puts the list back.
//
// What always holds:
//
//   - A machine from here comes to the same result as a plain one, to the last
//     unit of gas, as long as no callback returns an error or touches the
//     state.
//   - An error from a callback ends the whole execution, children of RUNVM and
//     handlers of TRY included, and comes out of it as a Go error that
//     [errors.Is] finds. A contract never sees it as an exit code.
//
// Making a machine takes some 100 ms and 16 MB, so make one per process. The
// list is a global variable of tonutils-go: while [Wrap] or [Machine] runs,
// nothing else may call tvm.NewTVM. Callbacks are called from whatever
// goroutine executes.
//
// Start reading at wrap.go.
package probe
