package liteserver

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// The accounts of keyChain with deferred messages, each with its messages'
// logical times.
var deferredTimes = map[byte][]uint64{0x10: {5}, 0x20: {7, 9, 1 << 40}, 0xf0: {6, 8}}

// smallestTime is how a dispatch queue is summed up: the first logical time.
type smallestTime struct{}

func (smallestTime) SkipExtra(s *cell.Slice) error { return s.SkipBits(64) }
func (smallestTime) EmptyExtra() (*cell.Cell, error) {
	return cell.BeginCell().MustStoreUInt(0, 64).EndCell(), nil
}
func (smallestTime) LeafExtra(*cell.Slice) (*cell.Cell, error) {
	return cell.BeginCell().MustStoreUInt(0, 64).EndCell(), nil
}
func (smallestTime) CombineExtra(*cell.Slice, *cell.Slice) (*cell.Cell, error) {
	return cell.BeginCell().MustStoreUInt(0, 64).EndCell(), nil
}

// keyChainQueues is an OutMsgQueueInfo with an empty queue and a dispatch queue.
func keyChainQueues(t testing.TB) *cell.Cell {
	t.Helper()
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dispatch, err := cell.NewAugDict(256, smallestTime{})
	fail(err)
	for account, times := range deferredTimes {
		messages := cell.NewDict(64)
		for _, lt := range times {
			envelope, err := tontlb.MsgEnvelope{
				NextAddr: tontlb.IntermediateAddress{UseDestBits: 96}, FwdFeeRemaining: tontlb.FromNanoTONU(1),
				Msg: cell.BeginCell().MustStoreUInt(lt, 64).EndCell(),
			}.ToCell()
			fail(err)
			fail(messages.Set(cell.BeginCell().MustStoreUInt(lt, 64).EndCell(),
				cell.BeginCell().MustStoreUInt(lt, 64).MustStoreRef(envelope).EndCell()))
		}
		key := cell.BeginCell().MustStoreSlice(bytes.Repeat([]byte{account}, 32), 256).EndCell()
		fail(dispatch.Set(key, cell.BeginCell().MustStoreDict(messages).MustStoreUInt(uint64(len(times)), 48).EndCell()))
	}
	deferred, err := dispatch.ToCell()
	fail(err)
	queue, err := tontlb.NewOutMsgQueueAugDict()
	fail(err)
	out, err := queue.ToCell()
	fail(err)
	return out.ToBuilder().MustStoreDict(cell.NewDict(96)).MustStoreBoolBit(true).MustStoreUInt(0, 4).
		MustStoreBuilder(deferred.ToBuilder()).MustStoreBoolBit(true).MustStoreUInt(0, 48).EndCell()
}

// Every page is what was put in, and what the same search finds in its proof.
// (The library's client cannot verify pages that are not empty: it reads the
// sum before a value as the value.)
func TestDispatchQueue(t *testing.T) {
	chain := newKeyChain(t, 2, func(n uint32) bool { return n == 1 })
	id := &chain.ids[2]
	a := newAnswerer(chain, 1, 1)
	at := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	again := func(proof []byte) *answerer {
		t.Helper()
		roots, err := cell.FromBOCMultiRoot(proof)
		if err != nil {
			t.Fatal(err)
		}
		b := newAnswerer(chain, 1, 1)
		block, err := b.block(id)
		if err != nil {
			t.Fatal(err)
		}
		b.views.keep(&view{block: block, state: proven(t, id, roots)}) // of what is proven, and no more
		return b
	}

	var seen int
	q := ton.GetDispatchQueueInfo{Mode: dispatchProof, ID: id, MaxAccounts: 2}
	for complete := false; !complete; {
		answer, err := a.dispatchQueueInfo(q)
		if err != nil {
			t.Fatal(err)
		}
		info := answer.(ton.DispatchQueueInfo)
		answer, err = again(info.Proof).dispatchQueueInfo(ton.GetDispatchQueueInfo{
			Mode: q.Mode &^ dispatchProof, ID: id, AfterAddr: q.AfterAddr, MaxAccounts: q.MaxAccounts,
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(info.AccountDispatchQueues, answer.(ton.DispatchQueueInfo).AccountDispatchQueues); diff != "" {
			t.Errorf("the proof has something else: %s", diff)
		}
		for _, d := range info.AccountDispatchQueues {
			times := deferredTimes[d.Addr[0]]
			if d.Size != int64(len(times)) || d.MinLT != times[0] || d.MaxLT != times[len(times)-1] {
				t.Errorf("account %x: %+v", d.Addr[0], d)
			}
			seen++
			q.Mode, q.AfterAddr = dispatchProof|dispatchAfter, d.Addr
		}
		complete = info.Complete
	}
	if seen != len(deferredTimes) {
		t.Errorf("%d accounts", seen)
	}

	for _, c := range []struct {
		name     string
		mode     uint32
		account  byte
		lt       uint64
		max      int32
		want     []uint64
		complete bool
	}{
		{"all", 0, 0, 0, 100, []uint64{5, 7, 9, 1 << 40, 6, 8}, true},
		{"a page", 0, 0, 0, 2, []uint64{5, 7}, false},
		{"from the middle", 0, 0x20, 7, 100, []uint64{9, 1 << 40, 6, 8}, true},
		{"one account", dispatchOneAccount, 0x20, 0, 100, []uint64{7, 9, 1 << 40}, true},
		{"no such account", dispatchOneAccount, 0x30, 0, 100, nil, true},
		{"with content", dispatchBOC, 0xf0, 0, 100, []uint64{6, 8}, true},
	} {
		q := ton.GetDispatchQueueMessages{Mode: dispatchProof | c.mode, ID: id, Addr: at(c.account), AfterLT: c.lt, MaxMessages: c.max}
		answer, err := a.dispatchQueueMessages(q)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		list := answer.(ton.DispatchQueueMessages)
		var got []uint64
		for _, m := range list.Messages {
			got = append(got, m.LT)
		}
		if !slices.Equal(got, c.want) || list.Complete != c.complete {
			t.Errorf("%s: %v, complete %v", c.name, got, list.Complete)
		}
		q.Mode &^= dispatchProof
		if answer, err = again(list.Proof).dispatchQueueMessages(q); err != nil {
			t.Errorf("%s: the proof: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(list.Messages, answer.(ton.DispatchQueueMessages).Messages); diff != "" {
			t.Errorf("%s: the proof has something else: %s", c.name, diff)
		}
		if c.mode == dispatchBOC {
			roots, err := cell.FromBOCMultiRoot(list.MessagesBOC)
			if err != nil || len(roots) != len(c.want) || !bytes.Equal(roots[0].Hash(), list.Messages[0].Hash) {
				t.Errorf("%s: %d messages, %v", c.name, len(roots), err)
			}
		}
	}
	_, err := a.dispatchQueueInfo(ton.GetDispatchQueueInfo{Mode: dispatchAfter, ID: id, AfterAddr: []byte{1}, MaxAccounts: 1})
	if !errors.Is(err, ErrBadQuery) {
		t.Errorf("half an address: %v", err)
	}
}
