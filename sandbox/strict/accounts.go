package strict

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// maxAccounts is how many accounts a round looks at.
const maxAccounts = 8

// accounts reads accounts as of the newest block, and ones that do not exist
// beside them.
func (w *walker) accounts(ctx context.Context, list []*address.Address) error {
	if len(list) > maxAccounts {
		w.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:maxAccounts]
	}
	shards, err := w.api.GetBlockShardsInfo(ctx, w.head)
	if err != nil {
		return err
	}
	for _, id := range append(shards, w.head) {
		if id.SeqNo == 0 {
			continue
		}
		if err = w.queues(ctx, id); err != nil {
			return fmt.Errorf("queues of block %d:%016x:%d: %w", id.Workchain, uint64(id.Shard), id.SeqNo, err)
		}
	}
	for _, a := range list {
		if err = w.account(ctx, a, shards); err != nil {
			return fmt.Errorf("account %s: %w", a, err)
		}
	}
	for _, workchain := range []int32{0, -1} {
		hash := make([]byte, 32)
		for i := range hash {
			hash[i] = byte(w.rand.Uint32())
		}
		a := address.NewAddress(0, byte(workchain), hash)
		acc, err := w.api.GetAccount(ctx, w.head, a)
		if err != nil {
			return fmt.Errorf("absent account %s: %w", a, err)
		}
		if acc.State != nil {
			return mismatch("account %s, a random number, exists", a)
		}
		w.report.Absent++
	}
	return nil
}

// account reads one account: its state, history and get methods.
func (w *walker) account(ctx context.Context, a *address.Address, shards []*ton.BlockIDExt) error {
	acc, err := w.api.GetAccount(ctx, w.head, a)
	if err != nil {
		return err
	}
	if acc.State == nil {
		w.report.Absent++
		return nil
	}
	w.report.Accounts++
	if err = w.history(ctx, a, acc.LastTxLT, acc.LastTxHash); err != nil {
		return err
	}
	if acc.Code == nil {
		return nil
	}
	for _, method := range w.opt.Methods {
		if err = w.method(ctx, a, acc, shards, method); err != nil {
			return fmt.Errorf("method %s: %w", method, err)
		}
	}
	return nil
}

// history reads the latest transactions of an account: each is named by the one
// after it, and is in the block that its logical time is found in.
func (w *walker) history(ctx context.Context, a *address.Address, lt uint64, hash []byte) error {
	if lt == 0 {
		return nil
	}
	const count = 5
	txs, err := w.api.ListTransactions(ctx, a, count, lt, hash)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	for i := len(txs) - 1; i >= 0; i-- { // the newest is last
		tx := txs[i]
		if tx.LT != lt || !bytes.Equal(tx.Hash, hash) {
			return mismatch("history has transaction %d for %d", tx.LT, lt)
		}
		lt, hash = tx.PrevTxLT, tx.PrevTxHash
	}
	newest := txs[len(txs)-1]
	shard := masterShard
	if a.Workchain() != -1 {
		// An address begins like the name of some shard of one account.
		shard = int64(binary.BigEndian.Uint64(a.Data()) | 1)
	}
	block, err := w.lookup(ctx, a.Workchain(), shard, ton.LookupBlockWithProof{Mode: byLT, LT: newest.LT}, 0)
	if err != nil {
		return err
	}
	tx, err := w.api.GetTransaction(ctx, block, a, newest.LT)
	if err != nil {
		return fmt.Errorf("transaction %d: %w", newest.LT, err)
	}
	if !bytes.Equal(tx.Hash, newest.Hash) {
		return mismatch("transaction %d differs in its block", newest.LT)
	}
	return nil
}

// method has the server run a get method, and runs it here on the proven
// account.
func (w *walker) method(ctx context.Context, a *address.Address, acc *tontlb.Account, shards []*ton.BlockIDExt, method string) error {
	block := w.head
	if a.Workchain() != -1 {
		for _, id := range shards {
			if id.Workchain == a.Workchain() && tontlb.ShardID(id.Shard).ContainsAddress(a) {
				block = id
			}
		}
	}
	h, err := w.api.GetBlockHeader(ctx, block)
	if err != nil {
		return err
	}
	config, err := w.api.GetBlockchainConfig(ctx, w.head)
	if err != nil {
		return err
	}
	want, err := get.Run(get.State{
		Address: a, Code: acc.Code, Data: acc.Data, Balance: tlb.Nano(acc.State.Balance.Nano().Uint64()),
		Config: config.Root, Now: time.Unix(int64(h.GenUtime), 0), LT: h.EndLt,
	}, method)
	if err != nil {
		return err
	}
	got, err := w.api.RunGetMethod(ctx, w.head, a, method)
	w.report.Methods++
	if e := (ton.ContractExecError{}); errors.As(err, &e) {
		if int(e.Code) != int(want.Exit) {
			return mismatch("exit code %d from the server, %d here", e.Code, want.Exit)
		}
		return nil
	}
	if err != nil {
		return err
	}
	values := got.AsTuple()
	if len(values) != want.Len() {
		return mismatch("%d values from the server, %d here", len(values), want.Len())
	}
	for i, v := range values {
		local, err := want.Value(i)
		if err != nil {
			return err
		}
		if describe(v) != describe(local) {
			return mismatch("value %d is %s from the server, %s here", i, describe(v), describe(local))
		}
	}
	return nil
}

// describe is a text that two values of a stack share if they are equal.
func describe(v any) string {
	switch v := v.(type) {
	case *big.Int:
		return v.String()
	case *cell.Cell:
		return fmt.Sprintf("cell %x", v.Hash(0))
	case *cell.Slice:
		if c, err := v.ToCell(); err == nil {
			return fmt.Sprintf("slice %x", c.Hash(0))
		}
	case []any:
		text := "tuple"
		for _, item := range v {
			text += " (" + describe(item) + ")"
		}
		return text
	case get.Stack:
		text := "tuple"
		for i := range v.Len() {
			item, err := v.Value(i)
			if err != nil {
				return err.Error()
			}
			text += " (" + describe(item) + ")"
		}
		return text
	}
	return fmt.Sprintf("%T %v", v, v)
}

// queues reads what waits in a block's shard, and compares it with the list of
// all queues if that is still of the same block.
func (w *walker) queues(ctx context.Context, id *ton.BlockIDExt) error {
	size, err := w.api.GetBlockOutMsgQueueSize(ctx, id)
	if err != nil {
		return err
	}
	all, err := w.api.GetOutMsgQueueSizes(ctx, &id.Workchain, &id.Shard)
	if err != nil {
		return err
	}
	for _, q := range all.Shards {
		if q.ID.Equals(id) && int64(q.Size) != size.Size {
			return mismatch("%d messages wait, the list has %d", size.Size, q.Size)
		}
	}
	if _, err = w.api.GetDispatchQueueInfo(ctx, id, nil, 16); err != nil {
		return err
	}
	nobody := address.NewAddress(0, byte(id.Workchain), make([]byte, 32))
	_, err = w.api.GetDispatchQueueMessages(ctx, id, nobody, 0, 16, ton.WithDispatchQueueMessagesBOC())
	return err
}
