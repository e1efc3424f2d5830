// Package localnet is a whole sandbox network for development, in one process:
// a chain behind a liteserver, a toncenter-compatible HTTP API and the control
// of package control. `tussah sandbox start` is this package.
//
//  1. [Open] opens the chain, gives coins to whom the options name, and binds
//     the three listeners. From then on [Network].Info says how to connect.
//  2. [Network.Run] serves and makes blocks until its context ends, and then
//     takes everything down.
//
// With a folder the chain is stored, and opening the folder again continues
// it. The folder also gets [InfoFile], by which the command line finds the
// network while it runs, and [GlobalConfigFile] for any TON client. Without a
// folder nothing is written anywhere.
package localnet
