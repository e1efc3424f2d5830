package liteserver

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/big"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// numbered is an address of a test account, spread over the whole key space.
func numbered(n uint32) *address.Address {
	hash := bytes.Repeat([]byte{0x5a}, 32)
	binary.LittleEndian.PutUint32(hash, n*0x9e3779b1)
	return address.NewAddress(0, 0, hash)
}

const crowd = 500 // accounts of the chain in these tests

// testChain is a chain with many accounts and a few blocks.
func testChain(t testing.TB) (*answerer, *sandbox.Chain) {
	t.Helper()
	o := sandbox.Options{}
	big := cell.BeginCell()
	for i := range 4 {
		big.MustStoreRef(cell.BeginCell().MustStoreUInt(uint64(i), 900-836).MustStoreSlice(make([]byte, 100), 800).EndCell())
	}
	for n := range uint32(crowd) {
		o.Genesis = append(o.Genesis, sandbox.GenesisAccount{
			Address: numbered(n), Balance: tlb.TON, Data: big.EndCell(),
			Code: cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0x30, 0x71}, 32).EndCell(), // SETCP0 DROP ONE
		})
	}
	chain := OpenChain(t, o)
	for n := range uint32(3) {
		for range 3 {
			if err := chain.Faucet(context.Background(), numbered(1000+n), tlb.TON); err != nil {
				t.Fatal(err)
			}
		}
	}
	return newAnswerer(chain, 1, 1), chain
}

