package liteserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
)

// answerer computes the answers. It holds nothing but the source and what was
// derived from its blocks, so one serves all connections.
type answerer struct {
	src          Source
	version      int32
	capabilities int64
	zero         zeroState
	views        views
	// What the virtual machine was last given, see wholeTree.
	vmConfig, vmLibraries wholeTree
}

func newAnswerer(src Source, version int32, capabilities int64) *answerer {
	return &answerer{src: src, version: version, capabilities: capabilities}
}

// answer computes one method. The result is a liteServer.* value.
func (a *answerer) answer(ctx context.Context, method any) (tl.Serializable, error) {
	switch q := method.(type) {
	case ton.GetMasterchainInf:
		return a.masterchainInfo()
	case ton.GetMasterchainInfoExt:
		return a.masterchainInfoExt(q)
	case ton.GetTime:
		return ton.CurrentTime{Now: a.now()}, nil
	case ton.GetVersion:
		return ton.Version{Version: a.version, Capabilities: a.capabilities, Now: a.now()}, nil
	case ton.GetBlockData:
		return a.blockData(q)
	case ton.GetState:
		return a.blockState(q)
	case ton.GetBlockHeader:
		return a.blockHeader(q)
	case ton.LookupBlock:
		return a.lookupBlock(q)
	case ton.LookupBlockWithProof:
		return a.lookupBlockWithProof(q)
	case ton.GetAllShardsInfo:
		return a.allShards(q)
	case ton.GetShardInfo:
		return a.shardInfo(q)
	case ton.GetShardBlockProof:
		return a.shardBlockProof(q)
	case ton.GetBlockProof:
		return a.blockProof(q)
	case ton.GetAccountState:
		return a.accountState(q.ID, q.Account, false)
	case ton.GetAccountStatePruned:
		return a.accountState(q.ID, q.Account, true)
	case ton.RunSmcMethod:
		return a.runMethod(q)
	case ton.GetOneTransaction:
		return a.oneTransaction(q)
	case ton.GetTransactions:
		return a.transactions(q)
	case ton.ListBlockTransactions:
		return a.blockTransactions(listQuery{q.ID, q.Mode, q.Count, q.After})
	case ton.ListBlockTransactionsExt:
		return a.blockTransactionsExt(listQuery{q.ID, q.Mode, q.Count, q.After})
	case ton.GetConfigAll:
		return a.config(q.BlockID, q.Mode, nil)
	case ton.GetConfigParams:
		return a.config(q.BlockID, q.Mode, &q.Params)
	case ton.GetLibraries:
		return a.libraries(q)
	case ton.GetLibrariesWithProof:
		return a.librariesWithProof(q)
	case ton.GetOutMsgQueueSizes:
		return a.queueSizes(q)
	case ton.GetBlockOutMsgQueueSize:
		return a.blockQueueSize(q)
	case ton.GetDispatchQueueInfo:
		return a.dispatchQueueInfo(q)
	case ton.GetDispatchQueueMessages:
		return a.dispatchQueueMessages(q)
	case ton.GetValidatorStats:
		return a.validatorStats(q)
	case ton.NonfinalGetPendingShardBlocks:
		// Blocks are final at once, so none is ever pending.
		return ton.NonfinalPendingShardBlocks{}, nil
	case ton.SendMessage:
		return a.send(ctx, q)
	}
	return nil, fmt.Errorf("%w: %T", ErrUnknownQuery, method)
}

// wait blocks until the masterchain has reached seqno.
func (a *answerer) wait(ctx context.Context, seqno uint32, timeout time.Duration) error {
	head := a.src.MasterHead()
	if head.SeqNo >= seqno {
		return nil
	}
	if timeout <= 0 || timeout > maxWait {
		timeout = maxWait
	}
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := a.src.Wait(waiting, seqno)
	if err != nil && ctx.Err() == nil && errors.Is(waiting.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w waiting for masterchain block %d", ErrTimeout, seqno)
	}
	return err
}

// notice is the answer to a wait prefix with no query behind it.
func notice() ton.LSError {
	return ton.LSError{Code: 0, Text: "no query after the wait prefix"}
}

func (a *answerer) now() uint32 {
	return uint32(a.src.Now().Unix())
}
