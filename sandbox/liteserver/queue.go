package liteserver

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ErrNoStats is a question about what the sandbox's states do not record.
var ErrNoStats = errors.New("cannot extract block create stats from mc state")

// externalsLimit is from what size of a queue on TON's collators take no more
// external messages. The sandbox's has no such rule, but the answer has the field.
const externalsLimit = 8000

// queueExtra opens the queues of a state and what it records about them:
//
//	_ out_queue:OutMsgQueue proc_info:ProcessedInfo extra:(Maybe OutMsgQueueExtra) = OutMsgQueueInfo;
//	out_msg_queue_extra#0 dispatch_queue:DispatchQueue out_queue_size:(Maybe uint48) = OutMsgQueueExtra;
func queueExtra(state *cell.Cell) (*tontlb.OutMsgQueueExtra, error) {
	c, err := child(state, stateQueue)
	if err != nil {
		return nil, err
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	var info tontlb.OutMsgQueueInfo
	if err = tontlb.LoadFromCell(&info, s); err != nil {
		return nil, fmt.Errorf("message queue: %w", err)
	}
	if info.Extra == nil {
		return nil, errors.New("message queue without a size")
	}
	return info.Extra, nil
}

// queueSize opens the number of messages that wait in a state's queue.
func queueSize(state *cell.Cell) (uint64, error) {
	extra, err := queueExtra(state)
	if err != nil {
		return 0, err
	}
	if extra.OutQueueSize == nil {
		return 0, errors.New("message queue without a size")
	}
	return *extra.OutQueueSize, nil
}

// queueSizes lists the queues of all shards, or of those that share accounts
// with the one asked for, as of the newest masterchain block.
func (a *answerer) queueSizes(q ton.GetOutMsgQueueSizes) (tl.Serializable, error) {
	head := a.src.MasterHead()
	b, err := a.block(&head)
	if err != nil {
		return nil, err
	}
	x, err := blockMasterExtra(b.root)
	if err != nil {
		return nil, err
	}
	shards, err := ton.LoadShardsFromHashes(x.shards, false)
	if err != nil {
		return nil, err
	}
	answer := ton.OutMsgQueueSizes{ExtMsgQueueSizeLimit: externalsLimit}
	for _, id := range append([]*BlockID{&b.id}, shards...) {
		if q.Mode&1 != 0 && (q.WC != id.Workchain || !contains(q.Shard, uint64(id.Shard)) && !contains(id.Shard, uint64(q.Shard))) {
			continue
		}
		v, err := a.stateAt(id)
		if err != nil {
			return nil, err
		}
		size, err := queueSize(v)
		if err != nil {
			return nil, err
		}
		answer.Shards = append(answer.Shards, ton.OutMsgQueueSize{ID: id, Size: int32(size)})
	}
	return answer, nil
}

// stateAt is the state after a block the masterchain names, or the zero state
// of a shard that has no block yet.
func (a *answerer) stateAt(id *BlockID) (*cell.Cell, error) {
	if id.SeqNo == 0 {
		return a.zeroState(id)
	}
	v, err := a.view(id)
	if err != nil {
		return nil, err
	}
	return v.state, nil
}

func (a *answerer) blockQueueSize(q ton.GetBlockOutMsgQueueSize) (tl.Serializable, error) {
	v, err := a.view(q.ID)
	if err != nil {
		return nil, err
	}
	answer := ton.BlockOutMsgQueueSize{Mode: q.Mode, ID: &v.block.id}
	answer.Proof, err = v.proveIf(q.Mode&1 != 0, func(state *cell.Cell) error {
		size, err := queueSize(state)
		answer.Size = int64(size)
		return err
	})
	return answer, err
}

// proveIf runs visit on the state, and returns the serialized proof of what it
// opened if one is wanted.
func (v *view) proveIf(wanted bool, visit func(state *cell.Cell) error) ([]byte, error) {
	if !wanted {
		return nil, visit(v.state)
	}
	proof, err := v.stateProof(visit)
	if err != nil {
		return nil, err
	}
	return encode(proof...)
}

// validatorStats says truthfully that there are none: the sandbox's one
// validator makes every block, and its states do not count them.
func (a *answerer) validatorStats(q ton.GetValidatorStats) (tl.Serializable, error) {
	if q.Limit <= 0 {
		return nil, badQuery("requested entry count limit must be positive")
	}
	if _, err := a.masterView(q.ID); err != nil {
		return nil, err
	}
	return nil, ErrNoStats
}
