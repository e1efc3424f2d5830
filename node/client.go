package node

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// client buys completions from proxies for whoever calls its endpoint.
type client struct {
	cfg     ClientConfig
	links   *links
	payers  *payers
	view    func() (registry.View, error)
	metrics *metrics
	log     *slog.Logger
	ctx     context.Context // of the role; parent of what outlives a call
	opening atomic.Bool

	mu struct {
		sync.Mutex
		problems map[peer.ID]error // why there is no channel to a proxy that answers
	}
}

// keep opens channels until there are as many as configured. It is called after
// each proxy's hello.
func (c *client) keep(link) {
	if c.opening.CompareAndSwap(false, true) {
		c.payers.background(func() {
			defer c.opening.Store(false)
			c.openMissing()
		})
	}
}

func (c *client) openMissing() {
	open := 0
	var missing []link
	for _, l := range c.links.list() {
		if !l.up() {
			continue
		}
		if at, err := c.payers.ready(l.ID); err == nil && at.agreed() {
			open++
		} else { // or lost: a channel that is there is only squared
			missing = append(missing, l)
		}
	}
	// A channel that was begun comes first, so that no second deposit is locked beside it.
	slices.SortStableFunc(missing, func(a, b link) int {
		_, begunA := c.payers.to(a.ID)
		_, begunB := c.payers.to(b.ID)
		return cmp.Compare(rank(begunA), rank(begunB))
	})
	for _, l := range missing {
		if open >= c.cfg.Proxies {
			return
		}
		ctx, stop := context.WithTimeout(c.ctx, openTimeout)
		_, err := c.payers.ensure(ctx, l.ID, l.Hello)
		stop()
		if c.ctx.Err() != nil {
			return
		}
		c.note(l, err)
		if err == nil {
			open++
		}
	}
}

// note keeps why a channel cannot be opened, for the status and for callers of the
// endpoint, and logs it once.
func (c *client) note(l link, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.mu.problems[l.ID]
	if c.mu.problems == nil {
		c.mu.problems = map[peer.ID]error{}
	}
	c.mu.problems[l.ID] = err
	if err != nil && (last == nil || last.Error() != err.Error()) {
		c.log.Warn("cannot open a channel to a proxy", slog.String("proxy", l.Entry.Owner.String()), slog.Any("error", err))
	}
}

func (c *client) problem(id peer.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.problems[id]
}

// reason says why no proxy can be used, one line per proxy.
func (c *client) reason() error {
	var errs []error
	for _, l := range c.links.list() {
		err := l.Err
		if err == nil {
			err = c.problem(l.ID)
		}
		if err == nil {
			if _, err = c.payers.ready(l.ID); err == nil {
				err = errors.New("it offers nothing now")
			}
		}
		errs = append(errs, fmt.Errorf("proxy %s: %w", l.Entry.Owner, oneLine{err}))
	}
	if len(errs) == 0 {
		return errors.New("the registry lists none that answered")
	}
	return errors.Join(errs...)
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// oneLine is an error whose text, such as a list of failed dials, fits into a line.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }
func (e oneLine) Unwrap() error { return e.error }

// choice is an offer and who makes it.
type choice struct {
	session.Offer
	ID   peer.ID
	Peer session.Peer
}

// choices are the offers for a model that a channel can pay for, by model and roughly cheapest first.
// An empty model means all.
func (c *client) choices(model string) []choice {
	var all []choice
	for _, l := range c.links.list() {
		if _, err := c.payers.ready(l.ID); err != nil || !l.up() || l.Hello.Draining {
			continue
		}
		for _, o := range l.Hello.Offers {
			if model == "" || o.Model == model {
				all = append(all, choice{Offer: o, ID: l.ID, Peer: l.Peer})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b choice) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Price.Completion+a.Price.Prompt, b.Price.Completion+b.Price.Prompt))
	})
	return all
}

// Refusals of the client itself.
var (
	ErrModelNotServed = errors.New("no proxy serves the model")
	ErrNoProxy        = errors.New("no proxy can be used")
	ErrTooManyTokens  = errors.New("more completion tokens than offered")
)

