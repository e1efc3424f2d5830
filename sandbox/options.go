package sandbox

import (
	"io"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// Mode says when blocks are sealed.
type Mode uint8

const (
	// Instant seals as soon as something happened, and goes on until every
	// message it set off was delivered: when [Chain.Send] returns, the whole
	// cascade is in the chain. Nothing happens, no block.
	Instant Mode = iota
	// Interval seals a block of each chain per interval, empty ones too.
	Interval
	// Manual seals when [Chain.Seal] is called.
	Manual
)

// DefaultGlobalID is the network id of a sandbox, unlike mainnet's -239 and
// testnet's -3, so that nothing signed for a sandbox is valid elsewhere.
const DefaultGlobalID int32 = -217

// MinInterval is the shortest interval between blocks.
const MinInterval = 50 * time.Millisecond

// MaxSplitDepth is the deepest split of the basechain: sixteen shards.
const MaxSplitDepth = 4

// DefaultCacheBytes is 64 MiB.
const DefaultCacheBytes = 64 << 20

// GenesisAccount is an account that exists from the start. With Code it is
// active, without it is an address that holds coins.
type GenesisAccount struct {
	Address *address.Address
	Balance tlb.Nano
	Code    *cell.Cell
	Data    *cell.Cell
}

// Options configures a chain. The zero value is a chain in memory, in instant
// mode.
type Options struct {
	// Dir is the folder of the chain's database. Empty: nothing is stored and
	// the chain lives as long as the process.
	Dir string
	// FS is the file system Dir is on. Default: the machine's, if Dir is set.
	// With FS and without Dir, the chain is in its folder "sandbox".
	FS vfs.FS
	// CacheBytes is about how much memory a stored chain spends on the parts of
	// its states that were read or written lately. Default: [DefaultCacheBytes].
	CacheBytes int
	// Mode says when blocks are sealed. Default: Instant.
	Mode Mode
	// Interval is the time between blocks in Interval mode. Default 1 s, at
	// least [MinInterval].
	Interval time.Duration
	// GlobalID is the network id. Default: [DefaultGlobalID].
	GlobalID int32
	// Genesis are accounts that exist from the start, besides the giver. They
	// count only when the chain is created, not when it is opened again.
	Genesis []GenesisAccount
	// Libraries are published from the start, see [Chain.SetLibrary]. They
	// count only when the chain is created.
	Libraries []*cell.Cell
	// SplitDepth is into how many shards the basechain is split, as a power of
	// two: 0 (the default) is one shard, at most [MaxSplitDepth]. It counts only
	// when the chain is created.
	SplitDepth uint8
	// Load is a dumped world, see [Chain.Dump], that the chain begins with: its
	// accounts, its configuration and its time, from where it goes on. It counts
	// only when the chain is created.
	Load io.Reader
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Observe is shown every execution, in order, refused external messages
	// too. An error stops the chain. It must not call the chain.
	Observe func(Execution, Outcome) error
	// Order, if set, says which of the messages that could be delivered next
	// is, by its place among them. They are those of one shard, at least one:
	// those that came from outside, in any order, and those sent meanwhile;
	// only what one account sends another keeps its order. Every such order can
	// happen on a network with many shards, though what a contract then reads
	// as logical time is later there. A block has no limits then, but
	// [MaxCascadeBlocks] times a block's transactions. Messages between shards
	// are delivered as ever. It must not call the chain.
	Order func(ready []Choice) int
	// Log hears of every block, at debug level, and of what is lost when the
	// chain is closed. Default: discarded.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.GlobalID == 0 {
		o.GlobalID = DefaultGlobalID
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	o.Interval = max(o.Interval, MinInterval)
	o.SplitDepth = min(o.SplitDepth, MaxSplitDepth)
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case o.FS == nil && o.Dir != "":
		o.FS = vfs.Default
	case o.FS != nil && o.Dir == "":
		o.Dir = "sandbox"
	}
	return o
}
