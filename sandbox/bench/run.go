package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Options of [Run].
type Options struct {
	// Period is how long each rate is measured. Default 2 s.
	Period time.Duration
	// NoPeer leaves out what needs Node and npm.
	NoPeer bool
	// Progress hears what is measured next. Default: nobody.
	Progress func(format string, args ...any)
}

func (o Options) withDefaults() Options {
	if o.Period == 0 {
		o.Period = 2 * time.Second
	}
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	return o
}

// What figures are compared with.
const (
	peerSandbox   = "@ton/sandbox 0.41.0, slim configuration"
	peerEmulation = "tonutils EmulateTransaction alone"
)

// Run measures. Figures against @ton/sandbox are only there if Node and npm are;
// if not, the error is [ErrNoPeer] and the other rows are valid.
func Run(ctx context.Context, o Options) ([]Row, error) {
	o = o.withDefaults()
	// One core each: what is compared is work, not how much runs at once.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))

	o.Progress("measuring counter transactions of the sandbox, and of the emulator alone")
	ours, err := measureOurs(ctx, o.Period)
	if err != nil {
		return nil, fmt.Errorf("measure the sandbox: %w", err)
	}
	rows := []Row{Compared("sandbox_tx_vs_tonutils", ours.transactions, "1/s", peerEmulation, ours.raw)}
	peer, err := peerFigures{}, ErrNoPeer
	if !o.NoPeer {
		o.Progress("measuring @ton/sandbox in Node")
		peer, err = measurePeer(ctx, o.Period)
	}
	if err != nil {
		return append(rows, Alone("sandbox_new_chain", 1e6/ours.fresh, "us")), err
	}
	return append(rows,
		Compared("sandbox_new_chain", 1e6/ours.fresh, "us", peerSandbox, 1e6/peer.Fresh),
		Compared("sandbox_tx_vs_ton_sandbox", ours.transactions, "1/s", peerSandbox, peer.Transactions),
		Compared("sandbox_get_vs_ton_sandbox", ours.gets, "1/s", peerSandbox, peer.Gets),
	), nil
}

// counterCode is counter.tolk, compiled.
//
//go:embed counter.boc
var counterCode []byte

// figures are rates per second.
type figures struct{ fresh, transactions, raw, gets float64 }

var errWrong = errors.New("the counter is wrong")

func measureOurs(ctx context.Context, period time.Duration) (f figures, err error) {
	if f.fresh, err = rate(period, func(int) error {
		chain, err := sandbox.Open(sandbox.Options{})
		if err != nil {
			return err
		}
		return chain.Close()
	}); err != nil {
		return f, err
	}
	code, err := cell.FromBOC(counterCode)
	if err != nil {
		return f, err
	}
	counter := account(100)
	open := func() (*sandbox.Chain, error) {
		return sandbox.Open(sandbox.Options{Genesis: []sandbox.GenesisAccount{
			{Address: counter, Balance: 1000 * tlb.TON, Code: code, Data: cell.BeginCell().MustStoreUInt(0, 64).EndCell()},
		}})
	}
	chain, err := open()
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, chain.Close()) }()
	bare, err := newRaw(chain, counter)
	if err != nil {
		return f, err
	}

	// In turns, so that both meet the same machine, each on a fresh chain, as tests
	// have: the rounds of a long one, at which nobody looks, are the collector's work.
	var transactions, alone []float64
	sent := 0
	for range 5 {
		fresh, err := open()
		if err != nil {
			return f, err
		}
		if err := chain.Close(); err != nil {
			return f, err
		}
		chain = fresh
		runtime.GC()
		sent = 0
		r, err := rate(period/5, func(n int) error {
			sent++
			trace, err := chain.SendInternal(ctx, increase(counter, n))
			if err == nil && trace.Aborted {
				err = errWrong
			}
			return err
		})
		if err != nil {
			return f, err
		}
		transactions = append(transactions, r)
		if r, err = rate(period/5, bare.step); err != nil {
			return f, err
		}
		alone = append(alone, r)
	}
	f.transactions, f.raw = median(transactions), median(alone)
	read := func(int) error {
		result, err := chain.RunGet(ctx, counter, "currentCounter")
		if err != nil {
			return err
		}
		if n, err := result.Stack.Uint64(0); err != nil || n != uint64(sent) {
			return fmt.Errorf("%w: it says %d after %d messages: %v", errWrong, n, sent, err)
		}
		return nil
	}
	f.gets, err = rate(period, read)
	return f, err
}

func account(n byte) *address.Address {
	return address.NewAddress(0, 0, slices.Repeat([]byte{n}, 32))
}

// increase is the message that is measured.
func increase(counter *address.Address, n int) sandbox.Internal {
	body := cell.BeginCell().MustStoreUInt(0x7e8764ef, 32).MustStoreUInt(uint64(n), 64).MustStoreUInt(1, 32).EndCell()
	return sandbox.Internal{From: account(byte(n % 10)), To: counter, Amount: tlb.TON / 20, Body: body, Bounce: true}
}

// rate runs work for a while, after a fifth of that to warm up, and returns how
// often per second.
func rate(period time.Duration, work func(n int) error) (float64, error) {
	n := 0
	for start := time.Now(); time.Since(start) < period/5; n++ {
		if err := work(n); err != nil {
			return 0, err
		}
	}
	begun, start := n, time.Now()
	for ; time.Since(start) < period; n++ {
		if err := work(n); err != nil {
			return 0, err
		}
	}
	return float64(n-begun) / time.Since(start).Seconds(), nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
