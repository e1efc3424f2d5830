package contracts

import (
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// Message is an internal message for a wallet to send. Amount pays for everything: what the message
// hands over and the most gas it may need; the contract returns what it did not use.
type Message struct {
	To     *address.Address
	Amount tlb.Nano
	Body   *cell.Cell
	Init   *cell.Cell // StateInit to deploy with, or nil
	Bounce bool
}

// stateInit is what an address in the basechain is the hash of.
//
//	_ fixed_prefix_length:(Maybe (## 5)) special:(Maybe TickTock) code:(Maybe ^Cell) data:(Maybe ^Cell)
//	    library:(Maybe ^Cell) = StateInit;
func stateInit(code, data *cell.Cell) (*cell.Cell, *address.Address) {
	const codeAndData = 0b00110
	init := cell.BeginCell().MustStoreUInt(codeAndData, 5).MustStoreRef(code).MustStoreRef(data).EndCell()
	return init, address.NewAddress(0, 0, init.Hash())
}

// body is any message type of tlb.
type body interface{ ToCell() (*cell.Cell, error) }

func message(to *address.Address, amount tlb.Nano, b body) (Message, error) {
	c, err := b.ToCell()
	if err != nil {
		return Message{}, fmt.Errorf("message to %s: %w", to, err)
	}
	return Message{To: to, Amount: amount, Body: c, Bounce: true}, nil
}

// bare is message for a body without fields of its own, which always has an encoding.
func bare(to *address.Address, amount tlb.Nano, b body) Message {
	m, err := message(to, amount, b)
	if err != nil {
		panic("contracts: internal error: " + err.Error())
	}
	return m
}
