package node

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
)

// Channel is a channel as the admin listener lists it.
type Channel struct {
	Channel    string   `json:"channel"`
	Peer       string   `json:"peer"`
	End        string   `json:"end"` // paying or earning
	Phase      string   `json:"phase"`
	Deposit    tlb.Nano `json:"deposit"`
	Authorised tlb.Nano `json:"authorised"` // signed by the payer
	Spent      tlb.Nano `json:"spent"`      // owed for finished requests
	Settled    tlb.Nano `json:"settled"`    // paid on chain
	Running    int      `json:"running"`
	CloseAt    uint32   `json:"close_at,omitempty"`
}

// Channels lists this node's channels, those it earns from first.
func (n *Node) Channels() []Channel {
	all := []Channel{}
	for _, c := range n.payers.list() {
		s := c.payer.State()
		all = append(all, Channel{Channel: c.Channel.StringRaw(), Peer: c.Peer.String(), End: "paying", Phase: s.Phase.String(),
			Deposit: s.Deposit, Authorised: s.Authorised, Spent: s.Spent, Settled: s.Settled, Running: len(s.Requests), CloseAt: s.CloseAt})
	}
	for _, c := range n.payees.list() {
		s := c.payee.State()
		all = append(all, Channel{Channel: c.Channel.StringRaw(), Peer: c.Peer.String(), End: "earning", Phase: s.Phase.String(),
			Deposit: s.Deposit, Authorised: s.Authorised, Spent: s.Spent, Settled: s.Settled, Running: len(s.Requests), CloseAt: s.CloseAt})
	}
	slices.SortFunc(all, func(a, b Channel) int { return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.Channel, b.Channel)) })
	return all
}

// Settle ends what a channel of this node owes: a payer closes it, with the
// payee's consent or, with force, through the close delay; a payee claims.
func (n *Node) Settle(ctx context.Context, at *address.Address, force bool) error {
	if _, earning := n.payees.at(at.StringRaw()); earning {
		return n.payees.settle(ctx, at)
	}
	return n.payers.settle(ctx, at, force)
}

// Status is what the admin listener says.
func (n *Node) Status() Status {
	s := Status{Role: n.cfg.Role(), Peer: n.host.ID().String(), Network: n.cfg.Network.ID, Registry: n.registry.String(),
		Wallet: n.wallet.Address().String(), Endpoint: n.endpoint, Simulated: n.policy.simulated, Compatible: n.policy.compatible, CollateralUntil: n.verifiers.expires(), Peers: []Linked{},
		PendingSends: n.queue.Pending()}
	for _, a := range n.host.Addrs() {
		s.Addresses = append(s.Addresses, a.String())
	}
	if own := n.evidence.appraisal(); own.TEE != 0 {
		s.Image = hex.EncodeToString(own.Image[:])
	}
	if view, err := n.index.View(); err != nil {
		s.ChainProblem = err.Error()
	} else {
		s.Block, s.BlockTime, s.Version = view.Block.Seqno, view.Block.Time, view.State.Version
	}
	for _, c := range n.Channels() {
		if c.Phase == "Open" {
			s.OpenChannels++
		}
	}
	if n.links != nil {
		for _, l := range n.links.list() {
			linked := linkedTo(l.ID, Proxy, l.Peer, l.Hello, l.Heard)
			if l.Err != nil {
				linked.Problem = l.Err.Error()
			} else if n.client != nil {
				if err := n.client.problem(l.ID); err != nil {
					linked.Problem = err.Error()
				}
			}
			s.Peers = append(s.Peers, linked)
		}
	}
	if n.proxy != nil {
		for _, a := range n.proxy.snapshot() {
			s.Peers = append(s.Peers, linkedTo(a.id, Worker, a.peer, a.hello, a.heard))
		}
	}
	if n.worker != nil {
		healthy := n.worker.healthy.Load()
		s.EngineHealthy = &healthy
	}
	return s
}

// linkedTo is a peer as a status shows it.
func linkedTo(id peer.ID, role Role, p session.Peer, h session.Hello, heard time.Time) Linked {
	l := Linked{Peer: id.String(), Role: string(role), Heard: heard, Models: []string{}}
	l.Attested = attestedAs(p)
	for _, o := range h.Offers {
		l.Models = append(l.Models, o.Model)
	}
	return l
}

func attestedAs(p session.Peer) *Attested {
	a := p.Appraisal
	if a == nil {
		return nil
	}
	gates := "A+B"
	if p.Claims == (ratls.Claims{}) {
		gates = "A"
	}
	return &Attested{Gates: gates, TEE: a.TEE.String(), Simulated: a.Simulated, Image: hex.EncodeToString(a.Image[:]),
		Evidence: hex.EncodeToString(a.Evidence[:]), Platform: hex.EncodeToString(a.Platform[:]), TCB: a.TCB.Status.String(),
		Advisories: append([]string{}, a.TCB.Advisories...), Epoch: a.Epoch, At: a.Issued, Until: a.Expiry}
}

// Receipts are the newest receipts of a client, the newest last.
func (n *Node) Receipts() []Receipt { return n.metrics.receipts() }

// WalletAddress is the wallet that the node pays from.
func (n *Node) WalletAddress() *address.Address { return n.wallet.Address() }

// Serves tells whether a client can have the model now.
func (n *Node) Serves(model string) bool { return n.client != nil && len(n.client.choices(model)) > 0 }