func boc(t testing.TB, data []byte) *cell.Cell {
	t.Helper()
	c, err := cell.FromBOC(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// unwrap verifies a proof of hash and returns its body.
func unwrap(t testing.TB, proof *cell.Cell, hash []byte) *cell.Cell {
	t.Helper()
	// Through bytes, as a client gets it.
	body, err := cell.UnwrapProof(boc(t, proof.ToBOC()), hash)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// proven verifies a pair of proofs and returns the state's body.
func proven(t testing.TB, id *BlockID, proof []*cell.Cell) *cell.Cell {
	t.Helper()
	if len(proof) != 2 {
		t.Fatalf("%d roots of proof", len(proof))
	}
	state, err := stateHash(unwrap(t, proof[0], id.RootHash))
	if err != nil {
		t.Fatal(err)
	}
	return unwrap(t, proof[1], state[:])
}

func size(cells ...*cell.Cell) (n int) {
	for _, c := range cells {
		n += len(c.ToBOC())
	}
	return n
}

func TestAccountProofs(t *testing.T) {
	a, chain := testChain(t)
	head := chain.MasterHead()
	var whole int
	check := func(addr *address.Address, pruned bool) ton.AccountState {
		t.Helper()
		answer, err := a.accountState(&head, ton.AccountID{Workchain: addr.Workchain(), ID: addr.Data()}, pruned)
		if err != nil {
			t.Fatal(err)
		}
		s := answer.(ton.AccountState)
		if !s.ID.Equals(&head) {
			t.Errorf("reference block %v", s.ID)
		}
		at := s.ID
		if addr.Workchain() != masterchain {
			x, err := stateMasterExtra(proven(t, &head, s.ShardProof))
			if err != nil {
				t.Fatal(err)
			}
			id, _, err := findShard(x.shards, addr.Workchain(), accountPrefix(addr.Data()))
			if err != nil {
				t.Fatal(err)
			}
			if !id.Equals(s.Shard) {
				t.Fatalf("shard block %v, proven is %v", s.Shard, id)
			}
			at = s.Shard
		}
		// An absent account's path must end in the proof: a lookup that runs
		// into a pruned cell is another error and proves nothing.
		found, err := findAccount(proven(t, at, s.Proof), addr.Data())
		if err != nil {
			t.Fatalf("look up %s in the proof: %v", addr, err)
		}
		if (found == nil) != (s.State == nil) {
			t.Fatalf("account in proof: %v, in answer: %v", found, s.State)
		}
		if found != nil {
			hash := found.Account.Hash(0)
			if pruned {
				s.State = unwrap(t, s.State, hash)
			}
			if !bytes.Equal(s.State.Hash(0), hash) {
				t.Errorf("state hashes to %x, proven is %x", s.State.Hash(0), hash)
			}
		}
		if got := size(s.Proof...) + size(s.ShardProof...); got > whole/10 {
			t.Errorf("proof of %s has %d bytes, the state has %d", addr, got, whole)
		}
		return s
	}
	v, err := a.view(&head)
	if err != nil {
		t.Fatal(err)
	}
	e, err := v.shard(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	base, err := a.view(&e.id)
	if err != nil {
		t.Fatal(err)
	}
	whole = size(base.state)

	for n := range uint32(20) {
		if check(numbered(n), false).State == nil {
			t.Errorf("account %d is absent", n)
		}
		if check(numbered(crowd+n), false).State != nil {
			t.Errorf("account %d exists", crowd+n)
		}
	}
	check(address.NewAddress(0, 0xff, make([]byte, 32)), false)
	full, part := check(numbered(1), false), check(numbered(1), true)
	if size(part.State) >= size(full.State) {
		t.Error("pruned state is no smaller than the whole one")
	}
	if !bytes.Equal(part.State.Hash(0), full.State.Hash()) {
		t.Error("pruned state is of another account")
	}

	if _, err := a.accountState(&e.id, ton.AccountID{Workchain: 0, ID: numbered(1).Data()}, false); err != nil {
		t.Errorf("account as of a shard block: %v", err)
	}
	if _, err := a.accountState(&e.id, ton.AccountID{Workchain: masterchain, ID: numbered(1).Data()}, false); !errors.Is(err, ErrBadQuery) {
		t.Errorf("masterchain account as of a shard block: %v", err)
	}
	answer, err := a.accountState(&head, ton.AccountID{Workchain: 3, ID: numbered(1).Data()}, false)
	if err != nil {
		t.Fatal(err)
	}
	nowhere := answer.(ton.AccountState)
	if none := noBlock(); !nowhere.Shard.Equals(&none) || nowhere.State != nil {
		t.Errorf("account of no workchain: %+v", nowhere)
	}
	x, err := stateMasterExtra(proven(t, &head, nowhere.ShardProof))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := findShard(x.shards, 3, 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("the proof does not show that there is no workchain: %v", err)
	}
	forged := *head.Copy()
	forged.FileHash[0] ^= 1
	if _, err := a.accountState(&forged, ton.AccountID{ID: numbered(1).Data()}, false); !errors.Is(err, ErrNotFound) {
		t.Errorf("reference block with another file hash: %v", err)
	}
	latest := *head.Copy()
	latest.SeqNo = ^uint32(0)
	if answer, err := a.accountState(&latest, ton.AccountID{ID: numbered(1).Data()}, false); err != nil || !answer.(ton.AccountState).ID.Equals(&head) {
		t.Errorf("latest block: %v", err)
	}
}

// The proof that comes with a get method's result has what the method read and
// nothing else: this one never looks at its data.
func TestMethodProof(t *testing.T) {
	a, chain := testChain(t)
	head := chain.MasterHead()
	answer, err := a.runMethod(ton.RunSmcMethod{Mode: 31, ID: &head, Account: ton.AccountID{ID: numbered(1).Data()}, MethodID: 77})
	if err != nil {
		t.Fatal(err)
	}
	r := answer.(ton.RunMethodResult)
	var stack tontlb.Stack
	if err := tontlb.Parse(&stack, r.Result); err != nil {
		t.Fatal(err)
	}
	if v, err := stack.Pop(); err != nil || r.ExitCode != 0 || v.(*big.Int).Int64() != 1 {
		t.Errorf("exit %d, result %v, %v", r.ExitCode, v, err)
	}
	found, err := findAccount(proven(t, r.ShardBlock, r.Proof), numbered(1).Data())
	if err != nil {
		t.Fatal(err)
	}
	body := unwrap(t, r.StateProof, found.Account.Hash(0))
	state, err := parseAccount(body)
	if err != nil {
		t.Fatal(err)
	}
	if state.Code.IsSpecial() {
		t.Error("code is pruned")
	}
	if !state.Data.IsSpecial() {
		for i := range int(state.Data.RefsNum()) {
			if !state.Data.MustPeekRef(i).IsSpecial() {
				t.Error("data that was not read is in the proof")
			}
		}
	}
}

func TestTransactionProofs(t *testing.T) {
	a, chain := testChain(t)
	head := chain.MasterHead()
	account := ton.AccountID{ID: numbered(1000).Data()}
	acc, err := a.locate(&head, account)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := a.transactions(ton.GetTransactions{Limit: 1 << 30, AccID: &account, LT: int64(acc.lastLT), TxHash: acc.last[:]})
	if err != nil {
		t.Fatal(err)
	}
	list := answer.(ton.TransactionList)
	if len(list.IDs) != 3 {
		t.Fatalf("%d transactions", len(list.IDs))
	}
	txs, err := cell.FromBOCMultiRoot(list.Transactions)
	if err != nil {
		t.Fatal(err)
	}
	for i, tx := range txs {
		var parsed tontlb.Transaction
		if err := tontlb.Parse(&parsed, tx); err != nil {
			t.Fatal(err)
		}
		for name, lt := range map[string]uint64{"present": parsed.LT, "absent": parsed.LT + 1} {
			answer, err := a.oneTransaction(ton.GetOneTransaction{ID: list.IDs[i], AccID: &account, LT: int64(lt)})
			if err != nil {
				t.Fatal(err)
			}
			one := answer.(ton.TransactionInfo)
			found, err := findTransaction(unwrap(t, boc(t, one.Proof), one.ID.RootHash), account.ID, lt)
			if err != nil {
				t.Fatalf("%s: look up in the proof: %v", name, err)
			}
			if (found == nil) != (name == "absent") || (len(one.Transaction) == 0) != (name == "absent") {
				t.Errorf("%s transaction: %v in the proof, %d bytes", name, found, len(one.Transaction))
			}
			if found != nil && (!bytes.Equal(found.Hash(0), tx.Hash()) || !found.IsSpecial()) {
				t.Errorf("transaction in the proof: %s", found)
			}
		}
	}
	for name, q := range map[string]ton.GetTransactions{
		"wrong hash": {Limit: 1, AccID: &account, LT: int64(acc.lastLT), TxHash: make([]byte, 32)},
		"wrong time": {Limit: 1, AccID: &account, LT: int64(acc.lastLT) + 1, TxHash: acc.last[:]},
		"future":     {Limit: 1, AccID: &account, LT: 1 << 62, TxHash: acc.last[:]},
	} {
		_, err := a.transactions(q)
		if e, known := failure(err); !errors.Is(err, ErrNoTransaction) || !known || e.Code != codeFailure {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any way to page through a block gives the same transactions, and each page
// is proven.
func TestBlockTransactionPages(t *testing.T) {
	a, chain := testChain(t)
	head := chain.MasterHead()
	total := 0
	for seqno := uint32(1); seqno <= head.SeqNo; seqno++ {
		id, err := chain.Lookup(0, masterShard, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
		if errors.Is(err, sandbox.ErrNotFound) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, mode := range []uint32{listWantProof, listReverse, listReverse | listWantProof} {
			for count := uint32(1); count < 4; count++ {
				var got []string
				var after *ton.TransactionID3
				for more := true; more; {
					q := listQuery{&id, mode | listFields, count, after}
					if after != nil {
						q.mode |= listAfter
					}
					answer, err := a.blockTransactions(q)
					if err != nil {
						t.Fatal(err)
					}
					page := answer.(ton.BlockTransactions)
					more = page.Incomplete
					if more && len(page.TransactionIds) != int(count) {
						t.Fatalf("page of %d is incomplete with %d", count, len(page.TransactionIds))
					}
					answer, err = a.blockTransactionsExt(q)
					if err != nil {
						t.Fatal(err)
					}
					full := answer.(ton.BlockTransactionsExt)
					for i, tx := range page.TransactionIds {
						got = append(got, string(tx.Hash))
						after = &ton.TransactionID3{Account: tx.Account, LT: tx.LT}
						if !bytes.Equal(full.Transactions[i].Hash(), tx.Hash) {
							t.Error("the extended list differs")
						}
						if mode&listWantProof != 0 {
							found, err := findTransaction(unwrap(t, page.Proof, id.RootHash), tx.Account, tx.LT)
							if err != nil || found == nil || !bytes.Equal(found.Hash(0), tx.Hash) {
								t.Errorf("transaction in the proof: %v, %v", found, err)
							}
						}
					}
				}
				if mode&listReverse != 0 {
					for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
						got[i], got[j] = got[j], got[i]
					}
				}
				if want == nil {
					want = got
					total += len(got)
				}
				if len(got) != len(want) {
					t.Fatalf("mode %x, pages of %d: %d transactions, want %d", mode, count, len(got), len(want))
				}
				for i := range got {
					if got[i] != want[i] {
						t.Errorf("mode %x, pages of %d: transaction %d differs", mode, count, i)
					}
				}
			}
		}
	}
	if total < 18 { // nine at the giver and one for each payment
		t.Errorf("%d transactions in all", total)
	}
}

func TestConfigProofs(t *testing.T) {
	a, chain := testChain(t)
	head := chain.MasterHead()
	params := []int32{8, 34, 12345}
	for _, mode := range []int32{0, configOfKeyBlock} {
		answer, err := a.config(&head, mode, &params)
		if err != nil {
			t.Fatal(err)
		}
		c := answer.(ton.ConfigAll)
		var config *cell.Dictionary
		if mode == 0 {
			config, err = stateConfig(proven(t, c.ID, []*cell.Cell{boc(t, c.StateProof), boc(t, c.ConfigProof)}))
		} else {
			config, err = blockConfig(unwrap(t, boc(t, c.ConfigProof), c.ID.RootHash))
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range params {
			value, err := config.LoadValueByIntKey(big.NewInt(int64(p)))
			if p == 12345 {
				if !errors.Is(err, cell.ErrNoSuchKeyInDict) {
					t.Errorf("absent parameter: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			want, err := chain.Config().AsDict(32).LoadValueByIntKey(big.NewInt(int64(p)))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(value.MustToCell().Hash(), want.MustToCell().Hash()) {
				t.Errorf("parameter %d differs", p)
			}
		}
	}
}

// follow checks the links from a block to another as a lite client does: each
// proof is of the block that the link before it named, and names the next one.
func follow(t testing.TB, from *BlockID, links []ton.ShardBlockLink, to *BlockID) {
	t.Helper()
	cur := *from
	for i, link := range links {
		body := unwrap(t, boc(t, link.Proof), cur.RootHash)
		if isMaster(&cur) {
			x, err := blockMasterExtra(body)
			if err != nil {
				t.Fatal(err)
			}
			id, _, err := findShard(x.shards, link.ID.Workchain, uint64(link.ID.Shard))
			if err != nil || !id.Equals(link.ID) {
				t.Fatalf("link %d names %v, the proof %v, %v", i, link.ID, id, err)
			}
		} else {
			h, err := parseHeader(body)
			if err != nil {
				t.Fatal(err)
			}
			parents, err := ton.GetParentBlocks(h)
			if err != nil || !parents[0].Equals(link.ID) {
				t.Fatalf("link %d names %v, the proof %v, %v", i, link.ID, parents, err)
			}
		}
		cur = *link.ID
	}
	if !cur.Equals(to) {
		t.Errorf("links lead to %v, not %v", cur, to)
	}
}

func TestShardBlockProofs(t *testing.T) {
	a, chain := testChain(t)
	head := chain.MasterHead()
	for seqno := uint32(1); ; seqno++ {
		id, err := chain.Lookup(0, masterShard, sandbox.Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
		if errors.Is(err, sandbox.ErrNotFound) {
			break
		}
		answer, err := a.shardBlockProof(ton.GetShardBlockProof{ID: &id})
		if err != nil {
			t.Fatal(err)
		}
		p := answer.(ton.ShardBlockProof)
		follow(t, p.MasterchainID, p.Links, &id)

		b, err := a.block(&id)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []ton.LookupBlockWithProof{
			{Mode: lookupSeqno, ID: &ton.BlockInfoShort{Shard: masterShard, Seqno: int32(seqno)}},
			{Mode: lookupLT, ID: &ton.BlockInfoShort{Shard: masterShard}, LT: b.header.EndLt},
		} {
			q.MCBlockID = &head
			answer, err = a.lookupBlockWithProof(q)
			if err != nil {
				t.Fatal(err)
			}
			r := answer.(ton.LookupBlockResult)
			if !r.ID.Equals(&id) {
				t.Errorf("looked up %v, want %v", r.ID, id)
			}
			if !r.MCBlockID.Equals(&head) {
				roots := []*cell.Cell{boc(t, r.ClientMCStateProof), boc(t, r.MCBlockProof)}
				ref, err := ancestor(proven(t, &head, roots), r.MCBlockID.SeqNo)
				if err != nil || !bytes.Equal(ref.BlkRef.RootHash, r.MCBlockID.RootHash) {
					t.Errorf("masterchain block in the proof: %v, %v", ref, err)
				}
			}
			if len(r.ShardLinks) != 1 {
				t.Errorf("%d links to the newest block of a shard", len(r.ShardLinks))
			}
			follow(t, r.MCBlockID, r.ShardLinks, &id)
			if q.Mode == lookupLT && seqno > 1 {
				parents, _ := ton.GetParentBlocks(b.header)
				h, err := parseHeader(unwrap(t, boc(t, r.PrevHeader), parents[0].RootHash))
				if err != nil || h.EndLt >= b.header.EndLt {
					t.Errorf("header before: %v, %v", h, err)
				}
			}
		}
	}
	answer, err := a.shardBlockProof(ton.GetShardBlockProof{ID: &head})
	if err != nil {
		t.Fatal(err)
	}
	if p := answer.(ton.ShardBlockProof); !p.MasterchainID.Equals(&head) || len(p.Links) > 0 {
		t.Errorf("masterchain block: %+v", p)
	}
	first, err := chain.Lookup(masterchain, masterShard, sandbox.Lookup{Seqno: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.lookupBlockWithProof(ton.LookupBlockWithProof{
		Mode: lookupSeqno, MCBlockID: &first, ID: &ton.BlockInfoShort{Workchain: masterchain, Shard: masterShard, Seqno: 2},
	})
	if !errors.Is(err, ErrBadQuery) {
		t.Errorf("block newer than the reference: %v", err)
	}
}

// A shard tree of any shape leads each account to the one shard that has it.
func TestFindShard(t *testing.T) {
	leaf := func(n uint32) *cell.Cell {
		return cell.BeginCell().MustStoreBoolBit(false).MustStoreUInt(0xb, 4).MustStoreUInt(uint64(n), 32).
			MustStoreSlice(make([]byte, 20), 160).MustStoreSlice(make([]byte, 64), 512).EndCell()
	}
	fork := func(l, r *cell.Cell) *cell.Cell {
		return cell.BeginCell().MustStoreBoolBit(true).MustStoreRef(l).MustStoreRef(r).EndCell()
	}
	shards := cell.NewDict(32)
	tree := fork(leaf(1), fork(fork(leaf(2), leaf(3)), leaf(4)))
	if err := shards.SetIntKey(big.NewInt(0), cell.BeginCell().MustStoreRef(tree).EndCell()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		prefix uint64
		shard  uint64
		seqno  uint32
	}{
		{0x0000000000000001, 0x4000000000000000, 1},
		{0x7fffffffffffffff, 0x4000000000000000, 1},
		{0x8000000000000001, 0x9000000000000000, 2},
		{0xafffffffffffffff, 0xb000000000000000, 3},
		{0xc000000000000000, 0xe000000000000000, 4},
		{0xb000000000000000, 0xb000000000000000, 3}, // the shard's own ID
	} {
		id, descr, err := findShard(shards, 0, c.prefix)
		if err != nil || uint64(id.Shard) != c.shard || id.SeqNo != c.seqno || descr == nil {
			t.Errorf("%x: shard %x, block %d, %v", c.prefix, uint64(id.Shard), id.SeqNo, err)
		}
		if !contains(id.Shard, c.prefix) {
			t.Errorf("shard %x does not contain %x", uint64(id.Shard), c.prefix)
		}
	}
	if contains(0x4000000000000000, 0x8000000000000001) || !contains(masterShard, 0x8000000000000001) {
		t.Error("contains is wrong")
	}
	if _, _, err := findShard(shards, 1, 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("workchain that is not there: %v", err)
	}
}
