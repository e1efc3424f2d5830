package liteserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// What a client is told, by sentinel. Texts and codes are part of the protocol:
// clients branch on both.
func TestFailureCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int32
		text string // "": that of the error
	}{
		{ErrNotFound, 651, "block is not applied"},
		{sandbox.ErrStateGone, 651, ""},
		{ErrTimeout, 652, ""},
		{ErrBadQuery, 621, ""},
		{ErrUnknownQuery, 621, ""},
		{ErrNoTransaction, -400, ""},
		{ErrNoStats, -400, ""},
		{ErrTooLarge, -400, ""},
		{ErrNoSignatures, -400, ""},
		{ErrResult, -400, ""},
		{ErrRefused, 0, ""},
		{context.Canceled, 653, "server is closing"},
		{sandbox.ErrClosed, 653, "server is closing"},
		{errors.New("disk on fire"), 602, "internal error"},
	} {
		wrapped := fmt.Errorf("context: %w", c.err)
		if c.text == "" {
			c.text = wrapped.Error()
		}
		got, known := failure(wrapped)
		if want := (ton.LSError{Code: c.code, Text: c.text}); got != want || known != (c.code != codeInternal) {
			t.Errorf("%v: told %v, known %v", c.err, got, known)
		}
	}
}

func TestAnswerTooLarge(t *testing.T) {
	id := newStub().MasterHead()
	if _, err := encodeAnswer(queryID{}, ton.BlockData{ID: &id, Payload: make([]byte, maxAnswer)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("answer that fills a frame: %v", err)
	}
}

func TestMethodResults(t *testing.T) {
	code := func(hex ...byte) *cell.Cell { // SETCP0 DROP ...
		c := append([]byte{0xff, 0x00, 0x30}, hex...)
		return cell.BeginCell().MustStoreSlice(c, uint(8*len(c))).EndCell()
	}
	nest := append(bytes.Repeat([]byte{0x20}, 14), 0x6f, 0x0f) // 14 DUP, 15 TUPLE
	tuples := append([]byte{0x70}, bytes.Repeat(nest, 4)...)
	codes := []*cell.Cell{
		code(tuples[:1+len(nest)]...), // a tuple of 15
		code(tuples...),               // 15 times 15 times 15 times 15 of them
		code(0x90),                    // PUSHCONT: a continuation
	}
	o := sandbox.Options{}
	addr := func(n int) *address.Address { return address.NewAddress(0, 0, bytes.Repeat([]byte{byte(n + 1)}, 32)) }
	for n, c := range codes {
		o.Genesis = append(o.Genesis, sandbox.GenesisAccount{Address: addr(n), Balance: tlb.TON, Code: c})
	}
	chain := OpenChain(t, o)
	if _, err := chain.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := newAnswerer(chain, 1, 1)
	head := chain.MasterHead()
	for n, want := range []error{nil, ErrResult, ErrResult} {
		q := ton.RunSmcMethod{Mode: methodResult, ID: &head, Account: ton.AccountID{ID: addr(n).Data()}}
		if _, err := a.runMethod(q); !errors.Is(err, want) {
			t.Errorf("contract %d: %v, want %v", n, err, want)
		}
		q.Mode = methodProof // nobody wants the result
		if _, err := a.runMethod(q); err != nil {
			t.Errorf("contract %d: %v", n, err)
		}
	}
}

// The cache of views forgets the oldest and never mixes up blocks.
func TestViewsAreBounded(t *testing.T) {
	chain := newKeyChain(t, 2*maxViews, func(n uint32) bool { return n == 1 })
	a := newAnswerer(chain, 1, 1)
	for range 2 {
		for seqno := 1; seqno <= 2*maxViews; seqno++ {
			v, err := a.view(&chain.ids[seqno])
			if err != nil {
				t.Fatal(err)
			}
			if v.block.id.SeqNo != uint32(seqno) || v.state != chain.states[seqno] {
				t.Fatalf("view of block %d is of block %d", seqno, v.block.id.SeqNo)
			}
		}
	}
	if len(a.views.byHash) != maxViews || len(a.views.order) != maxViews {
		t.Errorf("%d views are kept", len(a.views.byHash))
	}
}

// lyingSource has a block or state other than the one asked for.
type lyingSource struct {
	*keyChain
	block, state *cell.Cell
}

func (s lyingSource) Block(id BlockID) (*cell.Cell, error) {
	if s.block != nil {
		return s.block, nil
	}
	return s.keyChain.Block(id)
}

func (s lyingSource) State(id BlockID) (*cell.Cell, error) {
	if s.state != nil {
		return s.state, nil
	}
	return s.keyChain.State(id)
}

// A fault of the source becomes an error, not an answer no client can verify.
func TestSourceIsChecked(t *testing.T) {
	chain := newKeyChain(t, 3, func(n uint32) bool { return n == 1 })
	id := &chain.ids[2]
	other := lyingSource{keyChain: chain, block: chain.blocks[3]}
	if _, err := newAnswerer(other, 1, 1).blockData(ton.GetBlockData{ID: id}); !errors.Is(err, ErrNotFound) {
		t.Errorf("another block: %v", err)
	}
	other = lyingSource{keyChain: chain, state: chain.states[3]}
	if _, err := newAnswerer(other, 1, 1).config(id, 0, nil); err == nil {
		t.Error("another state was proven from")
	}
	other = lyingSource{keyChain: chain, block: cell.BeginCell().EndCell()}
	if _, err := newAnswerer(other, 1, 1).masterchainInfo(); err == nil {
		t.Error("a block that is none was served")
	}
}

func TestGlobalConfigAddress(t *testing.T) {
	s := New(newStub(), make([]byte, 64), Options{})
	if err := s.Listen("[::1]:0"); err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	defer s.Close()
	if _, err := s.GlobalConfig(); !errors.Is(err, ErrAddress) {
		t.Errorf("IPv6: %v", err)
	}
}

func wantRefusal(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: refused with %v, want %v", what, got, want)
	}
}
