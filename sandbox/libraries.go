package sandbox

import (
	"context"
	"errors"
	"fmt"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Public libraries are cells that code can name by their hash, kept in the
// state of the masterchain with the accounts that publish them. Contracts of the
// masterchain do so with SETLIBCODE and CHANGELIB; [Chain.SetLibrary] does it
// for tests, in the name of the account of all zeroes.
//
//	_ libraries:(HashmapE 256 LibDescr);
//	shared_lib_descr$00 lib:^Cell publishers:(Hashmap 256 True) = LibDescr;

// SetLibrary publishes a library, in the next master block; in instant mode
// that is at once. What comes after that block can use it.
func (c *Chain) SetLibrary(_ context.Context, library *cell.Cell) error {
	if err := checkLibrary(library); err != nil {
		return err
	}
	return c.editLibraries(func(l *cell.Cell) (*cell.Cell, error) { return publish(l, library, zeroAccount) })
}

// RemoveLibrary takes back what [Chain.SetLibrary] published, or
// [Options.Libraries]. Libraries of contracts stay, and to
// take back what is not there is no error.
func (c *Chain) RemoveLibrary(_ context.Context, hash [32]byte) error {
	return c.editLibraries(func(l *cell.Cell) (*cell.Cell, error) { return retract(l, hash, zeroAccount) })
}

// Library returns a public library as of now, or [ErrNotFound].
func (c *Chain) Library(hash [32]byte) (*cell.Cell, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, err := readLibrary(c.master.front.libraries, hash)
	if err == nil && d.root == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("library %x: %w", hash, err)
	}
	return d.root, nil
}

func (c *Chain) editLibraries(do func(*cell.Cell) (*cell.Cell, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if len(c.edits) >= c.maxPool {
		return ErrPoolFull
	}
	c.edits = append(c.edits, edit{id: accountID{masterchain, zeroAccount}, libraries: do})
	return c.settle()
}

// checkLibrary refuses what can be no library: nothing, a tree too deep, and a
// cell that is a reference to a library itself.
func checkLibrary(library *cell.Cell) error {
	if library == nil {
		return fmt.Errorf("library: %w: no cell", ErrTree)
	}
	if library.IsSpecial() {
		return fmt.Errorf("library: %w: a special cell", ErrTree)
	}
	if err := checkTree(library); err != nil {
		return fmt.Errorf("library: %w", err)
	}
	return nil
}

// libraries are the public ones, as the executor takes them.
func (c *Chain) libraries() []*cell.Cell {
	if c.master.front.libraries == nil {
		return nil
	}
	return []*cell.Cell{c.master.front.libraries}
}

// described is what the state says of a library; no root: there is none.
type described struct {
	root       *cell.Cell
	publishers *cell.Dictionary
}

// readLibrary looks a library up in a dictionary, which may be nil for empty.
func readLibrary(libraries *cell.Cell, hash [32]byte) (d described, err error) {
	d.publishers = cell.NewDict(256)
	if libraries == nil {
		return d, nil
	}
	value, err := libraries.AsDict(256).LoadValue(hashKey(hash))
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	return parseLibrary(value)
}

func parseLibrary(value *cell.Slice) (d described, err error) {
	if tag, err := value.LoadUInt(2); err != nil || tag != 0 {
		return d, errors.New("malformed description of a library")
	}
	if d.root, err = value.LoadRefCell(); err != nil {
		return d, err
	}
	rest, err := value.ToCell()
	if err != nil {
		return d, err
	}
	d.publishers = rest.AsDict(256)
	return d, nil
}

// publish adds a publisher of a library.
func publish(libraries, library *cell.Cell, publisher [32]byte) (*cell.Cell, error) {
	d, err := readLibrary(libraries, library.HashKey())
	if err != nil {
		return nil, err
	}
	d.root = library
	if err := d.publishers.SetBuilder(hashKey(publisher), cell.BeginCell()); err != nil {
		return nil, err
	}
	return writeLibrary(libraries, library.HashKey(), d)
}

// retract takes one away; with the last one, the library goes.
func retract(libraries *cell.Cell, hash, publisher [32]byte) (*cell.Cell, error) {
	d, err := readLibrary(libraries, hash)
	if err != nil || d.root == nil {
		return libraries, err
	}
	if err := d.publishers.Delete(hashKey(publisher)); err != nil && !errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return nil, err
	}
	return writeLibrary(libraries, hash, d)
}

func writeLibrary(libraries *cell.Cell, hash [32]byte, d described) (*cell.Cell, error) {
	dict := cell.NewDict(256)
	if libraries != nil {
		dict = libraries.AsDict(256)
	}
	if d.publishers.IsEmpty() {
		if err := dict.Delete(hashKey(hash)); err != nil {
			return nil, err
		}
		return dict.AsCell(), nil
	}
	value := cell.BeginCell().MustStoreUInt(0, 2).MustStoreRef(d.root).MustStoreBuilder(d.publishers.AsCell().ToBuilder())
	if err := dict.SetBuilder(hashKey(hash), value); err != nil {
		return nil, err
	}
	return dict.AsCell(), nil
}

// publish takes into the state what accounts of the masterchain published, or
// no longer do, in this block.
func (c *collation) publish() error {
	if !c.shard.id.master() {
		return nil
	}
	for _, hash := range c.sorted() {
		ch := c.accounts[hash]
		var was tontlb.AccountState
		if err := tontlb.Parse(&was, ch.before); err != nil {
			return fmt.Errorf("account %s: %w", ch.id.address(), err)
		}
		before, err := published(&was)
		if err != nil {
			return fmt.Errorf("libraries of %s: %w", ch.id.address(), err)
		}
		after, err := published(ch.lane.account.State())
		if err != nil {
			return fmt.Errorf("libraries of %s: %w", ch.id.address(), err)
		}
		for _, library := range before {
			if c.libraries, err = retract(c.libraries, library.HashKey(), hash); err != nil {
				return fmt.Errorf("library %x: %w", library.Hash(), err)
			}
		}
		for _, library := range after {
			if c.libraries, err = publish(c.libraries, library, hash); err != nil {
				return fmt.Errorf("library %x: %w", library.Hash(), err)
			}
		}
	}
	return nil
}

// published are the public ones of an account's libraries:
//
//	simple_lib$_ public:Bool root:^Cell = SimpleLib;
func published(a *tontlb.AccountState) (out []*cell.Cell, err error) {
	if !a.IsValid || a.StateInit == nil || a.StateInit.Lib.IsEmpty() {
		return nil, nil
	}
	all, err := a.StateInit.Lib.LoadAll()
	if err != nil {
		return nil, err
	}
	for _, item := range all {
		public, err := item.Value.LoadBoolBit()
		if err != nil {
			return nil, err
		}
		root, err := item.Value.LoadRefCell()
		if err != nil {
			return nil, err
		}
		if root, err = root.PrewarmRecursive(0); err != nil {
			return nil, err
		}
		if public {
			out = append(out, root)
		}
	}
	return out, nil
}
