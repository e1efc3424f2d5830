package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// dumpMagic begins a dumped world. The number is the version of what follows: a
// CBOR sequence of a dumpHead and as many dumpAccounts as it announces.
const dumpMagic = "tussah sandbox world 1\n"

// Bounds of a dump that is read.
const (
	maxDumpCell     = 16 << 20 // bytes of an account or the configuration
	maxDumpAccounts = 100_000_000
)

type dumpHead struct {
	GlobalID int32  `cbor:"1,keyasint"`
	Time     int64  `cbor:"2,keyasint"` // Unix seconds of the newest block
	LT       uint64 `cbor:"3,keyasint"` // where it ended
	Config   []byte `cbor:"4,keyasint"` // BoC
	Accounts uint64 `cbor:"5,keyasint"`
	// Libraries is the dictionary of public libraries, BoC; empty: none.
	Libraries []byte `cbor:"6,keyasint,omitempty"`
}

type dumpAccount struct {
	Workchain int32    `cbor:"1,keyasint"`
	Hash      [32]byte `cbor:"2,keyasint"`
	State     []byte   `cbor:"3,keyasint"` // ShardAccount, BoC
}

// Dump writes the world: all accounts, the configuration, libraries and the time, so that
// another chain can begin with it, see [Options.Load]. Blocks, what waits in
// the pool and the fees collected so far are no part of it. Messages under way would be lost with their coins:
// while there are any, Dump returns [ErrUnsettled].
func (c *Chain) Dump(w io.Writer) error {
	c.mu.Lock()
	err := c.build()
	if err == nil && len(c.undelivered()) > 0 {
		err = fmt.Errorf("dump: %d messages are under way: %w", len(c.undelivered()), ErrUnsettled)
	}
	head := dumpHead{GlobalID: c.opts.GlobalID, Time: int64(c.master.last.utime), LT: c.master.last.end, Config: c.config.root.ToBOC()}
	if c.master.libraries != nil {
		head.Libraries = c.master.libraries.ToBOC()
	}
	worlds := make([]shard, 0, len(c.base)+1)
	for _, s := range c.shards() {
		worlds = append(worlds, s.copy())
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	// The accounts are immutable: the chain goes on while they are written.
	for i := range worlds {
		if err := worlds[i].each(func([32]byte, *cell.Cell) error { head.Accounts++; return nil }); err != nil {
			return fmt.Errorf("dump: %w", err)
		}
	}
	out := bufio.NewWriter(w)
	if _, err := out.WriteString(dumpMagic); err != nil {
		return err
	}
	enc := cbor.NewEncoder(out)
	if err := enc.Encode(head); err != nil {
		return err
	}
	for i := range worlds {
		err := worlds[i].each(func(hash [32]byte, entry *cell.Cell) error {
			boc, err := entry.ToBOCWithOptionsErr(cell.BOCSerializeOptions{WithCRC32C: true})
			if err != nil {
				return err
			}
			return enc.Encode(dumpAccount{Workchain: worlds[i].id.workchain, Hash: hash, State: boc})
		})
		if err != nil {
			return fmt.Errorf("dump: %w", err)
		}
	}
	return out.Flush()
}

// each calls do with the accounts of a shard, in order of their addresses.
func (s *shard) each(do func(hash [32]byte, entry *cell.Cell) error) error {
	if s.accounts.IsEmpty() {
		return nil
	}
	it, err := s.accounts.IteratorExtra(false, false)
	if err != nil {
		return err
	}
	for it.Next() {
		key, err := it.Item().Key.BeginParse()
		if err != nil {
			return err
		}
		hash, err := key.LoadSlice(256)
		if err != nil {
			return err
		}
		entry, err := it.Item().Value.ToCell()
		if err != nil {
			return err
		}
		if err := do([32]byte(hash), entry); err != nil {
			return err
		}
	}
	return it.Err()
}

// world is what a chain begins with.
type world struct {
	now    time.Time
	lt     uint64
	config *cell.Cell // nil: that of mainnet, see genesisConfig
	// libraries is the dictionary of public ones; nil: none.
	libraries *cell.Cell
}

// load settles the accounts of a dump in the shards of a chain being made.
func (c *Chain) load(r io.Reader, p *population) (world, error) {
	in := bufio.NewReader(r)
	magic := make([]byte, len(dumpMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != dumpMagic {
		return world{}, fmt.Errorf("%w: it does not begin with %q", ErrDump, dumpMagic[:len(dumpMagic)-1])
	}
	mode, err := cbor.DecOptions{ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, DupMapKey: cbor.DupMapKeyEnforcedAPF}.DecMode()
	if err != nil {
		return world{}, err
	}
	dec := mode.NewDecoder(in)
	var head dumpHead
	if err := dec.Decode(&head); err != nil {
		return world{}, fmt.Errorf("%w: head: %v", ErrDump, err) // callers match ErrDump only
	}
	if head.GlobalID != c.opts.GlobalID {
		return world{}, fmt.Errorf("%w: %d, not %d", ErrNetwork, head.GlobalID, c.opts.GlobalID)
	}
	if head.Accounts > maxDumpAccounts || head.Time < 0 || head.Time > 1<<32-1 || head.LT > 1<<62 {
		return world{}, fmt.Errorf("%w: head says %d accounts at %d, lt %d", ErrDump, head.Accounts, head.Time, head.LT)
	}
	w := world{now: time.Unix(head.Time, 0), lt: head.LT}
	if w.config, err = dumpedCell(head.Config); err != nil {
		return world{}, fmt.Errorf("configuration: %w", err)
	}
	if w.libraries, err = dumpedLibraries(head.Libraries); err != nil {
		return world{}, err
	}
	for n := range head.Accounts {
		if err := p.loadAccount(dec, head); err != nil {
			return world{}, fmt.Errorf("account %d of %d: %w", n+1, head.Accounts, err)
		}
	}
	if err := dec.Skip(); !errors.Is(err, io.EOF) {
		return world{}, fmt.Errorf("%w: more follows the last account", ErrDump)
	}
	return w, nil
}

func (p *population) loadAccount(dec *cbor.Decoder, head dumpHead) error {
	var a dumpAccount
	if err := dec.Decode(&a); err != nil {
		return fmt.Errorf("%w: %v", ErrDump, err) // as in load
	}
	entry, err := dumpedCell(a.State)
	if err != nil {
		return err
	}
	var shardAccount tontlb.ShardAccount
	var state tontlb.AccountState
	if err := tontlb.Parse(&shardAccount, entry); err != nil {
		return fmt.Errorf("%w: %v", ErrDump, err) // as in load
	}
	if err := tontlb.Parse(&state, shardAccount.Account); err != nil || !state.IsValid {
		return fmt.Errorf("%w: no account state", ErrDump)
	}
	if !state.ExtraCurrencies.IsEmpty() {
		return fmt.Errorf("%w: %s has extra currencies, a sandbox has none", ErrDump, state.Address)
	}
	id, err := idOf(state.Address)
	if err != nil || id != (accountID{a.Workchain, a.Hash}) || shardAccount.LastTransLT >= max(head.LT, 1) {
		return fmt.Errorf("%w: account state does not fit its place", ErrDump)
	}
	return p.add(id, state.Balance.Nano(), func() (*cell.Cell, error) { return entry, nil })
}

// checkDumpedConfig refuses a configuration that [Chain.SetConfig] could not
// have led to: without what the executor needs, or of a chain that burns coins.
func checkDumpedConfig(root *cell.Cell) error {
	dict := root.AsDict(32)
	for _, id := range []int32{5, 20, 21, 24, 25, 28} {
		key := cell.BeginCell().MustStoreInt(int64(id), 32).EndCell()
		var param *cell.Cell
		value, err := dict.LoadValue(key)
		if err == nil {
			param, err = value.LoadRefCell()
		}
		if err != nil && !errors.Is(err, cell.ErrNoSuchKeyInDict) {
			return fmt.Errorf("%w: %w: parameter %d: %v", ErrDump, ErrConfig, id, err) // as in load
		}
		if id == 5 && param != nil {
			return fmt.Errorf("%w: %w: parameter 5: no coins are burned in a sandbox", ErrDump, ErrConfig)
		}
		if err := checkParam(id, param); err != nil {
			return fmt.Errorf("%w: %w", ErrDump, err)
		}
	}
	return nil
}

// dumpedLibraries reads a dictionary of libraries, all of which are what their
// hashes say.
func dumpedLibraries(boc []byte) (*cell.Cell, error) {
	if len(boc) == 0 {
		return nil, nil
	}
	root, err := dumpedCell(boc)
	if err != nil {
		return nil, fmt.Errorf("libraries: %w", err)
	}
	all, err := root.AsDict(256).LoadAll()
	if err != nil {
		return nil, fmt.Errorf("%w: libraries: %v", ErrDump, err) // as in load
	}
	for _, item := range all {
		d, err := parseLibrary(item.Value)
		if err == nil {
			_, err = d.publishers.LoadAll()
		}
		key, keyErr := item.Key.LoadSlice(256)
		if err != nil || keyErr != nil || checkLibrary(d.root) != nil || !bytes.Equal(key, d.root.Hash()) || d.publishers.IsEmpty() {
			return nil, fmt.Errorf("%w: malformed library", ErrDump)
		}
	}
	return root, nil
}

func dumpedCell(boc []byte) (*cell.Cell, error) {
	if len(boc) > maxDumpCell {
		return nil, fmt.Errorf("%w: %d bytes in one cell tree", ErrDump, len(boc))
	}
	root, err := cell.FromBOC(boc)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDump, err) // as in load
	}
	return root, nil
}
