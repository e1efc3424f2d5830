package wallet

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	tonwallet "github.com/xssnick/tonutils-go/ton/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Version is a kind of wallet contract.
type Version string

// The wallets this package sends from.
const (
	// V5R1 is the wallet of people: one signed message at a time, by sequence number.
	V5R1 Version = "v5r1"
	// HighloadV3 is the wallet of services. It knows no network id: on two
	// networks the same key has the same address, so use a key on one only.
	HighloadV3 Version = "highload-v3"
)

// HighloadTTL is how long a Highload V3 message may be executed after it was
// signed. It is part of the contract's initial data, so of its address.
const HighloadTTL = 10 * time.Minute

// Errors of wallets.
var (
	ErrNoKey      = errors.New("the wallet has no key")
	ErrVersion    = errors.New("no such wallet version; use v5r1 or highload-v3")
	ErrNetworkID  = errors.New("a wallet needs the network's id; it is never zero")
	ErrNotWallet  = errors.New("the account is not the wallet it should be")
	ErrNoMessages = errors.New("there is no message to send")
	ErrTooMany    = errors.New("too many messages for one send")
)

// Wallet is a key with a contract: it derives the address and signs. It does no
// input or output; see [Queue] for sending.
type Wallet struct {
	key     Key
	version Version
	network int32
	address *address.Address
}

// New is the wallet of the key on the network with that global id.
func New(key Key, version Version, network int32) (Wallet, error) {
	if key.seed == nil {
		return Wallet{}, ErrNoKey
	}
	if network == 0 {
		return Wallet{}, ErrNetworkID
	}
	w := Wallet{key: key, version: version, network: network}
	config, err := w.config(nil)
	if err != nil {
		return Wallet{}, err
	}
	pub := key.Public()
	addr, err := tonwallet.AddressFromPubKey(pub[:], config, w.subwallet())
	if err != nil {
		return Wallet{}, fmt.Errorf("derive the wallet's address: %w", err)
	}
	w.address = addr.Bounce(false)
	return w, nil
}

// Address is where the wallet is, or will be once it is deployed by its first
// send. It is marked not bounceable, so that coins sent there ahead stay.
func (w Wallet) Address() *address.Address { return w.address }

// Version is the kind of wallet.
func (w Wallet) Version() Version { return w.version }

// Network is the global id of the wallet's network.
func (w Wallet) Network() int32 { return w.network }

// MaxMessages is how many messages fit into one signed message. (A Highload V3
// wallet could take more by sending itself bundles of bundles.)
func (w Wallet) MaxMessages() int {
	if w.version == HighloadV3 {
		return 253
	}
	return 255
}

// String is the address.
func (w Wallet) String() string { return w.address.String() }

// config is the version as tonutils knows it. builder gives a Highload V3 message
// its query id and time; deriving the address needs none.
func (w Wallet) config(builder func(context.Context, uint32) (uint32, int64, error)) (tonwallet.VersionConfig, error) {
	switch w.version {
	case V5R1:
		return tonwallet.ConfigV5R1Final{NetworkGlobalID: w.network, Workchain: 0}, nil
	case HighloadV3:
		return tonwallet.ConfigHighloadV3{MessageTTL: uint32(HighloadTTL / time.Second), MessageBuilder: builder}, nil
	default:
		return nil, fmt.Errorf("%w: %q", ErrVersion, w.version)
	}
}

func (w Wallet) subwallet() uint32 {
	if w.version == V5R1 {
		return 0
	}
	return tonwallet.DefaultSubwallet
}

// Once is what makes a signed message executable at most once, and for a while only.
type Once struct {
	ID     uint32    // V5R1: the wallet's sequence number; Highload V3: a query id not used within the last [HighloadTTL]
	Signed time.Time // the chain's time; Highload V3 messages expire HighloadTTL later
	Until  time.Time // V5R1: expiry
	Deploy bool      // put the wallet's code and data into the message, for its first
}

// Sign builds the external message that makes the wallet send the messages, as
// the cell to give to the network. It is deterministic. Every message is sent
// with its full amount, the wallet paying the fees; one that the wallet cannot
// send is skipped by the wallet (as V5R1 demands), see [Queue.Wait].
func (w Wallet) Sign(ctx context.Context, messages []contracts.Message, once Once) (*cell.Cell, error) {
	switch {
	case w.key.seed == nil:
		return nil, ErrNoKey
	case len(messages) == 0:
		return nil, ErrNoMessages
	case len(messages) > w.MaxMessages():
		return nil, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(messages), w.MaxMessages())
	}
	outgoing := make([]*tonwallet.Message, len(messages))
	for i, m := range messages {
		internal, err := internalMessage(m)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		outgoing[i] = &tonwallet.Message{Mode: tonwallet.PayGasSeparately + tonwallet.IgnoreErrors, InternalMessage: internal}
	}
	sign := w.signV5R1
	if w.version == HighloadV3 {
		sign = w.signHighload
	}
	external, err := sign(ctx, outgoing, once)
	if err != nil {
		return nil, fmt.Errorf("sign with wallet %v: %w", w.address, err)
	}
	return tontlb.ToCell(external)
}

