package ratls

import (
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

const (
	// certificateLife is the longest a certificate may be valid. A quote has no
	// age of its own: this is what bounds it.
	certificateLife = 24 * time.Hour
	// backdate tolerates peers whose clock is behind.
	backdate = time.Hour
	// renewAfter leaves half a life for repeated attempts when quoting fails.
	renewAfter = certificateLife / 2
	// renewRetry spaces those attempts: they hold up handshakes.
	renewRetry = time.Minute

	// quoteTimeout bounds how long our own evidence may take.
	quoteTimeout = 5 * time.Second
	// handshakeTimeout covers the toll, TLS and both gates.
	handshakeTimeout = 10 * time.Second
	// tollTimeout is for the toll alone: who says nothing holds no place.
	tollTimeout = 3 * time.Second
	// maxInbound bounds the handshakes that strangers can make us work on; the
	// next one is refused at once, since queueing it would only waste its time.
	maxInbound = 64

	// defaultEvery is how old an appraisal gets before gate B is repeated,
	// keepTick how often connections are looked at, and keepLeast how often a peer
	// may have us make evidence.
	defaultEvery = time.Hour
	keepTick     = time.Second
	keepLeast    = 5 * time.Second

	// keepTurn is how many ticks the end that was dialled leaves the other to ask
	// first, keepPatience how long a peer that does not answer is kept, and
	// maxKeeping how many exchanges are repeated at once.
	keepTurn     = 3
	keepPatience = time.Minute
	maxKeeping   = 16

	// Frames of gate B: the texts, the accelerators' evidence and all there is.
	maxGateText  = 128
	maxGPU       = 256 << 10
	maxChallenge = 1 << 10
	maxProof     = maxGPU + attest.MaxReport + attest.MaxEvents*(attest.MaxEventPayload+maxGateText) + 1<<10

	// maxCertificate is room for the largest quote and everything around it.
	maxCertificate = 20 << 10
)
