package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Chain is what a queue needs of a TON network. What it returns is proven, or
// comes from the network's own process.
type Chain interface {
	// Head is the newest masterchain block.
	Head(ctx context.Context) (tlb.Block, error)
	// Account is the state of an account in a block.
	Account(ctx context.Context, at tlb.Block, a *address.Address) (tlb.Account, error)
	// Transactions are up to limit transactions of an account, newest first,
	// beginning with the one named.
	Transactions(ctx context.Context, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error)
	// Send hands in an external message. Its answer decides nothing.
	Send(ctx context.Context, msg *cell.Cell) error
}

// Store keeps the queue. Commit is atomic, and when it returns the writes are on disk.
type Store interface {
	Get(key []byte) (value []byte, ok bool, err error)
	Scan(prefix []byte, each func(key, value []byte) error) error
	Commit(write func(set func(key, value []byte), del func(key []byte))) error
}

// Errors of a queue.
var (
	ErrID        = errors.New("a send's id has 1 to 256 bytes")
	ErrTooLarge  = errors.New("the message is too large to send")
	ErrQueueFull = errors.New("too many sends are waiting")
	ErrUnknownID = errors.New("no send with this id was enqueued")
	// ErrSkipped: the wallet executed the batch, but did not send all messages of
	// this id, most often for want of coins. Those that it skipped cost nothing;
	// enqueue them again under another id if they are still wanted.
	ErrSkipped = errors.New("the wallet skipped messages")
)

// ErrInsufficient says that the wallet cannot pay for a send: its amounts and
// the fees of sending them.
type ErrInsufficient struct {
	Wallet     *address.Address
	Have, Need tlb.Nano
}

func (e ErrInsufficient) Error() string {
	return fmt.Sprintf("wallet %v holds %v, the send needs %v; top it up, and check that it is on this network", e.Wallet, e.Have, e.Need)
}

// Options tune a [Queue]; the zero value works.
type Options struct {
	// TTL is how long a V5R1 message may be executed after it was signed, in the
	// chain's time. Default 3 minutes. (For Highload V3 it is [HighloadTTL].)
	TTL time.Duration
	// Poll is the time between looks at the chain while something is pending. Default 1 s.
	Poll time.Duration
	// Resend is the time between two sends of the same bytes. Default 10 s.
	Resend time.Duration
	// MaxPending bounds the sends that wait. Default 10,000.
	MaxPending int
	// Log hears of sends and of what keeps them waiting. Default: discarded.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.TTL == 0 {
		o.TTL = 3 * time.Minute
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Resend == 0 {
		o.Resend = 10 * time.Second
	}
	if o.MaxPending == 0 {
		o.MaxPending = 10_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Queue sends from one wallet. Enqueue, Wait and Pending may be called from any
// goroutine, whether or not Run is running.
type Queue struct {
	wallet Wallet
	chain  Chain
	store  Store
	o      Options
	nudge  chan struct{} // wakes Run

	flight *flight // the signed message under way; Run's own

	adding sync.Mutex // held through an Enqueue, so that one id is added once

	mu struct {
		sync.Mutex
		pending map[uint64]*send // by order
		byID    map[string]*send
		next    uint64 // order of the next send
		changed chan struct{}
	}
}

// send is a set of messages that is under way as one.
type send struct {
	id       string
	order    uint64
	messages []contracts.Message
	size     int   // of the messages, encoded
	flying   bool  // signed, in flight
	blocked  error // why it waits, if there is something to say
}

// Result is where a finished send left the wallet.
type Result struct {
	LT   uint64 // of the wallet's transaction
	Hash [32]byte
}

// NewQueue continues the queue from its store.
func NewQueue(w Wallet, chain Chain, store Store, o Options) (*Queue, error) {
	if w.key.seed == nil {
		return nil, ErrNoKey
	}
	q := &Queue{wallet: w, chain: chain, store: store, o: o.withDefaults(), nudge: make(chan struct{}, 1)}
	q.mu.pending, q.mu.byID, q.mu.changed = map[uint64]*send{}, map[string]*send{}, make(chan struct{})
	if err := q.load(); err != nil {
		return nil, fmt.Errorf("open the queue of wallet %v: %w", w.address, err)
	}
	return q, nil
}

func (q *Queue) load() error {
	err := q.store.Scan([]byte{keyWaiting}, func(key, value []byte) error {
		s, err := parseSend(value)
		if err == nil && string(key) != string(waitingKey(s.order)) {
			err = ErrRecordCorrupt
		}
		if err != nil {
			return err
		}
		q.mu.pending[s.order], q.mu.byID[s.id] = s, s
		q.mu.next = max(q.mu.next, s.order+1)
		return nil
	})
	if err != nil {
		return err
	}
	record, ok, err := q.store.Get([]byte{keyFlight})
	if err != nil || !ok {
		return err
	}
	if q.flight, err = parseFlight(record); err != nil {
		return err
	}
	for _, order := range q.flight.orders {
		s, ok := q.mu.pending[order]
		if !ok {
			return ErrRecordCorrupt
		}
		s.flying = true
	}
	return nil
}

// Enqueue takes messages to send under an id of the caller's choice, which names
// this send for good: the same id again, also after a restart or once it is
// done, changes nothing, whatever the messages. When it returns nil the send is
// on disk, and [Queue.Run] will carry it out. Sends leave in no particular order.
//
// Errors: [ErrInsufficient] if the wallet could not pay for it beside what waits
// already, [ErrNoMessages], [ErrTooMany], [ErrTooLarge], [ErrQueueFull], [ErrID],
// or that the chain could not be read; nothing is enqueued then.
func (q *Queue) Enqueue(ctx context.Context, id string, messages []contracts.Message) error {
	if id == "" || len(id) > 256 {
		return ErrID
	}
	q.adding.Lock()
	defer q.adding.Unlock()
	switch _, err := q.look(id); {
	case err == nil, errors.Is(err, errPending), errors.Is(err, ErrSkipped):
		return nil
	case !errors.Is(err, ErrUnknownID):
		return err
	}
	if err := q.enqueue(ctx, id, messages); err != nil {
		return fmt.Errorf("enqueue %q: %w", id, err)
	}
	return nil
}

func (q *Queue) enqueue(ctx context.Context, id string, messages []contracts.Message) error {
	switch {
	case len(messages) == 0:
		return ErrNoMessages
	case len(messages) > q.wallet.MaxMessages():
		return fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(messages), q.wallet.MaxMessages())
	}
	s := &send{id: id, messages: slices.Clone(messages)}
	q.mu.Lock()
	s.order = q.mu.next
	count := len(q.mu.pending)
	waiting := q.waitingLocked()
	q.mu.Unlock()
	if count >= q.o.MaxPending {
		return ErrQueueFull
	}
	record, err := s.encode()
	if err != nil {
		return err
	}

	head, err := q.chain.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the chain: %w", err)
	}
	account, err := q.chain.Account(ctx, head, q.wallet.address)
	if err != nil {
		return fmt.Errorf("read the wallet's account: %w", err)
	}
	need, err := q.cost(append(waiting, s)...)
	if err != nil {
		return err
	}
	if need > account.Balance {
		return ErrInsufficient{Wallet: q.wallet.address, Have: account.Balance, Need: need}
	}

	err = q.store.Commit(func(set func(key, value []byte), _ func(key []byte)) {
		set(idKey(id), entry{order: s.order}.encode())
		set(waitingKey(s.order), record)
	})
	if err != nil {
		return err
	}
	q.mu.Lock()
	q.mu.pending[s.order], q.mu.byID[id] = s, s
	q.mu.next++
	q.mu.Unlock()
	select {
	case q.nudge <- struct{}{}:
	default:
	}
	return nil
}

