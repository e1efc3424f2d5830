package node

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// proxy brings clients and workers together: it is paid by the ones and pays the
// others, and never reads what they say to each other.
type proxy struct {
	cfg     ProxyConfig
	payees  *payees
	payers  *payers
	admit   func(session.Peer) error // is the peer a worker the registry allows?
	hello   func() session.Hello     // without offers
	issuer  func(session.Peer) issuer
	model   func(name string) error // is the model registered?
	metrics *metrics
	log     *slog.Logger
	ctx     context.Context // of the role; parent of what outlives a call

	mu struct {
		sync.Mutex
		workers map[peer.ID]*attached
	}
}

// attached is a worker as it last introduced itself. It does not change but for
// its load, which later introductions share.
type attached struct {
	id    peer.ID
	peer  session.Peer
	hello session.Hello
	heard time.Time
	*load
}

type load struct {
	running atomic.Int32 // our requests at it
	opening atomic.Bool  // a channel to it is being opened
	stopped atomic.Int64 // unix nanoseconds until which it gets nothing, after a failure
	problem atomic.Value // text of the last error of opening a channel, to log each once
}

func (a *attached) offer(model string) (session.Offer, bool) {
	for _, o := range a.hello.Offers {
		if o.Model == model {
			return o, true
		}
	}
	return session.Offer{}, false
}

func (a *attached) usable() bool {
	return time.Since(a.heard) < 5*helloInterval && !a.hello.Draining && time.Now().UnixNano() > a.stopped.Load()
}

var _ session.Handler = (*proxy)(nil)

// Hello implements session.Handler. A worker's hello attaches it; a channel to it
// is opened in the background.
func (p *proxy) Hello(_ context.Context, from session.Peer, h session.Hello) (session.Hello, error) {
	if h.Role == session.RoleWorker {
		if err := p.admit(from); err != nil {
			return session.Hello{}, &session.Error{Code: session.CodeUnauthorised, Message: err.Error(), Hint: "ask the registry's owner to allow the image"}
		}
		if err := measuredModels(from, h.Offers); err != nil {
			return session.Hello{}, &session.Error{Code: session.CodeUnauthorised, Message: err.Error(), Hint: "offer the models that the machine measured when it started"}
		}
		p.attach(from, h)
	}
	own := p.hello()
	own.Offers = p.offers()
	return own, nil
}

func (p *proxy) attach(from session.Peer, h session.Hello) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.workers == nil {
		p.mu.workers = map[peer.ID]*attached{}
	}
	for id, a := range p.mu.workers {
		if time.Since(a.heard) > time.Hour && a.running.Load() == 0 {
			delete(p.mu.workers, id)
		}
	}
	next := &attached{id: from.ID, peer: from, hello: h, heard: time.Now(), load: &load{}}
	if last, ok := p.mu.workers[from.ID]; ok {
		next.load = last.load
	}
	p.mu.workers[from.ID] = next
	if _, err := p.payers.ready(from.ID); err != nil && p.wants(from.ID, h) && next.opening.CompareAndSwap(false, true) {
		go p.open(next, h)
	}
}

// wants tells whether a worker is worth a deposit: it offers a registered model,
// and there is room for one more channel.
func (p *proxy) wants(id peer.ID, h session.Hello) bool {
	if p.payers.ended(id) {
		return false
	}
	if _, begun := p.payers.to(id); !begun && len(p.payers.list()) >= p.cfg.MaxWorkers {
		p.log.Info("a worker is left without a channel; raise proxy.max_workers to serve it", slog.String("worker", id.String()))
		return false
	}
	return slices.ContainsFunc(h.Offers, func(o session.Offer) bool { return p.model(o.Model) == nil })
}

// openTimeout bounds the opening of a channel, some blocks on a slow chain.
const openTimeout = 2 * time.Minute

func (p *proxy) open(a *attached, h session.Hello) {
	defer a.opening.Store(false)
	ctx, stop := context.WithTimeout(p.ctx, openTimeout)
	defer stop()
	if _, err := p.payers.ensure(ctx, a.id, h); err != nil && p.ctx.Err() == nil {
		if last := a.problem.Swap(err.Error()); last != err.Error() {
			p.log.Warn("cannot open a channel to a worker", slog.String("worker", a.id.String()), slog.Any("error", err))
		}
	}
}

func (p *proxy) Announce(ctx context.Context, from session.Peer, cfg tlb.ChannelConfig) (session.ChannelStatus, error) {
	return p.payees.announced(ctx, from, cfg)
}

func (p *proxy) CloseChannel(_ context.Context, from session.Peer, at string) (tlb.SignedCoopClose, error) {
	return p.payees.consent(from, at)
}

