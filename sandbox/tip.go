package sandbox

import (
	"fmt"
	"math/big"
	"time"

	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// storeVersion is the version of everything stored. Another one is refused.
const storeVersion = 1

// tip is what the next step builds on, beside the accounts and the names of
// the blocks: the rest of the state is computed from those.
type tip struct {
	Version  int           `cbor:"1,keyasint"`
	GlobalID int32         `cbor:"2,keyasint"`
	Skew     time.Duration `cbor:"3,keyasint"`
	Supply   uint64        `cbor:"4,keyasint"`
	Config   [32]byte      `cbor:"5,keyasint"` // hash of the configuration
	Shards   []shardTip    `cbor:"6,keyasint"` // the masterchain last
}

type shardTip struct {
	Workchain int32    `cbor:"1,keyasint"`
	Prefix    uint64   `cbor:"2,keyasint"`
	State     [32]byte `cbor:"3,keyasint"` // hash of the state all this adds up to
	DoneLT    uint64   `cbor:"4,keyasint"`
	DoneHash  [32]byte `cbor:"5,keyasint"`
	DoneAt    uint32   `cbor:"6,keyasint"`
	MinRef    uint32   `cbor:"7,keyasint"`
	Fees      uint64   `cbor:"8,keyasint"`
	LastFees  uint64   `cbor:"9,keyasint"`
	Queue     [][]byte `cbor:"10,keyasint"` // messages as BoC, in order
}

func (t shardTip) id() shardID { return shardID{t.Workchain, t.Prefix} }

func (c *Chain) tip() tip {
	t := tip{
		Version: storeVersion, GlobalID: c.opts.GlobalID, Skew: c.skew, Supply: c.extra.supply.Uint64(),
		Config: c.extra.config.HashKey(),
	}
	for _, s := range c.shards() {
		st := shardTip{
			Workchain: s.id.workchain, Prefix: s.id.prefix, State: s.root.HashKey(),
			DoneLT: s.done.lt, DoneHash: s.done.hash, DoneAt: s.doneAt, MinRef: s.minRef,
			Fees: s.fees.Uint64(), LastFees: s.lastFees.Uint64(),
		}
		for _, m := range s.queue {
			st.Queue = append(st.Queue, m.cell().ToBOC())
		}
		t.Shards = append(t.Shards, st)
	}
	return t
}

// shard builds the shard a tip describes, with no accounts in it yet.
func (t shardTip) shard() (*shard, error) {
	s := newShard(t.id())
	s.done = messageMark{lt: t.DoneLT, hash: t.DoneHash}
	s.doneAt, s.minRef = t.DoneAt, t.MinRef
	s.fees, s.lastFees = new(big.Int).SetUint64(t.Fees), new(big.Int).SetUint64(t.LastFees)
	for _, boc := range t.Queue {
		root, err := cell.FromBOC(boc)
		if err != nil {
			return nil, fmt.Errorf("queued message: %w", err)
		}
		prepared, err := tvm.PrepareMessage(root)
		if err != nil {
			return nil, fmt.Errorf("queued message: %w", err)
		}
		m, err := newMessage(prepared)
		if err != nil {
			return nil, fmt.Errorf("queued message: %w", err)
		}
		s.queue = append(s.queue, m)
	}
	return s, nil
}
