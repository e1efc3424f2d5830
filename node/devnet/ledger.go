package devnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Ledger explains, from the chain's own transactions, how the balance of each
// party came about. A party is a group of accounts: a wallet and the channels it
// pays into. What crosses between two groups is a transfer; what a transaction or
// a message cost is a fee of the group that the account belongs to. The rest is
// zero, to the nanoTON, or the chain is wrong.
type Ledger struct {
	chain  *sandbox.Chain
	from   uint64            // logical time at the start
	party  map[string]string // by account
	before map[string]tlb.Nano
	order  []string
}

// Entry is one party's account of a period.
type Entry struct {
	Party    string   `json:"party"`
	Before   tlb.Nano `json:"before"`
	After    tlb.Nano `json:"after"`
	Received tlb.Nano `json:"received"` // from other parties
	Paid     tlb.Nano `json:"paid"`     // to other parties
	Fees     tlb.Nano `json:"fees"`     // to the network
}

// Unexplained is what remains of after − before once everything is named, in
// nanoTON. It is zero on a right chain.
func (e Entry) Unexplained() int64 {
	return int64(e.After) - int64(e.Before) - int64(e.Received) + int64(e.Paid) + int64(e.Fees)
}

// NewLedger starts an account of the chain at its present head.
func NewLedger(ctx context.Context, chain *sandbox.Chain) (*Ledger, error) {
	head, err := chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	return &Ledger{chain: chain, from: head.LT, party: map[string]string{}, before: map[string]tlb.Nano{}}, nil
}

// Add names the party of an account, which holds balance now.
func (l *Ledger) Add(party string, account *address.Address, balance tlb.Nano) {
	if _, known := l.before[party]; !known {
		l.order = append(l.order, party)
	}
	l.before[party] += balance
	l.party[account.StringRaw()] = party
}

// wholeShard is the id of the one shard that covers the basechain.
const wholeShard = -1 << 63

// Close reads every block since the start. balance returns an account's balance now.
func (l *Ledger) Close(balance func(*address.Address) (tlb.Nano, error)) ([]Entry, error) {
	entries := map[string]*Entry{}
	for _, party := range l.order {
		entries[party] = &Entry{Party: party, Before: l.before[party]}
	}
	for raw, party := range l.party {
		a, err := address.ParseRawAddr(raw)
		if err != nil {
			return nil, err
		}
		now, err := balance(a)
		if err != nil {
			return nil, err
		}
		entries[party].After += now
	}
	for seqno := uint32(1); ; seqno++ {
		id, err := l.chain.Lookup(0, wholeShard, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
		if errors.Is(err, sandbox.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", seqno, err)
		}
		txs, err := l.chain.BlockTransactions(id)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", seqno, err)
		}
		for _, tx := range txs {
			if tx.LT <= l.from {
				continue
			}
			if err := l.book(entries, tx); err != nil {
				return nil, fmt.Errorf("transaction %x: %w", tx.Hash, err)
			}
		}
	}
	var all []Entry
	for _, party := range l.order {
		all = append(all, *entries[party])
	}
	return all, nil
}

// book adds one transaction to the entry of its account's party.
func (l *Ledger) book(entries map[string]*Entry, tx tlb.Tx) error {
	party, ok := l.party[tx.Account.StringRaw()]
	if !ok {
		return nil
	}
	e := entries[party]
	var t tontlb.Transaction
	if err := tontlb.LoadFromCell(&t, tx.Root.MustBeginParse()); err != nil {
		return err
	}
	e.Fees += tlb.Nano(t.TotalFees.Coins.Nano().Uint64())
	if t.IO.In != nil && t.IO.In.MsgType == tontlb.MsgTypeInternal {
		in := t.IO.In.AsInternal()
		if l.party[in.SrcAddr.StringRaw()] != party {
			e.Received += tlb.Nano(in.Amount.Nano().Uint64())
		}
	}
	if t.IO.Out == nil {
		return nil
	}
	out, err := t.IO.Out.ToSlice()
	if err != nil {
		return err
	}
	for _, m := range out {
		if m.MsgType != tontlb.MsgTypeInternal {
			continue
		}
		internal := m.AsInternal()
		e.Fees += tlb.Nano(internal.FwdFee.Nano().Uint64()) // what the total does not hold: it is collected on delivery
		if l.party[internal.DstAddr.StringRaw()] != party {
			e.Paid += tlb.Nano(internal.Amount.Nano().Uint64())
		}
	}
	return nil
}
