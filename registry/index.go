package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
)

// Chain is what the index reads. Everything it returns is proven to belong to
// the chain that the node trusts.
type Chain interface {
	// Head is the newest masterchain block.
	Head(ctx context.Context) (tlb.Block, error)
	// Account is the state of an account in a block; an account that does not
	// exist has the status Absent.
	Account(ctx context.Context, at tlb.Block, a *address.Address) (tlb.Account, error)
	// Transactions are up to limit transactions of an account, newest first,
	// beginning with the one named.
	Transactions(ctx context.Context, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error)
}

// Store is the index's own key space.
type Store interface {
	Get(key []byte) (value []byte, ok bool, err error)
	Scan(prefix []byte, each func(key, value []byte) error) error
	Commit(write func(set func(key, value []byte), del func(key []byte))) error
}

// Errors of the index.
var (
	ErrNotSynced = errors.New("the registry has not been read from the chain yet")
	ErrStale     = errors.New("the view of the chain is too old to decide on")
	ErrUnwatched = errors.New("the account is not watched, or not seen yet")
	ErrBroken    = errors.New("the transactions of an account do not form a chain")
)

// Options of an [Index]; the zero value works.
type Options struct {
	MaxAge   time.Duration // oldest block a view may be made from; 1 minute if zero
	Interval time.Duration // between passes of Run; 500 ms if zero
	Now      func() time.Time
	Log      *slog.Logger
}

// Index follows the registry and the watched channels. It is safe for
// concurrent use; create it with [NewIndex] and keep it current with Run.
type Index struct {
	chain    Chain
	rows     rows
	registry *address.Address
	o        Options

	pass sync.Mutex // held during Sync and Fill, so that passes do not interleave
	turn int        // counts passes of Fill, under pass; the channels take turns at being first

	mu struct {
		sync.Mutex
		head     tlb.Block
		state    tlb.RegistryState
		synced   bool
		accounts map[string]tlb.Account // watched channels by address
		changed  chan struct{}          // closed and replaced after each pass that moved
	}
}

