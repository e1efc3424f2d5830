package ratls

import "time"

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
	// handshakeTimeout covers TLS, both checks and the verdict.
	handshakeTimeout = 10 * time.Second
	// maxInbound bounds the handshakes that strangers can make us work on; the
	// next one is refused at once, since queueing it would only waste its time.
	maxInbound = 64

	// maxCertificate is room for the largest quote and everything around it.
	maxCertificate = 20 << 10
)
