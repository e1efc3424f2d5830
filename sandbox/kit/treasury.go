package kit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	tonwallet "github.com/xssnick/tonutils-go/ton/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// TreasuryBalance is what a treasury starts with.
const TreasuryBalance = 10_000 * tlb.TON

// maxMessages is how many messages a wallet v4 sends at once.
const maxMessages = 4

// Treasury is somebody with coins: a real wallet contract, v4r2, whose key
// follows from its name. So does its address, the same in every test.
type Treasury struct {
	*Account
	key ed25519.PrivateKey

	// sending is held from reading the wallet's sequence number until the
	// wallet has counted on.
	sending sync.Mutex
}

// Treasury returns the treasury with the given name. The first call deploys it
// with [TreasuryBalance].
func (w *World) Treasury(name string) *Treasury {
	w.t.Helper()
	t, fresh := w.treasury(name)
	if !fresh {
		// Whoever asked first may not be done with deploying it.
		t.sending.Lock()
		defer t.sending.Unlock()
		return t
	}
	defer t.sending.Unlock()
	if err := w.chain.Faucet(w.t.Context(), t.Address, TreasuryBalance); err != nil {
		w.t.Fatalf("kit: treasury %s: %v", name, err)
	}
	// Deployed, it makes every later message cost the same.
	if _, err := t.execute(w.t.Context(), nil); err != nil {
		w.t.Fatalf("kit: deploy treasury %s: %v", name, err)
	}
	return t
}

// treasury finds or makes a treasury; a fresh one is locked for sending.
func (w *World) treasury(name string) (t *Treasury, fresh bool) {
	w.t.Helper()
	w.mu.Lock()
	t, ok := w.mu.treasuries[name]
	if !ok {
		seed := sha256.Sum256([]byte("treasury " + name))
		t = &Treasury{key: ed25519.NewKeyFromSeed(seed[:])}
		t.sending.Lock()
		w.mu.treasuries[name] = t
	}
	w.mu.Unlock()
	if ok {
		return t, false
	}
	state, err := tonwallet.GetStateInit(t.key.Public().(ed25519.PublicKey), tonwallet.V4R2, tonwallet.DefaultSubwallet)
	if err != nil {
		w.t.Fatalf("kit: treasury %s: %v", name, err)
	}
	t.Account = w.Contract(name, state.Code, state.Data)
	return t, true
}

// Send sends messages, up to four, and returns all they set off, beginning
// with the wallet's own transaction. A wallet that does not send them fails the
// test; what happens at the other end does not. It waits until all is over, so
// on a chain in manual mode somebody else has to seal.
func (t *Treasury) Send(messages ...Message) *Result {
	w := t.world
	w.t.Helper()
	if len(messages) == 0 || len(messages) > maxMessages {
		w.t.Fatalf("kit: %s sends %d messages, can send 1 to %d at once", t.Name, len(messages), maxMessages)
		return nil
	}
	t.sending.Lock()
	trace, err := t.execute(w.t.Context(), messages)
	t.sending.Unlock()
	result := w.result(trace, err)
	if result == nil {
		return nil
	}
	if result.Refused != nil || !result.All[0].Success() {
		w.t.Fatalf("kit: %s did not send\n%s", t.Name, result.Explain())
	}
	return result
}

// execute has the wallet sign and send. The caller holds sending.
func (t *Treasury) execute(ctx context.Context, messages []Message) (*sandbox.Trace, error) {
	account, err := t.world.chain.Account(ctx, tlb.Block{}, t.Address)
	if err != nil {
		return nil, err
	}
	var init *cell.Cell
	var seqno uint64
	if account.Status == tlb.AccountActive {
		data, err := account.Data.BeginParse()
		if err != nil {
			return nil, err
		}
		if seqno, err = data.LoadUInt(32); err != nil {
			return nil, err
		}
	} else {
		init = t.Init
	}
	const forever = 1<<32 - 1
	order := cell.BeginCell().MustStoreUInt(tonwallet.DefaultSubwallet, 32).MustStoreUInt(forever, 32).MustStoreUInt(seqno, 32).MustStoreUInt(0, 8)
	for i, m := range messages {
		internal, err := m.build(address.NewAddressNone())
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i+1, err)
		}
		if err := errors.Join(order.StoreUInt(uint64(m.mode()), 8), order.StoreRef(internal)); err != nil {
			return nil, err
		}
	}
	signature := ed25519.Sign(t.key, order.EndCell().Hash())
	body := cell.BeginCell().MustStoreSlice(signature, 512).MustStoreBuilder(order).EndCell()
	message, err := external(t.Address, init, body)
	if err != nil {
		return nil, err
	}
	return t.world.chain.Execute(ctx, message)
}

// external builds a message from outside.
func external(to *address.Address, init, body *cell.Cell) (*cell.Cell, error) {
	m := &tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: to, Body: body}
	if m.Body == nil {
		m.Body = cell.BeginCell().EndCell()
	}
	if init != nil {
		m.StateInit = new(tontlb.StateInit)
		if err := tontlb.Parse(m.StateInit, init); err != nil {
			return nil, fmt.Errorf("state init: %w", err)
		}
	}
	return tontlb.ToCell(m)
}

func coins(n tlb.Nano) tontlb.Coins { return tontlb.FromNanoTON(new(big.Int).SetUint64(uint64(n))) }
