package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/sandbox/bench"
	"github.com/tussah-network/tussah/tlb"
)

// AssuranceRow is what one safety suite found.
type AssuranceRow struct {
	Name     string  `json:"name"`
	Runs     int     `json:"runs"`
	Failures int     `json:"failures"`
	Seconds  float64 `json:"seconds"`
}

// AssuranceOptions of [Assurance].
type AssuranceOptions struct {
	Dir      string
	Requests int // of paid_requests_conservation; 2000 if zero
	Log      *slog.Logger
	Progress func(format string, args ...any) // tells every failure
}

// Assurance runs the long safety suites. Failures are in the rows; an error says
// that a suite could not be run to its end.
func Assurance(ctx context.Context, o AssuranceOptions) ([]AssuranceRow, error) {
	if o.Requests == 0 {
		o.Requests = 2000
	}
	start := time.Now()
	runs, failures, err := conserve(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("paid_requests_conservation: %w", err)
	}
	return []AssuranceRow{{Name: "paid_requests_conservation", Runs: runs, Failures: failures, Seconds: bench.Round(time.Since(start).Seconds())}}, nil
}

// The load of the conservation suite.
const (
	conserveAtOnce = 16
	// conservePhase bounds the requests between two restarts: a client forgets receipts beyond its last 1000.
	conservePhase = 300
	// conserveStorm is how many requests are sent, beside those that count, while a node restarts.
	conserveStorm = 6 * conserveAtOnce
)

// conservation sends paid requests through three nodes, restarts each in between,
// closes the channels and looks for every nanoTON.
type conservation struct {
	o      AssuranceOptions
	trio   *Trio
	direct *caller
	paid   *caller
	sent   atomic.Int64 // requests so far

	mu struct {
		sync.Mutex
		costs    map[string]tlb.Nano // of the client's receipts, by request
		failures int
	}
}

func conserve(ctx context.Context, o AssuranceOptions) (runs, failures int, err error) {
	base, stop, err := serveEngine()
	if err != nil {
		return 0, 0, err
	}
	defer stop()
	trio, err := OpenTrio(ctx, TrioOptions{Dir: o.Dir, Engine: base, Edit: slots(2 * conserveAtOnce), Log: o.Log, Progress: o.Progress})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, trio.Close()) }()
	c := &conservation{o: o, trio: trio, direct: newCaller(base, DemoModel, conserveAtOnce),
		paid: newCaller(trio.Client.Endpoint(), DemoModel, conserveAtOnce)}
	defer c.direct.close()
	defer c.paid.close()
	c.mu.costs = map[string]tlb.Nano{}

	roles := []node.Role{node.Proxy, node.Worker, node.Client}
	phases := max(len(roles), (o.Requests+conservePhase-1)/conservePhase)
	for phase := range phases {
		n := o.Requests*(phase+1)/phases - o.Requests*phase/phases
		c.calm(ctx, n)
		runs += n
		role := roles[phase%len(roles)]
		o.Progress("%d of %d requests done; restarting the %s under load", runs, o.Requests, role)
		if err := c.storm(ctx, role); err != nil {
			return runs, 0, fmt.Errorf("restart the %s: %w", role, err)
		}
	}
	c.settle(ctx)
	return runs, c.mu.failures, ctx.Err()
}

// wrong counts a failure.
func (c *conservation) wrong(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.failures++
	c.o.Progress("WRONG: "+format, args...)
}

// calm sends n requests, every one of which must be served: half of them stream,
// and from one stream in eight the caller goes away.
func (c *conservation) calm(ctx context.Context, n int) {
	c.load(n, func(number int64) {
		err := ctx.Err()
		switch {
		case err != nil:
		case number%16 == 0:
			err = c.paid.leave(ctx, question{Text: "count to 400", Stream: true, MaxTokens: maxTokens})
		default:
			err = c.request(ctx, question{Text: fmt.Sprintf("count to %d", 1+number%40), Stream: number%2 == 0, MaxTokens: maxTokens})
		}
		if err != nil {
			c.wrong("request %d: %v", number, err)
		}
	})
	got := 0 // the receipts of those who left come a little later
	err := c.trio.until(ctx, func() (bool, error) { got += c.collect(c.trio.Client); return got == n, nil })
	if err != nil {
		c.wrong("%d requests were served, but there are %d receipts: %v", n, got, err)
	}
}

// maxTokens bounds the answer to any request.
const maxTokens = 512

