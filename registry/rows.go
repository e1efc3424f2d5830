package registry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// The rows of the index. An account is written as workchain byte and 32 bytes
// of hash, numbers big-endian, so that keys sort.
//
//	h                     newest block
//	w account             watched channel
//	a account             account state
//	t account lt          transaction
//	g account             gap in the stored transactions, while there is one
const (
	rowHead    = 'h'
	rowWatched = 'w'
	rowAccount = 'a'
	rowTx      = 't'
	rowGap     = 'g'
)

// rowVersion begins every value.
const rowVersion = 1

// ErrRow says that a stored row is damaged or of another version.
var ErrRow = errors.New("damaged row in the registry index; delete the index to rebuild it from the chain")

type rows struct{ store Store }

type headRow struct {
	Seqno              uint32
	RootHash, FileHash [32]byte
	Time               int64
	LT                 uint64
}

type accountRow struct {
	Status     tlb.AccountStatus
	Balance    tlb.Nano
	Code, Data []byte
	LastLT     uint64
	LastHash   [32]byte
}

type txRow struct {
	Hash, PrevHash [32]byte
	PrevLT         uint64
	Time           int64
	Root           []byte
}

var (
	encoding = func() cbor.EncMode {
		m, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			panic("registry: internal error: " + err.Error())
		}
		return m
	}()
	decoding = func() cbor.DecMode {
		m, err := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode()
		if err != nil {
			panic("registry: internal error: " + err.Error())
		}
		return m
	}()
)

func encodeRow(v any) []byte {
	b, err := encoding.Marshal(v)
	if err != nil {
		panic("registry: internal error: " + err.Error()) // our own structs always encode
	}
	return append([]byte{rowVersion}, b...)
}

func decodeRow(b []byte, v any) error {
	if len(b) == 0 || b[0] != rowVersion {
		return ErrRow
	}
	if err := decoding.Unmarshal(b[1:], v); err != nil {
		return fmt.Errorf("%w: %w", ErrRow, err)
	}
	return nil
}

func accountKey(row byte, a *address.Address) []byte {
	return append([]byte{row, byte(a.Workchain())}, a.Data()...)
}

func txKey(a *address.Address, lt uint64) []byte {
	return binary.BigEndian.AppendUint64(accountKey(rowTx, a), lt)
}

func keyAccount(key []byte) (*address.Address, error) {
	if len(key) != 34 {
		return nil, ErrRow
	}
	return address.NewAddress(0, key[1], key[2:]), nil
}

func (r rows) head() (tlb.Block, bool, error) {
	value, ok, err := r.store.Get([]byte{rowHead})
	if err != nil || !ok {
		return tlb.Block{}, false, err
	}
	var h headRow
	if err := decodeRow(value, &h); err != nil {
		return tlb.Block{}, false, err
	}
	return tlb.Block{Seqno: h.Seqno, RootHash: h.RootHash, FileHash: h.FileHash, Time: time.Unix(h.Time, 0), LT: h.LT}, true, nil
}

func (r rows) watch(a *address.Address) error {
	return r.store.Commit(func(set func(key, value []byte), _ func([]byte)) {
		set(accountKey(rowWatched, a), []byte{rowVersion})
	})
}

func (r rows) unwatch(a *address.Address) error {
	return r.store.Commit(func(_ func(key, value []byte), del func(key []byte)) { del(accountKey(rowWatched, a)) })
}

func (r rows) watched() ([]*address.Address, error) {
	var all []*address.Address
	err := r.store.Scan([]byte{rowWatched}, func(key, _ []byte) error {
		a, err := keyAccount(key)
		all = append(all, a)
		return err
	})
	return all, err
}

func (r rows) account(a *address.Address) (tlb.Account, bool, error) {
	value, ok, err := r.store.Get(accountKey(rowAccount, a))
	if err != nil || !ok {
		return tlb.Account{Address: a}, false, err
	}
	var row accountRow
	if err := decodeRow(value, &row); err != nil {
		return tlb.Account{}, false, err
	}
	acc := tlb.Account{Address: a, Status: row.Status, Balance: row.Balance, LastLT: row.LastLT, LastHash: row.LastHash}
	if acc.Code, err = fromBoC(row.Code); err != nil {
		return tlb.Account{}, false, err
	}
	if acc.Data, err = fromBoC(row.Data); err != nil {
		return tlb.Account{}, false, err
	}
	return acc, true, nil
}

