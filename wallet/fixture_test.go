package wallet_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

var (
	_ wallet.Chain = (*sandbox.Chain)(nil)
	_ wallet.Store = (*memory)(nil)
)

const network = sandbox.DefaultGlobalID

func walletOf(t testing.TB, name string, version wallet.Version) wallet.Wallet {
	t.Helper()
	w, err := wallet.New(wallet.KeyFromSeed(sha256.Sum256([]byte(name))), version, network)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func addressOf(name string) *address.Address {
	hash := sha256.Sum256([]byte(name))
	return address.NewAddress(0, 0, hash[:])
}

// gift is a message with coins and a comment.
func gift(to string, amount tlb.Nano) contracts.Message {
	return contracts.Message{
		To: addressOf(to), Amount: amount,
		Body: cell.BeginCell().MustStoreUInt(0, 32).MustStoreStringSnake("for " + to).EndCell(),
	}
}

func balance(t testing.TB, chain wallet.Chain, a *address.Address) tlb.Nano {
	t.Helper()
	acc, err := chain.Account(context.Background(), tlb.Block{}, a)
	if err != nil {
		t.Fatal(err)
	}
	return acc.Balance
}

// memory is a Store in a map.
type memory struct {
	mu   sync.Mutex
	rows map[string][]byte
	at   func(point string) // called before and after every commit, if set
}

func newMemory() *memory { return &memory{rows: map[string][]byte{}} }

func (m *memory) Get(key []byte) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.rows[string(key)]
	return slices.Clone(v), ok, nil
}

func (m *memory) Scan(prefix []byte, each func(key, value []byte) error) error {
	m.mu.Lock()
	rows := maps.Clone(m.rows)
	m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if bytes.HasPrefix([]byte(key), prefix) {
			if err := each([]byte(key), slices.Clone(rows[key])); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Commit(write func(set func(key, value []byte), del func(key []byte))) error {
	m.point("before a write")
	func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		write(func(key, value []byte) { m.rows[string(key)] = slices.Clone(value) },
			func(key []byte) { delete(m.rows, string(key)) })
	}()
	m.point("after a write")
	return nil
}

func (m *memory) point(name string) {
	if m.at != nil {
		m.at(name)
	}
}

// connection is the sandbox behind a connection that may fail.
type connection struct {
	*sandbox.Chain
	at   func(point string)
	send func(msg *cell.Cell) (deliver bool, err error) // what Send does, if set
	sent []*cell.Cell
}

var errOffline = errors.New("offline")

func (c *connection) Send(ctx context.Context, msg *cell.Cell) error {
	if c.at != nil {
		c.at("before a send")
	}
	c.sent = append(c.sent, msg)
	if c.send != nil {
		deliver, err := c.send(msg)
		if deliver {
			if err := c.Chain.Send(ctx, msg); err != nil {
				return err
			}
		}
		return err
	}
	err := c.Chain.Send(ctx, msg)
	if c.at != nil {
		c.at("after a send")
	}
	return err
}

// funded is a wallet with coins on a fresh network.
func funded(t testing.TB, version wallet.Version, amount tlb.Nano) (*connection, wallet.Wallet) {
	t.Helper()
	chain := sandbox.New(t)
	w := walletOf(t, "alice", version)
	if err := chain.Faucet(t.Context(), w.Address(), amount); err != nil {
		t.Fatal(err)
	}
	return &connection{Chain: chain}, w
}

func queue(t testing.TB, w wallet.Wallet, chain wallet.Chain, store wallet.Store) *wallet.Queue {
	t.Helper()
	q, err := wallet.NewQueue(w, chain, store, wallet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// settle looks at the chain until nothing is pending.
func settle(t testing.TB, q *wallet.Queue) {
	t.Helper()
	for range 10 {
		if err := q.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if q.Pending() == 0 {
			return
		}
	}
	t.Fatalf("%d sends are still pending", q.Pending())
}
