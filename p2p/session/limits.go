package session

import "time"

// Everything a remote end can make us hold, wait for or repeat is bounded here.
// Sizes are checked against the frame's kind before memory is taken for it, and
// memory grows with the bytes that really arrive.
const (
	// maxControl bounds a control frame: a Hello with maxOffers offers of the
	// longest names is about 35 KiB.
	maxControl = 64 << 10

	// MaxPart bounds the bytes of one body or answer part. Engines emit a few
	// hundred bytes per token; 256 KiB keeps a whole non-streamed answer in few
	// parts, while 64 concurrent requests of one peer stay within 16 MiB.
	MaxPart = 256 << 10

	// minPart is how short a body part may be that is not the body's last. Senders
	// cut at MaxPart; a frame per byte would cost us a thousand times its content.
	minPart = 1 << 10

	// maxPartFrame adds to a part the CBOR around it: keys, usage, spent.
	maxPartFrame = MaxPart + 256

	// MaxBody bounds a request's whole body, and is the API's own limit.
	MaxBody = 8 << 20

	// maxSmall bounds every frame that carries numbers, a voucher or a receipt.
	maxSmall = 16 << 10

	// maxConfig bounds an announced channel configuration (about 200 bytes).
	maxConfig = 2 << 10
)

// Bounds of lists and texts. Texts must also be printable: they end in logs and
// on terminals.
const (
	maxOffers       = 64
	maxCapabilities = 16
	maxHeaders      = 8

	maxModel   = 256 // longest model names in use are about 100 bytes
	maxAddress = 80  // a TON address is 48 or 67 characters
	maxAgent   = 64
	maxName    = 32 // request kinds, capabilities, header names
	maxText    = 512
	maxType    = 128 // content type
)

// Times. A deadline on every wait keeps a silent or a trickling peer from holding
// a goroutine.
const (
	// callTimeout bounds a control call at both ends. It is longer than the
	// payee's slowest answer: reading a channel from the chain.
	callTimeout = 15 * time.Second

	// headerTimeout is how long a payee waits for the first frame of a stream.
	headerTimeout = 10 * time.Second

	// bodyTimeout is how long a payer may take to deliver a whole body; 8 MiB
	// then need 140 KiB/s.
	bodyTimeout = 60 * time.Second

	// frameTimeout is how long the rest of a frame may take once its first byte
	// came, so that one byte per second does not count as being alive.
	frameTimeout = 20 * time.Second

	// writeTimeout is how long a writer waits for a reader that does not read.
	writeTimeout = 30 * time.Second

	// cancelTimeout bounds a cancel: after it the stream is reset, which cancels
	// as well but loses the receipt.
	cancelTimeout = 2 * time.Second

	// deadlineGrace is how long after a request's deadline the payer still waits
	// for the terminal event, which carries the receipt.
	deadlineGrace = 10 * time.Second

	// MaxTimeout is the longest deadline a request can ask for.
	MaxTimeout = time.Hour
)

// Rates and counts per peer; see [Options] for those an operator may change.
const (
	// maxQueuedVouchers is how many vouchers of one request may wait for the
	// payee. A payer sends the next only after it was told how much was spent, so
	// a queue this long is a flood.
	maxQueuedVouchers = 64

	// controlBurst and controlPerSecond bound control calls: a worker's Hello
	// every few seconds, a client's one call per channel.
	controlBurst     = 64
	controlPerSecond = 16

	// controlConcurrent bounds the control calls of one peer in progress.
	controlConcurrent = 8

	// trackedPeers bounds the table of per-peer counters; idle entries go first.
	trackedPeers = 4096
)
