package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ChannelOpen opens a channel. It comes from the payer together with the StateInit, and with a value
// that covers deposit, storage reserve and gas.
//
//	open#7475636f query_id:uint64 deposit:Coins = ChannelMsg;
type ChannelOpen struct {
	Query   uint64
	Deposit Nano
}

// ToCell encodes the message.
func (m ChannelOpen) ToCell() (*cell.Cell, error) {
	return amountBody("channel open", OpChannelOpen, m.Query, m.Deposit)
}

// ParseChannelOpen decodes what [ChannelOpen.ToCell] writes, and nothing else.
func ParseChannelOpen(c *cell.Cell) (m ChannelOpen, err error) {
	m.Query, m.Deposit, err = parseAmountBody("channel open", c, OpChannelOpen)
	return m, err
}

// ChannelTopUp adds to the deposit. Anyone may send it, with a value that covers amount and gas.
//
//	top_up#74756374 query_id:uint64 amount:Coins = ChannelMsg;
type ChannelTopUp struct {
	Query  uint64
	Amount Nano
}

// ToCell encodes the message.
func (m ChannelTopUp) ToCell() (*cell.Cell, error) {
	return amountBody("channel top-up", OpChannelTopUp, m.Query, m.Amount)
}

// ParseChannelTopUp decodes what [ChannelTopUp.ToCell] writes, and nothing else.
func ParseChannelTopUp(c *cell.Cell) (m ChannelTopUp, err error) {
	m.Query, m.Amount, err = parseAmountBody("channel top-up", c, OpChannelTopUp)
	return m, err
}

// amountBody is a message that says nothing but an amount.
func amountBody(name string, op uint32, query uint64, amount Nano) (*cell.Cell, error) {
	w := newBody(op, query)
	w.nano(amount)
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return c, nil
}

func parseAmountBody(name string, c *cell.Cell, op uint32) (query uint64, amount Nano, err error) {
	r, query := openBody(c, op)
	amount = r.nano()
	if err := r.end(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", name, err)
	}
	return query, amount, nil
}
