package control

import "time"

// What a caller may ask for. The server is a tool for one developer, so these
// keep mistakes small rather than strangers out.
const (
	// MaxBody bounds a request: the code of the largest account as base64, twice.
	MaxBody = 16 << 20
	// MaxBatch is how many calls a request may have.
	MaxBatch = 100
	// maxDepth of a request's JSON. The deepest that is valid is a batch of
	// calls with a list of arguments.
	maxDepth = 8
	// MaxWait is how long a call waits for what its message sets off, when
	// blocks are not made at once.
	MaxWait = time.Minute
	// MaxSnapshots the server keeps. One costs what the world changes after it.
	MaxSnapshots = 64
	// MaxMine is how many blocks one call makes.
	MaxMine = 10_000
	// MaxTransactions is how many one call lists.
	MaxTransactions = 100
	// MaxDump is the largest world that is answered in JSON. GET /dump streams
	// one of any size.
	MaxDump = 32 << 20
	// A trace is answered as far as its first maxTrace transactions, and as
	// deep as maxTraceDepth; what is below is counted.
	maxTrace      = 1000
	maxTraceDepth = 200
	// A stack is answered as far as its first maxStack values: a tuple may hold
	// another many times over.
	maxStack      = 10_000
	maxStackDepth = 32
	// maxArguments of a get method, more than any has.
	maxArguments = 256
)
