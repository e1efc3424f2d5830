package ratls

import (
	"crypto/tls"
	"time"
)

// For tests of what a well-behaved transport never does.

const (
	MaxInbound      = maxInbound
	CertificateLife = certificateLife
	RenewAfter      = renewAfter
	RenewRetry      = renewRetry
)

var OIDEvidence = oidEvidence

func (t *Transport) Certificate(now time.Time) (*tls.Certificate, error) {
	return t.identity.certificate(now)
}

func (t *Transport) Check(state tls.ConnectionState, now time.Time) (*Peer, error) {
	return t.check(state, "", t.options.UnattestedInbound, now)
}

// Verdict returns how a refusal travels and what the dialer makes of it.
func Verdict(err error) (code byte, read error) {
	v := verdictOf(err)
	return byte(v), v.err()
}

func ReadVerdict(b byte) error { return verdict(b).err() }
