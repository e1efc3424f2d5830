package lite_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Answers that are true, but to another question.
func TestAnswerToAnotherQuestion(t *testing.T) {
	s := newStage(t)
	other := testAddress(0, 0x40)
	s.tryAccount(t, s.calculator, []holeCase{
		{"another account", lite.ErrAbsence, func(a *accountAnswer) { *a = s.askAccount(t, a.ID, testAddress(0, 0xcc)) }},
		{"another account's state", lite.ErrState, func(a *accountAnswer) { a.State = s.askAccount(t, a.ID, other).State }},
		{"an older block", lite.ErrAnswer, func(a *accountAnswer) { *a = s.askAccount(t, s.before(t, a.ID), s.calculator) }},
		{"an older block under the right name", lite.ErrProof, func(a *accountAnswer) {
			id := a.ID
			*a = s.askAccount(t, s.before(t, a.ID), s.calculator)
			a.ID = id
		}},
		{"an older state", lite.ErrProof, func(a *accountAnswer) {
			old := s.askAccount(t, s.before(t, a.ID), s.calculator)
			roots, oldRoots := parsed(t, a.Proof), parsed(t, old.Proof)
			a.Proof, a.State = forge(t, unchanged, roots[0], oldRoots[1]), old.State
		}},
		{"three roots", lite.ErrAnswer, func(a *accountAnswer) {
			roots := parsed(t, a.Proof)
			a.Proof = forge(t, unchanged, roots[0], roots[1], roots[1])
		}},
		{"no bag of cells", lite.ErrAnswer, func(a *accountAnswer) { a.Proof = []byte("proof") }},
		{"state hash pruned", lite.ErrPruned, func(a *accountAnswer) {
			roots := parsed(t, a.Proof)
			a.Proof = forge(t, pruningHonestly(t, child(roots[0], 0, 2)), roots...)
		}},
		{"header pruned", lite.ErrPruned, func(a *accountAnswer) {
			roots := parsed(t, a.Proof)
			a.Proof = forge(t, pruningHonestly(t, child(roots[0], 0, 0)), roots...)
		}},
	})
	t.Run("masterchain account for another", func(t *testing.T) {
		s.faucet(t, s.master, 1)
		s.tryAccount(t, s.master, []holeCase{
			{"of the basechain", lite.ErrAnswer, func(a *accountAnswer) { *a = s.askAccount(t, a.ID, s.calculator) }},
			{"older", lite.ErrAnswer, func(a *accountAnswer) { *a = s.askAccount(t, s.before(t, a.ID), s.master) }},
		})
	})
	t.Run("another type of answer", func(t *testing.T) {
		s.with(t, func(_, _ tl.Serializable) tl.Serializable { return ton.CurrentTime{Now: 1} })
		_, err := s.client.Account(t.Context(), s.head, s.calculator)
		s.refused(t, err, lite.ErrAnswer)
	})
}

func TestTransactionLies(t *testing.T) {
	s := newStage(t)
	acc, err := s.chain.Account(t.Context(), tlb.Block{}, s.calculator)
	if err != nil {
		t.Fatal(err)
	}
	list := func(a *address.Address, lt uint64, hash [32]byte) []*cell.Cell {
		txs, err := s.chain.Transactions(t.Context(), a, lt, hash, 10)
		if err != nil || len(txs) == 0 {
			t.Fatalf("%d transactions, %v", len(txs), err)
		}
		var roots []*cell.Cell
		for _, tx := range txs {
			roots = append(roots, tx.Root)
		}
		return roots
	}
	honest := list(s.calculator, acc.LastLT, acc.LastHash)
	other, err := s.chain.Account(t.Context(), tlb.Block{}, testAddress(0, 0x40))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		want error
		ids  int
		boc  []byte
	}{
		{"none", lite.ErrHistory, 0, nil},
		{"fewer than named", lite.ErrAnswer, 3, forge(t, unchanged, honest[:2]...)},
		{"more than asked for", lite.ErrHistory, 11, forge(t, unchanged, honest...)},
		{"one left out", lite.ErrHistory, 2, forge(t, unchanged, honest[0], honest[2])},
		{"another order", lite.ErrHistory, 2, forge(t, unchanged, honest[1], honest[0])},
		{"one twice", lite.ErrHistory, 2, forge(t, unchanged, honest[0], honest[0])},
		{"another account's", lite.ErrHistory, 1, forge(t, unchanged, list(testAddress(0, 0x40), other.LastLT, other.LastHash)[0])},
		{"changed", lite.ErrHistory, 1, forge(t, func(c *cell.Cell, raw *rawCell) {
			if c == honest[0] {
				raw.data[40] ^= 1
			}
		}, honest[0])},
		{"message pruned, masks forged", lite.ErrForgedCell, 1, forge(t, pruning(child(honest[0], 0)), honest[0])},
		{"message pruned, masks honest", lite.ErrForgedCell, 1, forge(t, pruningHonestly(t, child(honest[0], 0)), honest[0])},
		{"no transaction", lite.ErrHistory, 1, forge(t, unchanged, someData(3))},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.with(t, func(_, answer tl.Serializable) tl.Serializable {
				if _, ok := answer.(ton.TransactionList); !ok {
					return answer
				}
				ids := make([]*ton.BlockIDExt, c.ids)
				for i := range ids {
					ids[i] = lite.IDOf(s.head)
				}
				return ton.TransactionList{IDs: ids, Transactions: c.boc}
			})
			got, err := s.client.Transactions(t.Context(), s.calculator, acc.LastLT, acc.LastHash, 10)
			if err == nil {
				t.Fatalf("believed %d transactions", len(got))
			}
			s.refused(t, err, c.want)
		})
	}
}

