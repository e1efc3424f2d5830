package ratls

import (
	"crypto/tls"
	"io"
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

// CollectToll is what an acceptor begins with.
func CollectToll(rw io.ReadWriter) error { return new(toll).collect(rw, time.Now()) }

// Verdict returns how a refusal travels and what the dialer makes of it.
func Verdict(err error) (code uint16, read error) {
	v := verdictOf(err)
	return uint16(v), v.err()
}

func ReadVerdict(v uint16) error { return verdict(v).err() }
