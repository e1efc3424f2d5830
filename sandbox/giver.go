package sandbox

import (
	"context"
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// giverBalance is what the giver starts with: a billion TON.
const giverBalance = 1_000_000_000 * tlb.TON

// giverCode sends what it is told by anyone, without a signature or a counter:
//
//	SETCP0 IFNOTRET ACCEPT LDREF 8 LDU DROP SENDRAWMSG
//
// An internal message just pays in. An external one carries the message to
// send and the mode to send it with. Being a real contract, it makes faucet
// payments ordinary transactions that any other executor reproduces.
var giverCode = cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0xdd, 0xf8, 0x00, 0xd4, 0xd3, 0x07, 0x30, 0xfb, 0x00}, 88).EndCell()

var giverID = func() accountID {
	init := cell.BeginCell().MustStoreUInt(0b0011, 4).MustStoreBoolBit(false).MustStoreRef(giverCode).MustStoreRef(cell.BeginCell().EndCell()).EndCell()
	return accountID{workchain: basechain, hash: init.HashKey()}
}()

// Giver is the address of the contract behind [Chain.Faucet].
func Giver() *address.Address { return giverID.address() }

// sendMode 1 pays forward fees from the sender's balance, so that the amount
// arrives whole.
const payFeesSeparately = 1

// Faucet gives an address coins out of the giver's stock. When it returns in
// instant mode they have arrived; in the other modes it waits for that.
func (c *Chain) Faucet(ctx context.Context, to *address.Address, amount tlb.Nano) error {
	give, err := tontlb.ToCell(&tontlb.InternalMessage{
		IHRDisabled: true, SrcAddr: address.NewAddressNone(), DstAddr: to, Amount: coins(uint64(amount)), Body: cell.BeginCell().EndCell(),
	})
	if err != nil {
		return fmt.Errorf("give to %s: %w", to, err)
	}
	body := cell.BeginCell().MustStoreRef(give).MustStoreUInt(payFeesSeparately, 8).MustStoreUInt(c.nonce.Add(1), 64).EndCell()
	msg, err := tontlb.ToCell(&tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: Giver(), Body: body})
	if err != nil {
		return fmt.Errorf("give to %s: %w", to, err)
	}
	trace, err := c.Execute(ctx, msg)
	if err != nil {
		return fmt.Errorf("give to %s: %w", to, err)
	}
	if failed := trace.Failed(); trace.Aborted || failed == trace {
		return fmt.Errorf("give %s to %s: %s", amount, to, trace.Action)
	}
	return nil
}
