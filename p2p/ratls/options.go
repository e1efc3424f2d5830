package ratls

import (
	"context"
	"log/slog"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Options say what we show and what we accept. Zero Options show nothing and
// accept nobody.
type Options struct {
	// Provider obtains our evidence. Default: we show none.
	Provider attest.Provider
	// Appraise judges a peer's evidence, at gate A without its events. It must not
	// fetch anything. Default: evidence is refused.
	Appraise func(Shown) (attest.Appraisal, error)

	// Identify is how a verifier would identify our evidence, see [Peer.Shown].
	// Default: not at all.
	Identify func(e attest.Evidence, reportData [64]byte) ([32]byte, error)

	// Network and Registry (an address in raw form) are what both ends must share.
	Network  int32
	Registry string
	// Self is what this end claims to be. Default: a client.
	Self func() Claims
	// Epoch is that of the policy by which Appraise judges. When it changes, a
	// [Keeper] has all peers judged again. Default: always 0.
	Epoch func() uint64
	// GPU obtains evidence of our accelerators. Default: we show none.
	GPU func(context.Context, GPUBound) ([]byte, error)
	// Every is how old an appraisal gets before gate B is repeated. Default 1 h.
	Every time.Duration

	// UnattestedInbound accepts peers who dial us and show no evidence, as
	// clients of a proxy. What they may do is for protocols to decide.
	UnattestedInbound bool
	// UnattestedOutbound accepts peers we dial that show no evidence.
	UnattestedOutbound bool
	// Compatible also accepts, and if need be dials, peers that pass gate A alone,
	// with certificates as the Cocoon network has them (upstream.go). Such a
	// certificate shows that some machine once held a key, not that it is at the
	// other end now. Default: off.
	Compatible bool

	// Log gets refusals of inbound peers, which libp2p does not report.
	// Default: none.
	Log *slog.Logger
}

func (o Options) log() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

func (o Options) self() Claims {
	if o.Self == nil {
		return Claims{Role: RoleClient}
	}
	return o.Self()
}

func (o Options) epoch() uint64 {
	if o.Epoch == nil {
		return 0
	}
	return o.Epoch()
}

func (o Options) every() time.Duration {
	if o.Every <= 0 {
		return defaultEvery
	}
	return o.Every
}

func (o Options) now() time.Time { return time.Now() }
