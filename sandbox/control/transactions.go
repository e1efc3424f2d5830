package control

import (
	"context"
	"fmt"
	"strings"

	tontlb "github.com/xssnick/tonutils-go/tlb"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// TransactionsParams say whose transactions, and how many.
type TransactionsParams struct {
	Address Address `json:"address" doc:"of the account"`
	Limit   int     `json:"limit,omitzero" doc:"how many at most (default 10)" cli:"flag"`
	LT      uint64  `json:"lt,omitzero" doc:"logical time of the first to list; needs hash (default: the newest)" cli:"flag"`
	Hash    Hash    `json:"hash,omitzero" doc:"hash of the first to list" cli:"flag"`
}

// Transactions of an account, newest first.
type Transactions []Transaction

// Transaction is one in the chain.
type Transaction struct {
	LT       uint64 `json:"lt,string"`
	Hash     Hash   `json:"hash"`
	PrevLT   uint64 `json:"prev_lt,string"`
	PrevHash Hash   `json:"prev_hash"`
	Time     Time   `json:"time"`
	// From and Value are of the message that was received, if it was internal.
	From  Address `json:"from,omitzero"`
	Value Amount  `json:"value"`
	// Exit is how the compute phase ended, nil if it did not run.
	Exit    *int   `json:"exit,omitempty"`
	Aborted bool   `json:"aborted"`
	Fees    Amount `json:"fees"`
	Sent    int    `json:"sent"` // messages
	BoC     Cell   `json:"boc"`
}

func (all Transactions) String() string {
	if len(all) == 0 {
		return "no transactions"
	}
	lines := make([]string, len(all))
	for i, t := range all {
		from, ran := "outside", "not run"
		if t.From.Address != nil {
			from = t.From.String()
		}
		if t.Exit != nil {
			ran = get.Exit(*t.Exit).String()
		}
		if t.Aborted {
			ran += ", aborted"
		}
		lines[i] = fmt.Sprintf("%s  lt %d  %s\n  %s from %s  %s, fees %s, %d sent", t.Time, t.LT, t.Hash, t.Value, from, ran, t.Fees, t.Sent)
	}
	return strings.Join(lines, "\n")
}

func listTransactions(ctx context.Context, w *world, p TransactionsParams) (Transactions, error) {
	if p.Limit == 0 {
		p.Limit = 10
	}
	if p.Limit < 1 || p.Limit > MaxTransactions {
		return nil, fmt.Errorf("%w: limit is not in 1 … %d", ErrParams, MaxTransactions)
	}
	if (p.LT == 0) != p.Hash.IsZero() {
		return nil, fmt.Errorf("%w: lt and hash go together", ErrParams)
	}
	if p.LT == 0 {
		a, err := w.Account(ctx, tlb.Block{}, p.Address.Address)
		if err != nil {
			return nil, err
		}
		p.LT, p.Hash = a.LastLT, a.LastHash
	}
	found, err := w.Transactions(ctx, p.Address.Address, p.LT, p.Hash, p.Limit)
	if err != nil {
		return nil, err
	}
	all := make(Transactions, len(found))
	for i, tx := range found {
		if all[i], err = newTransaction(tx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func newTransaction(tx tlb.Tx) (Transaction, error) {
	out := Transaction{LT: tx.LT, Hash: tx.Hash, PrevLT: tx.PrevLT, PrevHash: tx.PrevHash, Time: Time{tx.Time}, BoC: Cell{tx.Root}}
	var parsed tontlb.Transaction
	if err := tontlb.Parse(&parsed, tx.Root); err != nil {
		return Transaction{}, fmt.Errorf("transaction %x: %w", tx.Hash, err)
	}
	out.Fees = Amount(parsed.TotalFees.Coins.Nano().Uint64())
	out.Sent = int(parsed.OutMsgCount)
	if in := parsed.IO.In; in != nil && in.MsgType == tontlb.MsgTypeInternal {
		m := in.AsInternal()
		out.From, out.Value = Address{m.SrcAddr}, Amount(m.Amount.Nano().Uint64())
	}
	ordinary, ok := parsed.Description.(tontlb.TransactionDescriptionOrdinary)
	if !ok {
		return out, nil
	}
	out.Aborted = ordinary.Aborted
	if ran, ok := ordinary.ComputePhase.Phase.(tontlb.ComputePhaseVM); ok {
		code := int(ran.Details.ExitCode)
		out.Exit = &code
	}
	return out, nil
}
