package liteserver

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
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
		ton.SendMessage{Body: args.ToBOC()}, ton.GetValidatorStats{ID: &head},
	} {
		f.Add(mustSerialize(f, q))
	}
	f.Add(append(mustSerialize(f, ton.WaitMasterchainSeqno{Seqno: 1}), mustSerialize(f, ton.GetTime{})...))
	f.Add(mustSerialize(f, ton.WaitMasterchainSeqno{Seqno: 1 << 30, Timeout: 1}))

	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		answer := s.resolve(ctx, data, make(chan struct{}, 1))
		if e, ok := answer.(ton.LSError); ok && e.Code == codeInternal {
			t.Errorf("internal error for %x", data)
		}
		if _, err := encodeAnswer(queryID{}, answer); err != nil {
			t.Errorf("answer to %x: %v", data, err)
		}
	})
}

// FuzzFrames feeds a connection's bytes, as they are after decryption, to the
// reader of frames and to what takes messages apart.
func FuzzFrames(f *testing.F) {
	frame := func(payload []byte) []byte {
		var out bytes.Buffer
		ch := &channel{rw: &out, out: plain{}}
		if err := ch.write(payload); err != nil {
			f.Fatal(err)
		}
		return out.Bytes()
	}
	f.Add(frame(nil))
	f.Add(frame(rawQuery(mustSerialize(f, ton.GetTime{}))))
	f.Add(append(frame([]byte{1, 2, 3}), 0xff, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, data []byte) {
		ch := &channel{rw: struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(data), io.Discard}, in: plain{}}
		for {
			payload, err := ch.read()
			if err != nil {
				return
			}
			if _, rest, err := splitTag(payload); err == nil {
				if _, query, err := parseEnvelope(rest); err == nil {
					parseRequest(query)
				}
			}
		}
	})
}

// plain is a cipher that changes nothing.
type plain struct{}

func (plain) XORKeyStream(dst, src []byte) { copy(dst, src) }
