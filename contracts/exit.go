package contracts

import (
	"fmt"

	"github.com/tussah-network/tussah/tlb/get"
)

// Exit is how a transaction of one of the two contracts ended. It is a [get.Exit] that knows the
// refusals of the contracts by name.
type Exit int

// Refusals of both contracts.
const (
	ExitUnknownOp   Exit = 0xffff
	ExitValueTooLow Exit = 100
)

// Refusals of the channel.
const (
	ExitNotOpen         Exit = 101
	ExitAlreadyOpen     Exit = 102
	ExitNotPayer        Exit = 103
	ExitWrongWorkchain  Exit = 104
	ExitWrongNetwork    Exit = 105
	ExitCloseDelay      Exit = 106
	ExitWeakKey         Exit = 107
	ExitAmountTooSmall  Exit = 108
	ExitClosing         Exit = 109
	ExitNotClosing      Exit = 110
	ExitTooEarly        Exit = 111
	ExitWrongTag        Exit = 112
	ExitWrongChannel    Exit = 113
	ExitDeadEpoch       Exit = 114
	ExitNotAboveSettled Exit = 115
	ExitAboveDeposit    Exit = 116
	ExitBadSignature    Exit = 117
	ExitRotating        Exit = 118
)

// Refusals of the registry.
const (
	ExitNotOwner         Exit = 201
	ExitNotNextOwner     Exit = 202
	ExitTimelocked       Exit = 203
	ExitNotFound         Exit = 204
	ExitBadChange        Exit = 205
	ExitBadParams        Exit = 206
	ExitBadText          Exit = 207
	ExitStakeTooSmall    Exit = 208
	ExitUnbonding        Exit = 209
	ExitNotUnbonding     Exit = 210
	ExitForeignWorkchain Exit = 211
)

var exitNames = map[Exit]string{
	ExitUnknownOp: "unknown operation", ExitValueTooLow: "value too low for the message",

	ExitNotOpen: "channel is not open", ExitAlreadyOpen: "channel is open already", ExitNotPayer: "sender is not the payer",
	ExitWrongWorkchain: "address outside the basechain", ExitWrongNetwork: "signed for another network",
	ExitCloseDelay: "close delay out of bounds", ExitWeakKey: "weak key", ExitAmountTooSmall: "amount too small",
	ExitClosing: "channel is closing", ExitNotClosing: "nobody asked to close", ExitTooEarly: "close window is not over",
	ExitWrongTag: "signed for another purpose", ExitWrongChannel: "signed for another channel", ExitDeadEpoch: "epoch is dead",
	ExitNotAboveSettled: "not above what is settled", ExitAboveDeposit: "above the deposit",
	ExitBadSignature: "signature does not verify", ExitRotating: "the epoch before is still alive",

	ExitNotOwner: "sender is not the owner", ExitNotNextOwner: "sender is not the next owner", ExitTimelocked: "timelock is not over",
	ExitNotFound: "no such entry", ExitBadChange: "malformed change", ExitBadParams: "parameters out of bounds",
	ExitBadText: "malformed text", ExitStakeTooSmall: "stake too small", ExitUnbonding: "proxy is unbonding",
	ExitNotUnbonding: "proxy is not unbonding", ExitForeignWorkchain: "sender outside the basechain",
}

func (e Exit) String() string {
	if name, ok := exitNames[e]; ok {
		return fmt.Sprintf("exit %d (%s)", int(e), name)
	}
	return get.Exit(e).String()
}
