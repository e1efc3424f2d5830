package registry_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

var _ registry.Chain = (*sandbox.Chain)(nil)

// The index follows the registry and a channel through a life.
func TestFollow(t *testing.T) {
	n := newNetwork(t)
	store := newMemory()
	x := n.index(store)
	if _, err := x.View(); !errors.Is(err, registry.ErrNotSynced) {
		t.Errorf("view before the first pass: %v", err)
	}
	n.must(x.Load()) // of an empty store
	n.sync(x)
	view, err := x.View()
	n.must(err)
	if head, _ := n.Head(t.Context()); view.Block != head {
		t.Errorf("view of %+v, head is %+v", view.Block, head)
	}
	if err := errors.Join(view.Image(tlb.RoleProxy, proxyImage), view.Image(tlb.RoleWorker, workerImage), view.Model("tiny-chat")); err != nil {
		t.Error(err)
	}
	if err := view.Image(tlb.RoleWorker, laterImage); !errors.Is(err, registry.ErrImageNotAllowed) {
		t.Errorf("an image before its time: %v", err)
	}

	changed := x.Changed()
	n.enact(0, tlb.AllowImage{Image: laterImage, Roles: tlb.RoleWorker})
	n.registerProxy(bob)
	n.sync(x)
	select {
	case <-changed:
	default:
		t.Error("a pass that moved closed no channel")
	}
	if err := view.Image(tlb.RoleWorker, laterImage); err == nil {
		t.Error("a view changed after it was made")
	}
	view, err = x.View()
	n.must(err)
	if err := view.Image(tlb.RoleWorker, laterImage); err != nil {
		t.Error(err)
	}
	if got := view.Proxies(); len(got) != 1 || !got[0].Owner.Equals(bob) {
		t.Errorf("proxies: %+v", got)
	}
	n.send(bob, contracts.Unregister(n.registry))
	n.sync(x)
	if view, err = x.View(); err != nil || len(view.Proxies()) != 0 || len(view.State.Proxies) != 1 {
		t.Errorf("a proxy on its way out takes part: %v", err)
	}

	if _, err := x.Channel(n.channel); !errors.Is(err, registry.ErrUnwatched) {
		t.Errorf("unwatched channel: %v", err)
	}
	n.must(x.Watch(n.channel))
	n.open(3 * tlb.TON)
	n.topUp(40) // more than two pages of transactions
	n.sync(x)
	state, err := x.Channel(n.channel)
	n.must(err)
	if want := 3*tlb.TON + 4*tlb.TON; state.Deposit != want {
		t.Errorf("deposit %v, want %v", state.Deposit, want)
	}
	n.topUp(1)
	n.sync(x)
	checkTransactions(t, n, x, n.channel, 42)
	checkTransactions(t, n, x, n.registry, 1+2+1+1)

	n.close()
	n.sync(x)
	if _, err := x.Channel(n.channel); !errors.Is(err, contracts.ErrNotChannel) {
		t.Errorf("closed channel: %v", err)
	}
}

// checkTransactions compares what is stored with the whole history on chain.
func checkTransactions(t *testing.T, n *network, x *registry.Index, a *address.Address, count int) {
	t.Helper()
	acc, err := n.Account(t.Context(), tlb.Block{}, a)
	n.must(err)
	var want []tlb.Tx
	for lt, hash := acc.LastLT, acc.LastHash; lt != 0; lt, hash = want[len(want)-1].PrevLT, want[len(want)-1].PrevHash {
		txs, err := n.Transactions(t.Context(), a, lt, hash, 16)
		n.must(err)
		want = append(want, txs...)
	}
	got, err := x.Transactions(a)
	n.must(err)
	if diff := cmp.Diff(want, got, cmp.Comparer((*address.Address).Equals), cmp.Comparer(func(a, b *cell.Cell) bool { return a.HashKey() == b.HashKey() })); diff != "" {
		t.Errorf("transactions of %s: %s", a, diff)
	}
	if len(got) != count {
		t.Errorf("%d transactions, want %d", len(got), count)
	}
}

