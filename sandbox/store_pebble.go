package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/fxamacker/cbor/v2"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// The keys of the database. Numbers are big-endian, so that they sort.
//
//	t                              the tip, CBOR
//	c                              the configuration, BoC
//	m workchain prefix seqno       blockMeta, CBOR; seqno 0 is the zero state
//	b workchain prefix seqno       block, BoC
//	a workchain account            ShardAccount, BoC
const (
	keyTip     = 't'
	keyConfig  = 'c'
	keyMeta    = 'm'
	keyBlock   = 'b'
	keyAccount = 'a'
)

// database is a chain in Pebble. One step is one batch, synced, so that what
// is found after a crash ends at a step.
type database struct {
	db *pebble.DB

	mu struct {
		sync.Mutex
		// recent blocks, so that a client following the chain does not make us
		// parse what was just written.
		recent map[blockMeta]*cell.Cell
		order  []blockMeta
	}
}

// recentBlocks bounds the cache of blocks.
const recentBlocks = 512

func openDatabase(fs vfs.FS, dir string) (*database, error) {
	db, err := pebble.Open(dir, &pebble.Options{FS: fs, Logger: silent{}})
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", dir, err)
	}
	d := &database{db: db}
	d.mu.recent = map[blockMeta]*cell.Cell{}
	return d, nil
}

// silent keeps Pebble from writing to standard error; it returns what matters.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf("sandbox: database: "+format, args...))
}

func (d *database) close() error { return d.db.Close() }

func (d *database) commit(st step) error {
	batch := d.db.NewBatch()
	defer batch.Close()
	set := func(key, value []byte) error { return batch.Set(key, value, nil) }
	for _, b := range st.blocks {
		meta, err := cbor.Marshal(storedMeta{
			Root: b.meta.root, File: b.meta.file, Start: b.meta.start, End: b.meta.end, Time: b.meta.utime, Key: b.meta.key,
		})
		if err != nil {
			return err
		}
		if err := set(blockKey(keyMeta, b.meta.shard, b.meta.seqno), meta); err != nil {
			return err
		}
		if b.root != nil {
			if err := set(blockKey(keyBlock, b.meta.shard, b.meta.seqno), b.boc); err != nil {
				return err
			}
		}
		for hash, entry := range b.accounts {
			key := accountKey(accountID{b.meta.shard.workchain, hash})
			if entry == nil {
				err = batch.Delete(key, nil)
			} else {
				err = set(key, entry.ToBOC())
			}
			if err != nil {
				return err
			}
		}
	}
	if st.config != nil {
		if err := set([]byte{keyConfig}, st.config.ToBOC()); err != nil {
			return err
		}
	}
	tip, err := cbor.Marshal(st.tip)
	if err != nil {
		return err
	}
	if err := set([]byte{keyTip}, tip); err != nil {
		return err
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, b := range st.blocks {
		d.remember(b.meta, b.root)
	}
	return nil
}

func (d *database) remember(m blockMeta, root *cell.Cell) {
	if root == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.mu.recent[m]; ok {
		return
	}
	d.mu.recent[m] = root
	if d.mu.order = append(d.mu.order, m); len(d.mu.order) > recentBlocks {
		delete(d.mu.recent, d.mu.order[0])
		d.mu.order = d.mu.order[1:]
	}
}

func (d *database) block(m blockMeta) (*cell.Cell, error) {
	d.mu.Lock()
	root := d.mu.recent[m]
	d.mu.Unlock()
	if root != nil {
		return root, nil
	}
	root, err := d.readCell(blockKey(keyBlock, m.shard, m.seqno))
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", m, err)
	}
	if root.HashKey() != m.root {
		return nil, fmt.Errorf("block %s: hash differs: %w", m, ErrCorrupt)
	}
	d.remember(m, root)
	return root, nil
}

func (d *database) read(key []byte) ([]byte, error) {
	value, closer, err := d.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	out := append([]byte(nil), value...)
	return out, closer.Close()
}

func (d *database) readCell(key []byte) (*cell.Cell, error) {
	boc, err := d.read(key)
	if err != nil {
		return nil, err
	}
	root, err := cell.FromBOC(boc)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCorrupt, err) // callers match ErrCorrupt only
	}
	return root, nil
}

func (d *database) load() (*stored, error) {
	text, err := d.read([]byte{keyTip})
	if err != nil {
		return nil, err
	}
	out := &stored{metas: map[shardID][]blockMeta{}}
	if err := cbor.Unmarshal(text, &out.tip); err != nil {
		return nil, fmt.Errorf("tip: %w: %v", ErrCorrupt, err) // as in readCell
	}
	if out.tip.Version != storeVersion {
		return nil, fmt.Errorf("version %d, this program knows %d: %w", out.tip.Version, storeVersion, ErrCorrupt)
	}
	if out.config, err = d.readCell([]byte{keyConfig}); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := d.scan(keyMeta, out.addMeta); err != nil {
		return nil, err
	}
	return out, d.scan(keyAccount, out.addAccount)
}

func (d *database) scan(prefix byte, each func(key, value []byte) error) error {
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: []byte{prefix}, UpperBound: []byte{prefix + 1}})
	if err != nil {
		return err
	}
	for it.First(); it.Valid(); it.Next() {
		if err := each(it.Key()[1:], it.Value()); err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return it.Close()
}

// storedMeta is blockMeta without what its key says.
type storedMeta struct {
	Root  [32]byte `cbor:"1,keyasint"`
	File  [32]byte `cbor:"2,keyasint"`
	Start uint64   `cbor:"3,keyasint"`
	End   uint64   `cbor:"4,keyasint"`
	Time  uint32   `cbor:"5,keyasint"`
	Key   bool     `cbor:"6,keyasint"`
}

func (s *stored) addMeta(key, value []byte) error {
	var m storedMeta
	if err := cbor.Unmarshal(value, &m); err != nil || len(key) != 16 {
		return fmt.Errorf("block record %x: %w", key, ErrCorrupt)
	}
	id := shardID{int32(binary.BigEndian.Uint32(key)), binary.BigEndian.Uint64(key[4:])}
	seqno := binary.BigEndian.Uint32(key[12:])
	if int(seqno) != len(s.metas[id]) {
		return fmt.Errorf("block record %d is missing: %w", len(s.metas[id]), ErrCorrupt)
	}
	s.metas[id] = append(s.metas[id], blockMeta{
		shard: id, seqno: seqno, root: m.Root, file: m.File, start: m.Start, end: m.End, utime: m.Time, key: m.Key,
	})
	return nil
}

func (s *stored) addAccount(key, value []byte) error {
	if len(key) != 36 {
		return fmt.Errorf("account record %x: %w", key, ErrCorrupt)
	}
	entry, err := cell.FromBOC(value)
	if err != nil {
		return fmt.Errorf("account record %x: %w", key, ErrCorrupt)
	}
	id := accountID{int32(binary.BigEndian.Uint32(key)), [32]byte(key[4:])}
	s.accounts = append(s.accounts, storedAccount{id, entry})
	return nil
}

func blockKey(kind byte, s shardID, seqno uint32) []byte {
	key := binary.BigEndian.AppendUint32([]byte{kind}, uint32(s.workchain))
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(key, s.prefix), seqno)
}

func accountKey(id accountID) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{keyAccount}, uint32(id.workchain)), id.hash[:]...)
}
