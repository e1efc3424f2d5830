package lite_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/liteserver"
	"github.com/tussah-network/tussah/tlb"
)

// world is a sandbox network with a liteserver.
type world struct {
	chain  *sandbox.Chain
	server *liteserver.Server

	calculator *address.Address // adds its arguments, whatever method is called; takes any external message
	master     *address.Address // holds coins in the masterchain
	nobody     *address.Address // does not exist
}

func testAddress(workchain int, fill byte) *address.Address {
	return address.NewAddress(0, byte(workchain), bytes.Repeat([]byte{fill}, 32))
}

func newWorld(t testing.TB, o sandbox.Options) *world {
	t.Helper()
	w := &world{calculator: testAddress(0, 0x11), master: testAddress(-1, 0x22), nobody: testAddress(0, 0x33)}
	o.Genesis = append(o.Genesis, sandbox.GenesisAccount{Address: w.calculator, Balance: 7 * tlb.TON, Code: calculatorCode(), Data: someData(200)})
	chain, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chain.Close() })
	w.chain = chain
	w.server = serve(t, chain)
	if _, err := chain.Seal(t.Context()); err != nil { // before the first block there is nothing to prove from
		t.Fatal(err)
	}
	return w
}

// calculatorCode adds two numbers for any get method and accepts any external
// message (selector −1):
//
//	DUP  INC  PUSHCONT{ DROP ADD }  PUSHCONT{ ACCEPT }  IFELSE
func calculatorCode() *cell.Cell {
	return cell.BeginCell().MustStoreSlice([]byte{0x20, 0xa4, 0x92, 0x30, 0xa0, 0x92, 0xf8, 0x00, 0xe2}, 72).EndCell()
}

// someData is a tree of n different cells.
func someData(n int) *cell.Cell {
	c := cell.BeginCell().MustStoreUInt(uint64(n), 64).EndCell()
	for i := range n - 1 {
		b := cell.BeginCell().MustStoreUInt(uint64(i), 64).MustStoreRef(c)
		if i%3 == 0 {
			b.MustStoreRef(cell.BeginCell().MustStoreUInt(uint64(i), 128).EndCell())
		}
		c = b.EndCell()
	}
	return c
}

func serve(t testing.TB, chain liteserver.Source) *liteserver.Server {
	t.Helper()
	s := liteserver.New(chain, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), liteserver.Options{})
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("liteserver: %v", err)
		}
	})
	return s
}

func at(s *liteserver.Server) lite.Server {
	return lite.Server{Addr: s.Addr().String(), Key: s.Key()}
}

func (w *world) open(t testing.TB, o lite.Options) *lite.Client {
	t.Helper()
	if o.Servers == nil {
		o.Servers = []lite.Server{at(w.server)}
	}
	if o.Global == 0 {
		o.Global = sandbox.DefaultGlobalID
	}
	c, err := lite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// external is a message of its own that the calculator accepts.
func external(t testing.TB, to *address.Address) *cell.Cell {
	t.Helper()
	nonce := make([]byte, 16)
	rand.Read(nonce)
	c, err := tontlb.ToCell(&tontlb.ExternalMessage{DstAddr: to, Body: cell.BeginCell().MustStoreSlice(nonce, 128).EndCell()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) faucet(t testing.TB, to *address.Address, times int) {
	t.Helper()
	for range times {
		if err := w.chain.Faucet(t.Context(), to, tlb.TON); err != nil {
			t.Fatal(err)
		}
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time", what)
		}
	}
}

// exampleServer is a liteserver of a sandbox with one contract.
func exampleServer() (addr string, key []byte, contract *address.Address, done func()) {
	contract = testAddress(0, 0x11)
	chain, err := sandbox.Open(sandbox.Options{Genesis: []sandbox.GenesisAccount{{Address: contract, Balance: tlb.TON, Code: calculatorCode()}}})
	if err != nil {
		panic(err)
	}
	if _, err = chain.Seal(context.Background()); err != nil {
		panic(err)
	}
	s := liteserver.New(chain, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), liteserver.Options{})
	if err := s.Listen("127.0.0.1:0"); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go s.Run(ctx)
	return s.Addr().String(), s.Key(), contract, func() { cancel(); s.Close(); chain.Close() }
}
