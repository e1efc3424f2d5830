package tlb

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

var (
	// ErrTag says that a cell starts with another tag than the value asked for.
	ErrTag = errors.New("wrong tag")
	// ErrShort says that a cell ended before the value did.
	ErrShort = errors.New("cell too short")
	// ErrTrailing says that bits or refs were left over after the value.
	ErrTrailing = errors.New("trailing bits or refs")
	// ErrAddress says that an address is not addr_std without anycast.
	ErrAddress = errors.New("not a plain address (addr_std without anycast)")
)

// A writer builds one cell field by field and remembers the first error, so that a layout reads
// like its scheme.
type writer struct {
	b   *cell.Builder
	err error
}

func newWriter() *writer { return &writer{b: cell.BeginCell()} }

func (w *writer) do(store func() error) {
	if w.err == nil {
		w.err = store()
	}
}

func (w *writer) uint(v uint64, bits uint) { w.do(func() error { return w.b.StoreUInt(v, bits) }) }
func (w *writer) int32(v int32)            { w.uint(uint64(uint32(v)), 32) }
func (w *writer) bytes(v []byte)           { w.do(func() error { return w.b.StoreSlice(v, uint(len(v))*8) }) }
func (w *writer) nano(v Nano)              { w.do(func() error { return StoreNano(w.b, v) }) }
func (w *writer) address(a *address.Address) {
	w.do(func() error { return StoreAddress(w.b, a) })
}

// ref takes the two results of another writer's end.
func (w *writer) ref(c *cell.Cell, err error) {
	w.do(func() error {
		if err != nil {
			return err
		}
		return w.b.StoreRef(c)
	})
}

func (w *writer) end() (*cell.Cell, error) {
	if w.err != nil {
		return nil, w.err
	}
	return w.b.EndCell(), nil
}

// A reader is the writer's counterpart. After the first error every read returns zero; end reports
// that error, or [ErrTrailing] if something is left over.
type reader struct {
	s   *cell.Slice
	err error
}

// newReader opens a cell that may come from anybody. Only an ordinary cell of level zero is read:
// the bits of any other are not the content its hash stands for.
func newReader(c *cell.Cell) *reader {
	if err := checkOne(c); err != nil {
		return &reader{err: err}
	}
	s, err := c.BeginParse()
	return &reader{s: s, err: err}
}

func (r *reader) uint(bits uint) (v uint64) {
	if r.err == nil {
		if v, r.err = r.s.LoadUInt(bits); r.err != nil {
			r.err = ErrShort
		}
	}
	return v
}

func (r *reader) tag(want uint32) {
	if got := uint32(r.uint(32)); r.err == nil && got != want {
		r.err = fmt.Errorf("%w: %08x, want %08x", ErrTag, got, want)
	}
}

func (r *reader) int32() int32 { return int32(uint32(r.uint(32))) }

// bytes fills v.
func (r *reader) bytes(v []byte) {
	if r.err != nil {
		return
	}
	if err := r.s.LoadSliceInto(v, uint(len(v))*8); err != nil {
		r.err = ErrShort
	}
}

func (r *reader) nano() (v Nano) {
	if r.err == nil {
		v, r.err = LoadNano(r.s)
	}
	return v
}

func (r *reader) address() (a *address.Address) {
	if r.err == nil {
		a, r.err = LoadAddress(r.s)
	}
	return a
}

// ref returns nil after an error, which newReader in turn refuses.
func (r *reader) ref() (c *cell.Cell) {
	if r.err == nil {
		if c, r.err = r.s.LoadRefCell(); r.err != nil {
			r.err = ErrShort
		}
	}
	return c
}

func (r *reader) end() error {
	if r.err == nil && (r.s.BitsLeft() != 0 || r.s.RefsNum() != 0) {
		r.err = ErrTrailing
	}
	return r.err
}

// StoreAddress appends a as MsgAddressInt. Only addr_std without anycast is written (267 bits);
// everything else, nil and addr_none included, is [ErrAddress].
func StoreAddress(b *cell.Builder, a *address.Address) error {
	if err := CheckAddress(a); err != nil {
		return err
	}
	return b.StoreAddr(a)
}

// LoadAddress reads what [StoreAddress] writes and nothing else.
func LoadAddress(s *cell.Slice) (*address.Address, error) {
	const addrStd = 0b10
	// The constructor alone first: addr_none is nothing but its two bits.
	if constructor, err := s.LoadUInt(2); err != nil {
		return nil, fmt.Errorf("address: %w", ErrShort)
	} else if constructor != addrStd {
		return nil, ErrAddress
	}
	if anycast, err := s.LoadBoolBit(); err != nil {
		return nil, fmt.Errorf("address: %w", ErrShort)
	} else if anycast {
		return nil, ErrAddress
	}
	workchain, err := s.LoadUInt(8)
	if err != nil {
		return nil, fmt.Errorf("address: %w", ErrShort)
	}
	id, err := s.LoadSlice(256)
	if err != nil {
		return nil, fmt.Errorf("address: %w", ErrShort)
	}
	return address.NewAddress(0, byte(workchain), id), nil
}

// CheckAddress returns [ErrAddress] unless a is addr_std without anycast, the only kind of address
// that this system writes.
func CheckAddress(a *address.Address) error {
	if a == nil || a.Type() != address.StdAddress || len(a.Data()) != 32 || a.Anycast() != nil ||
		a.Workchain() != int32(int8(a.Workchain())) {
		return ErrAddress
	}
	return nil
}
