package channel

import (
	"errors"
	"fmt"

	"github.com/tussah-network/tussah/tlb"
)

// Refusals of both ends.
var (
	ErrUnconfirmed     = errors.New("the channel was not seen on chain since the start; wait for the chain to sync")
	ErrClosing         = errors.New("the channel is closing; open a new one")
	ErrClosed          = errors.New("the channel is closed; open a new one")
	ErrIllegal         = errors.New("the channel does not take this event now")
	ErrStaleView       = errors.New("the view of the channel is older than one already seen")
	ErrStateChannel    = errors.New("the chain state is of another channel")
	ErrSessionKey      = errors.New("the channel names another session key than the one in use")
	ErrWeakKey         = errors.New("the key is of small order or not canonical; anyone could sign for it")
	ErrRequestExists   = errors.New("a request with this id is already running")
	ErrUnknownRequest  = errors.New("no request with this id is running")
	ErrTooManyRequests = errors.New("too many requests are running on this channel")
	ErrJournal         = errors.New("the channel's journal cannot be written; the channel stopped")
	ErrStopped         = errors.New("the channel was stopped")
)

// Refusals of the payer.
var (
	ErrDepositExhausted     = errors.New("the deposit does not cover the request; top the channel up")
	ErrOverLimit            = errors.New("the request would cost more than its limit")
	ErrReceiptSignature     = errors.New("the receipt is not signed by the payee")
	ErrReceiptChannel       = errors.New("the receipt is for another channel")
	ErrReceiptNetwork       = errors.New("the receipt is for another network")
	ErrReceiptRequest       = errors.New("the receipt is for another request")
	ErrReceiptCost          = errors.New("the receipt's cost is above its price for the tokens it names")
	ErrReceiptSpent         = errors.New("the receipt's spent does not fit what was authorised and finished before")
	ErrSpentAboveAuthorised = errors.New("the payee states more spent than was ever authorised")
)

// Refusals of the payee.
var (
	ErrVoucherLow       = errors.New("the voucher authorises no more than one already held")
	ErrVoucherChannel   = errors.New("the voucher is for another channel")
	ErrVoucherNetwork   = errors.New("the voucher is for another network")
	ErrVoucherSignature = errors.New("the voucher is not signed by the channel's session key")
	ErrVoucherEpoch     = errors.New("the voucher is of another key epoch than the channel's")
	ErrOverDeposit      = errors.New("the voucher authorises more than the channel's deposit")
	ErrChargeLow        = errors.New("a request's charge cannot be lowered")
	ErrCostAboveCharge  = errors.New("a request's final cost is above what was reserved and charged for it")
	ErrPayeeKey         = errors.New("not the channel's payee key")
	ErrRequestsRunning  = errors.New("requests are still running; the channel takes no new ones, ask again when they ended")
)

// ErrUnderauthorised says that the payer must sign more before the payee can
// deliver: Spent + running + Need would pass Authorised.
type ErrUnderauthorised struct {
	Spent      tlb.Nano // of finished requests
	Running    tlb.Nano // reserved by other running requests
	Need       tlb.Nano // of this request
	Authorised tlb.Nano
}

func (e ErrUnderauthorised) Error() string {
	return fmt.Sprintf("not enough authorised: %v spent, %v running and %v needed, but %v authorised", e.Spent, e.Running, e.Need, e.Authorised)
}

// ErrNotAsked is an answer to no question, or to one of thousands of receipts ago.
var ErrNotAsked = errors.New("the payee was not asked where the channel stands")

// ErrSpentBehind says that the payee states less spent than we have receipts
// for: it lost its records (an old backup?), or it speaks of another channel.
type ErrSpentBehind struct{ Recorded, Stated tlb.Nano }

func (e ErrSpentBehind) Error() string {
	return fmt.Sprintf("the payee states %v spent, but its receipts say %v: %v of its record is missing",
		e.Stated, e.Recorded, e.Recorded-e.Stated)
}
