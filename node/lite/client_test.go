package lite_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

var equal = cmp.Options{
	cmp.Comparer(func(a, b *cell.Cell) bool {
		return (a == nil) == (b == nil) && (a == nil || a.HashKey() == b.HashKey())
	}),
	cmp.Comparer(func(a, b *address.Address) bool { return a.Equals(b) }),
}

// The client says of a chain what the chain says of itself.
func TestReads(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	c := w.open(t, lite.Options{})
	w.faucet(t, w.calculator, 1)
	w.faucet(t, w.master, 1)
	for range 20 {
		if err := w.chain.Send(t.Context(), external(t, w.calculator)); err != nil {
			t.Fatal(err)
		}
	}

	head, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, _ := w.chain.Head(t.Context())
	if diff := cmp.Diff(want, head); diff != "" {
		t.Errorf("head: %s", diff)
	}
	for _, a := range []*address.Address{w.calculator, w.master, w.nobody, sandbox.Giver(), testAddress(-1, 0x44)} {
		got, err := c.Account(t.Context(), head, a)
		if err != nil {
			t.Fatal(err)
		}
		want, err := w.chain.Account(t.Context(), want, a)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, equal); diff != "" {
			t.Errorf("account %s: %s", a.StringRaw(), diff)
		}
		gotTxs, err := c.Transactions(t.Context(), a, got.LastLT, got.LastHash, 16)
		if err != nil {
			t.Fatal(err)
		}
		wantTxs, err := w.chain.Transactions(t.Context(), a, got.LastLT, got.LastHash, 16)
		if err != nil {
			t.Fatal(err)
		}
		if len(gotTxs) != 0 || len(wantTxs) != 0 {
			if diff := cmp.Diff(wantTxs, gotTxs, equal); diff != "" {
				t.Errorf("transactions of %s: %s", a.StringRaw(), diff)
			}
		}
	}
	if got, err := c.Account(t.Context(), tlb.Block{}, w.nobody); err != nil || got.Status != tlb.AccountAbsent {
		t.Errorf("nobody at the newest block: %+v, %v", got, err)
	}

	for range 2 { // once from the server, once from memory
		config, err := c.Config(t.Context(), head)
		if err != nil {
			t.Fatal(err)
		}
		if config.HashKey() != w.chain.Config().HashKey() {
			t.Error("another configuration")
		}
	}
	sum, err := c.RunGet(t.Context(), head, w.calculator, "anything", 40, 2)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := sum.Uint64(0); err != nil || n != 42 {
		t.Errorf("40 + 2 = %d, %v", n, err)
	}
	if _, err := c.RunGet(t.Context(), tlb.Block{}, w.nobody, "anything"); !errors.Is(err, lite.ErrNotActive) {
		t.Errorf("method of nobody: %v", err)
	}
}

func TestSend(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	c := w.open(t, lite.Options{})
	before, err := c.Account(t.Context(), tlb.Block{}, w.calculator)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), external(t, w.calculator)); err != nil {
		t.Fatal(err)
	}
	after, err := c.Account(t.Context(), tlb.Block{}, w.calculator)
	if err != nil {
		t.Fatal(err)
	}
	if after.LastLT <= before.LastLT {
		t.Error("the message left no transaction")
	}
	if err := c.Send(t.Context(), external(t, w.nobody)); !errors.Is(err, lite.ErrRefused) {
		t.Errorf("message to nobody: %v", err)
	}
}
