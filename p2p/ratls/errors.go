package ratls

import "errors"

// Refusals of a peer. A peer with another id than dialled is refused with
// libp2p's sec.ErrPeerIDMismatch, one with unacceptable evidence with the
// sentinels of package attest.
var (
	ErrCertificate = errors.New("ratls: peer's certificate is not a single self-signed Ed25519 certificate of at most 24 hours, valid now")
	ErrIdentity    = errors.New("ratls: peer's certificate does not prove its libp2p key")
	ErrNoEvidence  = errors.New("ratls: peer shows no evidence")
	ErrNoAppraiser = errors.New("ratls: peer shows evidence and nothing here can appraise it")
	ErrEvidence    = errors.New("ratls: peer's evidence is not acceptable")
	ErrPanic       = errors.New("ratls: panic while checking a peer")
	ErrBusy        = errors.New("ratls: too many handshakes in progress")

	// ErrRefused means that it was the peer who refused us; it comes with the
	// peer's reason, one of the sentinels above or of package attest.
	ErrRefused = errors.New("ratls: peer refused us")
	// ErrQuoter means that we could not obtain evidence about ourselves.
	ErrQuoter = errors.New("ratls: no quote for our own certificate")

	errNoVerdict = errors.New("acceptor closed the connection without a verdict")
)
