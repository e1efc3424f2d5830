// Package sandbox is a TON network in one process: masterchain and basechain,
// real transactions, real fees, real blocks.
package sandbox
