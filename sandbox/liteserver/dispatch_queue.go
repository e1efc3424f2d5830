package liteserver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A dispatch queue holds messages that an account sent faster than its shard
// lets them out. The sandbox defers none, so its answers are empty, with a proof
// of that; what is read here is the form that any chain has.

// Bits of a getDispatchQueueMessages query's mode. A proof is bit 0, as in
// getDispatchQueueInfo, whose bit 1 says that it starts after an account.
const (
	dispatchProof      = 1 << 0
	dispatchOneAccount = 1 << 1
	dispatchBOC        = 1 << 2
	dispatchAfter      = 1 << 1
)

// deferred is one account's part of a dispatch queue.
type deferred struct {
	account []byte
	queue   tontlb.AccountDispatchQueue
}

// nextDeferred opens the first account after the given one, or from it on; nil
// if there is none.
func nextDeferred(extra *tontlb.OutMsgQueueExtra, account []byte, orEqual bool) (*deferred, error) {
	if extra.DispatchQueue == nil || extra.DispatchQueue.IsEmpty() {
		return nil, nil
	}
	key := cell.BeginCell().MustStoreSlice(account, 256).EndCell()
	// The library's search for the nearest key leaves the sum before the value.
	accounts, err := extra.DispatchQueue.IteratorExtraAt(key, false, false, orEqual)
	if err != nil {
		return nil, fmt.Errorf("dispatch queue: %w", err)
	}
	if !accounts.Next() {
		return nil, accounts.Err()
	}
	d := new(deferred)
	if d.account, err = keyBits(accounts.Item().Key, 256); err != nil {
		return nil, err
	}
	if err = tontlb.LoadFromCell(&d.queue, accounts.Item().Value); err != nil {
		return nil, fmt.Errorf("dispatch queue: %w", err)
	}
	return d, nil
}

func keyBits(key *cell.Cell, n uint) ([]byte, error) {
	s, err := key.BeginParse()
	if err != nil {
		return nil, err
	}
	return s.LoadSlice(n)
}

// dispatchQueueInfo lists the accounts that have deferred messages.
func (a *answerer) dispatchQueueInfo(q ton.GetDispatchQueueInfo) (tl.Serializable, error) {
	if q.MaxAccounts <= 0 {
		return nil, badQuery("invalid max_accounts")
	}
	after := make([]byte, 32)
	if q.Mode&dispatchAfter != 0 {
		if len(q.AfterAddr) != 32 {
			return nil, badQuery("incomplete account id")
		}
		after = q.AfterAddr
	}
	v, err := a.view(q.ID)
	if err != nil {
		return nil, err
	}
	answer := ton.DispatchQueueInfo{Mode: q.Mode, ID: &v.block.id}
	answer.Proof, err = v.proveIf(q.Mode&dispatchProof != 0, func(state *cell.Cell) error {
		extra, err := queueExtra(state)
		if err != nil {
			return err
		}
		left, orEqual := min(q.MaxAccounts, maxDispatch), q.Mode&dispatchAfter == 0
		for {
			d, err := nextDeferred(extra, after, orEqual)
			if err != nil {
				return err
			}
			if d == nil {
				answer.Complete = true
				return nil
			}
			if left == 0 {
				return nil
			}
			info := ton.AccountDispatchQueueInfo{Addr: d.account, Size: int64(d.queue.Count)}
			if info.MinLT, err = d.edge(false); err != nil {
				return err
			}
			if info.MaxLT, err = d.edge(true); err != nil {
				return err
			}
			answer.AccountDispatchQueues = append(answer.AccountDispatchQueues, info)
			after, orEqual = d.account, false
			left--
		}
	})
	return answer, err
}

// edge opens the account's first or last message, for its logical time.
func (d *deferred) edge(last bool) (uint64, error) {
	key, _, err := d.queue.Messages.LoadMinMax(last, false)
	if err != nil {
		return 0, fmt.Errorf("dispatch queue: %w", err)
	}
	return keyLT(key)
}

func keyLT(key *cell.Cell) (uint64, error) {
	bits, err := keyBits(key, 64)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(bits), nil
}

// dispatchQueueMessages lists deferred messages by account and logical time,
// starting after a moment of one account.
func (a *answerer) dispatchQueueMessages(q ton.GetDispatchQueueMessages) (tl.Serializable, error) {
	if q.MaxMessages <= 0 {
		return nil, badQuery("invalid max_messages")
	}
	if len(q.Addr) != 32 {
		return nil, badQuery("incomplete account id")
	}
	v, err := a.view(q.ID)
	if err != nil {
		return nil, err
	}
	answer := ton.DispatchQueueMessages{Mode: q.Mode, ID: &v.block.id}
	var roots []*cell.Cell
	answer.Proof, err = v.proveIf(q.Mode&dispatchProof != 0, func(state *cell.Cell) error {
		extra, err := queueExtra(state)
		if err != nil {
			return err
		}
		left := int(min(q.MaxMessages, maxDispatch))
		if q.Mode&dispatchBOC != 0 {
			left = min(left, maxDispatchBOC)
		}
		account, lt, orEqual := q.Addr, q.AfterLT, true
		for left > 0 {
			d, err := nextDeferred(extra, account, orEqual)
			if err != nil {
				return err
			}
			if d == nil || q.Mode&dispatchOneAccount != 0 && !bytes.Equal(d.account, q.Addr) {
				answer.Complete = true
				return nil
			}
			for {
				msg, root, err := d.next(lt)
				if err != nil {
					return err
				}
				if msg == nil {
					break
				}
				lt = msg.LT
				if left == 0 {
					break
				}
				left--
				answer.Messages = append(answer.Messages, *msg)
				roots = append(roots, root.WithoutTrace())
			}
			account, lt, orEqual = d.account, 0, false
		}
		return nil
	})
	if err == nil && q.Mode&dispatchBOC != 0 && len(roots) > 0 {
		answer.MessagesBOC, err = encode(roots...)
	}
	return answer, err
}

// next opens the account's first message after a logical time; nil if there is none.
func (d *deferred) next(lt uint64) (*ton.DispatchQueueMessage, *cell.Cell, error) {
	key := cell.BeginCell().MustStoreUInt(lt, 64).EndCell()
	found, value, err := d.queue.Messages.LookupNearestKey(key, true, false, false)
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("dispatch queue: %w", err)
	}
	msg := &ton.DispatchQueueMessage{Addr: d.account}
	if msg.LT, err = keyLT(found); err != nil {
		return nil, nil, err
	}
	var queued tontlb.EnqueuedMsg
	if err = tontlb.LoadFromCell(&queued, value); err != nil {
		return nil, nil, fmt.Errorf("dispatch queue: %w", err)
	}
	var envelope tontlb.MsgEnvelope
	if err = tontlb.Parse(&envelope, queued.Msg); err != nil {
		return nil, nil, fmt.Errorf("dispatch queue: %w", err)
	}
	msg.Hash = envelope.Msg.Hash()
	// This is how TON says that a message has no metadata.
	msg.Metadata = ton.TransactionMetadata{
		Depth: -1, Initiator: ton.AccountID{Workchain: math.MinInt32, ID: make([]byte, 32)}, InitiatorLT: math.MaxUint64,
	}
	if m := envelope.Metadata; m != nil {
		msg.Metadata = ton.TransactionMetadata{
			Depth: int32(m.Depth), InitiatorLT: m.InitiatorLT,
			Initiator: ton.AccountID{Workchain: m.Initiator.Workchain(), ID: m.Initiator.Data()},
		}
	}
	return msg, envelope.Msg, nil
}
