package liteserver

import "time"

// Limits on what one peer may ask for. Every number here bounds something a
// client sends before anything is allocated for it.
const (
	// maxRequest bounds one incoming frame. The largest honest request is an
	// external message or a get-method stack, both at most 64 KiB on TON.
	maxRequest = 256 << 10

	// maxAnswer bounds one outgoing frame: clients of the ADNL transport refuse
	// frames of 16 MiB and more, so a bigger answer is turned into an error.
	maxAnswer = 16<<20 - 1<<10

	// maxMessage is TON's limit for an external message (config parameter 43).
	maxMessage = 64 << 10

	// maxMessageCells is the same parameter's limit of cells.
	maxMessageCells = 8192

	// maxStackCells bounds the arguments of a get method.
	maxStackCells = 4096

	// maxTransactions is the most transactions of one account per answer. The
	// reference liteserver has the same limit and clients page by it.
	maxTransactions = 16

	// maxBlockTransactions is the most transactions of one block per answer.
	maxBlockTransactions = 256

	// maxLibraries and maxParams bound the lists a client may ask for.
	maxLibraries = 16
	maxParams    = 256

	// maxStateCells is how many cells of a state are visited for getState, which
	// is for debugging: a state that is bigger is refused before it is written
	// down, for cells that may be on disk.
	maxStateCells = 1 << 17

	// maxDispatch is the most accounts or messages of a dispatch queue per answer,
	// maxDispatchBOC the most messages that come with their content.
	maxDispatch    = 64
	maxDispatchBOC = 16

	// maxProofLinks is the most links in one getBlockProof answer; a client
	// that wants more asks again from where the answer ended.
	maxProofLinks = 16

	// maxShardSearch is how many masterchain blocks after the one a shard block
	// refers to are searched for the one that includes it, and how many shard
	// blocks one proof may walk back.
	maxShardSearch = 64

	// maxWait is the longest a query waits for a masterchain block.
	maxWait = time.Minute

	// maxInFlight is how many queries of one connection may be unanswered. At
	// the limit its reader stops, and TCP holds the client back. One bigger than
	// largeQuery is answered before the next is read.
	maxInFlight = 32
	largeQuery  = 8 << 10

	// maxLargeAnswers is how many answers bigger than largeAnswer may wait to be
	// sent to one host, which may not be reading.
	maxLargeAnswers = 16
	largeAnswer     = 32 << 10

	// maxRate is how many messages a second of one host are taken for each
	// processor, rateBurst how far it may be ahead of that. It is more than an
	// honest client gets to that verifies what it reads, and bounds what passing
	// messages on costs the system, which the places of a host do not.
	maxRate   = 4000
	rateBurst = 10 * time.Millisecond

	// readBuffer and writeBatch are how many bytes of small messages cost one
	// call to the system.
	readBuffer = 4 << 10
	writeBatch = 64 << 10

	// handshakeTimeout is given to a new connection, writeTimeout to one
	// answer. Clients ping every few seconds, so a connection that is silent
	// for idleTimeout is dead.
	handshakeTimeout = 5 * time.Second
	writeTimeout     = 10 * time.Second
	idleTimeout      = 2 * time.Minute
)
