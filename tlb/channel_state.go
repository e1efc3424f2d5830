package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ChannelState is the storage of a channel contract.
//
// Epoch is part of every voucher and says which session key signs. It is not a counter from zero: a
// channel starts with the unix time it was opened at, and each rotation adds one. Take it from the
// chain; never assume it. Since a close delay holds one rotation at most, an address that is opened a
// second time starts above every epoch it had, and its old vouchers are dead. (The payer could open it
// again within the same two seconds; nobody but itself would be harmed.)
//
//	channel_state#_ settled:uint64 deposit:uint64 close_at:uint32 epoch:uint32
//	    session_key:uint256 rotation:(Maybe ^ChannelRotation)
//	    payer:MsgAddressInt payout:MsgAddressInt terms:^ChannelTerms = ChannelState;
type ChannelState struct {
	Config     ChannelConfig
	Opened     bool             // Epoch is not zero; kept as a word of its own for readers
	Settled    Nano             // paid out so far
	Deposit    Nano             // put in so far; what is left is Deposit − Settled
	CloseAt    uint32           // unix time from which anyone may finish; zero while nobody asked to close
	Epoch      uint32           // epoch of SessionKey
	SessionKey [32]byte         // the key that signs vouchers of Epoch
	Rotation   *ChannelRotation // the key before it, nil if it was never rotated
}

// ChannelRotation is the session key of the epoch before the current one. Its
// vouchers are claimable until DiesAt.
//
//	channel_rotation#_ session_key:uint256 dies_at:uint32 = ChannelRotation;
type ChannelRotation struct {
	SessionKey [32]byte
	DiesAt     uint32
}

// Left is what the channel still owes to its two ends together.
func (s ChannelState) Left() Nano { return s.Deposit - s.Settled }

// Closing tells whether the payer asked to close.
func (s ChannelState) Closing() bool { return s.CloseAt != 0 }

// KeyOf returns the session key that signs vouchers of an epoch, if the contract
// accepts that epoch at the unix time now.
func (s ChannelState) KeyOf(epoch, now uint32) ([32]byte, bool) {
	switch {
	case !s.Opened:
		return [32]byte{}, false
	case epoch == s.Epoch:
		return s.SessionKey, true
	case s.Rotation != nil && epoch == s.Epoch-1 && now < s.Rotation.DiesAt:
		return s.Rotation.SessionKey, true
	}
	return [32]byte{}, false
}

// ToCell encodes the storage. It returns [ErrField] for a state no channel can be in.
func (s ChannelState) ToCell() (*cell.Cell, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("encode channel state: %w", err)
	}
	rotation, err := s.Rotation.toCell()
	if err != nil {
		return nil, fmt.Errorf("encode channel rotation: %w", err)
	}
	w := newWriter()
	w.amount(s.Settled)
	w.amount(s.Deposit)
	w.uint32(s.CloseAt)
	w.uint32(s.Epoch)
	w.bytes(s.SessionKey[:])
	w.maybeRef(rotation)
	w.account(s.Config.Payer)
	w.account(s.Config.Payout)
	w.ref(s.Config.terms())
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode channel state: %w", err)
	}
	return c, nil
}

// ParseChannelState decodes what [ChannelState.ToCell] writes, and nothing else. It checks what holds
// in every reachable state, yet it cannot know that the cell came from a channel:
// contracts.ParseChannel does, from the account's address and code.
func ParseChannelState(c *cell.Cell) (ChannelState, error) {
	var s ChannelState
	r := newReader(c)
	s.Settled = r.amount()
	s.Deposit = r.amount()
	s.CloseAt = r.uint32()
	s.Epoch = r.uint32()
	s.Opened = s.Epoch != 0
	s.SessionKey = r.bits256()
	rotation := r.maybeRef()
	s.Config.Payer = r.account()
	s.Config.Payout = r.account()
	terms := r.ref()
	if err := r.end(); err != nil {
		return ChannelState{}, fmt.Errorf("channel state: %w", err)
	}
	if err := s.Config.parseTerms(terms); err != nil {
		return ChannelState{}, fmt.Errorf("channel terms: %w", err)
	}
	if rotation != nil {
		r := newReader(rotation)
		s.Rotation = &ChannelRotation{SessionKey: r.bits256(), DiesAt: r.uint32()}
		if err := r.end(); err != nil {
			return ChannelState{}, fmt.Errorf("channel rotation: %w", err)
		}
	}
	if err := s.check(); err != nil {
		return ChannelState{}, fmt.Errorf("channel state: %w", err)
	}
	return s, nil
}

func (r *ChannelRotation) toCell() (*cell.Cell, error) {
	if r == nil {
		return nil, nil
	}
	w := newWriter()
	w.bytes(r.SessionKey[:])
	w.uint32(r.DiesAt)
	return w.end()
}

func (s ChannelState) check() error {
	switch {
	case s.Settled > s.Deposit:
		return fmt.Errorf("settled %s of a deposit of %s: %w", s.Settled, s.Deposit, ErrField)
	case s.Opened != (s.Epoch != 0):
		return fmt.Errorf("opened %t in epoch %d: %w", s.Opened, s.Epoch, ErrField)
	case !s.Opened && (s.Deposit != 0 || s.CloseAt != 0 || s.Rotation != nil || s.SessionKey != s.Config.SessionKey):
		return fmt.Errorf("used before it was opened: %w", ErrField)
	}
	return nil
}
