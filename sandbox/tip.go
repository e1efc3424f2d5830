package sandbox

import (
	"time"
)

// storeVersion is the version of everything stored. Another one is refused.
const storeVersion = 2

// tip is where a chain ends: the states the next step builds on, and what is in
// none of them.
type tip struct {
	Version  int           `cbor:"1,keyasint"`
	GlobalID int32         `cbor:"2,keyasint"`
	Skew     time.Duration `cbor:"3,keyasint"`
	Shards   []shardTip    `cbor:"4,keyasint"` // the masterchain last
}

type shardTip struct {
	Workchain int32    `cbor:"1,keyasint"`
	Prefix    uint64   `cbor:"2,keyasint"`
	Seqno     uint32   `cbor:"3,keyasint"` // of the newest block
	State     [32]byte `cbor:"4,keyasint"`
}

func (t shardTip) id() shardID { return shardID{t.Workchain, t.Prefix} }

func (c *Chain) tip() tip {
	t := tip{Version: storeVersion, GlobalID: c.opts.GlobalID, Skew: c.skew}
	for _, s := range c.shards() {
		t.Shards = append(t.Shards, shardTip{
			Workchain: s.id.workchain, Prefix: s.id.prefix, Seqno: s.last.seqno, State: s.root.HashKey(),
		})
	}
	return t
}
