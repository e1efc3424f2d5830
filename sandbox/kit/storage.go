package kit

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// maxDiffs bounds the lines of a storage diff.
const maxDiffs = 12

// storage tells what a transaction changed in the account's code and data:
// field by field if the contract is described, else cell by cell.
func (t *Transaction) storage() string {
	var lines []string
	if before, after := t.before.code, t.after.code; before != nil && after != nil && before.HashKey() != after.HashKey() {
		lines = append(lines, fmt.Sprintf("code\t%x.. -> %x..", before.Hash()[:4], after.Hash()[:4]))
	}
	names := t.result.people.of(t.Message.To)
	before, after := t.before.data, t.after.data
	switch {
	case before == nil && after == nil, before != nil && after != nil && before.HashKey() == after.HashKey():
	case before != nil && after != nil && names.Storage(before) != nil && names.Storage(after) != nil:
		lines = append(lines, diffFields(names.Storage(before), names.Storage(after))...)
	case before == nil && names.Storage(after) != nil:
		for _, f := range names.Storage(after) {
			lines = append(lines, fmt.Sprintf("%s\t%s", f.Name, f.Value))
		}
	default:
		lines = append(lines, diffCells(before, after)...)
	}
	if len(lines) == 0 {
		return "unchanged\n"
	}
	return table(lines)
}

// diffFields lists the fields that differ. Storage that is a union may have
// other fields afterwards.
func diffFields(before, after []Field) (lines []string) {
	old := map[string]string{}
	for _, f := range before {
		old[f.Name] = f.Value
	}
	for _, f := range after {
		was, ok := old[f.Name]
		delete(old, f.Name)
		switch {
		case !ok:
			lines = append(lines, fmt.Sprintf("%s\t%s (new)", f.Name, f.Value))
		case was != f.Value:
			lines = append(lines, fmt.Sprintf("%s\t%s -> %s", f.Name, was, f.Value))
		}
	}
	for _, f := range before {
		if was, gone := old[f.Name]; gone {
			lines = append(lines, fmt.Sprintf("%s\t%s (gone)", f.Name, was))
		}
	}
	return lines
}

// diffCells lists the cells that differ, by their path from the root.
func diffCells(before, after *cell.Cell) []string {
	d := cellDiff{seen: map[[2]cell.Hash]bool{}}
	d.walk("data", before, after)
	if d.more > 0 {
		d.lines = append(d.lines, fmt.Sprintf("\tand %s more", plural(d.more, "cell")))
	}
	return d.lines
}

// cellDiff walks two trees of cells side by side.
type cellDiff struct {
	lines []string
	more  int
	// seen keeps a tree that holds the same cells many times from being walked
	// as often.
	seen map[[2]cell.Hash]bool
}

func (d *cellDiff) walk(path string, a, b *cell.Cell) {
	if a != nil && b != nil {
		pair := [2]cell.Hash{a.HashKey(), b.HashKey()}
		if pair[0] == pair[1] || d.seen[pair] {
			return
		}
		d.seen[pair] = true
		if bits(a) == bits(b) {
			d.refs(path, a, b)
			return
		}
	}
	if len(d.lines) == maxDiffs {
		d.more++
		return
	}
	at, from := differ(a, b)
	shown := path
	if len(shown) > maxShownText {
		shown = path[:maxShownText/2] + ".." + path[len(path)-maxShownText/4:]
	}
	d.lines = append(d.lines, fmt.Sprintf("%s%s\t%s -> %s", shown, at, showFrom(a, from), showFrom(b, from)))
	if a != nil && b != nil {
		d.refs(path, a, b)
	}
}

// differ finds the byte from which two cells are to be shown: the first, unless
// they are too long to be shown whole, then the first that differs.
func differ(a, b *cell.Cell) (at string, from uint) {
	if a == nil || b == nil || max(a.BitsSize(), b.BitsSize()) <= maxShownBytes*8 {
		return "", 0
	}
	x, y := bits(a), bits(b)
	for from < uint(min(len(x), len(y))) && x[from] == y[from] {
		from++
	}
	return fmt.Sprintf(", bit %d", from*8), from
}

func showFrom(c *cell.Cell, from uint) string {
	if c == nil || from == 0 {
		return showCell(c)
	}
	s, err := c.BeginParse()
	if err != nil || s.SkipBits(min(from*8, s.BitsLeft())) != nil {
		return showCell(c)
	}
	return showSlice(s)
}

func (d *cellDiff) refs(path string, a, b *cell.Cell) {
	at := func(c *cell.Cell, i int) *cell.Cell {
		if i >= int(c.RefsNum()) {
			return nil
		}
		ref, err := c.PeekRef(i)
		if err != nil {
			return nil
		}
		return ref
	}
	for i := range max(int(a.RefsNum()), int(b.RefsNum())) {
		d.walk(fmt.Sprintf("%s.%d", path, i), at(a, i), at(b, i))
	}
}

// bits is a cell without its references, to compare.
func bits(c *cell.Cell) string {
	s, err := c.BeginParse()
	if err != nil {
		return string(c.Hash())
	}
	data, err := s.PreloadSlice(s.BitsLeft())
	if err != nil {
		return string(c.Hash())
	}
	return string(data) + fmt.Sprint(s.BitsLeft())
}
