package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ChannelRequestClose starts the close window. Only the payer may send it.
//
//	request_close#74756371 query_id:uint64 = ChannelMsg;
type ChannelRequestClose struct{ Query uint64 }

// ToCell encodes the message.
func (m ChannelRequestClose) ToCell() (*cell.Cell, error) {
	return bareBody(OpChannelRequestClose, m.Query)
}

// ParseChannelRequestClose decodes what [ChannelRequestClose.ToCell] writes, and nothing else.
func ParseChannelRequestClose(c *cell.Cell) (m ChannelRequestClose, err error) {
	m.Query, err = parseBare("channel request close", c, OpChannelRequestClose)
	return m, err
}

// ChannelFinish ends a channel whose close window is over: the remainder goes to the payer, and the
// account is deleted. Anyone may send it.
//
//	finish#74756366 query_id:uint64 = ChannelMsg;
type ChannelFinish struct{ Query uint64 }

// ToCell encodes the message.
func (m ChannelFinish) ToCell() (*cell.Cell, error) { return bareBody(OpChannelFinish, m.Query) }

// ParseChannelFinish decodes what [ChannelFinish.ToCell] writes, and nothing else.
func ParseChannelFinish(c *cell.Cell) (m ChannelFinish, err error) {
	m.Query, err = parseBare("channel finish", c, OpChannelFinish)
	return m, err
}

// ChannelCloseNotice tells the payout address that the close window runs. It carries some coins, so
// that a contract at that address has gas to react with.
//
//	close_notice#7475636e query_id:uint64 close_at:uint32 = ChannelOut;
type ChannelCloseNotice struct {
	Query   uint64
	CloseAt uint32
}

// ToCell encodes the message.
func (m ChannelCloseNotice) ToCell() (*cell.Cell, error) {
	w := newBody(OpChannelCloseNotice, m.Query)
	w.uint32(m.CloseAt)
	return w.end()
}

// ParseChannelCloseNotice decodes what [ChannelCloseNotice.ToCell] writes, and nothing else.
func ParseChannelCloseNotice(c *cell.Cell) (ChannelCloseNotice, error) {
	var m ChannelCloseNotice
	r, query := openBody(c, OpChannelCloseNotice)
	m.Query = query
	m.CloseAt = r.uint32()
	if err := r.end(); err != nil {
		return ChannelCloseNotice{}, fmt.Errorf("channel close notice: %w", err)
	}
	return m, nil
}

// ChannelPayout carries coins of the channel: a claim to the payout address, or what is left at the
// end to the payer. Settled is what the payee was paid in all.
//
//	payout#74756370 query_id:uint64 settled:Coins = ChannelOut;
type ChannelPayout struct {
	Query   uint64
	Settled Nano
}

// ToCell encodes the message.
func (m ChannelPayout) ToCell() (*cell.Cell, error) {
	return amountBody("channel payout", OpChannelPayout, m.Query, m.Settled)
}

// ParseChannelPayout decodes what [ChannelPayout.ToCell] writes, and nothing else.
func ParseChannelPayout(c *cell.Cell) (m ChannelPayout, err error) {
	m.Query, m.Settled, err = parseAmountBody("channel payout", c, OpChannelPayout)
	return m, err
}

// Excesses returns unused gas money to whoever sent a message (TEP-74).
//
//	excesses#d53276db query_id:uint64 = InternalMsgBody;
type Excesses struct{ Query uint64 }

// ToCell encodes the message.
func (m Excesses) ToCell() (*cell.Cell, error) { return bareBody(OpExcesses, m.Query) }

// ParseExcesses decodes what [Excesses.ToCell] writes, and nothing else.
func ParseExcesses(c *cell.Cell) (m Excesses, err error) {
	m.Query, err = parseBare("excesses", c, OpExcesses)
	return m, err
}
