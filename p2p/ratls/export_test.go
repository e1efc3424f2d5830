package ratls

import (
	"crypto/tls"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
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

func (t *Transport) Key() crypto.PrivKey { return t.identity.key }

// Verdicts sends each error over the wire and returns what the dialer reads.
func Verdict(err error) (code byte, read error) {
	v := verdictOf(err)
	return byte(v), v.err()
}

func ReadVerdict(b byte) error { return verdict(b).err() }
