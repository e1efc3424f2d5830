package toncenter

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// blockTx is a transaction of a block.
type blockTx struct {
	account []byte
	lt      uint64
	root    *cell.Cell
}

// transactionsOf lists the transactions of a block in its order, which is that
// of accounts and then of logical time.
func transactionsOf(block *cell.Cell) ([]blockTx, error) {
	accounts, err := accountBlocks(block)
	if err != nil || accounts == nil {
		return nil, err
	}
	items, err := accounts.IteratorExtra(false, false)
	if err != nil {
		return nil, fmt.Errorf("account blocks: %w", err)
	}
	var all []blockTx
	for items.Next() {
		txs, err := transactionsIn(items.Item().Value)
		if err != nil {
			return nil, err
		}
		all = append(all, txs...)
	}
	return all, items.Err()
}

// accountTransactions lists those of one account.
func accountTransactions(block *cell.Cell, account []byte) ([]blockTx, error) {
	accounts, err := accountBlocks(block)
	if err != nil || accounts == nil {
		return nil, err
	}
	value, err := accounts.LoadValue(cell.BeginCell().MustStoreSlice(account, 256).EndCell())
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("account blocks: %w", err)
	}
	return transactionsIn(value)
}

// accountBlocks are a block's transactions by account, nil if there are none.
func accountBlocks(block *cell.Cell) (*tontlb.ShardAccountBlocksAugDict, error) {
	b, err := parseBlock(block)
	if err != nil {
		return nil, err
	}
	if b.Extra == nil {
		return nil, nil
	}
	var list tontlb.ShardAccountBlocks
	if err := tontlb.Parse(&list, b.Extra.ShardAccountBlocks); err != nil {
		return nil, fmt.Errorf("account blocks: %w", err)
	}
	if list.Accounts.IsEmpty() {
		return nil, nil
	}
	return list.Accounts, nil
}

func transactionsIn(value *cell.Slice) (out []blockTx, err error) {
	var account tontlb.AccountBlock
	if err := tontlb.LoadFromCell(&account, value); err != nil {
		return nil, fmt.Errorf("account block: %w", err)
	}
	txs, err := account.Transactions.IteratorExtra(false, false)
	if err != nil {
		return nil, fmt.Errorf("account block: %w", err)
	}
	for txs.Next() {
		item := txs.Item()
		lt, err := item.Key.MustBeginParse().LoadUInt(64)
		if err != nil {
			return nil, fmt.Errorf("account block: %w", err)
		}
		root, err := item.Value.PeekRefCell()
		if err != nil {
			return nil, fmt.Errorf("account block: %w", err)
		}
		out = append(out, blockTx{account: account.Addr, lt: lt, root: root})
	}
	return out, txs.Err()
}

// page is what a call asks for of a block's transactions.
type page struct {
	id         BlockID
	count      int
	incomplete bool
	txs        []blockTx
}

func readPage(chain Source, p *params) (page, error) {
	id, err := blockOf(chain, p)
	count, ok := p.number("count", 1, maxBlockTransactions)
	if !ok {
		count = 40
	}
	afterLT, hasLT := p.number("after_lt", 0, 1<<63-1)
	after, hasAccount := p.accountHash("after_hash")
	if p.err != nil {
		return page{}, p.err
	}
	if hasLT != hasAccount {
		return page{}, badRequest("after_lt and after_hash should be used together")
	}
	if err != nil {
		return page{}, err
	}
	root, err := chain.Block(id)
	if err != nil {
		return page{}, err
	}
	txs, err := transactionsOf(root)
	if err != nil {
		return page{}, err
	}
	if hasLT {
		next := slices.IndexFunc(txs, func(tx blockTx) bool {
			order := bytes.Compare(tx.account, after)
			return order > 0 || order == 0 && tx.lt > uint64(afterLT)
		})
		if next < 0 {
			next = len(txs)
		}
		txs = txs[next:]
	}
	out := page{id: id, count: int(count), txs: txs}
	if len(txs) > out.count {
		out.txs, out.incomplete = txs[:out.count], true
	}
	return out, nil
}

// accountHash is an optional account without its workchain: a hash, or an
// address whose workchain does not matter.
func (p *params) accountHash(name string) ([]byte, bool) {
	if _, ok := p.value(name); !ok {
		return nil, false
	}
	text := p.text(name)
	if a, err := parseAddress(text); err == nil {
		return a.Data(), true
	}
	return p.hash(name), true
}

type blockTransactionsResult struct {
	Type         string  `json:"@type"`
	ID           blockID `json:"id"`
	Count        int     `json:"req_count"`
	Incomplete   bool    `json:"incomplete"`
	Transactions any     `json:"transactions"`
}

type shortTxID struct {
	Type    string `json:"@type"`
	Mode    int    `json:"mode"`
	Account string `json:"account"`
	LT      string `json:"lt"`
	Hash    hash   `json:"hash"`
}

// shortMode are the bits for account, logical time and hash, all of them.
const shortMode = 7

func blockTransactions(_ context.Context, chain Source, p *params) (any, error) {
	found, err := readPage(chain, p)
	if err != nil {
		return nil, err
	}
	list := []shortTxID{}
	for _, tx := range found.txs {
		list = append(list, shortTxID{
			Type: "blocks.shortTxId", Mode: shortMode, LT: strconv.FormatUint(tx.lt, 10), Hash: tx.root.Hash(),
			Account: strconv.Itoa(int(found.id.Workchain)) + ":" + hex.EncodeToString(tx.account),
		})
	}
	return blockTransactionsResult{
		Type: "blocks.transactions", ID: viewBlockID(found.id), Count: found.count, Incomplete: found.incomplete, Transactions: list,
	}, nil
}

func blockTransactionsExt(_ context.Context, chain Source, p *params) (any, error) {
	found, err := readPage(chain, p)
	if err != nil {
		return nil, err
	}
	list := []rawTransaction{}
	for _, tx := range found.txs {
		t, err := viewTransaction(address.NewAddress(0, byte(found.id.Workchain), tx.account), tx.root)
		if err != nil {
			return nil, err
		}
		list = append(list, t.rawExt())
	}
	return blockTransactionsResult{
		Type: "blocks.transactionsExt", ID: viewBlockID(found.id), Count: found.count, Incomplete: found.incomplete, Transactions: list,
	}, nil
}