func (p *proxy) Offers(context.Context, session.Peer) ([]session.Offer, error) {
	return p.offers(), nil
}

// snapshot is the workers that can be used now.
func (p *proxy) snapshot() []*attached {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*attached
	for _, a := range p.mu.workers {
		if a.usable() {
			all = append(all, a)
		}
	}
	return all
}

// offers are one per model: the dearest worker's price with the margin on it, so
// that any of them may serve, and the capacity of all together.
func (p *proxy) offers() []session.Offer {
	byModel := map[string]session.Offer{}
	for _, a := range p.snapshot() {
		if _, err := p.payers.ready(a.id); err != nil {
			continue
		}
		for _, o := range a.hello.Offers {
			if p.model(o.Model) != nil {
				continue
			}
			price, err := withMargin(o.Price, p.cfg.MarginBPS)
			if err != nil {
				continue
			}
			sum, ok := byModel[o.Model]
			if !ok {
				sum = session.Offer{Model: o.Model, MaxContext: o.MaxContext, MaxTokens: o.MaxTokens, TTL: offerTTL, Image: o.Image}
			}
			sum.Price.Prompt, sum.Price.Cached = max(sum.Price.Prompt, price.Prompt), max(sum.Price.Cached, price.Cached)
			sum.Price.Completion, sum.Price.Reasoning = max(sum.Price.Completion, price.Completion), max(sum.Price.Reasoning, price.Reasoning)
			sum.MaxContext, sum.MaxTokens = min(sum.MaxContext, o.MaxContext), min(sum.MaxTokens, o.MaxTokens)
			sum.Slots, sum.Running = sum.Slots+o.Slots, sum.Running+o.Running
			if sum.Image != o.Image {
				sum.Image = [32]byte{}
			}
			byModel[o.Model] = sum
		}
	}
	all := make([]session.Offer, 0, len(byModel))
	for _, o := range byModel {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b session.Offer) int { return cmp.Compare(a.Model, b.Model) })
	return all
}

func (p *proxy) offer(model string) (session.Offer, error) {
	for _, o := range p.offers() {
		if o.Model == model {
			return o, nil
		}
	}
	switch err := p.model(model); {
	case err == nil: // its workers are away, or set aside after a failure
		return session.Offer{}, session.ErrNoWorker
	case errors.Is(err, registry.ErrModelUnknown):
		return session.Offer{}, session.ErrModelUnknown
	default:
		return session.Offer{}, &session.Error{Code: session.CodeNoWorker, Message: "the proxy's view of the chain is not current", Hint: "try another proxy, or again in a minute"}
	}
}

// candidates are the workers for a model, the least busy first.
func (p *proxy) candidates(model string) []*attached {
	var fit []*attached
	for _, a := range p.snapshot() {
		if o, ok := a.offer(model); ok && uint32(a.running.Load()) < o.Slots {
			if _, err := p.payers.ready(a.id); err == nil {
				fit = append(fit, a)
			}
		}
	}
	slices.SortFunc(fit, func(a, b *attached) int { return cmp.Compare(a.running.Load(), b.running.Load()) })
	return fit
}

// attempts at workers before the first part of an answer.
const attempts = 3

// Request implements session.Handler.
func (p *proxy) Request(ctx context.Context, from session.Peer, in *session.Incoming) error {
	h := in.Header
	if _, ok := kinds[h.Kind]; !ok {
		return &session.Error{Code: session.CodeBadRequest, Message: fmt.Sprintf("requests of kind %q are not served", h.Kind)}
	}
	offer, err := p.offer(h.Model)
	if err != nil {
		return err
	}
	b, err := p.payees.begin(ctx, from, in, offer.Price, time.Duration(p.cfg.Grace))
	if err != nil {
		return err
	}
	defer b.close()
	r := &relay{bill: b, in: in}
	out, err := p.serve(r)
	if out.Receipt.Receipt.Channel == nil { // no worker signed anything
		if err == nil && out.Failed != nil {
			err = out.Failed.Err()
		}
		return errors.Join(err, b.cancel())
	}
	if out.Failed != nil {
		err = errors.Join(err, out.Failed.Err())
	}
	work := out.Receipt.Receipt
	if err == nil { // else what was delivered is charged already, and its payer may have gone
		err = b.charge(work.Work.Usage)
	}
	receipt, signed := b.finish(work.Work, work.WorkerKey, work.WorkerSig, p.issuer(from))
	if signed != nil {
		return signed
	}
	p.metrics.served(h.Model, work.Work.Usage, receipt.Receipt.Cost, err)
	return conclude(in, receipt, err)
}

