package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/fxamacker/cbor/v2"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// The keys of the database. Numbers are big-endian, so that they sort.
//
//	t                              the tip, CBOR and checksum
//	m workchain prefix seqno       blockMeta, CBOR and checksum; seqno 0 is the zero state,
//	                               and those after the tip's are of a branch that was left
//	b root hash                    block, BoC
//	k hash                         a cell of a state, see cells.go
//
// All cells below a stored cell are stored too. Nothing is ever removed: the
// states of all blocks stay readable.
const (
	keyTip   = 't'
	keyMeta  = 'm'
	keyBlock = 'b'
	keyCell  = 'k'
)

// database is a chain in Pebble. One step is one batch, synced, so that what
// is found after a crash ends at a step.
type database struct {
	db     *pebble.DB
	alarm  *alarm
	blocks *pebble.Cache // Pebble's, of what it reads
	cells  *cellCache

	// open is held while the database is read, and taken to close it.
	open   sync.RWMutex
	closed bool

	mu struct {
		sync.Mutex
		// unread is the first failure to read a cell. Whoever followed the
		// reference may have taken it for something else.
		unread error
		// recent blocks that somebody asked for
		recent map[[32]byte]recentBlock
		order  [][32]byte
		size   int
	}
}

type recentBlock struct {
	root *cell.Cell
	size int // serialized
}

// maxRecent bounds the cache of blocks, in bytes of their serialized form; in
// memory a block takes some five times that.
const maxRecent = 4 << 20

// memTable is what Pebble gathers in memory before it writes a sorted file.
const memTable = 16 << 20

func openDatabase(fs vfs.FS, dir string, cacheSize int) (*database, error) {
	d := &database{alarm: newAlarm(), cells: newCellCache(cacheSize / 2), blocks: pebble.NewCache(int64(cacheSize / 2))}
	d.mu.recent = map[[32]byte]recentBlock{}
	opts := &pebble.Options{
		FS: d.alarm.watch(fs), Logger: d.alarm, EventListener: d.alarm.events(), Cache: d.blocks, MemTableSize: memTable,
		L0CompactionThreshold: 4,
	}
	for i := range opts.Levels {
		// Most reads are of cells, and find them: on the last level if anywhere,
		// so that the others are better asked little.
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	err := d.alarm.during(func() (err error) {
		d.db, err = pebble.Open(dir, opts)
		return err
	})
	if err != nil {
		d.blocks.Unref()
		return nil, fmt.Errorf("database %s: %w", dir, err)
	}
	return d, nil
}

// close leaves a database that failed as it is: Pebble would wait for ever.
func (d *database) close() error {
	d.open.Lock()
	defer d.open.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	err := d.alarm.during(d.db.Close)
	if d.alarm.failed() == nil {
		d.blocks.Unref()
	}
	return err
}

func (d *database) commit(st step) error {
	if err := d.sound(); err != nil {
		return err
	}
	w := d.writer()
	for _, m := range st.again {
		if err := w.name(m); err != nil {
			return err
		}
	}
	for _, b := range st.blocks {
		if err := w.name(b.meta); err != nil {
			return err
		}
		if b.root != nil {
			if err := w.batch.Set(hashedKey(keyBlock, b.meta.root), b.boc, nil); err != nil {
				return err
			}
		}
		if err := w.add(b.state); err != nil {
			return fmt.Errorf("state after block %s: %w", b.meta, err)
		}
	}
	tip, err := cbor.Marshal(st.tip)
	if err != nil {
		return err
	}
	if err := w.batch.Set([]byte{keyTip}, addSum(tip), nil); err != nil {
		return err
	}
	return w.write(pebble.Sync)
}

// keep stores a part of a state ahead of the step that needs it. Should that
// never come, the part lies there unused.
func (d *database) keep(part *cell.Cell) (*cell.Cell, error) {
	w := d.writer()
	if err := w.add(part); err != nil {
		return nil, err
	}
	if err := w.write(pebble.NoSync); err != nil {
		return nil, err
	}
	return d.tree(part.HashKey())
}

// stepWriter gathers what is written at once.
type stepWriter struct {
	d     *database
	batch *pebble.Batch
	fresh map[cell.Hash]*cell.Cell
}

func (d *database) writer() *stepWriter {
	return &stepWriter{d: d, batch: d.db.NewBatch(), fresh: map[cell.Hash]*cell.Cell{}}
}

// name makes a block part of the chain.
func (w *stepWriter) name(m blockMeta) error {
	meta, err := cbor.Marshal(storedMeta{Root: m.root, File: m.file, Start: m.start, End: m.end, Time: m.utime, Key: m.key})
	if err != nil {
		return err
	}
	return w.batch.Set(metaKey(m.shard, m.seqno), addSum(meta), nil)
}

// add writes a cell, and what is below, as far as they are not stored yet. The
// new parts of a state are few, and end at lazy cells; what was stored before
// and is not lazy, for instance code that many accounts have, may be written
// once more when the cache does not know it.
func (w *stepWriter) add(c *cell.Cell) error {
	hash := c.HashKey()
	if w.fresh[hash] != nil || w.d.cells.get(hash) != nil {
		return nil
	}
	if c.IsLazy() {
		stored, err := w.d.has(hash)
		if err != nil || stored {
			return err
		}
		// The lazy tree of another chain.
		if c, err = c.Prewarm(); err != nil {
			return err
		}
	}
	record, err := encodeCell(c)
	if err != nil {
		return err
	}
	for i := range int(c.RefsNum()) {
		if c.IsSpecial() {
			break // its record has all that is below
		}
		ref, err := c.PeekRef(i)
		if err != nil {
			return err
		}
		if err := w.add(ref); err != nil {
			return err
		}
	}
	if err := w.batch.Set(hashedKey(keyCell, hash), record, nil); err != nil {
		return err
	}
	w.fresh[hash], err = decodeCell(hash, record, w.d.loadCell)
	return err
}

func (w *stepWriter) write(how *pebble.WriteOptions) error {
	if err := w.d.alarm.during(func() error { return w.batch.Commit(how) }); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for hash, c := range w.fresh {
		w.d.cells.put(hash, c)
	}
	return w.batch.Close() // after a failure Pebble may still have it
}

func (d *database) remember(hash [32]byte, b recentBlock) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.mu.recent[hash]; ok {
		return
	}
	d.mu.recent[hash] = b
	d.mu.order = append(d.mu.order, hash)
	for d.mu.size += b.size; d.mu.size > maxRecent && len(d.mu.order) > 1; d.mu.order = d.mu.order[1:] {
		d.mu.size -= d.mu.recent[d.mu.order[0]].size
		delete(d.mu.recent, d.mu.order[0])
	}
}

