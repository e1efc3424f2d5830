package registry_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// The actors: alice owns the registry and pays, bob runs a proxy and is paid, carol
// is a stranger. None of their accounts exists.
var (
	alice = account("alice")
	bob   = account("bob")
	carol = account("carol")

	proxyImage  = [32]byte{1}
	workerImage = [32]byte{2}
	laterImage  = [32]byte{3}
)

const closeDelay = 6 * 3600

func account(name string) *address.Address {
	h := sha256.Sum256([]byte(name))
	return address.NewAddress(0, 0, h[:])
}

func key(name string) ed25519.PrivateKey {
	h := sha256.Sum256([]byte("key of " + name))
	return ed25519.NewKeyFromSeed(h[:])
}

func public(k ed25519.PrivateKey) [32]byte { return [32]byte(k.Public().(ed25519.PublicKey)) }

// network is a sandbox with a registry and, once opened, a channel from alice to bob.
// Its clock stands still unless it is told otherwise.
type network struct {
	*sandbox.Chain
	t        testing.TB
	registry *address.Address
	cfg      tlb.ChannelConfig
	channel  *address.Address
}

func newNetwork(t testing.TB) *network {
	t.Helper()
	start := time.Unix(1_790_000_000, 0)
	chain, err := sandbox.Open(sandbox.Options{Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chain.Close() })
	n := &network{Chain: chain, t: t}
	deploy, err := deployment()
	n.must(err)
	n.registry = deploy.To
	n.send(carol, deploy)
	n.cfg = tlb.ChannelConfig{
		Payer: alice, Payout: bob, SessionKey: public(key("session")), PayeeKey: public(key("payee")),
		CloseDelay: closeDelay, Network: sandbox.DefaultGlobalID, Salt: 1,
	}
	n.channel, err = contracts.ChannelAddress(n.cfg)
	n.must(err)
	return n
}

// deployment deploys the registry.
func deployment() (contracts.Message, error) {
	return contracts.DeployRegistry(alice, tlb.RegistryParams{
		Network: sandbox.DefaultGlobalID, MinStake: 10 * tlb.TON, Unbonding: 7 * 86400,
		MinCloseDelay: closeDelay, MaxCloseDelay: 72 * 3600, ChannelCode: contracts.ChannelCode().HashKey(),
	}, map[[32]byte]tlb.Roles{proxyImage: tlb.RoleProxy, workerImage: tlb.RoleWorker}, "tiny-chat")
}

func (n *network) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// send sends a message that must be carried out.
func (n *network) send(from *address.Address, m contracts.Message) {
	n.t.Helper()
	trace, err := n.SendInternal(n.t.Context(), sandbox.Internal{From: from, To: m.To, Amount: m.Amount, Body: m.Body, Init: m.Init, Bounce: m.Bounce})
	n.must(err)
	if trace.Aborted {
		n.t.Fatalf("refused: %s", trace)
	}
}

func (n *network) message(m contracts.Message, err error) contracts.Message {
	n.t.Helper()
	n.must(err)
	return m
}

func (n *network) open(deposit tlb.Nano) {
	n.t.Helper()
	n.send(alice, n.message(contracts.OpenChannel(n.cfg, deposit)))
}

func (n *network) topUp(times int) {
	n.t.Helper()
	for range times {
		n.send(alice, n.message(contracts.TopUp(n.channel, tlb.TON/10)))
	}
}

// close closes the channel without bob's consent; the contract destroys itself.
func (n *network) close() {
	n.t.Helper()
	n.send(alice, contracts.RequestClose(n.channel))
	n.must(n.AdvanceTime(n.t.Context(), closeDelay*time.Second))
	n.send(alice, contracts.Finish(n.channel))
}

// enact announces and executes a change; the registry's timelock is zero.
func (n *network) enact(id uint32, change tlb.RegistryChange) {
	n.t.Helper()
	n.send(alice, n.message(contracts.Announce(n.registry, change)))
	n.send(alice, contracts.Execute(n.registry, id))
}

func (n *network) registerProxy(owner *address.Address) {
	n.t.Helper()
	entry := tlb.ProxyEntry{Payout: owner, PeerID: bytes.Repeat([]byte{0x12}, 38), Addrs: []string{"/ip4/127.0.0.1/tcp/4001"}}
	n.send(owner, n.message(contracts.RegisterProxy(n.registry, entry, 10*tlb.TON)))
}

func (n *network) index(store registry.Store) *registry.Index {
	return registry.NewIndex(n.Chain, store, n.registry, registry.Options{Now: n.Now})
}

// sync brings an index to the newest block, with all history.
func (n *network) sync(x *registry.Index) {
	n.t.Helper()
	n.must(x.Sync(n.t.Context()))
	for complete := false; !complete; {
		var err error
		complete, err = x.Fill(n.t.Context())
		n.must(err)
	}
}

// fresh is the dump of an index that watched the channel and synced once.
func (n *network) fresh() string {
	n.t.Helper()
	store := newMemory()
	x := n.index(store)
	n.must(x.Watch(n.channel))
	n.sync(x)
	return store.dump()
}

var errDisk = errors.New("disk fault")

// memory is a Store. Its fault-th commit, and all after it, fail and change nothing.
type memory struct {
	mu      sync.Mutex
	rows    map[string]string
	commits int
	fault   int // 0: none
}

func newMemory() *memory { return &memory{rows: map[string]string{}} }

func (m *memory) Get(key []byte) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.rows[string(key)]
	return []byte(value), ok, nil
}

func (m *memory) Scan(prefix []byte, each func(key, value []byte) error) error {
	m.mu.Lock()
	rows := maps.Clone(m.rows)
	m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if strings.HasPrefix(key, string(prefix)) {
			if err := each([]byte(key), []byte(rows[key])); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Commit(write func(set func(key, value []byte), del func(key []byte))) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits++
	if m.fault > 0 && m.commits >= m.fault {
		return errDisk
	}
	write(func(key, value []byte) { m.rows[string(key)] = string(value) }, func(key []byte) { delete(m.rows, string(key)) })
	return nil
}

// dump is every row.
func (m *memory) dump() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(m.rows)) {
		fmt.Fprintf(&b, "%x %x\n", key, m.rows[key])
	}
	return b.String()
}

func (m *memory) count(row byte) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.rows {
		if key[0] == row {
			n++
		}
	}
	return n
}
