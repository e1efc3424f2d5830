package liteserver

import (
	"fmt"
	"testing"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
)

// Every method of lite_api.tl, and the three that left it but clients still
// have, is served or refused for the reason given here.
func TestEveryMethod(t *testing.T) {
	a, chain := testChain(t)
	head := chain.MasterHead()
	account := ton.AccountID{ID: numbered(1000).Data()}
	l, err := a.locate(&head, account)
	if err != nil {
		t.Fatal(err)
	}
	shard, zeroHash := &l.shard.block.id, make([]byte, 32)
	short := &ton.BlockInfoShort{Shard: masterShard, Seqno: 1}
	proof := &ton.True{}

	for _, c := range []struct {
		method string
		query  any
		want   any   // nil: refused
		why    error // it is refused
	}{
		{"getMasterchainInfo", ton.GetMasterchainInf{}, ton.MasterchainInfo{}, nil},
		{"getMasterchainInfoExt", ton.GetMasterchainInfoExt{Mode: 1}, ton.MasterchainInfoExt{}, nil},
		{"getMasterchainInfoExt", ton.GetMasterchainInfoExt{Mode: 2}, nil, ErrBadQuery},
		{"getTime", ton.GetTime{}, ton.CurrentTime{}, nil},
		{"getVersion", ton.GetVersion{}, ton.Version{}, nil},
		{"getBlock", ton.GetBlockData{ID: &head}, ton.BlockData{}, nil},
		{"getState", ton.GetState{ID: &head}, ton.BlockState{}, nil},
		{"getBlockHeader", ton.GetBlockHeader{ID: &head, Mode: 0xff}, ton.BlockHeader{}, nil},
		{"sendMessage", ton.SendMessage{Body: l.account.ToBOC()}, nil, ErrRefused}, // no message
		{"getAccountState", ton.GetAccountState{ID: &head, Account: account}, ton.AccountState{}, nil},
		{"getAccountStatePrunned", ton.GetAccountStatePruned{ID: &head, Account: account}, ton.AccountState{}, nil},
		{"runSmcMethod", ton.RunSmcMethod{Mode: 0x3f, ID: &head, Account: account}, ton.RunMethodResult{}, nil},
		{"runSmcMethod", ton.RunSmcMethod{Mode: 0x40, ID: &head, Account: account}, nil, ErrBadQuery},
		{"getShardInfo", ton.GetShardInfo{ID: &head, Shard: masterShard, Exact: true}, ton.ShardInfo{}, nil},
		{"getAllShardsInfo", ton.GetAllShardsInfo{ID: &head}, ton.AllShardsInfo{}, nil},
		{"getOneTransaction", ton.GetOneTransaction{ID: shard, AccID: &account, LT: int64(l.lastLT)}, ton.TransactionInfo{}, nil},
		{"getTransactions", ton.GetTransactions{Limit: 3, AccID: &account, LT: int64(l.lastLT), TxHash: l.last[:]}, ton.TransactionList{}, nil},
		{"lookupBlock", ton.LookupBlock{Mode: lookupSeqno, ID: short}, ton.BlockHeader{}, nil},
		{"lookupBlockWithProof", ton.LookupBlockWithProof{Mode: lookupSeqno, ID: short, MCBlockID: &head}, ton.LookupBlockResult{}, nil},
		{"listBlockTransactions", ton.ListBlockTransactions{ID: shard, Mode: 0x27, Count: 3, WantProof: proof}, ton.BlockTransactions{}, nil},
		{"listBlockTransactionsExt", ton.ListBlockTransactionsExt{ID: shard, Mode: 0x27, Count: 3, WantProof: proof}, ton.BlockTransactionsExt{}, nil},
		{"getBlockProof", ton.GetBlockProof{KnownBlock: &head}, ton.PartialBlockProof{}, nil},
		{"getConfigAll", ton.GetConfigAll{BlockID: &head, Mode: configPrevBlocks}, ton.ConfigAll{}, nil},
		{"getConfigParams", ton.GetConfigParams{BlockID: &head, Params: []int32{8}}, ton.ConfigAll{}, nil},
		// The states count no blocks by validator: there is one, and it makes all.
		{"getValidatorStats", ton.GetValidatorStats{ID: &head, Limit: 10}, nil, ErrNoStats},
		{"getValidatorStats", ton.GetValidatorStats{ID: &head}, nil, ErrBadQuery},
		{"getLibraries", ton.GetLibraries{LibraryList: [][]byte{zeroHash}}, ton.LibraryResult{}, nil},
		{"getLibrariesWithProof", ton.GetLibrariesWithProof{ID: &head, LibraryList: [][]byte{zeroHash}}, ton.LibraryResultWithProof{}, nil},
		{"getShardBlockProof", ton.GetShardBlockProof{ID: shard}, ton.ShardBlockProof{}, nil},
		{"getOutMsgQueueSizes", ton.GetOutMsgQueueSizes{}, ton.OutMsgQueueSizes{}, nil},
		{"getBlockOutMsgQueueSize", ton.GetBlockOutMsgQueueSize{Mode: 1, ID: shard, WantProof: proof}, ton.BlockOutMsgQueueSize{}, nil},
		{"getDispatchQueueInfo", ton.GetDispatchQueueInfo{Mode: 1, ID: shard, MaxAccounts: 3, WantProof: proof}, ton.DispatchQueueInfo{}, nil},
		{"getDispatchQueueInfo", ton.GetDispatchQueueInfo{ID: shard}, nil, ErrBadQuery},
		{"getDispatchQueueMessages", ton.GetDispatchQueueMessages{Mode: 1, ID: shard, Addr: zeroHash, MaxMessages: 3, WantProof: proof}, ton.DispatchQueueMessages{}, nil},
		{"getDispatchQueueMessages", ton.GetDispatchQueueMessages{ID: shard, Addr: zeroHash}, nil, ErrBadQuery},
		{"nonfinal.getPendingShardBlocks", ton.NonfinalGetPendingShardBlocks{}, ton.NonfinalPendingShardBlocks{}, nil},
		// TON's own server has these no more: they were about candidates that
		// validators still vote on.
		{"nonfinal.getValidatorGroups", ton.NonfinalGetValidatorGroups{}, nil, ErrUnknownQuery},
		{"nonfinal.getCandidate", ton.NonfinalGetCandidate{}, nil, ErrUnknownQuery},
		{"debug.verbosity", ton.DebugVerbosity{}, nil, ErrUnknownQuery},
	} {
		answer, err := a.answer(t.Context(), c.query)
		if c.want == nil {
			wantRefusal(t, c.method, err, c.why)
			continue
		}
		if err != nil || fmt.Sprintf("%T", answer) != fmt.Sprintf("%T", c.want) {
			t.Errorf("%s: %T, %v", c.method, answer, err)
			continue
		}
		// And as bytes it is what the schema says.
		data, err := tl.Serialize(answer, true)
		if err != nil {
			t.Errorf("%s: %v", c.method, err)
			continue
		}
		var parsed any
		if rest, err := tl.Parse(&parsed, data, true); err != nil || len(rest) > 0 || fmt.Sprintf("%T", parsed) != fmt.Sprintf("%T", c.want) {
			t.Errorf("%s: answer parses as %T, %d bytes left, %v", c.method, parsed, len(rest), err)
		}
	}
}
