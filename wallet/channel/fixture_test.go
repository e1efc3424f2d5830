package channel_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
	"github.com/xssnick/tonutils-go/address"
)

// alice pays bob; mallory holds a key of no meaning.
var (
	aliceKey   = keyOf("alice's session")
	bobKey     = keyOf("bob's payee")
	workerKey  = keyOf("a worker")
	malloryKey = keyOf("mallory")

	config = tlb.ChannelConfig{
		Payer:      addressOf("alice"),
		Payout:     addressOf("bob"),
		SessionKey: public(aliceKey),
		PayeeKey:   public(bobKey),
		CloseDelay: 3600,
		Network:    -3,
		Salt:       1,
	}
)

const (
	network = -3
	epoch   = 1_700_000_000
)

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(key ed25519.PrivateKey) [32]byte { return [32]byte(key.Public().(ed25519.PublicKey)) }

func addressOf(name string) *address.Address {
	hash := sha256.Sum256([]byte(name))
	return address.NewAddress(0, 0, hash[:])
}

// channelOf is the channel's address, under which vouchers are signed.
func channelOf(t testing.TB, cfg tlb.ChannelConfig) *address.Address {
	t.Helper()
	a, err := contracts.ChannelAddress(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// opened is the chain's state of an open channel.
func opened(cfg tlb.ChannelConfig, deposit, settled tlb.Nano) tlb.ChannelState {
	return tlb.ChannelState{Config: cfg, Opened: true, Deposit: deposit, Settled: settled, Epoch: epoch, SessionKey: cfg.SessionKey}
}

func id(name string) channel.Request { return sha256.Sum256([]byte(name)) }

// receiptFor is a receipt as bob writes it: one nanoTON per completion token.
func receiptFor(t testing.TB, cfg tlb.ChannelConfig, req channel.Request, cost, spent tlb.Nano) tlb.Receipt {
	t.Helper()
	r := tlb.Receipt{
		Work:      tlb.Work{Request: req, Usage: tlb.Usage{Prompt: 1, Completion: uint64(cost)}},
		WorkerKey: public(workerKey),
		Network:   cfg.Network,
		Channel:   channelOf(t, cfg),
		Price:     tlb.Price{Completion: 1_000_000},
		Cost:      cost,
		Spent:     spent,
	}
	var err error
	if r.WorkerSig, err = r.Work.Sign(workerKey); err != nil {
		t.Fatal(err)
	}
	return r
}

func signReceipt(t testing.TB, r tlb.Receipt, key ed25519.PrivateKey) tlb.SignedReceipt {
	t.Helper()
	s, err := tlb.SignReceipt(r, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signVoucher(t testing.TB, v tlb.Voucher, key ed25519.PrivateKey) tlb.SignedVoucher {
	t.Helper()
	s, err := tlb.SignVoucher(v, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// voucherOf is a voucher of alice's for the amount.
func voucherOf(t testing.TB, cfg tlb.ChannelConfig, seq uint64, cumulative tlb.Nano) tlb.SignedVoucher {
	t.Helper()
	return signVoucher(t, tlb.Voucher{Network: cfg.Network, Channel: channelOf(t, cfg), Epoch: epoch, Seq: seq, Cumulative: cumulative}, aliceKey)
}

// memory is a Store in a map. Before each commit it calls before, if set; its
// error is the commit's, which is then lost unless applied.
type memory struct {
	mu      sync.Mutex
	rows    map[string][]byte
	commits int
	before  func() error
	applied bool
}

func newMemory() *memory { return &memory{rows: map[string][]byte{}} }

func (m *memory) Get(key []byte) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.rows[string(key)]
	return slices.Clone(v), ok, nil
}

func (m *memory) Commit(write func(set func(key, value []byte), del func(key []byte))) error {
	var err error
	if m.before != nil {
		if err = m.before(); err != nil && !m.applied {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits++
	write(func(key, value []byte) { m.rows[string(key)] = slices.Clone(value) },
		func(key []byte) { delete(m.rows, string(key)) })
	return err
}

// written counts the commits so far.
func (m *memory) written() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.commits
}

func (m *memory) clone() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{rows: maps.Clone(m.rows)}
}

// payer and payee open an end on a channel that the chain shows open.
func payer(t testing.TB, store channel.Store, cfg tlb.ChannelConfig, deposit tlb.Nano, o channel.Options) *channel.Payer {
	t.Helper()
	p, err := channel.OpenPayer(store, aliceKey, cfg, o)
	if err == nil {
		err = p.UpdateDeposit(opened(cfg, deposit, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func payee(t testing.TB, store channel.Store, cfg tlb.ChannelConfig, deposit tlb.Nano, o channel.Options) *channel.Payee {
	t.Helper()
	p, err := channel.OpenPayee(store, cfg, o)
	if err == nil {
		err = p.UpdateDeposit(opened(cfg, deposit, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// describe prints effects one to a line; receipts go by the names they were given.
func describe(effects []channel.Effect, receipts map[[32]byte]string) string {
	var b strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case channel.SendVoucher:
			fmt.Fprintf(&b, "SendVoucher seq=%d cumulative=%d", e.Voucher.Seq, uint64(e.Voucher.Cumulative))
			if e.Voucher.Receipt != [32]byte{} {
				fmt.Fprintf(&b, " receipt=%q", receipts[e.Voucher.Receipt])
			}
			fmt.Fprintln(&b)
		case channel.SendReceipt:
			fmt.Fprintf(&b, "SendReceipt spent=%d\n", uint64(e.Spent))
		case channel.SendConsent:
			fmt.Fprintf(&b, "SendConsent final=%d\n", uint64(e.Close.Final))
		case channel.Confirm:
			fmt.Fprintf(&b, "Confirm %+v\n", uint64(e.Event.(channel.PayeePersisted).Cumulative))
		default:
			fmt.Fprintf(&b, "%T\n", e)
		}
	}
	return strings.ReplaceAll(b.String(), "channel.", "")
}

var noon = time.Unix(epoch+3600, 0)
