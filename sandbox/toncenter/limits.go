package toncenter

import "time"

// Limits on what a client may ask for.
const (
	// maxBody bounds the body of a request, as toncenter does.
	maxBody = 1 << 20

	// maxURL bounds path and query, as toncenter does; the length of headers
	// is the http.Server's to bound, and a MiB by default.
	maxURL = 8 << 10

	// requestTimeout is how long a client may take to send a request, and how
	// long a request may wait for its turn.
	requestTimeout = 30 * time.Second

	// maxInFlight is how many requests are worked on at once. A get method
	// takes at most some milliseconds of gas, so the others soon have a turn.
	maxInFlight = 64

	// maxMessage is TON's limit for an external message (config parameter 43),
	// and maxCells bounds any tree of cells a client sends.
	maxMessage = 64 << 10
	maxCells   = 8192

	// maxTransactions and maxBlockTransactions bound a list of transactions,
	// as toncenter does.
	maxTransactions      = 1000
	maxBlockTransactions = 10_000

	// maxStack bounds the values of a get method's stack, in and out, and
	// maxStackDepth how deep they may nest. The first is tonlib's, the second
	// toncenter's.
	maxStack      = 8000
	maxStackDepth = 100

	// maxCellObjects bounds the cells that one answer writes out as JSON
	// objects. Cells that share their references can stand for a tree that
	// would never end; beyond the limit, a cell is given as bytes only.
	maxCellObjects = 4096

	// maxLocateBlocks is how many blocks are searched for the transaction that
	// received a message, and maxProofLinks how many blocks a proof may lead
	// through.
	maxLocateBlocks = 512
	maxProofLinks   = 256

	// maxLibraries is how many libraries one request may ask for.
	maxLibraries = 256

	// maxTokenText bounds a text put together from the cells of a token's
	// content, or of a comment.
	maxTokenText = 64 << 10
)
