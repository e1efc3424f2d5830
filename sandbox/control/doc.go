// Package control changes a sandbox network from outside: coins, code and data
// of accounts, the clock, blocks, messages that wait, snapshots and the
// configuration. It has the same verbs for three kinds of callers:
//
//   - Go calls the chain itself, through [Network]'s methods.
//   - Any program speaks JSON-RPC 2.0 with a [Server], over HTTP:
//     curl -d '{"jsonrpc":"2.0","id":1,"method":"faucet","params":{"address":"EQ…","amount":"5 TON"}}' 127.0.0.1:17002
//   - People type `tussah sandbox faucet EQ… "5 TON"`, which is a [Client].
//
// There is one table of verbs, [Verbs]. The server dispatches from it, the
// client decodes by it, and the commands with their help are made from it, so
// that the three cannot drift apart.
//
// One call goes this way:
//
//  1. [Server].ServeHTTP (server.go) refuses foreign web pages (guard.go) and
//     what is too large (limits.go).
//  2. rpc.go takes the JSON-RPC envelope apart, or the batch.
//  3. The verb's parameters are decoded into its struct (params.go): unknown,
//     repeated and missing ones are errors.
//  4. The verb calls the network (verbs_*.go); its result is a struct that has
//     both a JSON form and, as its String, one for people.
//  5. An error gets the name that errors.go has for it; the client turns the
//     name back into the same error, so that errors.Is works across the wire.
//
// # Values
//
// What a call answers can be given to the next one (values.go):
//
//	address   "EQ…", "UQ…", "0:…"; answered as {"friendly": …, "raw": …}
//	amount    "1.5 TON" (the unit may be left out), "1500000000 nano"; answered as {"nano": …, "text": …}
//	cell      a BoC in base64 or hex; answered in base64
//	hash      hex or base64; answered in hex
//	time      RFC 3339 or Unix seconds; answered in RFC 3339
//	duration  "1h30m"
//
// # What always holds
//
//   - Nothing that is sent makes the server panic, or allocate more than
//     limits.go says.
//   - The server moves coins for whoever reaches it. It answers to requests
//     that name it by an IP address or a local name, and to no foreign web page.
//
// Start reading at verb.go, then verbs_account.go and server.go.
package control
