package contracts_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// The actors of the stories below. None of their accounts exists, so what an account holds in the end
// is exactly what it was sent.
var (
	alice = account("alice") // pays
	bob   = account("bob")   // is paid
	carol = account("carol") // a stranger
)

func account(name string) *address.Address {
	h := sha256.Sum256([]byte(name))
	return address.NewAddress(0, 0, h[:])
}

func key(name string) ed25519.PrivateKey {
	h := sha256.Sum256([]byte("key of " + name))
	return ed25519.NewKeyFromSeed(h[:])
}

func public(k ed25519.PrivateKey) [32]byte { return [32]byte(k.Public().(ed25519.PublicKey)) }

// network is a sandbox whose clock moves only when it is told to, so that storage fees, and with them
// all balances, are the same in every run.
type network struct {
	*sandbox.Chain
	t   sandbox.TB
	ctx context.Context
}

func newNetwork(t *testing.T, globalID int32) *network {
	t.Helper()
	start := time.Unix(1_790_000_000, 0)
	c, err := sandbox.Open(sandbox.Options{GlobalID: globalID, Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &network{Chain: c, t: t, ctx: t.Context()}
}

func (n *network) send(from *address.Address, m contracts.Message) *sandbox.Trace {
	n.t.Helper()
	trace, err := n.SendInternal(n.ctx, sandbox.Internal{From: from, To: m.To, Amount: m.Amount, Body: m.Body, Init: m.Init, Bounce: m.Bounce})
	if err != nil {
		n.t.Fatalf("send: %v", err)
	}
	return trace
}

func (n *network) account(a *address.Address) tlb.Account {
	n.t.Helper()
	acc, err := n.Account(n.ctx, tlb.Block{}, a)
	if err != nil {
		n.t.Fatalf("account: %v", err)
	}
	return acc
}

func (n *network) advance(d time.Duration) {
	n.t.Helper()
	if err := n.AdvanceTime(n.ctx, d); err != nil {
		n.t.Fatalf("advance time: %v", err)
	}
}
