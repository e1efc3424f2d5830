package sandbox

import (
	"fmt"
	"math/bits"
	"slices"
	"sort"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// augTree edits dictionaries that carry a sum of what is in them (HashmapAug),
// many keys at once, so that each node is written once. The library's own
// dictionaries take one key at a time, and no lazy cells.
//
//	ahm_edge#_ label:(HmLabel ~l n) {n = (~m) + l} node:(HashmapAugNode m X Y) = HashmapAug n X Y;
//	ahmn_leaf#_ extra:Y value:X = HashmapAugNode 0 X Y;
//	ahmn_fork#_ left:^(HashmapAug n X Y) right:^(HashmapAug n X Y) extra:Y = HashmapAugNode (n + 1) X Y;
type augTree struct {
	bits uint // of a key, at most 256
	sums cell.Augmentation
	// fresh refuses changes to keys that are there, or twice in the changes.
	fresh bool
}

// augKey is a key, in its first bits.
type augKey = [32]byte

// augChange sets a key to what value returns, or removes it if value is nil.
type augChange struct {
	key   augKey
	value func() (*cell.Cell, error)
}

// augNode is a node on the way: its label may still grow or shrink.
type augNode struct {
	key augKey // its bits up to fork are those of all keys below
	// fork is where the keys below part; in a leaf, the length of a key.
	fork        uint
	left, right *cell.Cell  // nil in a leaf
	extra       *cell.Slice // the sum of what is below
	value       *cell.Slice // of a leaf
	// stored is the node as a cell, if it is one whose label begins at the given
	// bit.
	stored *cell.Cell
	from   uint
}

// edit returns the dictionary with changes made, in the wrapped form
// (HashmapAugE). The changes are sorted by key, each key at most once.
func (t augTree) edit(wrapped *cell.Cell, changes []augChange) (*cell.Cell, error) {
	s, err := wrapped.BeginParse()
	if err != nil {
		return nil, err
	}
	some, err := s.LoadBoolBit()
	if err != nil {
		return nil, err
	}
	var n *augNode
	if some {
		root, err := s.LoadRefCell()
		if err != nil {
			return nil, err
		}
		if n, err = t.read(root, augKey{}, 0); err != nil {
			return nil, err
		}
	}
	if n, err = t.change(n, changes, 0); err != nil {
		return nil, err
	}
	if n == nil {
		empty, err := t.sums.EmptyExtra()
		if err != nil {
			return nil, err
		}
		return cell.BeginCell().MustStoreBoolBit(false).MustStoreBuilder(empty.ToBuilder()).EndCell(), nil
	}
	root, err := t.write(n, 0)
	if err != nil {
		return nil, err
	}
	return cell.BeginCell().MustStoreBoolBit(true).MustStoreRef(root).MustStoreBuilder(n.extra.ToBuilder()).EndCell(), nil
}

// change makes changes, whose keys are the same up to from, below a node, which
// is nil when there is nothing.
func (t augTree) change(n *augNode, changes []augChange, from uint) (*augNode, error) {
	if n == nil {
		changes = slices.DeleteFunc(slices.Clone(changes), func(c augChange) bool { return c.value == nil })
		return t.plant(changes, from)
	}
	if len(changes) == 0 {
		return n, nil
	}
	at := min(n.fork, commonBits(n.key, changes[0].key), commonBits(n.key, changes[len(changes)-1].key))
	if at == t.bits { // this very leaf
		if t.fresh {
			return nil, fmt.Errorf("key %x: %w", changes[0].key[:t.bits/8], ErrDuplicate)
		}
		return t.change(nil, changes, from)
	}
	cut := parting(changes, at)
	if at == n.fork {
		left, err := t.side(n.left, below(n.key, at, 0), changes[:cut], at+1)
		if err != nil {
			return nil, err
		}
		right, err := t.side(n.right, below(n.key, at, 1), changes[cut:], at+1)
		if err != nil {
			return nil, err
		}
		return t.join(left, right, at)
	}
	// Some keys part from this node before it forks.
	var sides [2]*augNode
	sides[bitOf(n.key, at)] = n
	left, err := t.change(sides[0], changes[:cut], at+1)
	if err != nil {
		return nil, err
	}
	right, err := t.change(sides[1], changes[cut:], at+1)
	if err != nil {
		return nil, err
	}
	return t.join(left, right, at)
}

// side makes changes below a node's reference.
func (t augTree) side(c *cell.Cell, key augKey, changes []augChange, from uint) (*augNode, error) {
	n, err := t.read(c, key, from)
	if err != nil {
		return nil, err
	}
	return t.change(n, changes, from)
}

// plant builds a tree of nothing but changes.
func (t augTree) plant(changes []augChange, from uint) (*augNode, error) {
	switch len(changes) {
	case 0:
		return nil, nil
	case 1:
		return t.leaf(changes[0])
	}
	at := commonBits(changes[0].key, changes[len(changes)-1].key)
	if at >= t.bits {
		return nil, fmt.Errorf("key %x: %w", changes[0].key[:t.bits/8], ErrDuplicate)
	}
	cut := parting(changes, at)
	left, err := t.plant(changes[:cut], at+1)
	if err != nil {
		return nil, err
	}
	right, err := t.plant(changes[cut:], at+1)
	if err != nil {
		return nil, err
	}
	return t.join(left, right, at)
}

func (t augTree) leaf(c augChange) (*augNode, error) {
	value, err := c.value()
	if err != nil {
		return nil, err
	}
	s, err := value.BeginParse()
	if err != nil {
		return nil, err
	}
	extra, err := t.sums.LeafExtra(s.Copy())
	if err != nil {
		return nil, err
	}
	n := &augNode{key: c.key, fork: t.bits, value: s}
	n.extra, err = extra.BeginParse()
	return n, err
}

// join makes a node over two, of keys that part at the given bit, or returns
// the one there is.
func (t augTree) join(left, right *augNode, at uint) (*augNode, error) {
	if left == nil {
		return right, nil
	}
	if right == nil {
		return left, nil
	}
	n := &augNode{key: left.key, fork: at}
	sum, err := t.sums.CombineExtra(left.extra.Copy(), right.extra.Copy())
	if err != nil {
		return nil, err
	}
	if n.extra, err = sum.BeginParse(); err != nil {
		return nil, err
	}
	if n.left, err = t.write(left, at+1); err != nil {
		return nil, err
	}
	if n.right, err = t.write(right, at+1); err != nil {
		return nil, err
	}
	return n, nil
}

// write makes the cell of a node whose label begins at from.
func (t augTree) write(n *augNode, from uint) (*cell.Cell, error) {
	if n.stored != nil && n.from == from {
		return n.stored, nil
	}
	b := cell.BeginCell()
	t.writeLabel(b, n.key, from, n.fork)
	if n.left != nil {
		b.MustStoreRef(n.left).MustStoreRef(n.right)
	}
	if err := b.StoreBuilder(n.extra.ToBuilder()); err != nil {
		return nil, err
	}
	if n.value != nil {
		if err := b.StoreBuilder(n.value.ToBuilder()); err != nil {
			return nil, err
		}
	}
	return b.EndCell(), nil
}

// read takes the cell of a node apart. Its label begins at from, and the key
// has the bits before.
func (t augTree) read(c *cell.Cell, key augKey, from uint) (*augNode, error) {
	n := &augNode{key: key, stored: c, from: from}
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	if n.fork, err = t.readLabel(s, &n.key, from); err != nil {
		return nil, fmt.Errorf("label of a dictionary: %w", err)
	}
	if n.fork < t.bits {
		if n.left, err = s.LoadRefCell(); err != nil {
			return nil, err
		}
		if n.right, err = s.LoadRefCell(); err != nil {
			return nil, err
		}
	}
	value := s.Copy()
	if err := t.sums.SkipExtra(value); err != nil {
		return nil, err
	}
	if n.extra, err = s.PreloadSubslice(s.BitsLeft()-value.BitsLeft(), s.RefsNum()-value.RefsNum()); err != nil {
		return nil, err
	}
	if n.fork == t.bits {
		n.value = value
	}
	return n, nil
}

// writeLabel writes bits of a key as the label of a node, in the shortest of
// three ways:
//
//	hml_short$0 {n <= m} len:(Unary ~n) s:(n * Bit) = HmLabel ~n m;
//	hml_long$10 n:(#<= m) s:(n * Bit) = HmLabel ~n m;
//	hml_same$11 v:Bit n:(#<= m) = HmLabel ~n m;
func (t augTree) writeLabel(b *cell.Builder, key augKey, from, to uint) {
	n, size := to-from, uint(bits.Len(t.bits-from))
	switch long, short, same := 2+size+n, 2+2*n, 3+size; {
	case same < long && same < short && sameBits(key, from, to):
		b.MustStoreUInt(0b11, 2).MustStoreUInt(uint64(bitOf(key, from)), 1).MustStoreUInt(uint64(n), size)
		return
	case short <= long: // so n is at most size
		b.MustStoreUInt(1<<(n+1)-2, n+2)
	default:
		b.MustStoreUInt(0b10, 2).MustStoreUInt(uint64(n), size)
	}
	if n == 0 {
		return
	}
	var label augKey
	for i, shift := int(from/8), from%8; i < len(key); i++ {
		at := i - int(from/8)
		label[at] = key[i] << shift
		if i+1 < len(key) {
			label[at] |= key[i+1] >> (8 - shift)
		}
	}
	b.MustStoreSlice(label[:], n)
}

func sameBits(key augKey, from, to uint) bool {
	for i := from; i < to; i++ {
		if bitOf(key, i) != bitOf(key, from) {
			return false
		}
	}
	return true
}

// readLabel reads the label of a node into the bits of a key from the given one
// on, and returns where it ends.
func (t augTree) readLabel(s *cell.Slice, key *augKey, from uint) (to uint, err error) {
	kind, err := s.LoadUInt(1)
	if err != nil {
		return 0, err
	}
	n := uint64(0)
	if kind == 0 {
		for {
			more, err := s.LoadBoolBit()
			if err != nil {
				return 0, err
			}
			if !more {
				break
			}
			n++
		}
	} else {
		if kind, err = s.LoadUInt(1); err != nil {
			return 0, err
		}
		same := uint64(0)
		if kind == 1 {
			if same, err = s.LoadUInt(1); err != nil {
				return 0, err
			}
		}
		if n, err = s.LoadUInt(uint(bits.Len(t.bits - from))); err != nil {
			return 0, err
		}
		if to = from + uint(n); kind == 1 && to <= t.bits {
			for i := from; i < to && same == 1; i++ {
				setBit(key, i)
			}
			return to, nil
		}
	}
	if to = from + uint(n); to > t.bits {
		return 0, cell.ErrLabelExceedsKeyBits
	}
	if n == 0 {
		return to, nil
	}
	label, err := s.LoadSlice(uint(n))
	if err != nil {
		return 0, err
	}
	for i := range uint(n) {
		if label[i/8]>>(7-i%8)&1 == 1 {
			setBit(key, from+i)
		}
	}
	return to, nil
}

// parting is where the changes part whose keys are the same up to a bit.
func parting(changes []augChange, at uint) int {
	return sort.Search(len(changes), func(i int) bool { return bitOf(changes[i].key, at) == 1 })
}

// commonBits is how many leading bits two keys share, 256 if they are the same.
func commonBits(a, b augKey) uint {
	for i := range a {
		if diff := a[i] ^ b[i]; diff != 0 {
			return uint(8*i + bits.LeadingZeros8(diff))
		}
	}
	return uint(8 * len(a))
}

func bitOf(key augKey, i uint) byte { return key[i/8] >> (7 - i%8) & 1 }

func setBit(key *augKey, i uint) { key[i/8] |= 1 << (7 - i%8) }

// below is the beginning of all keys that are like the given one up to a bit,
// and go on with the given side.
func below(key augKey, at uint, side byte) (out augKey) {
	copy(out[:], key[:at/8])
	out[at/8] = key[at/8] &^ (0xff >> (at % 8))
	if side == 1 {
		setBit(&out, at)
	}
	return out
}
