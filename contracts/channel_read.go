package contracts

import (
	"bytes"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// ParseChannel reads the state of a channel from an account whose state was proven.
//
// The code alone makes no channel: anyone can deploy the right code with storage that boasts of a
// deposit. So it also checks that the address is the one that the config in the storage leads to, which
// only a channel that began empty can have. It returns [ErrNotChannel] otherwise.
func ParseChannel(acc tlb.Account) (tlb.ChannelState, error) {
	if acc.Status != tlb.AccountActive || acc.Code == nil || acc.Data == nil {
		return tlb.ChannelState{}, fmt.Errorf("account %s is %s: %w", acc.Address, acc.Status, ErrNotChannel)
	}
	if acc.Code.HashKey() != ChannelCode().HashKey() {
		return tlb.ChannelState{}, fmt.Errorf("account %s has other code: %w", acc.Address, ErrNotChannel)
	}
	state, err := tlb.ParseChannelState(acc.Data)
	if err != nil {
		return tlb.ChannelState{}, fmt.Errorf("account %s: %w: %w", acc.Address, ErrNotChannel, err)
	}
	addr, err := ChannelAddress(state.Config)
	if err != nil {
		return tlb.ChannelState{}, fmt.Errorf("account %s: %w", acc.Address, err)
	}
	if acc.Address == nil || acc.Address.Workchain() != 0 || !bytes.Equal(addr.Data(), acc.Address.Data()) {
		return tlb.ChannelState{}, fmt.Errorf("account %s was not opened as a channel: %w", acc.Address, ErrNotChannel)
	}
	return state, nil
}

// ChannelView is what the contract says of itself: its get method get_state.
type ChannelView struct {
	Opened           bool
	Deposit, Settled tlb.Nano
	CloseAt, Epoch   uint32
	SessionKey       [32]byte
	OldSessionKey    [32]byte
	OldDiesAt        uint32 // zero: never rotated
}

// ViewChannel runs get_state locally. [ParseChannel] is the faster way to more; this one is for those
// who trust the code more than our reading of its storage, and for tests that compare the two.
func ViewChannel(acc tlb.Account, now time.Time) (ChannelView, error) {
	if _, err := ParseChannel(acc); err != nil {
		return ChannelView{}, err
	}
	r, err := run(acc, now, "get_state")
	if err != nil {
		return ChannelView{}, err
	}
	var v ChannelView
	s := stackReader{r.Stack, nil}
	v.Opened = s.bool(0)
	v.Deposit = tlb.Nano(s.uint(1))
	v.Settled = tlb.Nano(s.uint(2))
	v.CloseAt = uint32(s.uint(3))
	v.Epoch = uint32(s.uint(4))
	v.SessionKey = s.bits256(5)
	v.OldSessionKey = s.bits256(6)
	v.OldDiesAt = uint32(s.uint(7))
	return v, s.err
}

// run runs a get method of an account in the local TVM.
func run(acc tlb.Account, now time.Time, method string, args ...any) (get.Result, error) {
	r, err := get.Run(get.State{
		Address: acc.Address, Code: acc.Code, Data: acc.Data, Balance: acc.Balance, Now: now, LT: acc.LastLT,
	}, method, args...)
	if err != nil {
		return get.Result{}, err
	}
	if !r.Exit.OK() {
		return get.Result{}, fmt.Errorf("get method %s of %s: %s", method, acc.Address, Exit(r.Exit))
	}
	return r, nil
}

// stackReader takes values off a result; the first fault sticks.
type stackReader struct {
	get.Stack
	err error
}

func (s *stackReader) uint(i int) uint64 {
	v, err := s.Uint64(i)
	if err != nil && s.err == nil {
		s.err = err
	}
	return v
}

func (s *stackReader) bool(i int) bool {
	v, err := s.Int(i)
	if err != nil {
		if s.err == nil {
			s.err = err
		}
		return false
	}
	return v.Sign() != 0
}

func (s *stackReader) bits256(i int) (b [32]byte) {
	v, err := s.Int(i)
	if err == nil && (v.Sign() < 0 || v.BitLen() > 256) {
		err = fmt.Errorf("%s is no uint256", v)
	}
	if err != nil {
		if s.err == nil {
			s.err = err
		}
		return b
	}
	v.FillBytes(b[:])
	return b
}
