package sandbox

import (
	"bytes"
	"cmp"
	"container/heap"
	"fmt"
	"math/big"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// message is an internal message on its way.
type message struct {
	prepared *tvm.PreparedMessage
	hash     [32]byte
	from, to accountID
	created  uint64
	value    *big.Int // without extra currencies
	fee      *big.Int // forward fee still to be collected, by whoever imports it
	// tx is the transaction that sent it, while its block is being built.
	tx *cell.Cell
	// cause is the message whose transaction sent it.
	cause [32]byte
	// wait is who wants to know what becomes of it; nil after a restart.
	wait *origin
}

// origin ties a message to the call that set it off.
type origin struct {
	flight *flight
	parent *Trace // the transaction that sent it, nil for the first
}

func (m *message) cell() *cell.Cell { return m.prepared.Cell() }

func (m *message) mark() messageMark { return messageMark{lt: m.created, hash: m.hash} }

// newMessage takes an internal message apart.
func newMessage(prepared *tvm.PreparedMessage) (*message, error) {
	parsed := prepared.Message()
	if parsed.MsgType != tontlb.MsgTypeInternal {
		return nil, fmt.Errorf("%s message: %w", parsed.MsgType, ErrMessage)
	}
	in := parsed.AsInternal()
	from, err := idOf(in.SrcAddr)
	if err != nil {
		return nil, err
	}
	to, err := idOf(in.DstAddr)
	if err != nil {
		return nil, err
	}
	return &message{
		prepared: prepared, hash: prepared.Cell().HashKey(), from: from, to: to, created: in.CreatedLT,
		value: in.Amount.Nano(), fee: in.FwdFee.Nano(),
	}, nil
}

// messageMark is a place in the order in which messages are delivered: by
// logical time, then by hash.
type messageMark struct {
	lt   uint64
	hash [32]byte
}

func (m messageMark) compare(o messageMark) int {
	return cmp.Or(cmp.Compare(m.lt, o.lt), bytes.Compare(m.hash[:], o.hash[:]))
}

// messageHeap yields messages in delivery order.
type messageHeap []*message

func (h messageHeap) Len() int           { return len(h) }
func (h messageHeap) Less(i, j int) bool { return h[i].mark().compare(h[j].mark()) < 0 }
func (h messageHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *messageHeap) Push(m any)        { *h = append(*h, m.(*message)) }
func (h *messageHeap) Pop() any {
	last := len(*h) - 1
	m := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return m
}

func (h *messageHeap) add(m *message) { heap.Push(h, m) }
func (h *messageHeap) next() *message { return heap.Pop(h).(*message) }
