package tlb

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// maxTreeVisits bounds a walk over a dictionary that visits shared cells as often as they are referred
// to. Without it, 256 cells that each name the next one twice would pass for 2^256 entries.
const maxTreeVisits = 4 * MaxCells

// ErrKey says that a dictionary is malformed.
var ErrKey = errors.New("malformed dictionary")

// dict reads a HashmapE of the given key size, in the order of its keys.
func (r *reader) dict(bits uint, each func(key *reader, value *reader) error) {
	root := r.maybeRef()
	if r.err != nil || root == nil {
		return
	}
	if visits := visit(root, maxTreeVisits); visits < 0 {
		r.err = fmt.Errorf("dictionary: %w", ErrTooLarge)
		return
	}
	entries, err := root.AsDict(bits).LoadAll()
	if err != nil {
		r.err = fmt.Errorf("%w: %v", ErrKey, err) // %v: the library's errors are no promise of ours
		return
	}
	for _, entry := range entries {
		value := &reader{s: entry.Value}
		if r.err = each(&reader{s: entry.Key}, value); r.err != nil {
			return
		}
		if r.err = value.end(); r.err != nil {
			return
		}
	}
}

// visit returns what is left of a budget after one visit per reference in the tree, or less than zero.
func visit(c *cell.Cell, budget int) int {
	budget--
	for i := 0; i < int(c.RefsNum()) && budget >= 0; i++ {
		ref, err := c.PeekRef(i)
		if err != nil {
			return -1
		}
		budget = visit(ref, budget)
	}
	return budget
}

// dict writes the HashmapE that reader.dict reads.
func (w *writer) dict(bits uint, items []cell.DictBulkKV) {
	w.do(func() error {
		d, err := cell.NewDictFromItems(bits, items)
		if err != nil {
			return err
		}
		return w.b.StoreDict(d)
	})
}

// item is one entry of a dictionary; it takes over the value's fault.
func (w *writer) item(items *[]cell.DictBulkKV, key []byte, value *writer) {
	w.do(func() error {
		*items = append(*items, cell.DictBulkKV{Key: key, Value: value.b})
		return value.err
	})
}
