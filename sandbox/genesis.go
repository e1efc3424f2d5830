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
	w := world{now: c.opts.Now()}
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
		if w, err = c.load(c.opts.Load); err != nil {
			return err
		}
		c.skew = w.now.Sub(c.opts.Now())
	}
	now := uint32(w.now.Unix())
	for _, g := range accounts {
		if err := c.settleAccount(g, now); err != nil {
			return fmt.Errorf("genesis account %s: %w", g.Address, err)
		}
	}
	for _, s := range c.base {
		if err := s.zero(c.opts.GlobalID, now, w.lt, nil); err != nil {
			return err
		}
	}
	var err error
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
	if err := c.master.zero(c.opts.GlobalID, now, w.lt, extra); err != nil {
		return err
	}
	c.master.last.key = true
	done := step{config: c.extra.config}
	for _, s := range c.shards() {
		block, err := s.genesisBlock()
		if err != nil {
			return err
		}
		done.blocks = append(done.blocks, block)
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

// zero writes the state a shard begins with.
func (s *shard) zero(globalID int32, now uint32, lt uint64, extra *cell.Cell) error {
	s.last.utime, s.last.start, s.last.end = now, lt, lt
	var err error
	if s.root, err = s.buildState(globalID, 0, nil, extra); err != nil {
		return err
	}
	s.last.root, s.last.file = s.root.HashKey(), sha256.Sum256(BlockBOC(s.root))
	return nil
}

// genesisBlock is the zero state in the place of a block: the accounts it has.
func (s *shard) genesisBlock() (sealedBlock, error) {
	b := sealedBlock{meta: s.last, state: s.root, accounts: map[[32]byte]*cell.Cell{}}
	err := s.each(func(hash [32]byte, entry *cell.Cell) error {
		b.accounts[hash] = entry
		return nil
	})
	return b, err
}

func (c *Chain) settleAccount(g GenesisAccount, now uint32) error {
	id, err := idOf(g.Address)
	if err != nil {
		return err
	}
	state, err := genesisState(g, now)
	if err != nil {
		return err
	}
	entry, err := tontlb.ToCell(tontlb.ShardAccount{Account: state, LastTransHash: make([]byte, 32)})
	if err != nil {
		return err
	}
	return c.settleEntry(id, entry, new(big.Int).SetUint64(uint64(g.Balance)))
}
