package devnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/sandbox/bench"
)

// BenchOptions of [Bench].
type BenchOptions struct {
	Dir      string        // for the nodes' data: the disk that is measured
	Requests int           // per latency; 1000 if zero
	InFlight int           // requests at once, for rates; 64 if zero
	Time     time.Duration // per rate of requests; 5 s if zero
	Blocks   int           // of the sandbox; 10 if zero
	Log      *slog.Logger
	Progress func(format string, args ...any)
}

// What figures are compared with.
const (
	peerEngine    = "engine called directly"
	peerEmulation = "tonutils EmulateTransaction alone"
)

// Bench measures the network on this machine: everything runs in this process,
// the load too.
func Bench(ctx context.Context, o BenchOptions) ([]bench.Row, error) {
	if o.Requests == 0 {
		o.Requests = 1000
	}
	if o.InFlight == 0 {
		o.InFlight = 64
	}
	if o.Time == 0 {
		o.Time = 5 * time.Second
	}
	if o.Blocks == 0 {
		o.Blocks = 10
	}
	rows, err := benchRequests(ctx, o)
	if err != nil {
		return nil, err
	}
	o.Progress("measuring the sandbox")
	chain, err := benchSandbox(ctx, o.Blocks)
	if err != nil {
		return nil, fmt.Errorf("measure the sandbox: %w", err)
	}
	return append(rows, chain), nil
}

func benchRequests(ctx context.Context, o BenchOptions) (rows []bench.Row, err error) {
	base, stop, err := serveEngine()
	if err != nil {
		return nil, err
	}
	defer stop()
	trio, err := OpenTrio(ctx, TrioOptions{Dir: o.Dir, Engine: base, Edit: slots(o.InFlight), Log: o.Log, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, trio.Close()) }()
	direct := newCaller(base, DemoModel, o.InFlight)
	defer direct.close()
	paid := newCaller(trio.Client.Endpoint(), DemoModel, o.InFlight)
	defer paid.close()

	o.Progress("measuring the latency of %d requests each way", o.Requests)
	latency, err := compareLatency(ctx, o.Requests, direct, paid)
	if err != nil {
		return nil, fmt.Errorf("measure latency: %w", err)
	}
	for _, p := range []int{50, 99} {
		alone, all := latency.direct.percentile(p), latency.paid.percentile(p)
		rows = append(rows, bench.Compared(fmt.Sprintf("request_added_latency_p%d", p), micros(all-alone), "us", peerEngine, micros(alone)))
	}

	o.Progress("measuring the rate with %d requests in flight", o.InFlight)
	rate, err := measureRate(ctx, o, paid)
	if err != nil {
		return nil, fmt.Errorf("measure the rate of paid requests: %w", err)
	}
	alone, err := measureRate(ctx, o, direct)
	if err != nil {
		return nil, fmt.Errorf("measure the engine's rate: %w", err)
	}
	return append(rows, bench.Compared("paid_requests_per_second", rate, "1/s", peerEngine, alone)), nil
}

// slots lets a worker take n requests at once.
func slots(n int) func(*node.Config) {
	return func(c *node.Config) {
		if c.Worker != nil {
			c.Worker.Models[0].Slots = uint32(n)
		}
	}
}

// serveEngine runs a demo engine of its own, so that it can be called directly too.
func serveEngine() (base string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: &engine.Demo{}, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // ends when the server is closed
	return "http://" + l.Addr().String(), func() { _ = server.Close() }, nil
}

// small is the request that is measured: what costs here is the way, not the work.
var small = question{Text: "count to 8", MaxTokens: 16}

// once sends the small request and reads the answer to its end.
func (c *caller) once(ctx context.Context) error {
	body, err := c.chat(ctx, small)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, body)
	return errors.Join(err, body.Close())
}

type latencies struct{ direct, paid sample }

// compareLatency sends requests both ways in turn, so that both meet the same machine.
func compareLatency(ctx context.Context, n int, direct, paid *caller) (latencies, error) {
	var l latencies
	for i := range warmUp + n {
		for _, way := range []struct {
			caller *caller
			into   *sample
		}{{direct, &l.direct}, {paid, &l.paid}} {
			start := time.Now()
			if err := way.caller.once(ctx); err != nil {
				return l, err
			}
			if i >= warmUp {
				*way.into = append(*way.into, time.Since(start))
			}
		}
	}
	return l, nil
}

// warmUp is how many requests go before those that count.
const warmUp = 50

// measureRate keeps o.InFlight requests under way and returns how many end per second.
func measureRate(ctx context.Context, o BenchOptions, c *caller) (float64, error) {
	var counting atomic.Bool
	var count atomic.Int64
	loading, stop := context.WithCancel(ctx)
	defer stop()
	group, loading := errgroup.WithContext(loading)
	for range o.InFlight {
		group.Go(func() error {
			for loading.Err() == nil {
				if err := c.once(loading); err != nil && loading.Err() == nil {
					return err
				}
				if counting.Load() {
					count.Add(1)
				}
			}
			return nil
		})
	}
	sleep(loading, o.Time/5)
	counting.Store(true)
	start := time.Now()
	sleep(loading, o.Time)
	counting.Store(false)
	rate := float64(count.Load()) / time.Since(start).Seconds()
	stop()
	return rate, errors.Join(group.Wait(), ctx.Err())
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// sample is a set of durations.
type sample []time.Duration

// percentile is the smallest duration that at least p in 100 do not exceed (nearest
// rank); zero if there is none.
func (s sample) percentile(p int) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
