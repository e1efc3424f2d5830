package tlb

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// What the layouts of the two contracts, channel and registry, add to wire.go.

var (
	// ErrField says that a field, or a combination of fields, is one that the contract never has.
	ErrField = errors.New("field out of range")
	// ErrWorkchain says that an address is not in the basechain. Our contracts live there and deal
	// with nobody outside it: one workchain, one table of fees.
	ErrWorkchain = errors.New("not a basechain address")
)

// newBody starts a message body: each begins with op:uint32 query_id:uint64. The contracts do nothing
// with the query id but repeat it in what they send, so that a wallet can match the two.
func newBody(op uint32, query uint64) *writer {
	w := newWriter()
	w.uint(uint64(op), 32)
	w.uint(query, 64)
	return w
}

func openBody(c *cell.Cell, op uint32) (r *reader, query uint64) {
	r = newReader(c)
	r.tag(op)
	return r, r.uint(64)
}

// A bare message is one that says nothing but its name.
func bareBody(op uint32, query uint64) (*cell.Cell, error) { return newBody(op, query).end() }

func parseBare(name string, c *cell.Cell, op uint32) (query uint64, err error) {
	r, query := openBody(c, op)
	if err := r.end(); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return query, nil
}

// amount is money as storage keeps it: of fixed width, since a contract's cell must fit whatever the
// amounts are, and 64 bits hold more than the whole supply. Messages carry Coins.
func (w *writer) amount(n Nano) {
	w.do(func() error {
		if n > MaxNano {
			return fmt.Errorf("%d nano: %w", uint64(n), ErrOverflow)
		}
		return w.b.StoreUInt(uint64(n), 64)
	})
}

func (r *reader) amount() Nano {
	n := Nano(r.uint(64))
	if r.err == nil && n > MaxNano {
		r.err = fmt.Errorf("%d nano: %w", uint64(n), ErrOverflow)
	}
	return n
}

// account is an address in the basechain.
func (w *writer) account(a *address.Address) {
	w.do(func() error { return checkAccount(a) })
	w.address(a)
}

func (r *reader) account() *address.Address {
	a := r.address()
	if r.err == nil {
		r.err = checkAccount(a)
	}
	if r.err != nil {
		return nil
	}
	return a
}

func checkAccount(a *address.Address) error {
	if err := CheckAddress(a); err != nil {
		return err
	}
	if a.Workchain() != 0 {
		return ErrWorkchain
	}
	return nil
}

// maybeAccount takes nil for addr_none$00.
func (w *writer) maybeAccount(a *address.Address) {
	if a == nil {
		w.uint(0, 2)
		return
	}
	w.account(a)
}

func (r *reader) maybeAccount() *address.Address {
	if r.err == nil {
		if prefix, err := r.s.PreloadUInt(2); err == nil && prefix == 0 {
			r.uint(2)
			return nil
		}
	}
	return r.account()
}

// maybeRef takes nil for an absent reference.
func (w *writer) maybeRef(c *cell.Cell) { w.do(func() error { return w.b.StoreMaybeRef(c) }) }

func (r *reader) maybeRef() *cell.Cell {
	if r.uint(1) == 0 {
		return nil
	}
	return r.ref()
}

func (w *writer) uint32(v uint32) { w.uint(uint64(v), 32) }

func (r *reader) uint32() uint32 { return uint32(r.uint(32)) }

func (r *reader) bits256() (v [32]byte) {
	r.bytes(v[:])
	return v
}