// signV5R1 writes the body itself, since tonutils takes the expiry from this
// machine's clock, and only the chain's counts.
//
//	signed_external#7369676e wallet_id:uint32 valid_until:uint32 seqno:uint32 actions:… signature:bits512
func (w Wallet) signV5R1(_ context.Context, messages []*tonwallet.Message, once Once) (*tontlb.ExternalMessage, error) {
	actions, err := tonwallet.PackV5OutActions(messages)
	if err != nil {
		return nil, err
	}
	id := tonwallet.V5R1ID{NetworkGlobalID: w.network}
	body := cell.BeginCell().
		MustStoreUInt(0x7369676e, 32).
		MustStoreUInt(uint64(id.Serialized()), 32).
		MustStoreUInt(uint64(uint32(once.Until.Unix())), 32).
		MustStoreUInt(uint64(once.ID), 32).
		MustStoreBuilder(actions)
	signature := ed25519.Sign(w.key.Private(), body.Copy().EndCell().Hash())
	external := &tontlb.ExternalMessage{DstAddr: w.address, Body: body.MustStoreSlice(signature, 512).EndCell()}
	if once.Deploy {
		pub := w.key.Public()
		config, err := w.config(nil)
		if err != nil {
			return nil, err
		}
		if external.StateInit, err = tonwallet.GetStateInit(pub[:], config, w.subwallet()); err != nil {
			return nil, err
		}
	}
	return external, nil
}

func (w Wallet) signHighload(ctx context.Context, messages []*tonwallet.Message, once Once) (*tontlb.ExternalMessage, error) {
	config, err := w.config(func(context.Context, uint32) (uint32, int64, error) { return once.ID, once.Signed.Unix(), nil })
	if err != nil {
		return nil, err
	}
	signer, err := tonwallet.FromPrivateKeyWithOptions(w.key.Private(), config)
	if err != nil {
		return nil, err
	}
	// tonutils appends to the slice it is given, beyond its length.
	return signer.PrepareExternalMessageForMany(ctx, once.Deploy, slices.Clip(messages))
}

// internalMessage is a message as it leaves the wallet.
func internalMessage(m contracts.Message) (*tontlb.InternalMessage, error) {
	if err := tlb.CheckAddress(m.To); err != nil {
		return nil, err
	}
	if m.Amount > tlb.MaxNano {
		return nil, fmt.Errorf("amount: %w", tlb.ErrOverflow)
	}
	out := &tontlb.InternalMessage{
		IHRDisabled: true, Bounce: m.Bounce,
		DstAddr: m.To, Amount: tontlb.FromNanoTONU(uint64(m.Amount)), Body: m.Body,
	}
	if out.Body == nil {
		out.Body = cell.BeginCell().EndCell()
	}
	if m.Init != nil {
		s, err := m.Init.BeginParse()
		if err != nil {
			return nil, fmt.Errorf("state init: %w", err)
		}
		out.StateInit = new(tontlb.StateInit)
		if err := tontlb.LoadFromCell(out.StateInit, s); err != nil {
			return nil, fmt.Errorf("state init: %w", err)
		}
	}
	return out, nil
}

// seqno is the sequence number that the wallet expects next. The account's data
// is proven, so it is read from there, not asked for.
//
//	contract_state$_ is_signature_allowed:Bool seqno:uint32 wallet_id:uint32 public_key:bits256 extensions:… = ContractState;
func (w Wallet) seqno(a tlb.Account) (uint32, error) {
	switch a.Status {
	case tlb.AccountAbsent, tlb.AccountUninit:
		return 0, nil
	case tlb.AccountFrozen:
		return 0, fmt.Errorf("%w: %v is frozen", ErrNotWallet, w.address)
	}
	config, err := w.config(nil)
	if err != nil {
		return 0, err
	}
	pub := w.key.Public()
	initial, err := tonwallet.GetStateInit(pub[:], config, w.subwallet())
	if err != nil {
		return 0, err
	}
	if a.Code == nil || a.Data == nil || a.Code.HashKey() != initial.Code.HashKey() {
		return 0, fmt.Errorf("%w: %v runs other code", ErrNotWallet, w.address)
	}
	if w.version != V5R1 {
		return 0, nil
	}
	s, err := a.Data.BeginParse()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNotWallet, err)
	}
	if _, err = s.LoadBoolBit(); err == nil {
		var seqno uint64
		if seqno, err = s.LoadUInt(32); err == nil {
			return uint32(seqno), nil
		}
	}
	return 0, fmt.Errorf("%w: %w", ErrNotWallet, err)
}