func (d *database) block(m blockMeta) (*cell.Cell, error) {
	d.mu.Lock()
	recent, ok := d.mu.recent[m.root]
	d.mu.Unlock()
	if ok {
		return recent.root, nil
	}
	boc, err := d.read(hashedKey(keyBlock, m.root))
	if errors.Is(err, ErrNotFound) && m.seqno > 0 { // there is none with number 0
		err = fmt.Errorf("missing: %w", ErrCorrupt)
	}
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", m, err)
	}
	root, err := cell.FromBOC(boc)
	if err != nil || sha256.Sum256(boc) != m.file || root.HashKey() != m.root {
		return nil, fmt.Errorf("block %s: %w", m, ErrCorrupt)
	}
	d.remember(m.root, recentBlock{root, len(boc)})
	return root, nil
}

// state finds the state a block leads to in the block itself.
func (d *database) state(m blockMeta) (*cell.Cell, error) {
	if m.seqno == 0 {
		return d.tree(m.root)
	}
	root, err := d.block(m)
	if err != nil {
		return nil, err
	}
	hash, err := stateAfter(root)
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", m, err)
	}
	return d.tree(hash)
}

func (d *database) tree(hash [32]byte) (*cell.Cell, error) { return d.loadCell(hash) }

// loadCell loads one cell; it is what lazy references call.
func (d *database) loadCell(hash cell.Hash) (*cell.Cell, error) {
	if c := d.cells.get(hash); c != nil {
		return c, nil
	}
	record, err := d.read(hashedKey(keyCell, hash))
	if errors.Is(err, ErrClosed) {
		return nil, err
	}
	var c *cell.Cell
	if err == nil {
		c, err = decodeCell(hash, record, d.loadCell)
	}
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("missing: %w", ErrCorrupt)
	}
	if err != nil {
		err = fmt.Errorf("cell %x: %w", hash, err)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.mu.unread == nil {
			d.mu.unread = err
		}
		return nil, err
	}
	d.cells.put(hash, c)
	return c, nil
}

