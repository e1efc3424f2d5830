package sandbox

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

const (
	masterchain = -1
	basechain   = 0
	// wholeChain is the prefix of a shard that is all of its workchain.
	wholeChain = uint64(1) << 63
)

// shardID names a shard: a workchain and a prefix of account ids, with a one
// bit after its end as TON writes it.
type shardID struct {
	workchain int32
	prefix    uint64
}

var masterID = shardID{masterchain, wholeChain}

func (s shardID) contains(a accountID) bool {
	return s.workchain == a.workchain && tontlb.ShardID(s.prefix).IsAncestor(tontlb.ShardID(a.prefix()|1))
}

func (s shardID) master() bool { return s.workchain == masterchain }

// ident is the shard as block headers and states name it.
func (s shardID) ident() tontlb.ShardIdent {
	tag := s.prefix & -s.prefix
	bits := int8(0)
	for top := wholeChain; top > tag; top >>= 1 {
		bits++
	}
	return tontlb.ShardIdent{PrefixBits: bits, WorkchainID: s.workchain, ShardPrefix: s.prefix &^ tag}
}

// accountID is the address of an account, as a map key.
type accountID struct {
	workchain int32
	hash      [32]byte
}

func (a accountID) prefix() uint64 { return binary.BigEndian.Uint64(a.hash[:8]) }

func (a accountID) address() *address.Address {
	return address.NewAddress(0, byte(a.workchain), a.hash[:])
}

// idOf takes an address apart; anything but a standard address is refused.
func idOf(a *address.Address) (accountID, error) {
	if a == nil || a.IsAddrNone() || a.Type() != address.StdAddress || len(a.Data()) != 32 {
		return accountID{}, fmt.Errorf("address %v: %w", a, ErrMessage)
	}
	return accountID{workchain: a.Workchain(), hash: [32]byte(a.Data())}, nil
}

// shard is one shard of a workchain, seen twice: front is the world the next
// message meets; everything else is what the next block is built on. They
// differ while rounds were executed that are not blocks yet, see build.go. The
// chain's lock guards both.
type shard struct {
	id    shardID
	front front

	last blockMeta // the newest block

	// accounts is the state's dictionary of accounts, immutable cells that
	// successive states share.
	accounts *tontlb.ShardAccountsAugDict
	// warm remembers accounts the executor has already taken apart, so that
	// an account in use is not parsed for each transaction. Only a cache.
	warm map[[32]byte]lane

	// queue holds the internal messages that left this shard and were not yet
	// removed from its queue, by logical time.
	queue []*message
	// done is the newest message this shard has imported; everything before
	// it, by (lt, hash), was imported too.
	done messageMark
	// doneAt is the master block known when done last moved, minRef the oldest
	// one the state refers to.
	doneAt, minRef uint32

	// libraries is the dictionary of public libraries, in the masterchain's
	// state only; nil: none.
	libraries *cell.Cell

	// fees collected in this shard since the beginning, and in the last block.
	// The masterchain takes over what its shards collect.
	fees, lastFees *big.Int
	// root is the state as one cell.
	root *cell.Cell
}

// front is a shard after the newest round.
type front struct {
	seqno uint32
	end   uint64 // logical time
	utime uint32
	lanes map[[32]byte]lane // accounts that changed since the newest block
	queue []*message
	done  messageMark
	// libraries as in the shard.
	libraries *cell.Cell
}

// catchUp makes the front what the newest block is.
func (s *shard) catchUp() {
	s.front = front{
		seqno: s.last.seqno, end: s.last.end, utime: s.last.utime, lanes: map[[32]byte]lane{}, queue: s.queue, done: s.done,
		libraries: s.libraries,
	}
}

// advance takes the outcome of a collation into the front.
func (s *shard) advance(col *collation) {
	for hash, ch := range col.accounts {
		s.front.lanes[hash] = ch.lane
	}
	s.front.seqno, s.front.end, s.front.utime = s.front.seqno+1, col.end, col.now
	s.front.queue, s.front.done, s.front.libraries = col.queue, col.done, col.libraries
}

// lane is an account between two transactions.
type lane struct {
	account *tvm.PreparedAccount
	// stat counts the cells of the account's state; it saves the executor from
	// counting them anew.
	stat *cell.Cell
}

// maxWarm bounds the accounts kept in parsed form per shard.
const maxWarm = 50_000

// lane returns an account as the executor takes it, absent ones too.
func (s *shard) lane(id accountID) (lane, error) {
	if l, ok := s.front.lanes[id.hash]; ok {
		return l.settled(id)
	}
	if l, ok := s.warm[id.hash]; ok {
		return l, nil
	}
	state, err := s.account(id)
	if err != nil {
		return lane{}, err
	}
	prepared, err := tvm.PrepareAccount(state, id.address())
	if err != nil {
		return lane{}, fmt.Errorf("account %s: %w", id.address(), err)
	}
	return lane{account: prepared}, nil
}

// account reads an account as it is now; one that does not exist is returned
// as account_none.
func (s *shard) account(id accountID) (*tontlb.ShardAccount, error) {
	if l, ok := s.front.lanes[id.hash]; ok {
		if !l.exists() {
			return absentAccount(), nil
		}
		return l.account.ShardAccount(), nil
	}
	return readAccount(s.accounts, id)
}

func (l lane) exists() bool { return l.account.State().IsValid }

// settled is a lane at the beginning of a block. The executor's view of an
// account that is gone remembers its last transaction, which the chain does not.
func (l lane) settled(id accountID) (lane, error) {
	if l.exists() {
		return l, nil
	}
	prepared, err := tvm.PrepareAccount(absentAccount(), id.address())
	return lane{account: prepared}, err
}

// keep puts the outcome of a block into the cache, but for accounts that are
// gone, see settled.
func (s *shard) keep(hash [32]byte, l lane, exists bool) {
	if !exists {
		delete(s.warm, hash)
		return
	}
	if len(s.warm) >= maxWarm {
		clear(s.warm)
	}
	s.warm[hash] = l
}
