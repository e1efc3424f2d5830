package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Text in the registry is bytes in a chain of cells, each filled before the next begins:
//
//	text_end#_ {n:#} {1 <= n} {n <= 127} bytes:(n * uint8) = Text;
//	text_more#_ bytes:(127 * uint8) next:^Text = Text;
//
// One text has one encoding. The contract refuses every other, so that what anyone registers can be
// read by everyone.

// Bounds in bytes, enforced by the contract.
const (
	MaxModelName = textCell
	MaxPeerID    = 64
	MaxAddrs     = 4 * textCell // all multiaddrs of a proxy together
)

const textCell = 127 // bytes in a full cell

// textCells encodes 1 to max bytes.
func textCells(name string, b []byte, max int) (*cell.Cell, error) {
	if len(b) == 0 || len(b) > max {
		return nil, fmt.Errorf("%s of %d bytes, 1 to %d: %w", name, len(b), max, ErrField)
	}
	w := newWriter()
	head := b[:min(len(b), textCell)]
	w.bytes(head)
	if rest := b[len(head):]; len(rest) > 0 {
		w.ref(textCells(name, rest, max))
	}
	return w.end()
}

// text decodes what textCells writes.
func text(name string, c *cell.Cell, max int) ([]byte, error) {
	var b []byte
	for more := true; more; {
		r := newReader(c)
		if r.err != nil {
			return nil, fmt.Errorf("%s: %w", name, r.err)
		}
		part := make([]byte, r.s.BitsLeft()/8)
		r.bytes(part)
		b = append(b, part...)
		if more = len(part) == textCell && r.s.RefsNum() > 0; more {
			c = r.ref()
		}
		if err := r.end(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(part) == 0 || len(b) > max {
			return nil, fmt.Errorf("%s of %d bytes, 1 to %d: %w", name, len(b), max, ErrField)
		}
	}
	return b, nil
}
