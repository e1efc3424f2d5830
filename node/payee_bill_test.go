package node

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
	"github.com/tussah-network/tussah/wallet/channel"
)

const (
	testNetwork = -3
	testEpoch   = 1_700_000_000
)

// earningEnd is payees over a database in memory, and a payer's key.
type earningEnd struct {
	*payees
	t   *testing.T
	key ed25519.PrivateKey // the payer's session key
	cfg tlb.ChannelConfig
	at  *address.Address
}

var testPayer = peerOf("payer")

func peerOf(name string) session.Peer {
	key := public(seeded(name))
	parsed, err := crypto.UnmarshalEd25519PublicKey(key[:])
	if err != nil {
		panic(err)
	}
	id, err := peer.IDFromPublicKey(parsed)
	if err != nil {
		panic(err)
	}
	return session.Peer{ID: id}
}

func newEarningEnd(t *testing.T) *earningEnd {
	t.Helper()
	db, err := OpenStore("db", vfs.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	key, err := wallet.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	own, err := wallet.New(key, wallet.V5R1, testNetwork)
	if err != nil {
		t.Fatal(err)
	}
	queue, err := wallet.NewQueue(own, richChain{}, db.QueueTable(), wallet.Options{}) // nobody runs it: what is enqueued stays
	if err != nil {
		t.Fatal(err)
	}
	e := &earningEnd{t: t, key: seeded("payer")}
	e.payees = &payees{records: records{db.Table(tableChannels)}, store: db.Table(tablePayee), queue: queue, payout: own.Address(),
		index: registry.NewIndex(nil, db.Table(tableIndex), own.Address(), registry.Options{}),
		key:   seeded("payee"), network: testNetwork, log: slog.New(slog.DiscardHandler)}
	e.cfg = tlb.ChannelConfig{Payer: address.NewAddress(0, 0, make([]byte, 32)), Payout: own.Address(), CloseDelay: 3600, Network: testNetwork,
		SessionKey: public(e.key), PayeeKey: public(e.payees.key)}
	if e.at, err = contracts.ChannelAddress(e.cfg); err == nil {
		err = e.load()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(e.close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// richChain is enough of a chain to enqueue on.
type richChain struct{ wallet.Chain }

func (richChain) Head(context.Context) (tlb.Block, error) { return tlb.Block{}, nil }

func (richChain) Account(_ context.Context, _ tlb.Block, a *address.Address) (tlb.Account, error) {
	return tlb.Account{Address: a, Balance: 100 * tlb.TON}, nil
}

func seeded(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(key ed25519.PrivateKey) [32]byte { return [32]byte(key.Public().(ed25519.PublicKey)) }

// opened is the chain's state of the channel.
func (e *earningEnd) opened() tlb.ChannelState {
	return tlb.ChannelState{Config: e.cfg, Opened: true, Deposit: tlb.TON, Epoch: testEpoch, SessionKey: e.cfg.SessionKey}
}

// confirmed is the channel as it is after its announcement.
func (e *earningEnd) confirmed() *payeeChannel {
	e.t.Helper()
	payee, err := channel.OpenPayee(e.store, e.cfg, channel.Options{})
	if err == nil {
		err = payee.UpdateDeposit(e.opened())
	}
	if err != nil {
		e.t.Fatal(err)
	}
	c := &payeeChannel{record: record{Channel: e.at, Config: e.cfg, Peer: testPayer.ID, Deposit: tlb.TON}, payee: payee}
	e.add(c)
	return c
}

func (e *earningEnd) voucher(epoch uint32, seq uint64, cumulative tlb.Nano) *tlb.SignedVoucher {
	e.t.Helper()
	v, err := tlb.SignVoucher(tlb.Voucher{Network: testNetwork, Channel: e.at, Epoch: epoch, Seq: seq, Cumulative: cumulative}, e.key)
	if err != nil {
		e.t.Fatal(err)
	}
	return &v
}

// Prices are per million tokens.
var testPrice = tlb.Price{Prompt: 1_000_000, Cached: 500_000, Completion: 2_000_000, Reasoning: 3_000_000}

// asking is a request of ten prompt tokens that may cost 10 + 100·3.
func (e *earningEnd) asking(id byte, v *tlb.SignedVoucher) *session.Incoming {
	return &session.Incoming{Header: session.Header{ID: [32]byte{id}, Price: testPrice, PromptBound: 10, MaxTokens: 100, MaxCost: 310,
		Channel: e.at.StringRaw(), Voucher: v}}
}

// A request begins only if its payer will pay all that it can cost, and has
// authorised the start of it.
func TestBillBegins(t *testing.T) {
	const start = 10 + 3*firstStep
	for name, c := range map[string]struct {
		authorised tlb.Nano
		edit       func(*session.Header)
		want       error
	}{
		"paid":                         {authorised: start},
		"pays nothing, holds nothing":  {edit: func(h *session.Header) { h.MaxCost, h.Voucher = 0, nil }, want: session.ErrBadRequest},
		"pays nothing":                 {authorised: start, edit: func(h *session.Header) { h.MaxCost = 0 }, want: session.ErrBadRequest},
		"pays less than it can cost":   {authorised: start, edit: func(h *session.Header) { h.MaxCost-- }, want: session.ErrBadRequest},
		"pays only the prompt":         {authorised: start, edit: func(h *session.Header) { h.MaxCost = 10 }, want: session.ErrBadRequest},
		"more tokens than money":       {authorised: start, edit: func(h *session.Header) { h.MaxTokens = 1 << 63 }, want: session.ErrBadRequest},
		"start is not authorised":      {authorised: start - 1, want: session.ErrUnderauthorised},
		"another price":                {authorised: start, edit: func(h *session.Header) { h.Price.Prompt-- }, want: session.ErrPrice},
		"a channel that nobody opened": {authorised: start, edit: func(h *session.Header) { h.Channel = "0:00" }, want: session.ErrChannelUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEarningEnd(t)
			earning := e.confirmed()
			in := e.asking(1, e.voucher(testEpoch, 1, c.authorised))
			if c.edit != nil {
				c.edit(&in.Header)
			}
			b, err := e.begin(t.Context(), testPayer, in, testPrice, time.Second)
			if !errors.Is(err, c.want) {
				t.Fatalf("begin: %v, want %v", err, c.want)
			}
			reserved := tlb.Nano(0)
			if c.want == nil {
				reserved = start
				defer b.cancel()
			}
			if got := earning.payee.State().Reserved; got != reserved {
				t.Errorf("%s reserved, want %s", got, reserved)
			}
		})
	}
}

// A bill is for what was delivered, however it ends, and leaves nothing reserved.
func TestBillEnds(t *testing.T) {
	const start = 10 + 3*firstStep
	worker := seeded("worker")
	usage := func(completion uint64) tlb.Usage { return tlb.Usage{Prompt: 10, Completion: completion} } // 10 + 2 each
	finish := func(completion uint64) func(*bill) (tlb.Nano, error) {
		return func(b *bill) (tlb.Nano, error) {
			work := tlb.Work{Request: b.in.Header.ID, Usage: usage(completion)}
			signature, err := work.Sign(worker)
			if err != nil {
				return 0, err
			}
			r, err := b.finish(work, public(worker), signature, issuer{key: seeded("payee")})
			if err == nil {
				err = r.Verify(b.channel.Config.PayeeKey[:])
			}
			return r.Receipt.Cost, errors.Join(err, b.close(), b.cancel())
		}
	}
	closed := func(b *bill) (tlb.Nano, error) { return b.stated, errors.Join(b.close(), b.close(), b.cancel()) }
	for name, c := range map[string]struct {
		authorised tlb.Nano
		charges    []uint64 // completion tokens
		left       bool     // the payer goes away after that
		end        func(*bill) (tlb.Nano, error)
		stops      bool // the last charge does
		spent      tlb.Nano
	}{
		"served":                           {authorised: start, charges: []uint64{1, 10}, end: finish(10), spent: 30},
		"the engine corrects itself":       {authorised: start, charges: []uint64{10}, end: finish(4), spent: 18},
		"stopped before anything came":     {authorised: 400, charges: []uint64{200}, end: finish(200), stops: true},
		"more than the maximum cost":       {authorised: 400, charges: []uint64{10, 200}, end: finish(200), stops: true, spent: 30},
		"left, and more was on its way":    {authorised: start, charges: []uint64{10}, left: true, end: finish(12), spent: 30},
		"nobody ended it":                  {authorised: start, charges: []uint64{10}, end: closed, spent: 30},
		"nobody ended it, payment stopped": {authorised: 400, charges: []uint64{10, 200}, end: closed, stops: true, spent: 30},
		"usage beyond all money": {authorised: start, charges: []uint64{10}, spent: 30, end: func(b *bill) (tlb.Nano, error) {
			if _, err := b.finish(tlb.Work{Usage: usage(1 << 63)}, [32]byte{}, [64]byte{}, issuer{}); err == nil {
				return 0, errors.New("signed for it")
			}
			return b.stated, b.close()
		}},
		"nothing was delivered": {authorised: start, end: func(b *bill) (tlb.Nano, error) {
			return 0, errors.Join(b.cancel(), b.cancel(), b.close())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEarningEnd(t)
			earning := e.confirmed()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			if err := earning.payee.Accept(ctx, *e.voucher(testEpoch, 1, c.authorised)); err != nil {
				t.Fatal(err)
			}
			b, err := e.begin(ctx, testPayer, e.asking(1, nil), testPrice, time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range c.charges {
				err := b.charge(usage(n))
				if stops := c.stops && i == len(c.charges)-1; stops != (err != nil) {
					t.Errorf("charge for %d tokens: %v", n, err)
				}
			}
			if c.left {
				leave()
			}
			cost, err := c.end(b)
			if err != nil {
				t.Fatal(err)
			}
			s := earning.payee.State()
			if cost != c.spent || s.Spent != c.spent || s.Reserved != 0 || len(s.Requests) != 0 {
				t.Errorf("billed %d, spent %d, want %d; %d reserved by %d", cost, s.Spent, c.spent, s.Reserved, len(s.Requests))
			}
		})
	}
}