// serve finds a worker and relays its answer. Until the first part it tries
// another one; after it nobody can take over.
func (p *proxy) serve(r *relay) (outcome, error) {
	body, err := io.ReadAll(r.in.Body)
	if err != nil {
		return outcome{}, err
	}
	if err := r.in.Accept(); err != nil {
		return outcome{}, err
	}
	last := error(session.ErrNoWorker)
	for range attempts {
		fit := p.candidates(r.in.Header.Model)
		if len(fit) == 0 {
			return outcome{}, last
		}
		out, err := p.ask(r, fit[0], body)
		if r.begun || !retry(out, err) || r.bill.ctx.Err() != nil {
			return out, err
		}
		if last = err; err == nil {
			last = out.Failed.Err()
		}
		// The code only: a worker's own words may quote a prompt.
		p.log.Info("a worker did not serve", slog.String("worker", fit[0].id.String()), slog.String("code", session.CodeOf(last).String()))
		// What was underauthorised has been squared, and the same worker may try again.
		if session.CodeOf(last) != session.CodeUnderauthorised {
			fit[0].stopped.Store(time.Now().Add(time.Second).UnixNano())
		}
	}
	return outcome{}, last
}

func (p *proxy) ask(r *relay, a *attached, body []byte) (outcome, error) {
	a.running.Add(1)
	defer a.running.Add(-1)
	h := r.in.Header
	offer, ok := a.offer(h.Model)
	if !ok {
		return outcome{}, session.ErrNoWorker
	}
	deadline, _ := r.bill.ctx.Deadline()
	left := time.Until(deadline).Truncate(time.Millisecond)
	if left <= 0 {
		return outcome{}, session.ErrDeadline
	}
	r.bought = offer.Price
	return p.payers.pay(r.bill.ctx, a.id, order{
		ID: h.ID, Kind: h.Kind, Model: h.Model, Stream: h.Stream, Price: offer.Price, MaxTokens: h.MaxTokens,
		PromptBound: h.PromptBound, BodySize: h.BodySize, Timeout: left,
		Worker: func(w tlb.Work, key [32]byte) error { return isPeer(a.peer, w, key) },
	}, bytes.NewReader(body), r)
}

// isPeer checks that work was signed by the peer whose evidence we appraised:
// with the identity key that the evidence binds, for the image it showed.
func isPeer(p session.Peer, w tlb.Work, key [32]byte) error {
	public, err := p.ID.ExtractPublicKey()
	if err != nil {
		return err
	}
	raw, err := public.Raw()
	switch {
	case err != nil:
		return err
	case !bytes.Equal(raw, key[:]):
		return errors.New("work is signed with another key than the worker's identity")
	case p.Appraisal == nil || w.Image != p.Appraisal.Image:
		return errors.New("work names another image than the worker's evidence")
	}
	return nil
}

// retry tells whether another worker may do better.
func retry(out outcome, err error) bool {
	if err == nil {
		if out.Failed == nil || out.Failed.Receipt != nil {
			return false
		}
		err = out.Failed.Err()
	}
	if errors.Is(err, ErrNoChannel) || errors.Is(err, ErrDishonest) || errors.Is(err, channel.ErrDepositExhausted) || errors.Is(err, session.ErrBroken) ||
		errors.Is(err, session.ErrNotConnected) || errors.Is(err, session.ErrNotAdmitted) {
		return true
	}
	switch session.CodeOf(err) {
	case session.CodeEngineDown, session.CodeEngineGarbage, session.CodeOverloaded, session.CodeDraining, session.CodeModelUnknown, session.CodeNoWorker,
		session.CodePrice, session.CodeUnderauthorised, session.CodeChannelUnknown, session.CodeChannelClosing, session.CodeInternal:
		return true
	}
	return false
}

// relay passes a worker's answer to the client, as far as the client pays.
type relay struct {
	bill   *bill
	in     *session.Incoming
	bought tlb.Price // the worker's
	begun  bool
}

func (r *relay) head(h session.Head) error {
	r.begun = true
	return r.in.Head(h)
}

func (r *relay) part(part session.Part) error {
	if err := r.bill.charge(part.Usage); err != nil {
		return err
	}
	r.begun = true
	return r.in.Part(session.Part{Data: part.Data, Usage: part.Usage, Spent: r.bill.stated})
}

// need has the client authorise what the worker wants to be paid, before the
// worker is: what we buy must not be left with us.
func (r *relay) need(n session.NeedVoucher) error {
	return r.bill.hold(min(resold(n.Need, r.bought, r.bill.price), r.in.Header.MaxCost))
}