// story is a network's history, in steps between which an index may be synced or not.
var story = []func(n *network){
	func(n *network) { n.open(3 * tlb.TON) },
	func(n *network) { n.topUp(20) },
	func(n *network) { n.enact(0, tlb.AllowImage{Image: laterImage, Roles: tlb.RoleProxy | tlb.RoleWorker}) },
	func(n *network) { n.close() },
	func(n *network) { n.registerProxy(bob) },
	func(n *network) { n.open(2 * tlb.TON) }, // the channel's second life
	func(n *network) { n.topUp(18) },
}

// What is stored depends on the chain, not on when it was looked at: an index that
// slept through any part of the story ends with the bytes of a fresh one.
func TestSameBytesWheneverSynced(t *testing.T) {
	n := newNetwork(t)
	// Each index has its own set of steps after which it is synced.
	masks := []int{0, 1, 2, 8, 1 | 8, 2 | 16, 1 | 32, 4 | 32, 3 | 64, 1<<len(story) - 1, 1 | 2 | 8 | 32}
	stores := make([]*memory, len(masks))
	indexes := make([]*registry.Index, len(masks))
	for i := range masks {
		stores[i] = newMemory()
		indexes[i] = n.index(stores[i])
		n.must(indexes[i].Watch(n.channel))
	}
	for step, happen := range story {
		happen(n)
		want := n.fresh()
		for i, mask := range masks {
			if mask>>step&1 == 0 {
				continue
			}
			n.sync(indexes[i])
			if diff := cmp.Diff(want, stores[i].dump()); diff != "" {
				t.Errorf("synced after steps %b, at step %d: %s", mask, step, diff)
			}
		}
	}
	want := n.fresh()
	for i, mask := range masks {
		n.sync(indexes[i])
		if diff := cmp.Diff(want, stores[i].dump()); diff != "" {
			t.Errorf("synced after steps %b: %s", mask, diff)
		}
	}
}

// short is a chain that returns one transaction at a time.
type short struct{ registry.Chain }

func (s short) Transactions(ctx context.Context, a *address.Address, lt uint64, hash [32]byte, _ int) ([]tlb.Tx, error) {
	return s.Chain.Transactions(ctx, a, lt, hash, 1)
}

