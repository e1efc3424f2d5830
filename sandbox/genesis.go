package sandbox

import (
	"crypto/ed25519"
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"

	"github.com/tussah-network/tussah/tlb"
)

// stateID names a state by its hash and that of its file.
type stateID struct{ root, file [32]byte }

// create makes a chain of nothing but its genesis.
func (c *Chain) create() error {
	now := c.opts.Now()
	accounts := append([]GenesisAccount{{Address: Giver(), Balance: giverBalance, Code: giverCode}}, c.opts.Genesis...)
	c.master = &shard{id: masterID}
	c.base = []*shard{{id: shardID{basechain, wholeChain}}}
	c.supply = new(big.Int)
	for _, s := range c.shards() {
		dict, err := tontlb.NewShardAccountsAugDict()
		if err != nil {
			return err
		}
		s.accounts, s.warm, s.fees = dict, map[[32]byte]lane{}, new(big.Int)
		s.last = blockMeta{shard: s.id, utime: uint32(now.Unix())}
	}
	for _, g := range accounts {
		if err := c.settleAccount(g, uint32(now.Unix())); err != nil {
			return fmt.Errorf("genesis account %s: %w", g.Address, err)
		}
	}
	var err error
	c.config, err = genesisConfig(c.opts.GlobalID, c.validator.Public().(ed25519.PublicKey), now, stateID{})
	if err != nil {
		return err
	}
	c.prepared, err = tvm.PrepareBlockchainConfig(c.config)
	return err
}

func (c *Chain) settleAccount(g GenesisAccount, now uint32) error {
	id, err := idOf(g.Address)
	if err != nil {
		return err
	}
	s, err := c.shardOf(id)
	if err != nil {
		return err
	}
	c.supply.Add(c.supply, new(big.Int).SetUint64(uint64(g.Balance)))
	if c.supply.Cmp(maxSupply) > 0 {
		return tlb.ErrOverflow
	}
	state, err := genesisState(g, now)
	if err != nil {
		return err
	}
	entry, err := tontlb.ToCell(tontlb.ShardAccount{Account: state, LastTransHash: make([]byte, 32)})
	if err != nil {
		return err
	}
	return s.accounts.Set(hashKey(id.hash), entry)
}
