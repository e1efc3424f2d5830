package toncenter

import (
	"context"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// transactionFields are what the structures for a transaction have in common.
type transactionFields struct {
	Address    accountAddress `json:"address"`
	Time       uint32         `json:"utime"`
	Data       boc            `json:"data"`
	ID         transactionID  `json:"transaction_id"`
	Fee        integer        `json:"fee"`
	StorageFee integer        `json:"storage_fee"`
	OtherFee   integer        `json:"other_fee"`
}

// rawTransaction is raw.transaction, and raw.transactionExt with an account.
type rawTransaction struct {
	Type    string `json:"@type"`
	Account string `json:"account,omitempty"`
	transactionFields
	In  *rawMessage  `json:"in_msg,omitempty"`
	Out []rawMessage `json:"out_msgs"`
}

// extTransaction is ext.transaction.
type extTransaction struct {
	Type    string `json:"@type"`
	Account string `json:"account"`
	transactionFields
	In  *extMessage  `json:"in_msg,omitempty"`
	Out []extMessage `json:"out_msgs"`
}

// transaction is a transaction taken apart.
type transaction struct {
	account *address.Address
	fields  transactionFields
	in      *message // nil: a tick-tock
	out     []*message
}

func (t *transaction) raw() rawTransaction {
	out := rawTransaction{Type: "raw.transaction", transactionFields: t.fields, Out: []rawMessage{}}
	if t.in != nil {
		in := t.in.raw()
		out.In = &in
	}
	for _, m := range t.out {
		out.Out = append(out.Out, m.raw())
	}
	return out
}

func (t *transaction) rawExt() rawTransaction {
	out := t.raw()
	out.Type, out.Account = "raw.transactionExt", rawUpper(t.account)
	return out
}

func (t *transaction) ext() extTransaction {
	out := extTransaction{
		Type: "ext.transaction", Account: rawUpper(t.account), transactionFields: t.fields, Out: []extMessage{},
	}
	if t.in != nil {
		in := t.in.ext()
		out.In = &in
	}
	for _, m := range t.out {
		out.Out = append(out.Out, m.ext())
	}
	return out
}

// viewTransaction takes a transaction apart. The fee is all it cost the
// account: what was collected, and what is under way with its messages.
func viewTransaction(a *address.Address, root *cell.Cell) (*transaction, error) {
	var tx tontlb.Transaction
	if err := tontlb.Parse(&tx, root); err != nil {
		return nil, fmt.Errorf("transaction of %s: %w", a, err)
	}
	t := &transaction{account: a}
	fee := tx.TotalFees.Coins.Nano()
	in, out, err := messages(root)
	if err != nil {
		return nil, fmt.Errorf("transaction of %s at %d: %w", a, tx.LT, err)
	}
	if in != nil {
		if t.in, err = viewMessage(in); err != nil {
			return nil, fmt.Errorf("transaction of %s at %d: %w", a, tx.LT, err)
		}
	}
	for _, c := range out {
		m, err := viewMessage(c)
		if err != nil {
			return nil, fmt.Errorf("transaction of %s at %d: %w", a, tx.LT, err)
		}
		fee = new(big.Int).Add(fee, m.forwardFee)
		t.out = append(t.out, m)
	}
	storage := storageFee(&tx)
	t.fields = transactionFields{
		Address: viewAddress(a), Time: tx.Now, Data: boc{root}, ID: viewTransactionID(tx.LT, root.HashKey()),
		Fee: integer{fee}, StorageFee: integer{storage}, OtherFee: integer{new(big.Int).Sub(fee, storage)},
	}
	return t, nil
}

// messages are the cells of a transaction's messages:
//
//	^[ in_msg:(Maybe ^(Message Any)) out_msgs:(HashmapE 15 ^(Message Any)) ]
func messages(tx *cell.Cell) (in *cell.Cell, out []*cell.Cell, err error) {
	io, err := tx.PeekRef(0)
	if err != nil {
		return nil, nil, err
	}
	s, err := io.BeginParse()
	if err != nil {
		return nil, nil, err
	}
	has, err := s.LoadBoolBit()
	if err == nil && has {
		in, err = s.LoadRefCell()
	}
	if err != nil {
		return nil, nil, err
	}
	list, err := s.LoadDict(15)
	if err != nil || list.IsEmpty() {
		return in, nil, err
	}
	items, err := list.LoadAll()
	if err != nil {
		return nil, nil, err
	}
	for _, item := range items {
		c, err := item.Value.LoadRefCell()
		if err != nil {
			return nil, nil, err
		}
		out = append(out, c)
	}
	return in, out, nil
}

// storageFee is what the storage phase collected.
func storageFee(tx *tontlb.Transaction) *big.Int {
	var phase *tontlb.StoragePhase
	switch d := tx.Description.(type) {
	case tontlb.TransactionDescriptionOrdinary:
		phase = d.StoragePhase
	case tontlb.TransactionDescriptionTickTock:
		phase = &d.StoragePhase
	case tontlb.TransactionDescriptionStorage:
		phase = &d.StoragePhase
	case tontlb.TransactionDescriptionSplitPrepare:
		phase = d.StoragePhase
	case tontlb.TransactionDescriptionMergePrepare:
		phase = &d.StoragePhase
	case tontlb.TransactionDescriptionMergeInstall:
		phase = d.StoragePhase
	}
	if phase == nil {
		return new(big.Int)
	}
	return phase.StorageFeesCollected.Nano()
}

func transactions(ctx context.Context, chain Source, p *params) (any, error) {
	list, _, err := history(ctx, chain, p)
	if err != nil {
		return nil, err
	}
	out := []extTransaction{}
	for _, t := range list {
		out = append(out, t.ext())
	}
	return out, nil
}

type rawTransactions struct {
	Type         string           `json:"@type"`
	Transactions []rawTransaction `json:"transactions"`
	Previous     transactionID    `json:"previous_transaction_id"`
}

func transactionsStd(ctx context.Context, chain Source, p *params) (any, error) {
	list, previous, err := history(ctx, chain, p)
	if err != nil {
		return nil, err
	}
	out := rawTransactions{Type: "raw.transactions", Transactions: []rawTransaction{}, Previous: previous}
	for _, t := range list {
		out.Transactions = append(out.Transactions, t.raw())
	}
	return out, nil
}

// history reads the transactions of an account that a call asks for, newest
// first, and the id of the one that would follow.
func history(ctx context.Context, chain Source, p *params) ([]*transaction, transactionID, error) {
	a, lt, from, end := p.address("address"), p.lt("lt"), p.hash("hash"), p.lt("to_lt")
	limit, ok := p.number("limit", 1, maxTransactions)
	if !ok {
		limit = 10
	}
	p.flag("archival", false) // all of this chain is
	none := viewTransactionID(0, [32]byte{})
	if (lt != 0) != (from != nil) {
		return nil, none, badRequest("lt and hash should be used together")
	}
	if p.err != nil {
		return nil, none, p.err
	}
	start := tlb.Tx{PrevLT: lt}
	if from != nil {
		start.PrevHash = [32]byte(from)
	} else {
		m, err := at(chain, 0)
		if err != nil {
			return nil, none, err
		}
		found, err := m.account(a)
		if err != nil {
			return nil, none, err
		}
		start.PrevLT, start.PrevHash = found.LastLT, found.Last
	}
	var out []*transaction
	for len(out) < int(limit) && start.PrevLT > end {
		// A few at a time: with an end, only few may be wanted.
		txs, err := chain.Transactions(ctx, a, start.PrevLT, start.PrevHash, min(16, int(limit)-len(out)))
		if err != nil {
			return nil, none, err
		}
		if len(txs) == 0 {
			break
		}
		for _, tx := range txs {
			if tx.LT <= end {
				break
			}
			t, err := viewTransaction(a, tx.Root)
			if err != nil {
				return nil, none, err
			}
			out = append(out, t)
			start = tx
		}
		if txs[len(txs)-1].LT <= end {
			break
		}
	}
	return out, viewTransactionID(start.PrevLT, start.PrevHash), nil
}