// waitingLocked lists what is not signed yet, oldest first.
func (q *Queue) waitingLocked() []*send {
	var list []*send
	for _, s := range q.mu.pending {
		if !s.flying {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *send) int { return cmp.Compare(a.order, b.order) })
	return list
}

// errPending: neither done nor stuck.
var errPending = errors.New("the send is under way")

// look says how a send stands.
func (q *Queue) look(id string) (Result, error) {
	q.mu.Lock()
	s, ok := q.mu.byID[id]
	var blocked error
	if ok {
		blocked = s.blocked
	}
	q.mu.Unlock()
	if ok {
		return Result{}, errors.Join(errPending, blocked)
	}
	record, ok, err := q.store.Get(idKey(id))
	if err != nil {
		return Result{}, err
	}
	if !ok {
		return Result{}, ErrUnknownID
	}
	e, err := parseEntry(record)
	if err != nil {
		return Result{}, err
	}
	if !e.done { // it became pending, or done, between the two looks
		return Result{}, errPending
	}
	result := Result{LT: e.lt, Hash: e.hash}
	if e.skipped > 0 {
		return result, fmt.Errorf("send %q: %w: %d of %d", id, ErrSkipped, e.skipped, e.count)
	}
	return result, nil
}

// Wait returns when the send is done, with the wallet's transaction it left in.
// Whether the messages did what they should at their destinations is for the
// caller to see there. [Queue.Run] must be running.
//
// Errors: [ErrSkipped] with the transaction, if the wallet did not send all of
// it; [ErrInsufficient] if the wallet cannot pay for it (it stays queued, and
// leaves once it can); [ErrUnknownID]; or the context's.
func (q *Queue) Wait(ctx context.Context, id string) (Result, error) {
	for {
		q.mu.Lock()
		changed := q.mu.changed
		q.mu.Unlock()
		result, err := q.look(id)
		if !errors.Is(err, errPending) {
			return result, err
		}
		if short, ok := errors.AsType[ErrInsufficient](err); ok {
			return Result{}, fmt.Errorf("send %q: %w", id, short)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Result{}, fmt.Errorf("wait for send %q: %w", id, ctx.Err())
		}
	}
}

// Pending counts the sends that are not done.
func (q *Queue) Pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.mu.pending)
}

// Run sends what is enqueued until the context ends, whose error it returns, or
// until the store fails. Trouble with the chain is logged, and tried again.
func (q *Queue) Run(ctx context.Context) error {
	ticker := time.NewTicker(q.o.Poll)
	defer ticker.Stop()
	said := ""
	for {
		err := q.step(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, broken := errors.AsType[storeError](err); broken {
			return err
		}
		if err != nil && err.Error() != said { // once, not at every look
			said = err.Error()
			q.o.Log.Warn("wallet queue is waiting", "wallet", q.wallet.address.String(), "err", err)
		}
		if err == nil {
			said = ""
		}
		select {
		case <-ticker.C:
		case <-q.nudge:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
