package sandbox

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// populationBatch is how many accounts are put into a shard at once.
const populationBatch = 1 << 16

// population is the accounts a chain begins with. They are put into the shards
// in batches, so that in a stored chain no more than a batch is in memory. What
// was stored of a chain that was not completed lies there unused.
type population struct {
	chain   *Chain
	size    int
	waiting map[*shard][]augChange
}

func (c *Chain) population() *population {
	return &population{chain: c, waiting: map[*shard][]augChange{}}
}

// add takes an account, whose entry in the dictionary is made when it is needed.
// Those added in the order of their ids take the least time.
func (p *population) add(id accountID, balance *big.Int, entry func() (*cell.Cell, error)) error {
	s, err := p.chain.shardOf(id)
	if err != nil {
		return err
	}
	x := p.chain.extra
	if x.supply = sum(x.supply, balance); x.supply.Cmp(maxSupply) > 0 {
		return tlb.ErrOverflow
	}
	p.size++
	p.waiting[s] = append(p.waiting[s], augChange{key: id.hash, value: entry})
	if len(p.waiting[s]) >= populationBatch {
		return p.settle(s)
	}
	return nil
}

// addGenesis takes accounts of the options.
func (p *population) addGenesis(accounts []GenesisAccount, now uint32) error {
	for _, g := range accounts {
		if _, err := idOf(g.Address); err != nil {
			return fmt.Errorf("genesis account %s: %w", g.Address, err)
		}
	}
	accounts = slices.Clone(accounts)
	slices.SortFunc(accounts, func(a, b GenesisAccount) int { return bytes.Compare(a.Address.Data(), b.Address.Data()) })
	for _, g := range accounts {
		id, err := idOf(g.Address)
		if err == nil {
			err = p.add(id, new(big.Int).SetUint64(uint64(g.Balance)), func() (*cell.Cell, error) { return genesisEntry(g, now) })
		}
		if err != nil {
			return fmt.Errorf("genesis account %s: %w", g.Address, err)
		}
	}
	return nil
}

// settle puts what waits into the shards.
func (p *population) settleAll() error {
	for _, s := range p.chain.shards() {
		if err := p.settle(s); err != nil {
			return err
		}
	}
	return nil
}

func (p *population) settle(s *shard) error {
	changes := p.waiting[s]
	p.waiting[s] = nil
	slices.SortFunc(changes, func(a, b augChange) int { return bytes.Compare(a.key[:], b.key[:]) })
	if err := s.setAccounts(changes, true); err != nil {
		return fmt.Errorf("shard %d:%016x: %w", s.id.workchain, s.id.prefix, err)
	}
	if p.chain.store == nil {
		return nil
	}
	root, err := s.accounts.ToCell()
	if err != nil {
		return err
	}
	if root, err = p.chain.store.keep(root); err != nil {
		return err
	}
	return tontlb.Parse(s.accounts, root)
}

// setAccounts changes accounts in the state. The changes are sorted; with fresh,
// none of the accounts may exist.
func (s *shard) setAccounts(changes []augChange, fresh bool) error {
	before, err := s.accounts.ToCell()
	if err != nil {
		return err
	}
	after, err := augTree{bits: 256, sums: tontlb.AugShardAccounts{}, fresh: fresh}.edit(before, changes)
	if err != nil {
		return err
	}
	s.accounts = new(tontlb.ShardAccountsAugDict)
	return tontlb.Parse(s.accounts, after)
}
