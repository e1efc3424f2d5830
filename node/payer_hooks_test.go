package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// What tests of a lying payee reach into a running node for.

// TestSquareTimeout is how long a payer listens on after it cancelled.
const TestSquareTimeout = squareTimeout

// PayerHook is a channel that a node pays into.
type PayerHook struct {
	At    *address.Address
	Peer  peer.ID
	Payer *channel.Payer
}

// PayerHooks are the channels a node pays into.
func PayerHooks(n *Node) (all []PayerHook) {
	for _, c := range n.payers.list() {
		all = append(all, PayerHook{c.Channel, c.Peer, c.payer})
	}
	return all
}

// PayeeOf is the earning end of a channel.
func PayeeOf(n *Node, at *address.Address) *channel.Payee {
	c, ok := n.payees.at(at.StringRaw())
	if !ok {
		return nil
	}
	return c.payee
}

// ServeInstead answers a node's peers with another handler, made of its own.
func ServeInstead(n *Node, h func(session.Handler) session.Handler) {
	session.Serve(n.host, h(n.proxy), session.Options{Admit: n.admitServed(), Log: n.o.Log})
}

// OfferOf is the first offer of a model.
func OfferOf(n *Node, model string) session.Offer { return n.client.choices(model)[0].Offer }

// HelloOf introduces a node.
func HelloOf(n *Node) session.Hello { return n.hello() }

// HostID is a node's own peer id.
func HostID(n *Node) peer.ID { return n.host.ID() }

// PayerCloseDelay is the close delay in seconds of the channels a node opens.
func PayerCloseDelay(n *Node) uint32 { return uint32(n.payers.delay / time.Second) }

// EnsureTo opens a channel to a peer on the terms of a hello.
func EnsureTo(ctx context.Context, n *Node, id peer.ID, h session.Hello) error {
	_, err := n.payers.ensure(ctx, id, h)
	return err
}

// ReadyTo is why a peer cannot be paid now.
func ReadyTo(n *Node, id peer.ID) error {
	_, err := n.payers.ready(id)
	return err
}

// BeginTo makes a channel that is not on chain yet.
func BeginTo(n *Node, id peer.ID, h session.Hello) (*address.Address, contracts.Message, error) {
	rec, err := n.payers.draft(id, h)
	if err != nil {
		return nil, contracts.Message{}, err
	}
	if _, err := n.payers.begin(rec); err != nil {
		return nil, contracts.Message{}, err
	}
	m, err := contracts.OpenChannel(rec.Config, rec.Deposit)
	if err == nil {
		err = n.index.Watch(rec.Channel)
	}
	return rec.Channel, m, err
}

// CloseEarly asks a contract to close that may not be there.
func CloseEarly(ctx context.Context, n *Node, id peer.ID) error {
	c, _ := n.payers.to(id)
	return n.payers.send(ctx, c, "close", contracts.RequestClose(c.Channel), func() (bool, error) {
		s, err := n.index.Channel(c.Channel)
		return err == nil && s.CloseAt != 0, nil
	})
}

// SendFrom sends a message from a node's wallet, past everything else.
func SendFrom(ctx context.Context, n *Node, name string, m contracts.Message) error {
	if err := n.queue.Enqueue(ctx, name, []contracts.Message{m}); err != nil {
		return err
	}
	_, err := n.queue.Wait(ctx, name)
	return err
}

// ChannelRecords counts the channels a node pays into on disk.
func ChannelRecords(n *Node) (good, bad int, err error) {
	all, broken, err := n.payers.records.scan(paying)
	return len(all), len(broken), err
}

// SpoilRecord makes the record of a channel unreadable.
func SpoilRecord(n *Node, at *address.Address) error {
	return n.payers.records.table.Commit(func(set func(key, value []byte), _ func([]byte)) { set(recordKey(paying, at), []byte("spoilt")) })
}

type discard struct{}

func (discard) head(session.Head) error        { return nil }
func (discard) part(session.Part) error        { return nil }
func (discard) need(session.NeedVoucher) error { return nil }

// PayTo buys one streamed answer from a payee and throws it away. It returns the
// payee's refusal, if that ended it.
func PayTo(ctx context.Context, n *Node, id peer.ID, offer session.Offer, body []byte, bound, most uint64) (failed, err error) {
	o := order{Kind: session.ChatCompletions, Model: offer.Model, Stream: true, Price: offer.Price, MaxTokens: most, PromptBound: bound,
		BodySize: uint64(len(body)), Timeout: 2 * time.Minute, Worker: func(tlb.Work, [32]byte) error { return nil }}
	rand.Read(o.ID[:])
	out, err := n.payers.pay(ctx, id, o, bytes.NewReader(body), discard{})
	if out.Failed != nil {
		failed = out.Failed.Err()
	}
	return failed, err
}
