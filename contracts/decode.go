package contracts

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// ErrNotMessage says that a body is no message of the two contracts.
var ErrNotMessage = errors.New("not a message of the channel or the registry")

// DecodeMessage reads the body of a message to or from one of the contracts, for display. It returns
// one of the message types of tlb by value: [tlb.ChannelClaim], [tlb.RegistryAnnounce] and so on.
func DecodeMessage(body *cell.Cell) (any, error) {
	op, err := opOf(body)
	if err != nil {
		return nil, err
	}
	decode, ok := decoders[op]
	if !ok {
		return nil, fmt.Errorf("op %08x: %w", op, ErrNotMessage)
	}
	return decode(body)
}

func opOf(body *cell.Cell) (uint32, error) {
	if body == nil || body.IsSpecial() {
		return 0, ErrNotMessage
	}
	s, err := body.BeginParse()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNotMessage, err)
	}
	op, err := s.LoadUInt(32)
	if err != nil {
		return 0, fmt.Errorf("no op: %w", ErrNotMessage)
	}
	return uint32(op), nil
}

var decoders = map[uint32]func(*cell.Cell) (any, error){
	tlb.OpChannelOpen:         as(tlb.ParseChannelOpen),
	tlb.OpChannelTopUp:        as(tlb.ParseChannelTopUp),
	tlb.OpChannelClaim:        as(tlb.ParseChannelClaim),
	tlb.OpChannelRotate:       as(tlb.ParseChannelRotate),
	tlb.OpChannelRequestClose: as(tlb.ParseChannelRequestClose),
	tlb.OpChannelFinish:       as(tlb.ParseChannelFinish),
	tlb.OpChannelCoopClose:    as(tlb.ParseChannelCoopClose),
	tlb.OpChannelCloseNotice:  as(tlb.ParseChannelCloseNotice),
	tlb.OpChannelPayout:       as(tlb.ParseChannelPayout),

	tlb.OpRegistryAnnounce:        as(tlb.ParseRegistryAnnounce),
	tlb.OpRegistryExecute:         as(tlb.ParseRegistryExecute),
	tlb.OpRegistryCancel:          as(tlb.ParseRegistryCancel),
	tlb.OpRegistryRevoke:          as(tlb.ParseRegistryRevoke),
	tlb.OpRegistryTransferOwner:   as(tlb.ParseRegistryTransferOwner),
	tlb.OpRegistryAcceptOwner:     as(tlb.ParseRegistryAcceptOwner),
	tlb.OpRegistryRegisterProxy:   as(tlb.ParseRegistryRegisterProxy),
	tlb.OpRegistryUnregisterProxy: as(tlb.ParseRegistryUnregisterProxy),
	tlb.OpRegistryWithdrawStake:   as(tlb.ParseRegistryWithdrawStake),

	tlb.OpExcesses: as(tlb.ParseExcesses),
}

// as forgets the type of what a parser returns, and keeps nil on error.
func as[T any](parse func(*cell.Cell) (T, error)) func(*cell.Cell) (any, error) {
	return func(c *cell.Cell) (any, error) {
		v, err := parse(c)
		if err != nil {
			return nil, err
		}
		return v, nil
	}
}
