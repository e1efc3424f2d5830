// Package openai is the HTTP surface that application developers see: OpenAI's API, served by whatever [Backend] the client
// node puts behind it.
//
// The flow of one completion:
//
//  1. [Handler] checks who asks (auth.go), then bounds and reads the body; the fields that matter are read strictly by
//     node/engine. All that can be refused without spending money is refused here.
//  2. [Backend.Complete] starts the paid request and returns an [Answer].
//  3. The parts of a stream are written and flushed as they come, byte for byte. A whole answer is collected first, so that
//     its cost fits in the header.
//  4. [Answer.Final] says what it cost: headers Tussah-Cost, Tussah-Receipt and Tussah-Worker-Image, which are trailers
//     of a stream.
//
// Invariants:
//
//   - Every error has OpenAI's schema and its true status code. One that comes after a stream began is a last event
//     {"error": …}, after which the stream ends without [DONE].
//   - Bad input never makes a 5xx, and never reaches the backend.
//   - A request has a deadline. When its client goes away, the backend's context is cancelled at once.
//   - Prompts, answers and the engine's error texts are never logged.
//   - No key configured means loopback only: the configuration refuses other addresses, and requests that come through a
//     browser from some other page are refused too, since they would spend the owner's money.
//
// Start reading at [Backend], then Handler.complete.
package openai
