package ratls

import (
	"errors"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Refusals of a peer. A peer with another id than dialled is refused with
// libp2p's sec.ErrPeerIDMismatch, one with unacceptable evidence with the
// sentinels of package attest.
var (
	ErrCertificate = attest.NewRefusal(60, "ratls: peer's certificate is not a single self-signed Ed25519 certificate of at most 24 hours, valid now")
	ErrIdentity    = attest.NewRefusal(61, "ratls: peer's certificate does not prove its libp2p key")
	ErrNoEvidence  = attest.NewRefusal(62, "ratls: peer shows no evidence")
	ErrNoAppraiser = attest.NewRefusal(63, "ratls: peer shows evidence and nothing here can appraise it")
	ErrEvidence    = attest.NewRefusal(64, "ratls: peer's evidence is not acceptable")
	// ErrNetwork and those that follow are of gate B.
	ErrNetwork     = attest.NewRefusal(65, "ratls: peer is of another network or registry")
	ErrGateMessage = attest.NewRefusal(66, "ratls: peer's message at gate B is malformed")
	ErrGates       = attest.NewRefusal(67, "ratls: another machine passed gate A than shows evidence at gate B")
	ErrExpired     = attest.NewRefusal(68, "ratls: peer's appraisal expired and was not renewed")
	ErrReflection  = attest.NewRefusal(69, "ratls: peer shows us ourselves")
	ErrToll        = errors.New("ratls: proof of work not paid")
	ErrPanic       = attest.NewRefusal(70, "ratls: panic while checking a peer")
	ErrBusy        = errors.New("ratls: too many handshakes in progress")

	// ErrCannotJudge is for [Options.Appraise]: what is missing is ours, such as a
	// current view of the chain. A peer that stands is not dropped for it.
	ErrCannotJudge = errors.New("ratls: evidence cannot be judged now")

	// ErrRefused means that it was the peer who refused us; it comes with the
	// peer's reason, one of the sentinels above or of package attest.
	ErrRefused = errors.New("ratls: peer refused us")
	// ErrNoOwnEvidence means that we could not obtain evidence about ourselves.
	ErrNoOwnEvidence = errors.New("ratls: no evidence for our own certificate")

	errNoVerdict = errors.New("acceptor closed the connection without a verdict")
)
