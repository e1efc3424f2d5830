package node

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, dir string, fs vfs.FS) *Store {
	t.Helper()
	s, err := OpenStore(dir, fs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func dump(t *testing.T, table *Table, prefix string) (all []string) {
	t.Helper()
	err := table.Scan([]byte(prefix), func(key, value []byte) error {
		all = append(all, fmt.Sprintf("%s=%s", key, value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func put(t *testing.T, table *Table, rows ...string) {
	t.Helper()
	err := table.Commit(func(set func(key, value []byte), _ func([]byte)) {
		for i := 0; i < len(rows); i += 2 {
			set([]byte(rows[i]), []byte(rows[i+1]))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTablesAreApart(t *testing.T) {
	s := open(t, "db", vfs.NewMem())
	a, b := s.Table('a'), s.Table('b')
	put(t, a, "k", "1", "k2", "2", "\xff", "3", "\xff\xff", "4")
	put(t, b, "k", "other")
	if got := dump(t, a, ""); !cmp.Equal(got, []string{"k=1", "k2=2", "\xff=3", "\xff\xff=4"}) {
		t.Errorf("table a holds %q", got)
	}
	if got := dump(t, a, "\xff"); !cmp.Equal(got, []string{"\xff=3", "\xff\xff=4"}) {
		t.Errorf("below 0xff: %q", got)
	}
	if got := dump(t, b, "k"); !cmp.Equal(got, []string{"k=other"}) {
		t.Errorf("table b holds %q", got)
	}
	if err := a.Commit(func(_ func(key, value []byte), del func([]byte)) { del([]byte("k")) }); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := a.Get([]byte("k")); ok || err != nil {
		t.Errorf("a deleted key: %v, %v", ok, err)
	}
	if v, ok, err := b.Get([]byte("k")); !ok || string(v) != "other" || err != nil {
		t.Errorf("its namesake: %q, %v, %v", v, ok, err)
	}
}

func TestCommitSurvivesPowerLoss(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := open(t, "db", fs)
	put(t, s.Table('a'), "k", "v")
	after := open(t, "db", fs.CrashClone(vfs.CrashCloneCfg{}))
	if v, ok, err := after.Table('a').Get([]byte("k")); !ok || string(v) != "v" || err != nil {
		t.Errorf("after the crash: %q, %v, %v", v, ok, err)
	}
}

func TestOpenStoreRefuses(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenStore(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(dir, nil); !errors.Is(err, ErrStoreInUse) {
		t.Errorf("a second process: %v", err)
	}
	put(t, s.Table(tableMeta), "version", "tussah-node/999")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(dir, nil); !errors.Is(err, ErrStoreVersion) {
		t.Errorf("a newer database: %v", err)
	}
}
