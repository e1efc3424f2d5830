package node

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Every table of the node's database, so that no two overlap. A prefix is one
// byte; what follows belongs to the package that the table is handed to.
const (
	tableMeta     = 'm' // format version
	tableIndex    = 'i' // registry.Index
	tableQueue    = 'q' // wallet.Queue
	tablePayer    = 'p' // channel.Payer journals, by channel
	tablePayee    = 'e' // channel.Payee journals, by channel
	tableChannels = 'c' // which channels this node has, and with whom
)

// storeVersion is written at creation; a database with another one is refused.
const storeVersion = "tussah-node/1"

// Errors of OpenStore.
var (
	ErrStoreInUse   = errors.New("the data folder is in use by another process; stop it first")
	ErrStoreVersion = errors.New("the database has another format version; run the release that wrote it")
)

// Store is the node's database. It is opened once; packages get a [Table].
type Store struct{ db *pebble.DB }

// OpenStore opens or creates the database in dir; a nil fs is the disk.
func OpenStore(dir string, fs vfs.FS) (*Store, error) {
	if fs == nil {
		fs = vfs.Default
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("create %s: %w", dir, err)
		}
	}
	db, err := pebble.Open(dir, &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	if err != nil {
		// Pebble has no sentinel for a held lock: between processes it is the system's, within one its own text.
		if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock") {
			return nil, fmt.Errorf("open %s: %w", dir, ErrStoreInUse)
		}
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	s := &Store{db: db}
	meta := s.Table(tableMeta)
	switch version, ok, err := meta.Get([]byte("version")); {
	case err != nil:
		return nil, errors.Join(err, db.Close())
	case !ok:
		err = meta.Commit(func(set func(key, value []byte), _ func(key []byte)) {
			set([]byte("version"), []byte(storeVersion))
		})
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
	case string(version) != storeVersion:
		return nil, errors.Join(fmt.Errorf("open %s: %w: %q", dir, ErrStoreVersion, version), db.Close())
	}
	return s, nil
}

// Close waits for what is under way.
func (s *Store) Close() error { return s.db.Close() }

// Table is the store below prefix.
func (s *Store) Table(prefix ...byte) *Table { return &Table{db: s.db, prefix: prefix} }

// QueueTable is where the wallet's sending queue is kept.
func (s *Store) QueueTable() *Table { return s.Table(tableQueue) }

// Table is a key space of its own within the database. It satisfies the Store
// interfaces of registry, wallet and channel.
type Table struct {
	db     *pebble.DB
	prefix []byte
}

func (t *Table) key(key []byte) []byte { return append(t.prefix[:len(t.prefix):len(t.prefix)], key...) }

// Get returns a copy of the value, and whether there is one.
func (t *Table) Get(key []byte) (value []byte, ok bool, err error) {
	v, closer, err := t.db.Get(t.key(key))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return append([]byte{}, v...), true, closer.Close()
}

// Scan calls each for every key with the prefix, in order; the slices are each's own.
func (t *Table) Scan(prefix []byte, each func(key, value []byte) error) (err error) {
	lower := t.key(prefix)
	it, err := t.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: after(lower)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		key, value := append([]byte{}, it.Key()[len(t.prefix):]...), append([]byte{}, it.Value()...)
		if err := each(key, value); err != nil {
			return err
		}
	}
	return it.Error()
}

// Commit applies the writes atomically and returns when they are on disk.
// Concurrent commits share one fsync.
func (t *Table) Commit(write func(set func(key, value []byte), del func(key []byte))) error {
	batch := t.db.NewBatch()
	defer batch.Close()
	var failed error
	write(func(key, value []byte) { failed = errors.Join(failed, batch.Set(t.key(key), value, nil)) },
		func(key []byte) { failed = errors.Join(failed, batch.Delete(t.key(key), nil)) })
	if failed != nil {
		return failed
	}
	return batch.Commit(pebble.Sync)
}

// after is the first key that does not have the prefix; nil if there is none.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			end := append([]byte{}, prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}

// quiet drops Pebble's own log; what matters comes back as errors.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	panic("node: the database cannot go on (disk full or broken): " + fmt.Sprintf(format, args...))
}