// prompt is one request from the endpoint.
type prompt struct {
	Kind        string
	Model       string
	Stream      bool
	Body        []byte
	MaxTokens   uint64 // completion tokens per choice; 0: the client's default
	Choices     uint64
	PromptBound uint64
}

// requestTimeout is how long one request may take from its first byte to its last.
const requestTimeout = 10 * time.Minute

// complete buys one completion. Until the first part another proxy is tried.
func (c *client) complete(ctx context.Context, q prompt, to sink) (bought, error) {
	choices := c.choices(q.Model)
	if len(choices) == 0 {
		if len(c.choices("")) == 0 {
			return bought{}, fmt.Errorf("%w: %w", ErrNoProxy, c.reason())
		}
		return bought{}, fmt.Errorf("%w: %q", ErrModelNotServed, q.Model)
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(c.worst(a, q), c.worst(b, q)) })
	watch := &watched{sink: to}
	var last error
	for try := 0; try < len(choices) || try < 2; try++ {
		at := choices[try%len(choices)] // a single proxy gets a second chance, after the channel was squared
		b, err := c.buy(ctx, at, q, watch)
		if watch.begun || !retry(b.outcome, err) || ctx.Err() != nil {
			return b, err
		}
		if err == nil {
			err = b.Failed.Err()
		}
		// That nobody is left is what comes of the first failure, and does not explain it.
		if last == nil || !errors.Is(err, session.ErrNoWorker) {
			last = err
		}
		c.log.Info("a proxy did not serve", slog.String("proxy", at.ID.String()), slog.String("code", session.CodeOf(err).String()),
			slog.String("fault", fault(err)))
	}
	return bought{}, last
}

// perChoice is how many completion tokens one choice of the answer may have.
func (c *client) perChoice(at choice, q prompt) uint64 {
	if q.MaxTokens == 0 {
		return uint64(min(c.cfg.MaxTokens, at.MaxTokens))
	}
	return q.MaxTokens
}

// worst is what the request costs at most with a choice: which of two prices is the
// lower one depends on the request.
func (c *client) worst(at choice, q prompt) tlb.Nano {
	cost, err := worstCost(at.Price, q.PromptBound, c.perChoice(at, q)*q.Choices)
	if err != nil {
		return tlb.MaxNano // last
	}
	return cost
}

// fault is what a log may say of why a payee did not serve, besides the code: what
// this end found. What a peer writes may repeat the prompt.
func fault(err error) string {
	for _, ours := range []error{ErrOverstated, ErrTranscript, ErrImposter, ErrDishonest, ErrNoChannel, channel.ErrDepositExhausted,
		session.ErrViolation, session.ErrBroken, session.ErrNotConnected, session.ErrNotAdmitted} {
		if errors.Is(err, ours) {
			return ours.Error()
		}
	}
	return ""
}

// bought is a completion with the proxy that brought it.
type bought struct {
	outcome
	Proxy session.Peer
}

func (c *client) buy(ctx context.Context, at choice, q prompt, to sink) (bought, error) {
	perChoice := c.perChoice(at, q)
	if perChoice > uint64(at.MaxTokens) {
		return bought{}, fmt.Errorf("%w: %d asked, %d offered", ErrTooManyTokens, perChoice, at.MaxTokens)
	}
	o := order{
		Kind: q.Kind, Model: q.Model, Stream: q.Stream, Price: at.Price, MaxTokens: perChoice * q.Choices,
		PromptBound: q.PromptBound, BodySize: uint64(len(q.Body)), Timeout: requestTimeout,
		Worker: func(w tlb.Work, _ [32]byte) error {
			view, err := c.view()
			if err != nil {
				return err
			}
			return view.Image(tlb.RoleWorker, w.Image)
		},
	}
	rand.Read(o.ID[:])
	out, err := c.payers.pay(ctx, at.ID, o, bytes.NewReader(q.Body), to)
	if err == nil {
		c.metrics.bought(q.Model, out.Usage, out.Cost, out.Failed != nil)
	}
	return bought{outcome: out, Proxy: at.Peer}, err
}

// watched notes whether an answer has begun.
type watched struct {
	sink
	begun bool
}

func (w *watched) head(h session.Head) error {
	w.begun = true
	return w.sink.head(h)
}
