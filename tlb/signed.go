package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A signed value travels and is stored as one bag of cells:
//
//	signed$_ {X:Type} signature:bits512 value:^X = Signed X;
//
// The envelope has no tag of its own; the tag of the value inside tells kind and version.

// maxSigned bounds an envelope in bytes. The largest, a receipt, takes less than 800.
const maxSigned = 1024

func sealSigned(value *cell.Cell, sig [64]byte) (*cell.Cell, error) {
	w := newWriter()
	w.bytes(sig[:])
	w.ref(value, nil)
	return w.end()
}

func openSigned(c *cell.Cell) (value *cell.Cell, sig [64]byte, err error) {
	r := newReader(c)
	r.bytes(sig[:])
	value = r.ref()
	if err := r.end(); err != nil {
		return nil, [64]byte{}, fmt.Errorf("signed envelope: %w", err)
	}
	return value, sig, nil
}
