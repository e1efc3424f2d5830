package sandbox

import (
	"crypto/sha256"
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// create makes a chain of nothing but its zero states.
func (c *Chain) create() error {
	c.master = newShard(masterID)
	c.base = nil
	for _, id := range layout(c.opts.SplitDepth) {
		c.base = append(c.base, newShard(id))
	}
	for _, s := range c.shards() {
		c.histories[s.id] = new(history)
	}
	c.extra = &masterExtra{key: true, supply: new(big.Int), signer: c.signer}
	w, p := world{now: c.opts.Now()}, c.population()
	accounts := c.opts.Genesis
	if c.opts.Load == nil {
		accounts = append([]GenesisAccount{{Address: Giver(), Balance: giverBalance, Code: giverCode}}, accounts...)
		// They are there on every network. The executor and the reference differ
		// in how a special account comes into being, see RATIONALE.md.
		for _, special := range [][32]byte{zeroAccount, electorAccount, configAccount} {
			accounts = append(accounts, GenesisAccount{Address: accountID{masterchain, special}.address()})
		}
	} else {
		var err error
		if w, err = c.load(c.opts.Load, p); err != nil {
			return err
		}
		c.skew = w.now.Sub(c.opts.Now())
	}
	now := uint32(w.now.Unix())
	if err := p.addGenesis(accounts, now); err != nil {
		return err
	}
	if err := p.settleAll(); err != nil {
		return err
	}
	c.master.libraries = w.libraries
	for i, library := range c.opts.Libraries {
		err := checkLibrary(library)
		if err == nil {
			c.master.libraries, err = publish(c.master.libraries, library, zeroAccount)
		}
		if err != nil {
			return fmt.Errorf("genesis library %d: %w", i, err)
		}
	}
	hasFile := p.size <= maxStateFile
	for _, s := range c.base {
		if err := s.zero(c.opts.GlobalID, now, w.lt, nil, hasFile); err != nil {
			return err
		}
	}
	var err error
	if w.config != nil {
		if err := checkDumpedConfig(w.config); err != nil {
			return err
		}
	}
	if c.extra.config, err = genesisConfig(w.config, c.opts.GlobalID, c.signer.public(), w.now, c.base[0].last); err != nil {
		return err
	}
	if c.config, err = prepareSettings(c.extra.config); err != nil {
		return err
	}
	if c.extra.old, err = cell.NewAugDict(32, oldBlocks{}); err != nil {
		return err
	}
	if c.extra.shards, err = shardHashes(c.base, 0); err != nil {
		return err
	}
	extra, err := c.extra.build()
	if err != nil {
		return err
	}
	if err := c.master.zero(c.opts.GlobalID, now, w.lt, extra, hasFile); err != nil {
		return err
	}
	c.master.last.key = true
	done := step{}
	for _, s := range c.shards() {
		done.blocks = append(done.blocks, sealedBlock{meta: s.last, state: s.root})
	}
	if err := c.keep(done); err != nil {
		return err
	}
	c.begin()
	return nil
}

// begin makes the front of a chain that was just created, opened or restored.
func (c *Chain) begin() {
	for _, s := range c.shards() {
		s.catchUp()
	}
	c.genesis = c.histories[masterID].at(0).meta.root
	c.supply = c.extra.supply
}

// layout is the shards of a basechain that is split evenly, in order.
func layout(depth uint8) (ids []shardID) {
	for i := range uint64(1) << depth {
		ids = append(ids, shardID{basechain, i<<1<<(63-depth) | wholeChain>>depth})
	}
	return ids
}

func newShard(id shardID) *shard {
	accounts, err := tontlb.NewShardAccountsAugDict()
	if err != nil {
		panic(fmt.Sprintf("sandbox: internal error: empty accounts: %v", err))
	}
	return &shard{
		id: id, last: blockMeta{shard: id}, accounts: accounts, warm: map[[32]byte]lane{},
		fees: new(big.Int), lastFees: new(big.Int),
	}
}

// maxStateFile is how many accounts a genesis may have for its states to have
// file hashes. A larger state fits into no answer to a client, so that nobody
// could check its file hash, for which all of it would have to be in memory at
// once; the root hash stands in.
const maxStateFile = 10_000

// zero writes the state a shard begins with.
func (s *shard) zero(globalID int32, now uint32, lt uint64, extra *cell.Cell, hasFile bool) error {
	s.last.utime, s.last.start, s.last.end = now, lt, lt
	var err error
	if s.root, err = s.buildState(globalID, 0, nil, extra); err != nil {
		return err
	}
	s.last.root = s.root.HashKey()
	s.last.file = s.last.root
	if hasFile {
		s.last.file = sha256.Sum256(BlockBOC(s.root))
	}
	return nil
}
