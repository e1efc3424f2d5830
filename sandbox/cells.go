package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A stored chain keeps the cells of its states one by one, each under its hash,
// and cells that successive states share only once. What it reads back is a
// lazy tree: a cell whose references are loaded when somebody follows them. So
// the newest state takes as much memory as was read of it lately, not as much
// as there are accounts, and the states of all blocks can be read.

// The kinds of cell records. The first byte of a record says which it is.
const (
	// plainCell is followed by the bytes the hash of the cell is of: two
	// descriptor bytes, the data, and the depths and hashes of the references.
	plainCell = 1
	// wholeTree is followed by a checked bag of cells: a Merkle proof or update
	// with all that is below. Hashes count differently there.
	wholeTree = 2
)

// encodeCell writes the record of a cell.
func encodeCell(c *cell.Cell) ([]byte, error) {
	refs := int(c.RefsNum())
	if c.IsSpecial() && refs > 0 {
		boc, err := c.ToBOCWithOptionsErr(cell.BOCSerializeOptions{})
		if err != nil {
			return nil, fmt.Errorf("cell %x: %w", c.Hash(), err)
		}
		return addSum(append([]byte{wholeTree}, boc...)), nil
	}
	bits := c.BitsSize()
	out := make([]byte, 3, 3+c.SerializedBOCBodySize()+refs*refSize)
	out[0], out[1], out[2] = plainCell, byte(refs), byte(bits/8+(bits+7)/8)
	if c.IsSpecial() {
		out[1] |= specialBit
	}
	out = out[:3+c.SerializedBOCBodySize()]
	c.SerializeBOCBodyTo(out[3:])
	var children [4]*cell.Cell
	for i := range refs {
		ref, err := c.PeekRef(i)
		if err != nil {
			return nil, err
		}
		children[i] = ref
		out = binary.BigEndian.AppendUint16(out, ref.Depth())
	}
	for _, ref := range children[:refs] {
		hash := ref.HashKey()
		out = append(out, hash[:]...)
	}
	// A cell that is not what its hash says would be found out only when it is
	// needed; better not to store it.
	if sha256.Sum256(out[1:]) != c.HashKey() {
		return nil, fmt.Errorf("cell %x of level %d cannot be stored", c.Hash(), c.Level())
	}
	return out, nil
}

const (
	specialBit = 8 // of the first descriptor byte
	refSize    = 2 + 32
)

// decodeCell reads a record. The references of the cell are loaded by load.
func decodeCell(hash cell.Hash, record []byte, load cell.LazyCellLoader) (*cell.Cell, error) {
	if len(record) == 0 {
		return nil, ErrCorrupt
	}
	switch record[0] {
	case plainCell:
		return decodePlain(hash, record[1:], load)
	case wholeTree:
		boc, err := checkSum(record)
		if err != nil {
			return nil, err
		}
		c, err := cell.FromBOC(boc[1:])
		if err != nil || c.HashKey() != hash {
			return nil, ErrCorrupt
		}
		return c, nil
	}
	return nil, fmt.Errorf("kind %d: %w", record[0], ErrCorrupt)
}

func decodePlain(hash cell.Hash, repr []byte, load cell.LazyCellLoader) (*cell.Cell, error) {
	if len(repr) < 2 || sha256.Sum256(repr) != hash {
		return nil, ErrCorrupt
	}
	refs, body := int(repr[0]&^specialBit), (int(repr[1])+1)/2
	if refs > 4 || len(repr) != 2+body+refs*refSize {
		return nil, ErrCorrupt
	}
	data := bytes.Clone(repr[2 : 2+body])
	depths, hashes := repr[2+body:2+body+2*refs], bytes.Clone(repr[2+body+2*refs:])
	lazy := make([]cell.LazyRef, refs)
	depth := uint16(0)
	for i := range lazy {
		below := binary.BigEndian.Uint16(depths[2*i:])
		depth = max(depth, below+1)
		lazy[i] = cell.LazyRef{Hashes: hashes[32*i : 32*i+32], Depths: []uint16{below}}
	}
	c, err := cell.CreateWithLazyRefsUnsafe(binary.BigEndian.Uint16(repr), data, hash[:], []uint16{depth}, lazy, load)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCorrupt, err) // callers match ErrCorrupt only
	}
	return c, nil
}

// Records that are not named by a hash carry one of their own.
const sumSize = 8

func addSum(record []byte) []byte {
	sum := sha256.Sum256(record)
	return append(record, sum[:sumSize]...)
}

func checkSum(record []byte) ([]byte, error) {
	if len(record) <= sumSize {
		return nil, ErrCorrupt
	}
	rest := record[:len(record)-sumSize]
	if sum := sha256.Sum256(rest); !bytes.Equal(sum[:sumSize], record[len(rest):]) {
		return nil, ErrCorrupt
	}
	return rest, nil
}

// cellCache keeps cells that were read or written lately. It has two halves:
// cells enter the young one, when that is full it becomes the old one, and what
// was in the old one till then and not asked for again is forgotten.
type cellCache struct {
	mu         sync.Mutex
	half       int // bytes
	used       int // by the young
	young, old map[cell.Hash]*cell.Cell
}

func newCellCache(size int) *cellCache {
	return &cellCache{half: size / 2, young: map[cell.Hash]*cell.Cell{}}
}

func (c *cellCache) get(hash cell.Hash) *cell.Cell {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found := c.young[hash]; found != nil {
		return found
	}
	found := c.old[hash]
	if found != nil {
		c.enter(hash, found)
	}
	return found
}

func (c *cellCache) put(hash cell.Hash, loaded *cell.Cell) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young[hash] == nil {
		c.enter(hash, loaded)
	}
}

func (c *cellCache) enter(hash cell.Hash, loaded *cell.Cell) {
	c.young[hash] = loaded
	if c.used += lazyCellSize + int(loaded.RefsNum())*lazyRefSize; c.used >= c.half {
		c.young, c.old, c.used = map[cell.Hash]*cell.Cell{}, c.young, 0
	}
}

// The memory a lazy cell takes, in bytes, its place in the cache included; see
// TestCacheBounded.
const (
	lazyCellSize = 280
	lazyRefSize  = 190
)

// hasLazyList tells whether part of a list of actions is lazy: when a contract
// takes over one it finds in its data. The executor takes such a list for a
// broken one.
func hasLazyList(actions *cell.Cell) bool {
	for actions != nil && !actions.IsLazy() && actions.RefsNum() > 0 {
		actions, _ = actions.PeekRef(0)
	}
	return actions != nil && actions.IsLazy()
}

// loadAll returns an account and a message with nothing lazy in them.
func loadAll(l lane, msg *tvm.PreparedMessage) (lane, *tvm.PreparedMessage, error) {
	entry, err := l.account.ShardAccountCell().PrewarmRecursive(0)
	if err != nil {
		return l, nil, err
	}
	var state tontlb.ShardAccount
	if err := tontlb.Parse(&state, entry); err != nil {
		return l, nil, err
	}
	if l.account, err = tvm.PrepareAccount(&state, l.account.Address()); err != nil {
		return l, nil, err
	}
	root, err := msg.Cell().PrewarmRecursive(0)
	if err != nil {
		return l, nil, err
	}
	msg, err = tvm.PrepareMessage(root)
	return l, msg, err
}
