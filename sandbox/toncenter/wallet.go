package toncenter

import (
	"context"
	"encoding/base64"
)

// walletKind is a wallet contract that toncenter knows by the hash of its code.
type walletKind struct {
	name string
	// layout of the data: what stands before the public key.
	layout walletLayout
	// tonlib is the structure that tonlib, which knows fewer of them, has for
	// its state, and revision the number it counts them by.
	tonlib   string
	revision int
}

type walletLayout uint8

const (
	layoutSeqno     walletLayout = iota // seqno:uint32
	layoutID                            // seqno:uint32 wallet_id:uint32
	layoutSignature                     // is_signature_allowed:Bool seqno:uint32 wallet_id:uint32
)

// walletKinds are the known wallets by the base64 of their code's hash.
var walletKinds = map[string]walletKind{
	"oM/CxIruFqJx8s/AtzgtgXVs7LEBfQd/qqs7tgL2how=": {name: "wallet v1 r1"},
	"1JAvzJ+tdGmPqONTIgpo2g3PcuMryy657gQhfBfTBiw=": {name: "wallet v1 r2"},
	"WHzHie/xyE9G7DeX5F/ICaFP9a4k8eDHpqmcydyQYf8=": {name: "wallet v1 r3"},
	"XJpeaMEI4YchoHxC+ZVr+zmtd+xtYktgxXbsiO7mUyk=": {name: "wallet v2 r1"},
	"/pUw0yQ4Uwg+8u8LTCkIwKv2+hwx6iQ6rKpb+MfXU/E=": {name: "wallet v2 r2"},
	"thBBpYp5gLlG6PueGY48kE0keZ/6NldOpCUcQaVm9YE=": {name: "wallet v3 r1", layout: layoutID, tonlib: "wallet.v3.accountState", revision: 1},
	"hNr6RJ+Ypph3ibojI1gHK8D3bcRSQAKl0JGLmnXS1Zk=": {name: "wallet v3 r2", layout: layoutID, tonlib: "wallet.v3.accountState", revision: 2},
	"ZN1UgFUixb6KnbWc6gEFzPDQh4bKeb64y3nogKjXMi0=": {name: "wallet v4 r1", layout: layoutID, tonlib: "wallet.v4.accountState", revision: 1},
	"/rX/aCDi/w2Ug+fg1iyBfYRniftK5YDIeIZtlZ2r1cA=": {name: "wallet v4 r2", layout: layoutID, tonlib: "wallet.v4.accountState", revision: 2},
	"89fKU0k97trCizgZhqhJQDy6w9LFhHea8IEGWvCsS5M=": {name: "wallet v5 beta", layout: layoutSignature},
	"IINLe3KxEhR+Gy+0V7hOdNGjDwT3N9T2KmaOlVLSty8=": {name: "wallet v5 r1", layout: layoutSignature},
}

// wallet is what a known wallet's data says.
type wallet struct {
	kind             walletKind
	seqno            uint32
	id               uint32
	signatureAllowed bool
}

// readWallet tells whether an account is a known wallet, with data as it
// should be.
func readWallet(a *account) (wallet, bool) {
	code, data := a.code(), a.data()
	if code == nil || data == nil {
		return wallet{}, false
	}
	kind, ok := walletKinds[base64.StdEncoding.EncodeToString(code.Hash())]
	if !ok {
		return wallet{}, false
	}
	w := wallet{kind: kind}
	s, err := data.BeginParse()
	if err != nil {
		return wallet{}, false
	}
	read := func(bits uint) (v uint64) {
		if err == nil {
			v, err = s.LoadUInt(bits)
		}
		return v
	}
	if kind.layout == layoutSignature {
		w.signatureAllowed = read(1) == 1
	}
	w.seqno = uint32(read(32))
	if kind.layout != layoutSeqno {
		w.id = uint32(read(32))
	}
	return w, err == nil
}

type walletInformationResult struct {
	Type             string        `json:"@type"`
	Wallet           bool          `json:"wallet"`
	Balance          integer       `json:"balance"`
	State            string        `json:"account_state"`
	Last             transactionID `json:"last_transaction_id"`
	WalletType       string        `json:"wallet_type,omitempty"`
	Seqno            *uint32       `json:"seqno,omitempty"`
	WalletID         *int32        `json:"wallet_id,omitempty"`
	SignatureAllowed *bool         `json:"is_signature_allowed,omitempty"`
}

func walletInformation(_ context.Context, chain Source, p *params) (any, error) {
	_, a, err := readAt(chain, p)
	if err != nil {
		return nil, err
	}
	out := walletInformationResult{
		Type: "ext.accounts.walletInformation", Balance: coins(a.State.Balance), State: a.status(),
		Last: viewTransactionID(a.LastLT, a.Last),
	}
	w, ok := readWallet(a)
	if !ok {
		return out, nil
	}
	out.Wallet, out.WalletType, out.Seqno = true, w.kind.name, &w.seqno
	if w.kind.layout != layoutSeqno {
		signed := int32(w.id) // as toncenter reads it
		out.WalletID = &signed
	}
	if w.kind.layout == layoutSignature {
		out.SignatureAllowed = &w.signatureAllowed
	}
	return out, nil
}