func (r rows) gap(a *address.Address) (g gap, open bool, err error) {
	value, ok, err := r.store.Get(accountKey(rowGap, a))
	if err != nil || !ok {
		return gap{}, false, err
	}
	if err := decodeRow(value, &g); err != nil {
		return gap{}, false, err
	}
	if g.Next.LT <= g.Floor.LT {
		return gap{}, false, ErrRow // it would be closed, and have no row
	}
	return g, true, nil
}

// fill writes transactions and what is left of the gap, nil if nothing is, and drops
// what is stored from before the history begins.
func (r rows) fill(a *address.Address, txs []tlb.Tx, left *gap, begins uint64) error {
	gone, err := r.before(a, begins)
	if err != nil {
		return err
	}
	return r.store.Commit(func(set func(key, value []byte), del func(key []byte)) {
		for _, key := range gone {
			del(key)
		}
		for _, tx := range txs {
			set(txKey(a, tx.LT), encodeRow(txRow{Hash: tx.Hash, PrevHash: tx.PrevHash, PrevLT: tx.PrevLT,
				Time: tx.Time.Unix(), Root: toBoC(tx.Root)}))
		}
		if left == nil {
			del(accountKey(rowGap, a))
		} else {
			set(accountKey(rowGap, a), encodeRow(left))
		}
	})
}

// before are the keys of an account's transactions before lt.
func (r rows) before(a *address.Address, lt uint64) (keys [][]byte, err error) {
	if lt == 0 {
		return nil, nil
	}
	end := txKey(a, lt)
	err = r.store.Scan(accountKey(rowTx, a), func(key, _ []byte) error {
		if bytes.Compare(key, end) < 0 {
			keys = append(keys, bytes.Clone(key))
		}
		return nil
	})
	return keys, err
}

func (r rows) transactions(a *address.Address) ([]tlb.Tx, error) {
	var all []tlb.Tx
	err := r.store.Scan(accountKey(rowTx, a), func(key, value []byte) error {
		var row txRow
		if err := decodeRow(value, &row); err != nil {
			return err
		}
		root, err := fromBoC(row.Root)
		if err != nil {
			return err
		}
		all = append(all, tlb.Tx{Account: a, LT: binary.BigEndian.Uint64(key[34:]), Hash: row.Hash, PrevLT: row.PrevLT,
			PrevHash: row.PrevHash, Time: time.Unix(row.Time, 0), Root: root})
		return nil
	})
	slices.Reverse(all)
	return all, err
}

// commit writes the states of accounts and the block they belong to, with the gaps
// that this opens in their history.
func (r rows) commit(head tlb.Block, accounts []moved) error {
	var gone [][]byte
	for _, m := range accounts {
		if !m.destroyed {
			continue
		}
		keys, err := r.before(m.account.Address, math.MaxUint64)
		if err != nil {
			return err
		}
		gone = append(append(gone, keys...), accountKey(rowGap, m.account.Address))
	}
	return r.store.Commit(func(set func(key, value []byte), del func(key []byte)) {
		for _, key := range gone {
			del(key)
		}
		for _, m := range accounts {
			acc := m.account
			set(accountKey(rowAccount, acc.Address), encodeRow(accountRow{Status: acc.Status, Balance: acc.Balance,
				Code: toBoC(acc.Code), Data: toBoC(acc.Data), LastLT: acc.LastLT, LastHash: acc.LastHash}))
			if m.gap != nil {
				set(accountKey(rowGap, acc.Address), encodeRow(m.gap))
			}
		}
		set([]byte{rowHead}, encodeRow(headRow{Seqno: head.Seqno, RootHash: head.RootHash, FileHash: head.FileHash,
			Time: head.Time.Unix(), LT: head.LT}))
	})
}

func toBoC(c *cell.Cell) []byte {
	if c == nil {
		return nil
	}
	return c.ToBOC()
}

func fromBoC(b []byte) (*cell.Cell, error) {
	if len(b) == 0 {
		return nil, nil
	}
	c, err := cell.FromBOC(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRow, err)
	}
	return c, nil
}