// storm restarts a node while requests are under way. They may break, for coins
// must add up all the same; but what is answered must be right.
func (c *conservation) storm(ctx context.Context, role node.Role) error {
	begun := make(chan struct{}, conserveStorm)
	var load sync.WaitGroup
	load.Go(func() {
		c.load(conserveStorm, func(number int64) {
			begun <- struct{}{}
			err := c.request(ctx, question{Text: fmt.Sprintf("count to %d", 100+number%200), Stream: number%2 == 0, MaxTokens: maxTokens})
			if errors.Is(err, errAnswer) {
				c.wrong("request %d in a restart of the %s: %v", number, role, err)
			} else if err != nil {
				sleep(ctx, 100*time.Millisecond) // a node that is down refuses at once
			}
		})
	})
	for range 2 * conserveAtOnce { // some are done, and as many as can be are under way
		<-begun
	}
	client := c.trio.Client
	err := c.trio.Restart(ctx, role)
	load.Wait()
	c.collect(client)
	if err != nil {
		return err
	}
	// It is over when a request is served again.
	return c.trio.until(ctx, func() (bool, error) {
		c.sent.Add(1)
		err := c.request(ctx, question{Text: "count to 3", MaxTokens: maxTokens})
		c.collect(c.trio.Client)
		return err == nil, nil
	})
}

// load calls request n times, so many at once, with numbers of their own.
func (c *conservation) load(n int, request func(number int64)) {
	var group errgroup.Group
	group.SetLimit(conserveAtOnce)
	for range n {
		group.Go(func() error { request(c.sent.Add(1)); return nil })
	}
	_ = group.Wait() // request counts what is wrong itself
}

// errAnswer is an answer that is not the engine's.
var errAnswer = errors.New("not the engine's answer")

// request asks through the network, and holds the answer against the engine's own.
func (c *conservation) request(ctx context.Context, q question) error {
	got, err := c.paid.ask(ctx, q)
	if err != nil {
		return err
	}
	want, err := c.direct.ask(ctx, q)
	if err != nil {
		return fmt.Errorf("ask the engine itself: %w", err)
	}
	if got != want {
		return fmt.Errorf("%w: %q, want %q", errAnswer, got, want)
	}
	return nil
}

// collect takes the client's newest receipts, and returns how many were new.
func (c *conservation) collect(client *Running) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.mu.costs)
	for _, r := range client.Receipts() {
		c.mu.costs[r.Request] = r.Cost
	}
	return len(c.mu.costs) - before
}

// without is how many requests ended without a receipt: those that a restart broke off.
func (c *conservation) without() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent.Load() - int64(len(c.mu.costs))
}

// settle closes everything and holds the numbers against each other.
func (c *conservation) settle(ctx context.Context) {
	c.quiet(ctx)
	c.collect(c.trio.Client)
	c.agree()
	work, err := c.trio.Settle(ctx)
	if err != nil {
		c.wrong("settle: %v", err)
		return
	}
	c.receipts(work)
	balances, err := c.trio.Balances(ctx, work)
	if err != nil {
		c.wrong("%v", err)
	}
	for _, b := range balances {
		c.o.Progress("%s: %+d nanoTON = %+d by work − %d fees, %d unexplained", b.Party, b.Change(), b.Work, b.Fees, b.Rest())
	}
	chain := c.trio.Network.Chain
	if have, want := chain.Balances()+chain.InFlight()+chain.Fees(), chain.Supply(); have != want {
		c.wrong("balances and fees are %d nanoTON, the supply is %d", have, want)
	}
}

// quiet waits until the last request has ended at every node.
func (c *conservation) quiet(ctx context.Context) {
	if err := c.trio.until(ctx, func() (bool, error) { return c.trio.idle(), nil }); err != nil {
		c.wrong("requests are still running: %v", err)
	}
}

// agree compares what both ends of each channel believe. A payee may know of more
// than its payer: what requests that were broken off have cost.
func (c *conservation) agree() {
	for _, ch := range c.trio.paying() {
		if ch.Spent > ch.Earned || ch.Earned > ch.Spent+tlb.Nano(c.without())*costBound {
			c.wrong("channel %s: the payer spent %d nanoTON, the payee earned %d", ch.at, ch.Spent, ch.Earned)
		}
		if ch.Earned > ch.Authorised || ch.Authorised > ch.Deposit {
			c.wrong("channel %s: %d nanoTON earned, %d authorised, %d deposited", ch.at, ch.Earned, ch.Authorised, ch.Deposit)
		}
	}
}

// receipts holds what the client paid against its receipts. A request that a
// restart broke off may be paid as far as it was delivered, without a receipt.
func (c *conservation) receipts(work Work) {
	without := c.without()
	c.mu.Lock()
	var sum tlb.Nano
	for _, cost := range c.mu.costs {
		sum += cost
	}
	count := len(c.mu.costs)
	c.mu.Unlock()
	more := int64(work.Bought) - int64(sum)
	c.o.Progress("%d receipts over %d nanoTON; %d requests broken off by restarts cost %d nanoTON", count, sum, without, more)
	if more < 0 || more > without*int64(costBound) {
		c.wrong("the client paid %d nanoTON and holds receipts over %d, without any for %d requests", work.Bought, sum, without)
	}
}

// costBound is more than a request can cost: maxTokens and a short prompt.
const costBound tlb.Nano = 100_000
