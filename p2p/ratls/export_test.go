package ratls

import (
	"crypto/tls"
	"io"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
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

// Inbound is how many inbound handshakes hold a place.
func (t *Transport) Inbound() int { return len(t.inbound) }

// CollectToll is what an acceptor begins with.
func CollectToll(rw io.ReadWriter) error { return new(toll).collect(rw, time.Now()) }

// Verdict returns how a refusal travels and what the dialer makes of it.
func Verdict(err error) (code uint16, read error) {
	v := verdictOf(err)
	return uint16(v), v.err()
}

func ReadVerdict(v uint16) error { return verdict(v).err() }

// What a peer at gate B says, for peers that say something else.

type (
	Challenge = challenge
	Proof     = proof
	WireEvent = wireEvent
)

const (
	ExporterLabel = exporterLabel
	MaxChallenge  = maxChallenge
	MaxProof      = maxProof
	MaxGateText   = maxGateText
	ConnErrors    = connErrors
	Accepted      = uint16(accepted)
)

var ProofOf = proofOf

func WriteFrame(w io.Writer, m gateMessage) error          { return writeFrame(w, m) }
func ReadChallenge(r io.Reader) (Challenge, error)         { return readFrame[challenge](r, maxChallenge) }
func ReadProof(r io.Reader) (Proof, error)                 { return readFrame[proof](r, maxProof) }
func DecodeChallenge(b []byte) (Challenge, error)          { return decodeFrame[challenge](b) }
func DecodeProof(b []byte) (Proof, error)                  { return decodeFrame[proof](b) }
func EncodeFrame(m any) ([]byte, error)                    { return encoding.Marshal(m) }
func PayToll(rw io.ReadWriter, done <-chan struct{}) error { return pay(rw, done) }

// Toll is a toll outside of a transport.
type Toll = toll

func (t *toll) Difficulty(now time.Time) int { return t.difficulty(now) }

func (t *Transport) Toll() *Toll { return &t.toll }

var Work = work

// Fast makes a keeper look often and be asked as often as its peers like.
func (k *Keeper) Fast() *Keeper {
	k.tick, k.least = 10*time.Millisecond, 0
	return k
}

// Within is Fast for a peer that may ask, and be silent, for so long.
func (k *Keeper) Within(d time.Duration) *Keeper {
	k.tick, k.least, k.patient = 10*time.Millisecond, d, d
	return k
}

// OnlyCompatible is [Option] of a host that knows gate A alone.
func OnlyCompatible(o Options) libp2p.Option {
	return libp2p.ChainOptions(
		libp2p.Security(string(CompatibleID), func(id protocol.ID, key crypto.PrivKey, muxers []upgrader.StreamMuxer) (*Transport, error) {
			return NewCompatible(id, key, muxers, o)
		}),
		libp2p.Muxer(yamux.ID, muxer{yamux.DefaultTransport}),
	)
}
