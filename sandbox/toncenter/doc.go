// Package toncenter serves a sandbox chain over HTTP the way toncenter.com
// serves TON: its API version 2, so that programs written for it, such as
// @ton/ton's TonClient and Blueprint, need nothing but another URL:
//
//	api := toncenter.New(chain, toncenter.Options{})
//	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second}
//
//	npx blueprint run --custom http://127.0.0.1:8081/api/v2/jsonRPC --custom-version v2
//
// # From request to answer
//
//  1. [Handler.ServeHTTP] (handler.go) finds the method: /api/v2/NAME by GET
//     with a query or by POST with a JSON object, or JSON-RPC at
//     /api/v2/jsonRPC. Methods are listed in one table, method.go.
//  2. The parameters become a [params] (params.go), which knows the many forms
//     a number, an address or a hash may have, and remembers the first fault.
//  3. The method reads the chain, mostly at a [moment] (moment.go): one master
//     block with the shards it refers to, so that an answer never mixes two
//     states.
//  4. The result is written as toncenter does (values.go and the method's own
//     file), or the error with its code and wording (errors.go).
//
// # What always holds
//
//   - Fields, types and spelling are those of toncenter's current server: its
//     OpenAPI description for version 2, and tonlib below it. 64-bit numbers
//     are strings, hashes and cells base64, "@type" names the structure.
//   - A request that fails leaves an error with a code, also as HTTP status;
//     even a panic does. Nothing of the chain changes but by sendBoc and
//     sendQuery.
//   - Everything a client sends is bounded before it costs anything: limits.go.
//
// # What differs from toncenter
//
//   - Nothing is cached, rate limited or missing for want of an archive.
//   - An external message is tried before it is taken, and in a chain that
//     seals instantly its whole cascade has happened when sendBoc answers.
//   - estimateFee executes the message, instead of adding up what its parts
//     would cost.
//
// Browsers may call from any origin, which is right for a chain that only
// holds play money, on a loopback address.
//
// Start reading at handler.go, then moment.go.
package toncenter