// An index that has open gaps when the next thing happens, even when a channel is
// destroyed and lives again, ends with the bytes of a fresh one, and never shows an
// old state.
func TestSameBytesHoweverFilled(t *testing.T) {
	for seed := range uint64(16) {
		n := newNetwork(t)
		store := newMemory()
		x := registry.NewIndex(short{n.Chain}, store, n.registry, registry.Options{Now: n.Now})
		n.must(x.Watch(n.channel))
		random := rand.New(rand.NewPCG(seed, 0))
		for _, happen := range story {
			happen(n)
			if random.IntN(3) == 0 {
				continue // nobody looks
			}
			n.must(x.Sync(t.Context()))
			view, err := x.View()
			n.must(err)
			if head, _ := n.Head(t.Context()); view.Block != head {
				t.Errorf("seed %d: view of %d, head is %d", seed, view.Block.Seqno, head.Seqno)
			}
			for range random.IntN(3) {
				second(x.Fill(t.Context()))
			}
		}
		n.sync(x)
		if diff := cmp.Diff(n.fresh(), store.dump()); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}

// counted is a chain that counts the pages that are read of each account, and the
// transactions.
type counted struct {
	registry.Chain
	pages        map[string]int
	transactions map[[32]byte]int
}

func (c counted) Transactions(ctx context.Context, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error) {
	txs, err := c.Chain.Transactions(ctx, a, lt, hash, limit)
	c.pages[a.StringRaw()]++
	for _, tx := range txs {
		c.transactions[tx.Hash]++
	}
	return txs, err
}

// However much is sent to the registry's address, a node that starts knows the
// registry and its channels after one pass, and however often it is started again, it
// reads each transaction once.
func TestSpam(t *testing.T) {
	n := newNetwork(t)
	n.open(3 * tlb.TON)
	other := n.cfg
	other.Salt = 2
	spammed, err := contracts.ChannelAddress(other)
	n.must(err)
	const pages = registry.MaxPages + 2
	for range pages * registry.MaxTransactions {
		n.must(n.Faucet(t.Context(), n.registry, 1_000_000))
		n.must(n.Faucet(t.Context(), spammed, 1_000_000))
	}
	chain := counted{n.Chain, map[string]int{}, map[[32]byte]int{}}
	store := newMemory()
	start := func() *registry.Index {
		x := registry.NewIndex(chain, store, n.registry, registry.Options{Now: n.Now})
		n.must(x.Load())
		return x
	}
	x := start()
	n.must(errors.Join(x.Watch(n.channel), x.Watch(spammed)))
	n.must(x.Sync(t.Context()))
	if len(chain.pages) != 0 {
		t.Errorf("the first pass read history: %v", chain.pages)
	}
	check := func() {
		t.Helper()
		if view, err := x.View(); err != nil || view.Model("tiny-chat") != nil {
			t.Errorf("view: %v", err)
		}
		if state, err := x.Channel(n.channel); err != nil || state.Deposit != 3*tlb.TON {
			t.Errorf("channel: %+v, %v", state, err)
		}
	}
	check()
	complete := false
	for pass := 1; !complete; pass++ {
		before := maps.Clone(chain.pages)
		x = start()
		check()
		complete, err = x.Fill(t.Context())
		n.must(err)
		registrys := chain.pages[n.registry.StringRaw()] - before[n.registry.StringRaw()]
		channels := chain.pages[n.channel.StringRaw()] + chain.pages[spammed.StringRaw()] - before[n.channel.StringRaw()] - before[spammed.StringRaw()]
		if registrys > registry.MaxPages || channels > registry.MaxPages {
			t.Fatalf("pass %d read %d pages of the registry and %d of channels", pass, registrys, channels)
		}
		n.must(n.Faucet(t.Context(), n.registry, 1_000_000)) // the spam goes on
		n.must(x.Sync(t.Context()))
	}
	for hash, times := range chain.transactions {
		if times > 2 { // a page may reach into what is stored
			t.Errorf("transaction %x was read %d times", hash, times)
		}
	}
	n.sync(x)
	if got, err := x.Transactions(n.registry); err != nil || len(got) < pages*registry.MaxTransactions {
		t.Errorf("%d transactions, %v", len(got), err)
	}
	fresh := newMemory()
	y := n.index(fresh)
	n.must(errors.Join(y.Watch(n.channel), y.Watch(spammed)))
	n.sync(y)
	if fresh.dump() != store.dump() {
		t.Error("not the bytes of an index that was never started again")
	}
}

// unreadable is a chain that has no transactions of one account any more.
type unreadable struct {
	registry.Chain
	account *address.Address
}

var errPruned = errors.New("block is not kept")

func (u unreadable) Transactions(ctx context.Context, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error) {
	if a.Equals(u.account) {
		return nil, errPruned
	}
	return u.Chain.Transactions(ctx, a, lt, hash, limit)
}

// An account whose old blocks nobody keeps leaves a gap and holds up nothing else.
func TestHistoryIsGone(t *testing.T) {
	n := newNetwork(t)
	n.open(3 * tlb.TON)
	x := registry.NewIndex(unreadable{n.Chain, n.registry}, newMemory(), n.registry, registry.Options{Now: n.Now})
	n.must(x.Watch(n.channel))
	n.must(x.Sync(t.Context()))
	if complete, err := x.Fill(t.Context()); complete || !errors.Is(err, errPruned) {
		t.Errorf("complete %v, %v", complete, err)
	}
	if _, err := x.View(); err != nil {
		t.Error(err)
	}
	checkTransactions(t, n, x, n.channel, 1)
}

// An index whose disk fails at any commit, and whose process is started again at any
// later time, ends with the bytes of a fresh one.
func TestCrashAnywhere(t *testing.T) {
	for fault := 1; ; fault++ {
		n := newNetwork(t)
		store := newMemory()
		x := n.index(store)
		n.must(x.Watch(n.channel))
		store.fault = store.commits + fault
		crashed := false
		pass := func() {
			err := x.Sync(t.Context())
			if err == nil {
				err = second(x.Fill(t.Context()))
			}
			if err == nil {
				return
			}
			if !errors.Is(err, errDisk) || crashed {
				t.Fatal(err)
			}
			crashed, store.fault = true, 0
			x = n.index(store)
			n.must(x.Load())
			if fault%2 == 0 {
				n.sync(x) // started again at once; else before the next step's pass
			}
		}
		for step, happen := range story {
			happen(n)
			if step%2 == 1 || crashed { // every second step happens while nobody looks
				pass()
			}
		}
		pass()
		if crashed {
			pass()
		}
		if diff := cmp.Diff(n.fresh(), store.dump()); diff != "" {
			t.Fatalf("crash at commit %d: %s", fault, diff)
		}
		if !crashed {
			t.Logf("the story takes %d commits", fault-1)
			return
		}
	}
}

// A restarted index knows its channels and the policy before it asks the chain.
func TestLoad(t *testing.T) {
	n := newNetwork(t)
	n.open(3 * tlb.TON)
	store := newMemory()
	x := n.index(store)
	n.must(x.Watch(n.channel))
	n.sync(x)
	later := account("watched just before the end")
	n.must(x.Watch(later))

	y := n.index(store)
	n.must(y.Load())
	want, err := x.View()
	n.must(err)
	got, err := y.View()
	n.must(err)
	if diff := cmp.Diff(want, got, cmp.Comparer((*address.Address).Equals)); diff != "" {
		t.Error(diff)
	}
	if state, err := y.Channel(n.channel); err != nil || state.Deposit != 3*tlb.TON {
		t.Errorf("channel: %+v, %v", state, err)
	}
	if _, err := y.Channel(later); !errors.Is(err, registry.ErrUnwatched) {
		t.Errorf("a channel that no pass has seen: %v", err)
	}
}

// A channel that is watched while no blocks come is read all the same.
func TestWatchOnQuietChain(t *testing.T) {
	n := newNetwork(t)
	n.open(3 * tlb.TON)
	store := newMemory()
	x := n.index(store)
	n.sync(x)
	changed := x.Changed()
	n.must(x.Watch(n.channel))
	n.sync(x)
	if state, err := x.Channel(n.channel); err != nil || state.Deposit != 3*tlb.TON {
		t.Errorf("channel: %+v, %v", state, err)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	if _, err := x.View(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(n.fresh(), store.dump()); diff != "" {
		t.Error(diff)
	}
	commits := store.commits
	n.sync(x)
	if store.commits != commits {
		t.Error("a pass without anything new wrote")
	}
}

func TestNotRegistry(t *testing.T) {
	n := newNetwork(t)
	n.open(3 * tlb.TON)
	for name, a := range map[string]*address.Address{"absent": account("nobody"), "channel": n.channel, "giver": sandbox.Giver()} {
		store := newMemory()
		x := registry.NewIndex(n.Chain, store, a, registry.Options{Now: n.Now})
		if err := x.Sync(t.Context()); !errors.Is(err, contracts.ErrNotRegistry) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := x.View(); !errors.Is(err, registry.ErrNotSynced) {
			t.Errorf("%s: view: %v", name, err)
		}
		if store.count('h') != 0 {
			t.Errorf("%s: a head was stored", name)
		}
	}
}

// Nothing is decided on a view that is too old.
func TestStale(t *testing.T) {
	n := newNetwork(t)
	now := n.Now()
	x := registry.NewIndex(n.Chain, newMemory(), n.registry, registry.Options{MaxAge: time.Minute, Now: func() time.Time { return now }})
	n.sync(x)
	for _, c := range []struct {
		age  time.Duration
		want error
	}{{0, nil}, {time.Minute, nil}, {time.Minute + time.Second, registry.ErrStale}, {24 * time.Hour, registry.ErrStale}, {0, nil}} {
		now = n.Now().Add(c.age)
		if _, err := x.View(); !errors.Is(err, c.want) {
			t.Errorf("%s old: %v, want %v", c.age, err, c.want)
		}
	}
}

// liar is a chain whose answers are edited.
type liar struct {
	registry.Chain
	account      func(a tlb.Account) tlb.Account
	transactions func(txs []tlb.Tx) []tlb.Tx
	away         atomic.Bool
}

func (l *liar) Head(ctx context.Context) (tlb.Block, error) {
	if l.away.Load() {
		return tlb.Block{}, errors.New("away")
	}
	return l.Chain.Head(ctx)
}

func (l *liar) Account(ctx context.Context, at tlb.Block, a *address.Address) (tlb.Account, error) {
	acc, err := l.Chain.Account(ctx, at, a)
	if l.account != nil {
		acc = l.account(acc)
	}
	return acc, err
}

func (l *liar) Transactions(ctx context.Context, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error) {
	txs, err := l.Chain.Transactions(ctx, a, lt, hash, limit)
	if l.transactions != nil {
		txs = l.transactions(txs)
	}
	return txs, err
}

// A history that does not hang together is refused, and nothing of it is stored. A
// state that does not follow the stored one does not become the view.
func TestBrokenHistory(t *testing.T) {
	edit := func(i int, edit func(tx *tlb.Tx)) func([]tlb.Tx) []tlb.Tx {
		return func(txs []tlb.Tx) []tlb.Tx {
			edit(&txs[min(i, len(txs)-1)])
			return txs
		}
	}
	for name, l := range map[string]*liar{
		"none":                  {transactions: func([]tlb.Tx) []tlb.Tx { return nil }},
		"first left out":        {transactions: func(txs []tlb.Tx) []tlb.Tx { return txs[1:] }},
		"one left out":          {transactions: func(txs []tlb.Tx) []tlb.Tx { return append(txs[:1:1], txs[2:]...) }},
		"another hash":          {transactions: edit(0, func(tx *tlb.Tx) { tx.Hash[0] ^= 1 })},
		"another time":          {transactions: edit(1, func(tx *tlb.Tx) { tx.LT++ })},
		"another hash before":   {transactions: edit(1, func(tx *tlb.Tx) { tx.PrevHash[0] ^= 1 })},
		"later one before":      {transactions: edit(1, func(tx *tlb.Tx) { tx.PrevLT = tx.LT + 1 })},
		"itself before":         {transactions: edit(1, func(tx *tlb.Tx) { tx.PrevLT = tx.LT })},
		"account went back":     {account: func(a tlb.Account) tlb.Account { a.LastLT = 1; return a }},
		"account's other last":  {account: func(a tlb.Account) tlb.Account { a.LastHash[0] ^= 1; return a }},
		"stored one passed":     {transactions: edit(3, func(tx *tlb.Tx) { tx.PrevLT-- })},
		"stored one is another": {transactions: edit(3, func(tx *tlb.Tx) { tx.PrevHash[0] ^= 1 })},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.open(2 * tlb.TON)
			store := newMemory()
			l.Chain = n.Chain
			honest := n.index(store)
			n.must(honest.Watch(n.channel))
			n.sync(honest)
			n.topUp(4)

			x := registry.NewIndex(l, store, n.registry, registry.Options{Now: n.Now})
			n.must(x.Load())
			before, err := x.View()
			n.must(err)
			err = x.Sync(t.Context())
			if l.account != nil {
				if after, err := x.View(); err != nil || after.Block != before.Block {
					t.Errorf("the view moved: %v", err)
				}
			} else {
				n.must(err)
				stored := store.count('t')
				err = second(x.Fill(t.Context()))
				if store.count('t') != stored || store.count('g') != 1 {
					t.Error("something was stored")
				}
			}
			if !errors.Is(err, registry.ErrBroken) {
				t.Errorf("%v, want %v", err, registry.ErrBroken)
			}
			// Told the truth again, it recovers.
			n.sync(honest)
			if diff := cmp.Diff(n.fresh(), store.dump()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A pass that fails is tried again at the next interval; Run ends with its context.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		l := &liar{Chain: n.Chain}
		l.away.Store(true)
		x := registry.NewIndex(l, newMemory(), n.registry, registry.Options{Interval: time.Second, Now: n.Now})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- x.Run(ctx) }()
		synctest.Wait()
		if _, err := x.View(); !errors.Is(err, registry.ErrNotSynced) {
			t.Errorf("chain away: %v", err)
		}
		l.away.Store(false)
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := x.View(); err != nil {
			t.Errorf("chain back: %v", err)
		}
		checkTransactions(t, n, x, n.registry, 1)
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

// A damaged row is an error that says what to do, wherever it is.
func TestDamagedRows(t *testing.T) {
	n := newNetwork(t)
	n.open(2 * tlb.TON)
	store := newMemory()
	x := n.index(store)
	n.must(x.Watch(n.channel))
	n.sync(x)
	for key, honest := range store.rows {
		if key[0] == 'w' {
			continue // its value says nothing
		}
		for name, damage := range map[string]string{"empty": "", "other version": "\x02" + honest[1:], "cut": honest[:len(honest)-1], "more": honest + "\x00"} {
			store.rows[key] = damage
			y := n.index(store)
			err := y.Load()
			if key[0] == 't' {
				err = errors.Join(second(y.Transactions(n.channel)), second(y.Transactions(n.registry)))
			}
			if !errors.Is(err, registry.ErrRow) {
				t.Errorf("row %x %s: %v", key, name, err)
			}
			store.rows[key] = honest
		}
	}
	n.topUp(1)
	n.must(x.Sync(t.Context()))
	for key := range store.rows {
		if key[0] != 'g' {
			continue
		}
		for _, damage := range []string{"", "\x01\xa0", "\x02"} {
			store.rows[key] = damage
			y := n.index(store)
			n.must(y.Load())
			if err := second(y.Fill(t.Context())); !errors.Is(err, registry.ErrRow) {
				t.Errorf("gap %x: %v", damage, err)
			}
		}
	}
	store.rows["w short"] = "\x01"
	if err := n.index(store).Load(); !errors.Is(err, registry.ErrRow) {
		t.Errorf("malformed key: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// A disk that fails at Watch is not taken for success.
func TestWatchFails(t *testing.T) {
	n := newNetwork(t)
	store := newMemory()
	store.fault = 1
	if err := n.index(store).Watch(n.channel); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

func FuzzRow(f *testing.F) {
	n := newNetwork(f)
	store := newMemory()
	x := n.index(store)
	n.must(x.Sync(f.Context())) // leaves a gap
	n.must(second(x.Fill(f.Context())))
	n.registerProxy(bob)
	n.must(x.Sync(f.Context()))
	for key, value := range store.rows {
		f.Add(key[0], []byte(value))
	}
	f.Fuzz(func(t *testing.T, kind byte, value []byte) {
		again, ok := registry.Decode(kind, value)
		if !ok {
			return
		}
		if twice, ok := registry.Decode(kind, again); !ok || string(twice) != string(again) {
			t.Errorf("%x is read and written as %x, and that as %x", value, again, twice)
		}
	})
}

// What is watched no more is read no more, and its history stays.
func TestUnwatch(t *testing.T) {
	n := newNetwork(t)
	n.open(3 * tlb.TON)
	x := n.index(newMemory())
	n.must(x.Watch(n.channel))
	n.sync(x)
	n.must(x.Unwatch(n.channel))
	_, err := n.Chain.Seal(t.Context())
	n.must(err)
	n.sync(x)
	if _, err := x.Channel(n.channel); !errors.Is(err, registry.ErrUnwatched) {
		t.Errorf("channel: %v", err)
	}
	if txs, err := x.Transactions(n.channel); err != nil || len(txs) == 0 {
		t.Errorf("its history: %d transactions, %v", len(txs), err)
	}
}
