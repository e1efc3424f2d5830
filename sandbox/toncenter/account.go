package toncenter

import (
	"context"

	tontlb "github.com/xssnick/tonutils-go/tlb"
)

// readAt reads the account that a call is about, at the block it names.
func readAt(chain Source, p *params) (*moment, *account, error) {
	a, seqno := p.address("address"), p.seqno("seqno")
	if p.err != nil {
		return nil, nil, p.err
	}
	m, err := at(chain, seqno)
	if err != nil {
		return nil, nil, err
	}
	found, err := m.account(a)
	return m, found, err
}

// The states of an account as toncenter tells them apart. One that does not
// exist is "uninitialized".
const (
	stateActive = "active"
	stateFrozen = "frozen"
	stateNone   = "uninitialized"
)

func (a *account) status() string {
	switch {
	case !a.State.IsValid:
		return stateNone
	case a.State.Status == tontlb.AccountStatusActive:
		return stateActive
	case a.State.Status == tontlb.AccountStatusFrozen:
		return stateFrozen
	}
	return stateNone
}

// frozenHash is the hash of the state that a frozen account has to be given
// back.
func (a *account) frozenHash() hash {
	if a.status() == stateFrozen {
		return a.State.StateHash
	}
	return nil
}

type fullAccountState struct {
	Type            string          `json:"@type"`
	Balance         integer         `json:"balance"`
	ExtraCurrencies []extraCurrency `json:"extra_currencies"`
	Code            boc             `json:"code"`
	Data            boc             `json:"data"`
	Last            transactionID   `json:"last_transaction_id"`
	Block           blockID         `json:"block_id"`
	FrozenHash      hash            `json:"frozen_hash"`
	SyncTime        uint32          `json:"sync_utime"`
	State           string          `json:"state"`
}

func addressInformation(_ context.Context, chain Source, p *params) (any, error) {
	m, a, err := readAt(chain, p)
	if err != nil {
		return nil, err
	}
	extra, err := extraCurrencies(a.State.ExtraCurrencies)
	if err != nil {
		return nil, err
	}
	return fullAccountState{
		Type: "raw.fullAccountState", Balance: coins(a.State.Balance), ExtraCurrencies: extra,
		Code: boc{a.code()}, Data: boc{a.data()}, Last: viewTransactionID(a.LastLT, a.Last), Block: viewBlockID(m.block),
		FrozenHash: a.frozenHash(), SyncTime: a.Time, State: a.status(),
	}, nil
}

type extendedState struct {
	Type            string          `json:"@type"`
	Address         accountAddress  `json:"address"`
	Balance         integer         `json:"balance"`
	ExtraCurrencies []extraCurrency `json:"extra_currencies"`
	Last            transactionID   `json:"last_transaction_id"`
	Block           blockID         `json:"block_id"`
	SyncTime        uint32          `json:"sync_utime"`
	State           any             `json:"account_state"`
	Revision        int             `json:"revision"`
}

// What extendedState.State can be.
type (
	uninitedState struct {
		Type       string `json:"@type"`
		FrozenHash hash   `json:"frozen_hash"`
	}
	rawState struct {
		Type       string `json:"@type"`
		Code       boc    `json:"code"`
		Data       boc    `json:"data"`
		FrozenHash hash   `json:"frozen_hash"`
	}
	walletState struct {
		Type     string `json:"@type"`
		WalletID uint32 `json:"wallet_id"`
		Seqno    uint32 `json:"seqno"`
	}
)

func extendedAddressInformation(_ context.Context, chain Source, p *params) (any, error) {
	m, a, err := readAt(chain, p)
	if err != nil {
		return nil, err
	}
	extra, err := extraCurrencies(a.State.ExtraCurrencies)
	if err != nil {
		return nil, err
	}
	out := extendedState{
		Type: "fullAccountState", Address: viewAddress(a.Address), Balance: coins(a.State.Balance), ExtraCurrencies: extra,
		Last: viewTransactionID(a.LastLT, a.Last), Block: viewBlockID(m.block), SyncTime: a.Time,
	}
	switch wallet, is := readWallet(a); {
	case a.status() != stateActive:
		out.State = uninitedState{Type: "uninited.accountState", FrozenHash: a.frozenHash()}
	case is && wallet.kind.tonlib != "":
		out.State = walletState{Type: wallet.kind.tonlib, WalletID: wallet.id, Seqno: wallet.seqno}
		out.Revision = wallet.kind.revision
	default:
		out.State = rawState{Type: "raw.accountState", Code: boc{a.code()}, Data: boc{a.data()}}
	}
	return out, nil
}

func addressBalance(_ context.Context, chain Source, p *params) (any, error) {
	_, a, err := readAt(chain, p)
	if err != nil {
		return nil, err
	}
	return coins(a.State.Balance), nil
}

func addressState(_ context.Context, chain Source, p *params) (any, error) {
	_, a, err := readAt(chain, p)
	if err != nil {
		return nil, err
	}
	return a.status(), nil
}

func shardAccountCell(_ context.Context, chain Source, p *params) (any, error) {
	_, a, err := readAt(chain, p)
	if err != nil {
		return nil, err
	}
	return viewCell(a.Shard), nil
}
