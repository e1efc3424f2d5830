package liteserver

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
)

// FuzzQuery feeds the data of a liteServer.query to a server with a real chain.
// Whatever it is, the answer is an answer or an error that says what is wrong
// with the query: an internal error is a fault of ours, or a panic.
func FuzzQuery(f *testing.F) {
	a, chain := testChain(f)
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	s := New(chain, key, Options{})
	head := chain.MasterHead()
	v, err := a.view(&head)
	if err != nil {
		f.Fatal(err)
	}
	e, err := v.shard(0, 1)
	if err != nil {
		f.Fatal(err)
	}
	account := ton.AccountID{ID: numbered(1000).Data()}
	acc, err := a.locate(&head, account)
	if err != nil {
		f.Fatal(err)
	}
	stack := tontlb.NewStack()
	stack.Push(5)
	stack.Push([]any{1, nil})
	args, err := stack.ToCell()
	if err != nil {
		f.Fatal(err)
	}
	short := &ton.BlockInfoShort{Shard: masterShard, Seqno: 1}
	for _, q := range []tl.Serializable{
		ton.GetMasterchainInf{}, ton.GetMasterchainInfoExt{}, ton.GetTime{}, ton.GetVersion{},
		ton.GetBlockData{ID: &head}, ton.GetState{ID: &e.id}, ton.GetBlockHeader{ID: &e.id, Mode: 31},
		ton.LookupBlock{Mode: 1, ID: short}, ton.LookupBlock{Mode: 4, ID: short, UTime: 1},
		ton.LookupBlockWithProof{Mode: 2, ID: short, MCBlockID: &head, LT: 1_000_000},
		ton.GetAllShardsInfo{ID: &head}, ton.GetShardInfo{ID: &head, Shard: masterShard, Exact: true},
		ton.GetShardBlockProof{ID: &e.id}, ton.GetBlockProof{KnownBlock: &head}, ton.GetBlockProof{Mode: 1, KnownBlock: &head, TargetBlock: &head},
		ton.GetAccountState{ID: &head, Account: account}, ton.GetAccountStatePruned{ID: &e.id, Account: account},
		ton.RunSmcMethod{Mode: 31, ID: &head, Account: ton.AccountID{ID: numbered(1).Data()}, MethodID: 85143, Params: args.ToBOC()},
		ton.GetOneTransaction{ID: &e.id, AccID: &account, LT: int64(acc.lastLT)},
		ton.GetTransactions{Limit: 5, AccID: &account, LT: int64(acc.lastLT), TxHash: acc.last[:]},
		ton.ListBlockTransactions{ID: &e.id, Mode: 0xa7, Count: 3, After: &ton.TransactionID3{Account: account.ID}, WantProof: &ton.True{}},
		ton.ListBlockTransactionsExt{ID: &e.id, Mode: 0x67, Count: 3, WantProof: &ton.True{}, ReverseOrder: &ton.True{}},
		ton.GetConfigAll{BlockID: &head}, ton.GetConfigParams{Mode: configOfKeyBlock, BlockID: &head, Params: []int32{8, 77}},
		ton.GetLibraries{LibraryList: [][]byte{make([]byte, 32)}},
		ton.GetLibrariesWithProof{ID: &head, LibraryList: [][]byte{make([]byte, 32)}},
		ton.SendMessage{Body: args.ToBOC()}, ton.GetValidatorStats{ID: &head, Limit: 1},
		ton.GetOutMsgQueueSizes{Mode: 1, Shard: masterShard}, ton.GetBlockOutMsgQueueSize{Mode: 1, ID: &e.id, WantProof: &ton.True{}},
		ton.GetDispatchQueueInfo{Mode: 3, ID: &e.id, AfterAddr: account.ID, MaxAccounts: 2, WantProof: &ton.True{}},
		ton.GetDispatchQueueMessages{Mode: 7, ID: &e.id, Addr: account.ID, MaxMessages: 2, WantProof: &ton.True{}, OneAccount: &ton.True{}, MessagesBOC: &ton.True{}},
		ton.NonfinalGetPendingShardBlocks{Mode: 1, Shard: masterShard},
	} {
		f.Add(mustSerialize(f, q))
	}
	f.Add(append(mustSerialize(f, ton.WaitMasterchainSeqno{Seqno: 1}), mustSerialize(f, ton.GetTime{})...))
	f.Add(mustSerialize(f, ton.WaitMasterchainSeqno{Seqno: 1 << 30, Timeout: 1}))

	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		req, fault := s.parse(data)
		payload := s.compute(ctx, queryID{}, req, fault)
		if fault == nil {
			payload = s.resolve(ctx, queryID{}, req, func(do func()) error { do(); return nil })
		}
		_, payload, err := splitTag(payload)
		if err != nil {
			t.Fatal(err)
		}
		payload, _, err = tl.FromBytes(payload[len(queryID{}):])
		if err != nil {
			t.Fatal(err)
		}
		var answer any
		if _, err := tl.Parse(&answer, payload, true); err != nil {
			t.Errorf("answer to %x: %v", data, err)
		}
		if e, ok := answer.(ton.LSError); ok && e.Code == codeInternal {
			t.Errorf("internal error for %x", data)
		}
	})
}

// FuzzFrames feeds a connection's bytes, as they are after decryption, to the
// reader of frames and to what takes messages apart.
func FuzzFrames(f *testing.F) {
	s := New(newStub(), ed25519.NewKeyFromSeed(make([]byte, 32)), Options{})
	frame := func(payload []byte) []byte {
		return (&channel{out: plain{}}).seal(nil, payload)
	}
	f.Add(frame(nil))
	f.Add(frame(rawQuery(mustSerialize(f, ton.GetTime{}))))
	f.Add(append(frame([]byte{1, 2, 3}), 0xff, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &connection{s: s, ch: &channel{in: plain{}}}
		for r := bytes.NewReader(data); ; {
			frame, err := c.ch.readFrame(r)
			if err != nil {
				return
			}
			c.open(t.Context(), frame)
		}
	})
}

// plain is a cipher that changes nothing.
type plain struct{}

func (plain) XORKeyStream(dst, src []byte) { copy(dst, src) }