func (d *database) sound() error {
	if err := d.alarm.failed(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.unread
}

func (d *database) read(key []byte) ([]byte, error) {
	d.open.RLock()
	defer d.open.RUnlock()
	if d.closed {
		return nil, ErrClosed
	}
	if err := d.alarm.failed(); err != nil {
		return nil, err
	}
	value, closer, err := d.db.Get(key)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return nil, ErrNotFound
	case pebble.IsCorruptionError(err):
		return nil, fmt.Errorf("%w: %v", ErrCorrupt, err) // callers match ErrCorrupt only
	case err != nil:
		return nil, err
	}
	out := append([]byte(nil), value...)
	return out, closer.Close()
}

func (d *database) has(hash cell.Hash) (bool, error) {
	_, err := d.read(hashedKey(keyCell, hash))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (d *database) load() (*stored, error) {
	text, err := d.read([]byte{keyTip})
	if err != nil {
		return nil, err
	}
	// The version comes first, whatever the rest looks like.
	var version struct {
		Version int `cbor:"1,keyasint"`
	}
	if _, err := cbor.UnmarshalFirst(text, &version); err != nil {
		return nil, fmt.Errorf("tip: %w: %v", ErrCorrupt, err) // as in read
	}
	if v := version.Version; v < storeVersion {
		return nil, fmt.Errorf("%w: it was made by an earlier version of this program (%d, not %d); delete the folder to begin anew", ErrVersion, v, storeVersion)
	} else if v > storeVersion {
		return nil, fmt.Errorf("%w: it was made by a later version of this program (%d, not %d); use that, or delete the folder to begin anew", ErrVersion, v, storeVersion)
	}
	out := &stored{metas: map[shardID][]blockMeta{}}
	if text, err = checkSum(text); err != nil {
		return nil, fmt.Errorf("tip: %w", err)
	}
	if err := cbor.Unmarshal(text, &out.tip); err != nil {
		return nil, fmt.Errorf("tip: %w: %v", ErrCorrupt, err) // as in read
	}
	for _, t := range out.tip.Shards {
		if out.metas[t.id()], err = d.loadMetas(t); err != nil {
			return nil, err
		}
	}
	return out, nil
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

// loadMetas reads the names of a shard's blocks, up to the tip.
func (d *database) loadMetas(t shardTip) ([]blockMeta, error) {
	id := t.id()
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: metaKey(id, 0), UpperBound: append(metaKey(id, t.Seqno), 0)})
	if err != nil {
		return nil, err
	}
	var metas []blockMeta
	for it.First(); it.Valid(); it.Next() {
		seqno := uint32(len(metas))
		text, err := checkSum(it.Value())
		var m storedMeta
		if err == nil {
			err = cbor.Unmarshal(text, &m)
		}
		if err != nil || binary.BigEndian.Uint32(it.Key()[len(it.Key())-4:]) != seqno {
			return nil, errors.Join(fmt.Errorf("record of block %d in shard %d:%016x: %w", seqno, id.workchain, id.prefix, ErrCorrupt), it.Close())
		}
		metas = append(metas, blockMeta{
			shard: id, seqno: seqno, root: m.Root, file: m.File, start: m.Start, end: m.End, utime: m.Time, key: m.Key,
		})
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	if uint64(len(metas)) != uint64(t.Seqno)+1 {
		return nil, fmt.Errorf("shard %d:%016x: %d blocks, not %d: %w", id.workchain, id.prefix, len(metas), t.Seqno+1, ErrCorrupt)
	}
	return metas, nil
}

func metaKey(s shardID, seqno uint32) []byte {
	key := binary.BigEndian.AppendUint32([]byte{keyMeta}, uint32(s.workchain))
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(key, s.prefix), seqno)
}

func hashedKey(kind byte, hash [32]byte) []byte { return append([]byte{kind}, hash[:]...) }
