package openai

import (
	"context"

	"github.com/tussah-network/tussah/tlb"
)

// Backend serves requests. The client node implements it over its session with a proxy.
type Backend interface {
	// Models lists what can be asked for now.
	Models(ctx context.Context) ([]Model, error)
	// Complete starts a request. It returns when the answer begins, or fails with one of the errors of errors.go.
	Complete(ctx context.Context, q Request) (Answer, error)
}

// Model is one model on offer.
type Model struct {
	ID      string
	Context uint64    // context window in tokens, 0 if unknown
	Price   tlb.Price // best price on offer
	Workers int       // how many workers serve it
}

// Request is one completion request.
type Request struct {
	Path   string // engine.PathChat or engine.PathCompletions
	Body   []byte // as the client wrote it
	Model  string
	Stream bool
	// MaxTokens caps the completion tokens of each choice: the client's own cap, or Options.MaxTokens. A body without
	// a cap is left as it is; the worker writes the cap into it.
	MaxTokens uint64
	// Choices is how many completions the request asks for; it costs at most Choices × MaxTokens completion tokens.
	Choices uint64
	// PromptBound is an upper bound of the prompt's tokens.
	PromptBound uint64
}

// Answer is the answer to one request. The handler reads it from one goroutine and closes it in every case.
type Answer interface {
	Head() Head
	// Next returns the next bytes. It ends with io.EOF when the answer is complete, else with what went wrong.
	Next() ([]byte, error)
	// Final returns what the request cost. It is asked once, after Next has ended, also if it ended early: what was
	// delivered may have been paid.
	Final() (Final, error)
	// Close gives the answer up, if it is still under way.
	Close() error
}

// Head is the start of an answer.
type Head struct {
	// Status is 200, or the status of the engine's refusal, whose text follows as the answer's only part.
	Status int
	// Stream tells that the parts are server-sent events, not JSON.
	Stream bool
}

// Final is the account of one request.
type Final struct {
	Usage       tlb.Usage
	Cost        tlb.Nano
	Receipt     [32]byte // hash of the receipt
	WorkerImage [32]byte // measured image that served the request
}