// NewIndex reads nothing; call Load or Sync first.
func NewIndex(chain Chain, store Store, registry *address.Address, o Options) *Index {
	if o.MaxAge == 0 {
		o.MaxAge = time.Minute
	}
	if o.Interval == 0 {
		o.Interval = 500 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	x := &Index{chain: chain, rows: rows{store}, registry: registry, o: o}
	x.mu.accounts = map[string]tlb.Account{}
	x.mu.changed = make(chan struct{})
	return x
}

// Load restores what was stored, so that the node knows its channels before the
// first block. A fresh store is no error.
func (x *Index) Load() error {
	watched, err := x.rows.watched()
	if err != nil {
		return err
	}
	accounts := map[string]tlb.Account{}
	for _, a := range watched {
		acc, ok, err := x.rows.account(a)
		if err != nil {
			return err
		}
		if ok { // or it was watched just before the end
			accounts[a.StringRaw()] = acc
		}
	}
	head, _, err := x.rows.head()
	if err != nil {
		return err
	}
	acc, ok, err := x.rows.account(x.registry)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.accounts, x.mu.head = accounts, head
	if ok {
		if x.mu.state, err = contracts.ParseRegistry(acc); err != nil {
			return fmt.Errorf("stored registry %s: %w", x.registry, err)
		}
		x.mu.synced = true
	}
	return nil
}

// Run syncs at every interval until ctx ends, and fills in history in between. A
// pass that fails is logged and tried again: a liteserver that is away makes the
// view old, not wrong, and one that keeps no old blocks leaves a gap in the history.
func (x *Index) Run(ctx context.Context) error {
	ticker := time.NewTicker(x.o.Interval)
	defer ticker.Stop()
	var warned time.Time // of the history: it may fail for long, and nothing waits for it
	for {
		if err := x.Sync(ctx); err != nil && ctx.Err() == nil {
			x.o.Log.Warn("sync the registry index", "error", err)
		} else if _, err := x.Fill(ctx); err != nil && ctx.Err() == nil && time.Since(warned) > time.Minute {
			x.o.Log.Warn("read the history of accounts", "error", err)
			warned = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Sync makes one pass to the newest block: the states of all accounts, so that it
// takes as long whatever strangers sent to them. It returns contracts.ErrNotRegistry
// if the account it was given is none.
func (x *Index) Sync(ctx context.Context) error {
	x.pass.Lock()
	defer x.pass.Unlock()

	head, err := x.chain.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the newest block: %w", err)
	}
	x.mu.Lock()
	known, synced, seen := x.mu.head, x.mu.synced, x.mu.accounts
	x.mu.Unlock()
	watched, err := x.rows.watched()
	if err != nil {
		return err
	}
	follow := append([]*address.Address{x.registry}, watched...)
	accounts := make(map[string]tlb.Account, len(watched))
	if synced && head.Seqno <= known.Seqno {
		// No new block: only what is watched since the last pass is left to read.
		head, follow = known, nil
		for _, a := range watched {
			if acc, ok := seen[a.StringRaw()]; ok {
				accounts[a.StringRaw()] = acc
			} else {
				follow = append(follow, a)
			}
		}
		if len(follow) == 0 {
			return nil
		}
	}
	states := make([]moved, 0, len(follow))
	for _, a := range follow {
		m, err := x.follow(ctx, head, a)
		if err != nil {
			return err
		}
		states = append(states, m)
		accounts[a.StringRaw()] = m.account
	}
	x.mu.Lock()
	state := x.mu.state
	x.mu.Unlock()
	if follow[0] == x.registry {
		if state, err = contracts.ParseRegistry(states[0].account); err != nil {
			return fmt.Errorf("registry %s: %w", x.registry, err)
		}
		delete(accounts, x.registry.StringRaw())
	}
	if err := x.rows.commit(head, states); err != nil {
		return err
	}

	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.head, x.mu.state, x.mu.synced, x.mu.accounts = head, state, true, accounts
	close(x.mu.changed)
	x.mu.changed = make(chan struct{})
	return nil
}

// follow reads an account at head, and says what that means for its history.
func (x *Index) follow(ctx context.Context, head tlb.Block, a *address.Address) (moved, error) {
	acc, err := x.chain.Account(ctx, head, a)
	if err != nil {
		return moved{}, fmt.Errorf("read account %s at block %d: %w", a, head.Seqno, err)
	}
	known, _, err := x.rows.account(a)
	if err != nil {
		return moved{}, err
	}
	_, open, err := x.rows.gap(a)
	if err != nil {
		return moved{}, err
	}
	m := moved{account: acc}
	now, before := lastOf(acc), lastOf(known)
	switch {
	case now == before:
	case now.LT == 0:
		m.destroyed = true
	case now.LT <= before.LT:
		return moved{}, fmt.Errorf("%w: %s went from transaction %d back to %d", ErrBroken, a, before.LT, now.LT)
	case !open: // else the new transactions have their turn when the gap is closed
		m.gap = &gap{Next: now, Floor: before, Top: now}
	}
	return m, nil
}

// Watch adds a channel to what the index follows, from the next pass on. It
// returns after the wish is on disk.
func (x *Index) Watch(channel *address.Address) error { return x.rows.watch(channel) }

// Unwatch ends what Watch began. What was stored of the channel stays.
func (x *Index) Unwatch(channel *address.Address) error { return x.rows.unwatch(channel) }

// Channel is a watched channel's state at the newest block. It returns
// [ErrUnwatched] until a pass has seen the channel, and contracts.ErrNotChannel
// if there is no channel at the address (any more).
func (x *Index) Channel(channel *address.Address) (tlb.ChannelState, error) {
	x.mu.Lock()
	acc, ok := x.mu.accounts[channel.StringRaw()]
	x.mu.Unlock()
	if !ok {
		return tlb.ChannelState{}, fmt.Errorf("channel %s: %w", channel, ErrUnwatched)
	}
	return contracts.ParseChannel(acc)
}

// Transactions are the transactions of a followed account that are stored so far,
// newest first; once Fill is complete, all. A contract that was destroyed has none.
func (x *Index) Transactions(a *address.Address) ([]tlb.Tx, error) { return x.rows.transactions(a) }

// Changed is closed when a later pass of Sync has moved the index.
func (x *Index) Changed() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mu.changed
}

// View is the policy view at the newest block, or [ErrNotSynced] or [ErrStale].
func (x *Index) View() (View, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.mu.synced {
		return View{}, ErrNotSynced
	}
	if age := x.o.Now().Sub(x.mu.head.Time); age > x.o.MaxAge {
		return View{}, fmt.Errorf("%w: block %d is %s old", ErrStale, x.mu.head.Seqno, age.Round(time.Second))
	}
	return View{Block: x.mu.head, State: x.mu.state}, nil
}
