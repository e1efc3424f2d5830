package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ChannelRotate replaces the session key. Only the payer may send it, and only once per close delay:
// vouchers of the old epoch stay claimable that long.
//
//	rotate#74756372 query_id:uint64 session_key:uint256 = ChannelMsg;
type ChannelRotate struct {
	Query      uint64
	SessionKey [32]byte
}

// ToCell encodes the message.
func (m ChannelRotate) ToCell() (*cell.Cell, error) {
	w := newBody(OpChannelRotate, m.Query)
	w.bytes(m.SessionKey[:])
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode channel rotate: %w", err)
	}
	return c, nil
}

// ParseChannelRotate decodes what [ChannelRotate.ToCell] writes, and nothing else.
func ParseChannelRotate(c *cell.Cell) (ChannelRotate, error) {
	var m ChannelRotate
	r, query := openBody(c, OpChannelRotate)
	m.Query = query
	m.SessionKey = r.bits256()
	if err := r.end(); err != nil {
		return ChannelRotate{}, fmt.Errorf("channel rotate: %w", err)
	}
	return m, nil
}
