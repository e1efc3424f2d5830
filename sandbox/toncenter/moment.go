package toncenter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"

	"github.com/tussah-network/tussah/sandbox"
)

// The masterchain, which is one shard.
const (
	masterchain = -1
	wholeChain  = -1 << 63
)

// moment is the network as of one master block.
type moment struct {
	chain Source
	block BlockID
	state tontlb.ShardStateUnsplit
	// config is the configuration dictionary, hashes the newest blocks of all
	// shards but the masterchain.
	config *cell.Cell
	hashes *cell.Dictionary
	// key is the last key block's number.
	key uint32
}

// at returns the moment after a master block; 0 is the newest.
func at(chain Source, seqno uint32) (*moment, error) {
	m := &moment{chain: chain, block: chain.MasterHead()}
	if seqno != 0 {
		var err error
		if m.block, err = m.master(seqno); err != nil {
			return nil, err
		}
	}
	root, err := chain.State(m.block)
	if err != nil {
		return nil, err
	}
	if err := tontlb.Parse(&m.state, root); err != nil {
		return nil, fmt.Errorf("master state %d: %w", m.block.SeqNo, err)
	}
	var extra tontlb.McStateExtra
	if err := tontlb.Parse(&extra, m.state.McStateExtra); err != nil {
		return nil, fmt.Errorf("master state %d: %w", m.block.SeqNo, err)
	}
	if m.config, err = whole(extra.ConfigParams.Config.Params.AsCell()); err != nil {
		return nil, fmt.Errorf("configuration at master block %d: %w", m.block.SeqNo, err)
	}
	hashes, err := whole(extra.ShardHashes.AsCell())
	if err != nil {
		return nil, fmt.Errorf("shards of master block %d: %w", m.block.SeqNo, err)
	}
	m.hashes = hashes.AsDict(32)
	var info tontlb.McStateExtraBlockInfo
	if err := tontlb.Parse(&info, extra.Info); err != nil {
		return nil, fmt.Errorf("master state %d: %w", m.block.SeqNo, err)
	}
	switch {
	case info.AfterKeyBlock:
		m.key = m.block.SeqNo
	case info.LastKeyBlock != nil:
		m.key = info.LastKeyBlock.SeqNo
	}
	return m, nil
}

// master is the master block with a number.
func (m *moment) master(seqno uint32) (BlockID, error) {
	return m.chain.Lookup(masterchain, wholeChain, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
}

// previous are the blocks that code can look at.
func (m *moment) previous() (tuple.Tuple, error) {
	key, err := m.master(m.key)
	if err != nil {
		return tuple.Tuple{}, err
	}
	return sandbox.PreviousBlocks(m.block, key, m.master)
}

// whole loads what is left to load of a tree from a stored chain, whose cells
// are lazy: the virtual machine and the library expect others. In a chain in
// memory nothing is.
func whole(c *cell.Cell) (*cell.Cell, error) {
	if c == nil {
		return nil, nil
	}
	lazy := c.IsLazy()
	for i := range int(c.RefsNum()) {
		ref, err := c.PeekRef(i)
		if err != nil {
			return nil, err
		}
		lazy = lazy || ref.IsLazy()
	}
	if !lazy {
		return c, nil
	}
	return c.PrewarmRecursive(0)
}

// shards are the newest blocks of all shards but the masterchain.
func (m *moment) shards() ([]BlockID, error) {
	list, err := ton.LoadShardsFromHashes(m.hashes, false)
	if err != nil {
		return nil, fmt.Errorf("shards of master block %d: %w", m.block.SeqNo, err)
	}
	out := make([]BlockID, len(list))
	for i, id := range list {
		out[i] = *id
	}
	return out, nil
}

// shardOf is the newest block of the shard an account lives in.
func (m *moment) shardOf(a *address.Address) (BlockID, error) {
	if a.Workchain() == masterchain {
		return m.block, nil
	}
	shards, err := m.shards()
	if err != nil {
		return BlockID{}, err
	}
	for _, id := range shards {
		if id.Workchain == a.Workchain() && contains(id.Shard, a.Data()) {
			return id, nil
		}
	}
	return BlockID{}, fmt.Errorf("workchain %d: %w", a.Workchain(), sandbox.ErrNoWorkchain)
}

// contains tells whether an account's address falls into a shard.
func contains(shard int64, account []byte) bool {
	free := bits.TrailingZeros64(uint64(shard)) + 1 // bits below the shard's prefix
	return free == 64 || (uint64(shard)^binary.BigEndian.Uint64(account))>>free == 0
}

// account is one account at a moment.
type account struct {
	Address *address.Address
	Shard   *cell.Cell // ShardAccount
	State   tontlb.AccountState
	LastLT  uint64
	Last    [32]byte
	// Time and LT are those of the state of the account's shard.
	Time uint32
	LT   uint64
}

// account reads an account; one that does not exist has no valid State.
func (m *moment) account(a *address.Address) (*account, error) {
	id, err := m.shardOf(a)
	if err != nil {
		return nil, err
	}
	state := m.state
	if id.Workchain != masterchain {
		root, err := m.chain.State(id)
		if err != nil {
			return nil, err
		}
		if err := tontlb.Parse(&state, root); err != nil {
			return nil, fmt.Errorf("state of shard block %d: %w", id.SeqNo, err)
		}
	}
	found := &account{Address: a, Time: state.GenUTime, LT: state.GenLT}
	entry, err := readAccount(state.Accounts.ShardAccounts, a)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", a, err)
	}
	if found.Shard, err = tontlb.ToCell(entry); err != nil {
		return nil, fmt.Errorf("account %s: %w", a, err)
	}
	if err := tontlb.Parse(&found.State, entry.Account); err != nil {
		return nil, fmt.Errorf("account %s: %w", a, err)
	}
	found.LastLT, found.Last = entry.LastTransLT, [32]byte(entry.LastTransHash)
	return found, nil
}

func readAccount(accounts *tontlb.ShardAccountsAugDict, a *address.Address) (*tontlb.ShardAccount, error) {
	none := &tontlb.ShardAccount{
		Account: cell.BeginCell().MustStoreBoolBit(false).EndCell(), LastTransHash: make([]byte, 32),
	}
	if accounts.IsEmpty() {
		return none, nil
	}
	value, err := accounts.LoadValue(cell.BeginCell().MustStoreSlice(a.Data(), 256).EndCell())
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return none, nil
	}
	if err != nil {
		return nil, err
	}
	var entry tontlb.ShardAccount
	if err := tontlb.LoadFromCell(&entry, value); err != nil {
		return nil, err
	}
	entry.Account, err = whole(entry.Account)
	return &entry, err
}

// code and data of an active account, nil of any other.
func (a *account) code() *cell.Cell {
	if s := a.init(); s != nil {
		return s.Code
	}
	return nil
}

func (a *account) data() *cell.Cell {
	if s := a.init(); s != nil {
		return s.Data
	}
	return nil
}

func (a *account) init() *tontlb.StateInit {
	if a.State.IsValid && a.State.Status == tontlb.AccountStatusActive {
		return a.State.StateInit
	}
	return nil
}
