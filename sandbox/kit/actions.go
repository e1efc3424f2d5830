package kit

import (
	"fmt"
	"slices"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// maxActions is one more than the longest list the chain carries out.
const maxActions = 256

// actionList unrolls the list a contract left in c5, first action first. The
// list may be anything; what does not parse ends it.
func actionList(root *cell.Cell) []*cell.Slice {
	var out []*cell.Slice
	for root != nil && len(out) < maxActions {
		s, err := root.WithoutTrace().BeginParse()
		if err != nil || s.RefsNum() == 0 {
			break
		}
		if root, err = s.LoadRefCell(); err != nil {
			break
		}
		out = append(out, s)
	}
	slices.Reverse(out)
	return out
}

// action says what one action would do.
func (p people) action(s *cell.Slice) string {
	const (
		sendMessage   = 0x0ec3c86d
		setCode       = 0xad4de08e
		reserve       = 0x36e6b809
		changeLibrary = 0x26fa1dd4
	)
	s = s.Copy()
	tag, err := s.LoadUInt(32)
	if err != nil {
		return "no action"
	}
	switch tag {
	case sendMessage:
		mode, err := s.LoadUInt(8)
		if err != nil {
			return "no action"
		}
		message, err := s.LoadRefCell()
		if err != nil {
			return "send, without a message"
		}
		return fmt.Sprintf("send with mode %d: %s", mode, p.outgoing(message))
	case setCode:
		code, err := s.LoadRefCell()
		if err != nil {
			return "set code, without code"
		}
		return fmt.Sprintf("set code to %x", code.Hash())
	case reserve:
		mode, err := s.LoadUInt(8)
		if err != nil {
			return "no action"
		}
		amount, err := tlb.LoadNano(s)
		if err != nil {
			return fmt.Sprintf("reserve with mode %d: %v", mode, err)
		}
		return fmt.Sprintf("reserve with mode %d: %s", mode, amount)
	case changeLibrary:
		return "change a library"
	}
	return fmt.Sprintf("unknown action %#08x", tag)
}

// outgoing says where a message in an action list is bound. It is not yet
// complete, so it may lack a source.
func (p people) outgoing(message *cell.Cell) string {
	var m tontlb.MessageRelaxed
	if err := tontlb.Parse(&m, message); err != nil {
		return "what is no message: " + showCell(message)
	}
	if m.MsgType != tontlb.MsgTypeInternal {
		return "a message to the world outside"
	}
	var value tlb.Nano
	if m.Info.Amount != nil && m.Info.Amount.IsUint64() {
		value = tlb.Nano(m.Info.Amount.Uint64())
	}
	if _, ok := keyOf(m.Info.DstAddr); !ok {
		return fmt.Sprintf("%s to %v, no account's address", value, m.Info.DstAddr)
	}
	return fmt.Sprintf("%s to %s", value, p.name(m.Info.DstAddr))
}