// Transactions of one account, named by the hash of another's.
func TestTransactionsOfAnotherAccount(t *testing.T) {
	s := newStage(t)
	acc, err := s.chain.Account(t.Context(), tlb.Block{}, s.calculator)
	if err != nil {
		t.Fatal(err)
	}
	s.with(t, func(query, answer tl.Serializable) tl.Serializable {
		if q, ok := query.(ton.GetTransactions); ok {
			id := accountIDOf(s.calculator)
			q.AccID = &id
			answer, _ = s.liar.ask(q)
		}
		return answer
	})
	_, err = s.client.Transactions(t.Context(), testAddress(0, 0x40), acc.LastLT, acc.LastHash, 1)
	s.refused(t, err, lite.ErrHistory)
}

func TestConfigLies(t *testing.T) {
	s := newStage(t)
	for name, c := range map[string]struct {
		want error
		edit func(a *ton.ConfigAll)
	}{
		"of another block": {lite.ErrAnswer, func(a *ton.ConfigAll) { a.ID = s.before(t, a.ID) }},
		"older under the right name": {lite.ErrProof, func(a *ton.ConfigAll) {
			answer, err := s.liar.ask(ton.GetConfigAll{BlockID: s.before(t, a.ID)})
			if err != nil {
				t.Error(err)
			}
			id := a.ID
			*a = answer.(ton.ConfigAll)
			a.ID = id
		}},
		"some parameters only": {lite.ErrPruned, func(a *ton.ConfigAll) {
			answer, err := s.liar.ask(ton.GetConfigParams{BlockID: a.ID, Params: []int32{34}})
			if err != nil {
				t.Error(err)
			}
			*a = answer.(ton.ConfigAll)
		}},
		"state pruned": {lite.ErrPruned, func(a *ton.ConfigAll) {
			root := parsed(t, a.ConfigProof)[0]
			a.ConfigProof = forge(t, pruningHonestly(t, child(root, 0)), root)
		}},
		"basechain's state": {lite.ErrProof, func(a *ton.ConfigAll) {
			shard := s.askAccount(t, a.ID, s.calculator)
			roots := parsed(t, shard.Proof)
			a.StateProof, a.ConfigProof = forge(t, unchanged, roots[0]), forge(t, unchanged, roots[1])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s.with(t, func(_, answer tl.Serializable) tl.Serializable {
				if a, ok := answer.(ton.ConfigAll); ok {
					c.edit(&a)
					return a
				}
				return answer
			})
			_, err := s.client.Config(t.Context(), s.head)
			s.refused(t, err, c.want)
		})
	}
}

// A message reaches the network if one server passes it on.
func TestSendThroughLiars(t *testing.T) {
	s := newStage(t)
	lastLT := func() uint64 {
		acc, err := s.chain.Account(t.Context(), tlb.Block{}, s.calculator)
		if err != nil {
			t.Fatal(err)
		}
		return acc.LastLT
	}
	for name, answer := range map[string]tl.Serializable{
		"refuses": ton.LSError{Code: 0, Text: "no"}, "silent": nil, "status": ton.SendMessageStatus{Status: 7}, "garbage": tl.Raw{1, 2, 3, 4},
	} {
		t.Run(name, func(t *testing.T) {
			swallow := lie(func(_, _ tl.Serializable) tl.Serializable { return answer })
			honest := newLiar(t, s.server) // tells the truth
			s.liar.lie.Store(nil)
			c := s.open(t, lite.Options{Servers: []lite.Server{s.liar.server, honest.server}, Timeout: 2 * time.Second})
			s.liar.lie.Store(&swallow)
			before := lastLT()
			if err := c.Send(t.Context(), external(t, s.calculator)); err != nil {
				t.Fatal(err)
			}
			if lastLT() <= before {
				t.Error("the message did not arrive")
			}
		})
	}
}

