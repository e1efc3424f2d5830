// Package engine is the worker's bridge to an inference engine that speaks OpenAI's HTTP API (vLLM, SGLang, llama.cpp,
// Ollama and their kin), and the built-in demo engine.
//
// The flow of one request:
//
//  1. [ReadFields] reads the few fields the network must understand (model, stream, token caps, choices), strictly: a
//     field that two parsers could read differently is refused. [PromptBound] bounds the prompt before any engine sees it.
//  2. [SetMaxTokens] writes the authorised cap into a body that has none.
//  3. [Engine.Do] asks the engine. If the client streams without stream_options.include_usage, the bridge asks for the
//     usage itself and later hides the one extra event that brings it.
//  4. [Response.Next] yields the engine's bytes as they come, whole server-sent events, never re-encoded. Beside each
//     part stands the running [tlb.Usage].
//  5. Next ends with exactly one error, io.EOF when all is well, and [Response.Final] says what was used.
//
// Invariants:
//
//   - What the client gets is, byte for byte, what the engine sent, minus the hidden usage event. (An engine that is asked
//     for usage may add "usage":null to its other events. Those bytes pass as they are.)
//   - Running usage paces vouchers; a charge is computed from Final. Until the engine states its usage, completion counts
//     one token for each piece of text (pieces may hold several) and prompt is [PromptEstimate].
//   - Numbers that cannot be true (cached > prompt, reasoning > completion, negative, above 2^40) are [ErrGarbage].
//   - Every read is bounded (limits.go) and timed ([Options]); cancelling the context closes the engine's connection.
//   - No prompt and no answer is ever in an error's text, except in [StatusError.Message], which is for the client alone.
//
// Start reading at [Engine.Do] and [Response.Next]; sse.go, meter.go and fields.go are the parts they stand on. [Demo] is
// independent of all that: it is the other side of the wire.
package engine
