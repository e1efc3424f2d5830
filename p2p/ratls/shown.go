package ratls

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Gate is the point at which evidence was shown.
type Gate uint8

// The gates.
const (
	GateA Gate = 1 // in the certificate: bound to the peer's keys
	GateB Gate = 2 // inside the connection: fresh, bound to it and to what the peer claims
)

// Role is what a peer is in the network. The numbers are on the wire.
type Role uint8

// The roles.
const (
	RoleClient Role = 1
	RoleProxy  Role = 2
	RoleWorker Role = 3
)

func (r Role) String() string {
	switch r {
	case RoleClient:
		return "client"
	case RoleProxy:
		return "proxy"
	case RoleWorker:
		return "worker"
	}
	return fmt.Sprintf("role_%d", uint8(r))
}

// Claims are what a peer says it is. At gate B its evidence is bound to them.
type Claims struct {
	Role Role
	// Contract is the address, in raw form, that the peer is known by on chain:
	// where what it earns is paid to. Empty for a client.
	Contract string
}

// Shown is a peer's evidence at a gate, for [Options.Appraise] to judge.
type Shown struct {
	Gate       Gate
	Peer       peer.ID
	Evidence   attest.Evidence
	ReportData [64]byte // what the evidence must be bound to

	// At gate B only.
	Claims Claims
	GPU    []byte   // evidence of accelerators; nil: none
	Bound  GPUBound // what that must be bound to
	// Asked is when the question was made that this answers.
	Asked time.Time
}

// GPUBound is what evidence of accelerators is bound to; package gpu makes a
// nonce of it.
type GPUBound struct {
	Key      [32]byte // SHA-256 of the TLS key (SPKI) of who shows it
	Nonce    [32]byte // by who verifies it
	Exporter [32]byte // of the connection
}
