package node

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"

	"github.com/xssnick/tonutils-go/address"

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
		Wallet: n.wallet.Address().String(), Endpoint: n.endpoint, Simulated: n.policy.simulated, Peers: []Linked{},
		PendingSends: n.queue.Pending()}
	for _, a := range n.host.Addrs() {
		s.Addresses = append(s.Addresses, a.String())
	}
	if own := n.evidence.appraisal(); own.TEE != "" {
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
			linked := Linked{Peer: l.ID.String(), Role: string(Proxy), Heard: l.Heard, Models: []string{}}
			if l.Peer.Appraisal != nil {
				linked.Image = hex.EncodeToString(l.Peer.Appraisal.Image[:])
			}
			for _, o := range l.Hello.Offers {
				linked.Models = append(linked.Models, o.Model)
			}
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
			linked := Linked{Peer: a.id.String(), Role: string(Worker), Heard: a.heard, Models: []string{}}
			if a.peer.Appraisal != nil {
				linked.Image = hex.EncodeToString(a.peer.Appraisal.Image[:])
			}
			for _, o := range a.hello.Offers {
				linked.Models = append(linked.Models, o.Model)
			}
			s.Peers = append(s.Peers, linked)
		}
	}
	if n.worker != nil {
		healthy := n.worker.healthy.Load()
		s.EngineHealthy = &healthy
	}
	return s
}

// Receipts are the newest receipts of a client, the newest last.
func (n *Node) Receipts() []Receipt { return n.metrics.receipts() }

// WalletAddress is the wallet that the node pays from.
func (n *Node) WalletAddress() *address.Address { return n.wallet.Address() }

// Serves tells whether a client can have the model now.
func (n *Node) Serves(model string) bool { return n.client != nil && len(n.client.choices(model)) > 0 }
