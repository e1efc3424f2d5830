package toncenter

import (
	"context"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb/get"
)

type jettonMaster struct {
	Type         string   `json:"@type"`
	Address      friendly `json:"address"`
	ContractType string   `json:"contract_type"`
	Supply       integer  `json:"total_supply"`
	Mintable     bool     `json:"mintable"`
	Admin        *string  `json:"admin_address,omitempty"`
	Content      content  `json:"jetton_content"`
	WalletCode   boc      `json:"jetton_wallet_code"`
}

type jettonWallet struct {
	Type         string   `json:"@type"`
	Address      friendly `json:"address"`
	ContractType string   `json:"contract_type"`
	Balance      integer  `json:"balance"`
	Owner        friendly `json:"owner"`
	Jetton       friendly `json:"jetton"`
	Claimed      *bool    `json:"mintless_is_claimed,omitempty"`
	WalletCode   boc      `json:"jetton_wallet_code"`
}

type nftCollection struct {
	Type         string   `json:"@type"`
	Address      friendly `json:"address"`
	ContractType string   `json:"contract_type"`
	NextIndex    integer  `json:"next_item_index"`
	Owner        *string  `json:"owner_address,omitempty"`
	Content      content  `json:"collection_content"`
}

type nftItem struct {
	Type         string   `json:"@type"`
	Address      friendly `json:"address"`
	ContractType string   `json:"contract_type"`
	Init         bool     `json:"init"`
	Index        integer  `json:"index"`
	Collection   *string  `json:"collection_address,omitempty"`
	Owner        *string  `json:"owner_address,omitempty"`
	Content      content  `json:"content"`
}

// tokenData tells what token an account is, by asking it. A wallet and an item
// are believed only if their master or collection says so too.
func tokenData(_ context.Context, chain Source, p *params) (any, error) {
	m, a, err := readAt(chain, p)
	if err != nil {
		return nil, err
	}
	for _, kind := range []func(*moment, *account) (any, error){readJettonMaster, readJettonWallet, readCollection, readItem} {
		// Whatever a contract does wrong, it then is no such token.
		if token, err := kind(m, a); err == nil {
			return token, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", a.Address, ErrNotToken)
}

// answers are the values a get method returned, read one by one; the first that
// is wrong is remembered.
type answers struct {
	get.Stack
	err error
}

func (m *moment) ask(a *account, method string, args ...any) *answers {
	r, err := m.run(a, tontlb.MethodNameHash(method), args...)
	if err == nil && r.Exit != get.ExitOK {
		err = fmt.Errorf("%s: %s", method, r.Exit)
	}
	return &answers{Stack: r.Stack, err: err}
}

func (s *answers) number(i int) *big.Int {
	n, err := s.Int(i)
	s.note(err)
	return n
}

func (s *answers) flag(i int) bool {
	n := s.number(i)
	return n != nil && n.Sign() != 0
}

func (s *answers) cell(i int) *cell.Cell {
	c, err := s.Cell(i)
	s.note(err)
	return c
}

func (s *answers) content(i int) content {
	c := s.cell(i)
	if s.err != nil {
		return content{}
	}
	out, err := readContent(c)
	s.note(err)
	return out
}

// address is nil for addr_none.
func (s *answers) address(i int) *address.Address {
	slice, err := s.Slice(i)
	if s.note(err); s.err != nil {
		return nil
	}
	a, err := slice.LoadAddr()
	if s.note(err); s.err != nil || a.IsAddrNone() {
		return nil
	}
	if a.Type() != address.StdAddress {
		s.note(fmt.Errorf("value %d is no address of an account", i))
		return nil
	}
	return a
}

func (s *answers) note(err error) {
	if s.err == nil {
		s.err = err
	}
}

func optional(a *address.Address) *string {
	if a == nil {
		return nil
	}
	text := friendly{a}.text()
	return &text
}

func readJettonMaster(m *moment, a *account) (any, error) {
	s := m.ask(a, "get_jetton_data")
	out := jettonMaster{
		Type: "ext.tokens.jettonMasterData", Address: friendly{a.Address}, ContractType: "jetton_master",
		Supply: integer{s.number(0)}, Mintable: s.flag(1), Admin: optional(s.address(2)), Content: s.content(3), WalletCode: boc{s.cell(4)},
	}
	return out, s.err
}

func readJettonWallet(m *moment, a *account) (any, error) {
	s := m.ask(a, "get_wallet_data")
	owner, master := s.address(1), s.address(2)
	out := jettonWallet{
		Type: "ext.tokens.jettonWalletData", Address: friendly{a.Address}, ContractType: "jetton_wallet",
		Balance: integer{s.number(0)}, Owner: friendly{owner}, Jetton: friendly{master}, WalletCode: boc{s.cell(3)},
	}
	if s.err != nil {
		return nil, s.err
	}
	if owner == nil || master == nil {
		return nil, fmt.Errorf("wallet %s of nobody", a.Address)
	}
	if err := m.confirm(master, a, "get_wallet_address", owner); err != nil {
		return nil, err
	}
	if mintless := m.ask(a, "is_claimed"); mintless.err == nil {
		if claimed := mintless.flag(0); mintless.err == nil {
			out.Claimed = &claimed
		}
	}
	return out, nil
}

func readCollection(m *moment, a *account) (any, error) {
	s := m.ask(a, "get_collection_data")
	out := nftCollection{
		Type: "ext.tokens.nftCollectionData", Address: friendly{a.Address}, ContractType: "nft_collection",
		NextIndex: integer{s.number(0)}, Content: s.content(1), Owner: optional(s.address(2)),
	}
	return out, s.err
}

func readItem(m *moment, a *account) (any, error) {
	s := m.ask(a, "get_nft_data")
	collection, index := s.address(2), s.number(1)
	out := nftItem{
		Type: "ext.tokens.nftItemData", Address: friendly{a.Address}, ContractType: "nft_item",
		Init: s.flag(0), Index: integer{index}, Collection: optional(collection), Owner: optional(s.address(3)),
	}
	own := s.cell(4)
	if s.err != nil {
		return nil, s.err
	}
	if collection == nil {
		var err error
		out.Content, err = readContent(own)
		return out, err
	}
	if err := m.confirm(collection, a, "get_nft_address_by_index", index); err != nil {
		return nil, err
	}
	parent, err := m.account(collection)
	if err != nil {
		return nil, err
	}
	full := m.ask(parent, "get_nft_content", index, own)
	out.Content = full.content(0)
	return out, full.err
}

// confirm asks a parent for the address of a child, and compares.
func (m *moment) confirm(parent *address.Address, child *account, method string, arg any) error {
	p, err := m.account(parent)
	if err != nil {
		return err
	}
	s := m.ask(p, method, arg)
	got := s.address(0)
	if s.err != nil {
		return s.err
	}
	if got == nil || !got.Equals(child.Address) {
		return fmt.Errorf("%s does not know %s", parent, child.Address)
	}
	return nil
}
