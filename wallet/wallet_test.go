package wallet_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
	"github.com/xssnick/tonutils-go/address"
	tonwallet "github.com/xssnick/tonutils-go/ton/wallet"
)

func TestNewRefusals(t *testing.T) {
	key := wallet.KeyFromSeed([32]byte{1})
	for _, tt := range []struct {
		name    string
		key     wallet.Key
		version wallet.Version
		network int32
		want    error
	}{
		{"no key", wallet.Key{}, wallet.V5R1, network, wallet.ErrNoKey},
		{"no network", key, wallet.V5R1, 0, wallet.ErrNetworkID},
		{"no version", key, "", network, wallet.ErrVersion},
		{"other version", key, "v4r2", network, wallet.ErrVersion},
	} {
		if _, err := wallet.New(tt.key, tt.version, tt.network); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestAddress compares with tonutils' own wallets.
func TestAddress(t *testing.T) {
	key := wallet.KeyFromSeed([32]byte{7})
	private := ed25519.NewKeyFromSeed(append([]byte{7}, make([]byte, 31)...))
	for _, id := range []int32{-239, -3, network} {
		w, err := wallet.New(key, wallet.V5R1, id)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := tonwallet.FromPrivateKey(nil, private, tonwallet.ConfigV5R1Final{NetworkGlobalID: id})
		if err != nil {
			t.Fatal(err)
		}
		if !w.Address().Equals(theirs.WalletAddress()) {
			t.Errorf("network %d: %v, tonutils has %v", id, w.Address(), theirs.WalletAddress())
		}
	}
	w, err := wallet.New(key, wallet.HighloadV3, -3)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := tonwallet.FromPrivateKey(nil, private, tonwallet.ConfigHighloadV3{MessageTTL: 600})
	if err != nil {
		t.Fatal(err)
	}
	if !w.Address().Equals(theirs.WalletAddress()) {
		t.Errorf("highload: %v, tonutils has %v", w.Address(), theirs.WalletAddress())
	}
}

func TestWrongNetwork(t *testing.T) {
	// A wallet for another network has another address here, which is empty.
	ctx := t.Context()
	chain, here := funded(t, wallet.V5R1, 10*tlb.TON)
	key := wallet.KeyFromSeed([32]byte{1})
	there, err := wallet.New(key, wallet.V5R1, -239)
	if err != nil {
		t.Fatal(err)
	}
	if there.Address().Equals(here.Address()) {
		t.Fatal("the same address on two networks")
	}
	q := queue(t, there, chain, newMemory())
	err = q.Enqueue(ctx, "one", []contracts.Message{gift("bob", 1)})
	if short, ok := errors.AsType[wallet.ErrInsufficient](err); !ok || short.Have != 0 {
		t.Errorf("Enqueue = %v, want ErrInsufficient", err)
	}
	// Even with coins there, what it signs for its network is not accepted by a wallet of this one.
	message, err := there.Sign(ctx, []contracts.Message{gift("bob", 1)}, wallet.Once{Until: chain.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Send(ctx, message); !errors.Is(err, sandbox.ErrNotAccepted) {
		t.Errorf("Send = %v, want %v", err, sandbox.ErrNotAccepted)
	}
}

func TestNotTheWallet(t *testing.T) {
	// An account with other code at the wallet's address, as no honest network has.
	ctx := t.Context()
	chain, w := funded(t, wallet.V5R1, 10*tlb.TON)
	q := queue(t, w, impostor{chain}, newMemory())
	if err := q.Enqueue(ctx, "one", []contracts.Message{gift("bob", 1)}); err != nil {
		t.Fatal(err)
	}
	if err := q.Step(ctx); !errors.Is(err, wallet.ErrNotWallet) {
		t.Errorf("Step = %v, want %v", err, wallet.ErrNotWallet)
	}
}

type impostor struct{ *connection }

func (i impostor) Account(ctx context.Context, at tlb.Block, a *address.Address) (tlb.Account, error) {
	acc, err := i.connection.Account(ctx, at, a)
	acc.Status, acc.Code, acc.Data = tlb.AccountActive, contracts.ChannelCode(), contracts.ChannelCode()
	return acc, err
}

func TestSignRefusals(t *testing.T) {
	w := walletOf(t, "alice", wallet.HighloadV3)
	many := make([]contracts.Message, 254)
	for i := range many {
		many[i] = gift("bob", 1)
	}
	for _, tt := range []struct {
		name     string
		wallet   wallet.Wallet
		messages []contracts.Message
		want     error
	}{
		{"no key", wallet.Wallet{}, many[:1], wallet.ErrNoKey},
		{"no messages", w, nil, wallet.ErrNoMessages},
		{"too many", w, many, wallet.ErrTooMany},
		{"no address", w, []contracts.Message{{}}, tlb.ErrAddress},
	} {
		if _, err := tt.wallet.Sign(t.Context(), tt.messages, wallet.Once{Signed: time.Unix(1, 0)}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// A wallet sends its first coins; the queue deploys it on the way.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		panic(err)
	}
	defer chain.Close()

	w, err := wallet.New(wallet.KeyFromSeed([32]byte{42}), wallet.V5R1, sandbox.DefaultGlobalID)
	if err != nil {
		panic(err)
	}
	if err := chain.Faucet(ctx, w.Address(), 5*tlb.TON); err != nil {
		panic(err)
	}
	q, err := wallet.NewQueue(w, chain, newMemory(), wallet.Options{})
	if err != nil {
		panic(err)
	}
	go q.Run(ctx)

	bob := addressOf("bob")
	fmt.Println("enqueued:", q.Enqueue(ctx, "rent for May", []contracts.Message{{To: bob, Amount: 2 * tlb.TON}}))
	fmt.Println("again:", q.Enqueue(ctx, "rent for May", []contracts.Message{{To: bob, Amount: 2 * tlb.TON}}))
	_, err = q.Wait(ctx, "rent for May")
	fmt.Println("sent:", err)
	account, err := chain.Account(ctx, tlb.Block{}, bob)
	fmt.Println("bob has", account.Balance, err)
	// Output:
	// enqueued: <nil>
	// again: <nil>
	// sent: <nil>
	// bob has 2 TON <nil>
}