// With several servers, one that lies or is away only costs time.
func TestFailover(t *testing.T) {
	s := newStage(t)
	forgery := onAccount(func(a *accountAnswer) { a.State = nil })
	s.liar.lie.Store(&forgery)
	down := lite.Server{Addr: freePort(t), Key: s.server.Key()}
	wrongKey := lite.Server{Addr: s.server.Addr().String(), Key: make([]byte, 32)}
	wrongKey.Key[0] = 1
	mute := lite.Server{Addr: listen(t, func(conn net.Conn) { io.Copy(io.Discard, conn) }), Key: s.server.Key()}
	c := s.open(t, lite.Options{
		Servers: []lite.Server{down, s.liar.server, wrongKey, mute, at(s.server)}, Timeout: time.Second,
	})
	want, err := s.chain.Account(t.Context(), tlb.Block{}, s.calculator)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		got, err := c.Account(t.Context(), tlb.Block{}, s.calculator)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, equal); diff != "" {
			t.Fatal(diff)
		}
	}
}

// The error of a client that reaches nobody names every server and what is wrong.
func TestNoServer(t *testing.T) {
	s := newWorld(t, sandbox.Options{})
	garbage := listen(t, func(conn net.Conn) { conn.Write(make([]byte, 4096)); io.Copy(io.Discard, conn) })
	closing := listen(t, func(net.Conn) {})
	down := freePort(t)
	var servers []lite.Server
	for _, addr := range []string{garbage, closing, down} {
		servers = append(servers, lite.Server{Addr: addr, Key: s.server.Key()})
	}
	_, err := lite.Open(t.Context(), lite.Options{Servers: servers, Global: sandbox.DefaultGlobalID, Timeout: time.Second})
	if !errors.Is(err, lite.ErrNoServer) {
		t.Fatal(err)
	}
	for _, server := range servers {
		if !strings.Contains(err.Error(), server.Addr) {
			t.Errorf("%q does not name %s", err, server.Addr)
		}
	}
}

// listen accepts connections and closes them after each is done with.
func listen(t testing.TB, each func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				each(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestMalformedOptions(t *testing.T) {
	key := make([]byte, 32)
	for name, servers := range map[string][]lite.Server{
		"none": nil, "short key": {{Addr: "127.0.0.1:1", Key: key[:31]}}, "no port": {{Addr: "127.0.0.1", Key: key}},
	} {
		if _, err := lite.Open(t.Context(), lite.Options{Servers: servers}); !errors.Is(err, lite.ErrServer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMalformedAddress(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	c := w.open(t, lite.Options{})
	for _, a := range []*address.Address{nil, address.NewAddressNone(), testAddress(5, 1)} {
		if _, err := c.Account(t.Context(), tlb.Block{}, a); !errors.Is(err, lite.ErrAddress) {
			t.Errorf("account %v: %v", a, err)
		}
		if _, err := c.Transactions(t.Context(), a, 1, [32]byte{}, 1); !errors.Is(err, lite.ErrAddress) {
			t.Errorf("transactions of %v: %v", a, err)
		}
	}
}

func TestClose(t *testing.T) {
	s := newStage(t)
	s.with(t, func(_, _ tl.Serializable) tl.Serializable { return nil })
	waiting := make(chan error, 1)
	go func() {
		_, err := s.client.Account(context.Background(), s.head, s.calculator)
		waiting <- err
	}()
	time.Sleep(30 * time.Millisecond)
	s.client.Close()
	for _, err := range []error{<-waiting, second(s.client.Head(t.Context())), s.client.Send(t.Context(), someData(1))} {
		if !errors.Is(err, lite.ErrClosed) {
			t.Errorf("%v, want %v", err, lite.ErrClosed)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestPanicIsAnError(t *testing.T) {
	err := lite.Guarded(func() error { panic("boom") })
	if !errors.Is(err, lite.ErrPanic) || !lite.IsLie(err) {
		t.Errorf("%v, want %v", err, lite.ErrPanic)
	}
}
