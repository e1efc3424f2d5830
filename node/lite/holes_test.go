package lite_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// stage is a client that talks to a hostile server only.
type stage struct {
	*world
	liar   *liar
	client *lite.Client
	head   tlb.Block
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{world: newWorld(t, sandbox.Options{})}
	for i := range 12 {
		s.faucet(t, testAddress(0, byte(0x40+13*i)), 1)
	}
	s.faucet(t, s.calculator, 3)
	s.liar = newLiar(t, s.server)
	return s
}

// with opens a fresh client, through honest answers, and then sets the lie.
func (s *stage) with(t testing.TB, l lie) {
	t.Helper()
	s.liar.lie.Store(nil)
	if s.client != nil {
		s.client.Close()
	}
	s.client = s.open(t, lite.Options{Servers: []lite.Server{s.liar.server}})
	var err error
	if s.head, err = s.client.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.liar.lie.Store(&l)
}

// refused checks that a call was refused for the right reason, that the server was
// dropped for it, and that it is not asked again.
func (s *stage) refused(t testing.TB, err error, want error) {
	t.Helper()
	if want != errAnyLie && !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
		return
	}
	var dropped *lite.DroppedError
	if !errors.As(err, &dropped) || dropped.Addr != s.liar.server.Addr {
		t.Errorf("server was not dropped: %v", err)
	}
	if _, err := s.client.Head(t.Context()); !errors.Is(err, lite.ErrNoServer) {
		t.Errorf("after the lie: %v, want %v", err, lite.ErrNoServer)
	}
}

// onAccount is a lie about account states only.
func onAccount(edit func(a *accountAnswer)) lie {
	return func(_, answer tl.Serializable) tl.Serializable {
		a, ok := answer.(ton.AccountState)
		if !ok {
			return answer
		}
		raw := openAccount(a)
		edit(&raw)
		return raw.encode()
	}
}

type holeCase struct {
	name string
	want error
	edit func(a *accountAnswer)
}

// tryAccount reads an account from a server that lies about it.
func (s *stage) tryAccount(t *testing.T, a *address.Address, cases []holeCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s.with(t, onAccount(c.edit))
			got, err := s.client.Account(t.Context(), s.head, a)
			if err == nil {
				t.Fatalf("believed: %+v", got)
			}
			s.refused(t, err, c.want)
		})
	}
}

// The places of a state's proof, from its Merkle cell on.
func accountsOf(proof *cell.Cell) *cell.Cell     { return child(proof, 0, 1) }
func accountsRootOf(proof *cell.Cell) *cell.Cell { return child(proof, 0, 1, 0) }

// S2: the library takes a dictionary that was pruned away for one without the account.
func TestHoleFalseAbsence(t *testing.T) {
	s := newStage(t)
	pruneProof := func(pick func(proof *cell.Cell) *cell.Cell) func(a *accountAnswer) {
		return func(a *accountAnswer) {
			roots := parsed(t, a.Proof)
			a.Proof = forge(t, pruningHonestly(t, pick(roots[1])), roots...)
			a.State = nil
		}
	}
	s.tryAccount(t, s.calculator, []holeCase{
		{"accounts pruned", lite.ErrAbsence, pruneProof(accountsOf)},
		{"dictionary pruned", lite.ErrAbsence, pruneProof(accountsRootOf)},
		{"state pruned", lite.ErrPruned, pruneProof(func(proof *cell.Cell) *cell.Cell { return child(proof, 0) })},
		{"path pruned", lite.ErrAbsence, pruneProof(func(proof *cell.Cell) *cell.Cell {
			c := accountsRootOf(proof)
			for { // the last fork on the only path that is open
				next := (*cell.Cell)(nil)
				for i := range min(2, int(c.RefsNum())) {
					if ref := child(c, i); !ref.IsSpecial() && ref.RefsNum() > 0 {
						next = ref
					}
				}
				if next == nil || next.RefsNum() < 2 {
					return next
				}
				c = next
			}
		})},
		{"state withheld", lite.ErrState, func(a *accountAnswer) { a.State = nil }},
		{"proof of another's absence", lite.ErrAbsence, func(a *accountAnswer) {
			other := s.askAccount(t, a.ID, testAddress(0, 0xcc))
			a.Proof, a.State = other.Proof, nil
		}},
	})
	t.Run("absent account shown as present", func(t *testing.T) {
		s.tryAccount(t, s.nobody, []holeCase{{"state of another", lite.ErrState, func(a *accountAnswer) {
			a.State = s.askAccount(t, a.ID, s.calculator).State
		}}})
	})
}

// askAccount gets an honest answer.
func (s *stage) askAccount(t testing.TB, at *ton.BlockIDExt, a *address.Address) accountAnswer {
	t.Helper()
	answer, err := s.liar.ask(ton.GetAccountState{ID: at, Account: ton.AccountID{Workchain: a.Workchain(), ID: a.Data()}})
	state, ok := answer.(ton.AccountState)
	if err != nil || !ok {
		t.Fatalf("honest server: %v, %v", answer, err)
	}
	return openAccount(state)
}

// stateData is the contract's data in an active account's state.
func stateData(root *cell.Cell) *cell.Cell { return child(root, 1) }

// S3: the library believes the level masks of a bag of cells, so that under the
// right hash a pruned branch stands for the contract's data.
func TestHoleForgedLevelMask(t *testing.T) {
	s := newStage(t)
	editState := func(edit func(root *cell.Cell) func(*cell.Cell, *rawCell)) func(a *accountAnswer) {
		return func(a *accountAnswer) {
			root := parsed(t, a.State)[0]
			honest := root.HashKey()
			a.State = forge(t, edit(root), root)
			// The premise of the attack: by its hash it is the honest state.
			if forged, err := cell.FromBOC(a.State); err != nil || forged.HashKey(0) != honest {
				t.Errorf("the forgery is worth nothing: %v", err)
			}
		}
	}
	leaf := func(c *cell.Cell) *cell.Cell {
		for c.RefsNum() > 0 {
			c = child(c, 0)
		}
		return c
	}
	s.tryAccount(t, s.calculator, []holeCase{
		{"data pruned, masks forged", lite.ErrForgedCell, editState(func(root *cell.Cell) func(*cell.Cell, *rawCell) {
			return pruning(stateData(root))
		})},
		{"inside of data pruned, masks forged", lite.ErrForgedCell, editState(func(root *cell.Cell) func(*cell.Cell, *rawCell) {
			return pruning(child(stateData(root), 0, 0, 0))
		})},
		{"data pruned, masks honest", lite.ErrForgedCell, func(a *accountAnswer) {
			root := parsed(t, a.State)[0]
			a.State = forge(t, pruningHonestly(t, stateData(root)), root)
		}},
		{"code pruned, masks forged", lite.ErrForgedCell, editState(func(root *cell.Cell) func(*cell.Cell, *rawCell) {
			return pruning(child(root, 0))
		})},
		{"leaf with a level", lite.ErrForgedCell, editState(func(root *cell.Cell) func(*cell.Cell, *rawCell) {
			target := leaf(stateData(root))
			return func(c *cell.Cell, raw *rawCell) {
				if c == target {
					raw.mask = 1
				}
			}
		})},
		{"all masks raised", lite.ErrForgedCell, editState(func(root *cell.Cell) func(*cell.Cell, *rawCell) {
			return func(_ *cell.Cell, raw *rawCell) { raw.mask = 1 }
		})},
		{"mask forged in the proof", lite.ErrForgedCell, func(a *accountAnswer) {
			roots := parsed(t, a.Proof)
			a.Proof = forge(t, func(c *cell.Cell, raw *rawCell) {
				if c == accountsOf(roots[1]) {
					raw.mask = 3
				}
			}, roots...)
		}},
		{"data changed", lite.ErrState, func(a *accountAnswer) {
			root := parsed(t, a.State)[0]
			a.State = forge(t, func(c *cell.Cell, raw *rawCell) {
				if c == stateData(root) {
					raw.data[0] ^= 1
				}
			}, root)
		}},
	})
}

// S4: results of get methods and looked up blocks come without any proof. The client
// never asks for the first and proves the second.
func TestHoleUnprovenGetMethod(t *testing.T) {
	s := newStage(t)
	s.with(t, func(query, answer tl.Serializable) tl.Serializable {
		if _, ok := query.(ton.RunSmcMethod); ok {
			t.Error("a server was asked to run a get method")
		}
		return answer
	})
	r, err := s.client.RunGet(t.Context(), s.head, s.calculator, "sum", 1000, 337)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Uint64(0); err != nil || n != 1337 {
		t.Errorf("1000 + 337 = %d, %v", n, err)
	}
}

// S4: a looked up block is a mere name.
func TestHoleUnprovenLookup(t *testing.T) {
	s := newStage(t)
	for name, hash := range map[string]func(id *ton.BlockIDExt) []byte{
		"root hash": func(id *ton.BlockIDExt) []byte { return id.RootHash },
		"file hash": func(id *ton.BlockIDExt) []byte { return id.FileHash },
	} {
		t.Run(name, func(t *testing.T) {
			l := lie(func(query, answer tl.Serializable) tl.Serializable {
				if _, ok := query.(ton.LookupBlock); ok {
					header := answer.(ton.BlockHeader)
					header.ID = header.ID.Copy()
					hash(header.ID)[5] ^= 1
					return header
				}
				return answer
			})
			s.liar.lie.Store(&l)
			if _, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{s.liar.server}, Global: sandbox.DefaultGlobalID}); err == nil {
				t.Error("pinned a key block that was only named")
			}
		})
	}
}

// N1: the library takes a list of shards for empty if a bit says so.
func TestHoleEmptyShardList(t *testing.T) {
	s := newStage(t)
	extraOf := func(proof *cell.Cell) *cell.Cell { return child(proof, 0, 3) }
	edit := func(edit func(roots []*cell.Cell) func(*cell.Cell, *rawCell)) func(a *accountAnswer) {
		return func(a *accountAnswer) {
			roots := parsed(t, a.ShardProof)
			a.ShardProof, a.State = forge(t, edit(roots), roots...), nil
		}
	}
	s.tryAccount(t, s.calculator, []holeCase{
		{"no proof", lite.ErrAnswer, func(a *accountAnswer) { a.ShardProof, a.State = nil, nil }},
		{"empty by its bit", lite.ErrAnswer, edit(func(roots []*cell.Cell) func(*cell.Cell, *rawCell) {
			return func(c *cell.Cell, raw *rawCell) {
				if c == extraOf(roots[1]) {
					raw.data[2] &^= 0x80 // cc26, then the bit of shard_hashes
				}
			}
		})},
		{"pruned", lite.ErrPruned, edit(func(roots []*cell.Cell) func(*cell.Cell, *rawCell) {
			return pruningHonestly(t, child(extraOf(roots[1]), 0))
		})},
		{"extra pruned", lite.ErrPruned, edit(func(roots []*cell.Cell) func(*cell.Cell, *rawCell) {
			return pruningHonestly(t, extraOf(roots[1]))
		})},
		{"of another block", lite.ErrProof, func(a *accountAnswer) {
			a.ShardProof = s.askAccount(t, s.before(t, a.ID), s.calculator).ShardProof
		}},
		{"another shard block", lite.ErrAnswer, func(a *accountAnswer) {
			old := s.askAccount(t, s.before(t, a.ID), s.calculator)
			a.Shard, a.Proof, a.State = old.Shard, old.Proof, old.State
		}},
		{"another shard block under the right name", lite.ErrProof, func(a *accountAnswer) {
			old := s.askAccount(t, s.before(t, a.ID), s.calculator)
			a.Proof, a.State = old.Proof, old.State
		}},
	})
}

// before is a masterchain block some blocks earlier.
func (s *stage) before(t testing.TB, id *ton.BlockIDExt) *ton.BlockIDExt {
	t.Helper()
	answer, err := s.liar.ask(ton.LookupBlock{Mode: 1, ID: &ton.BlockInfoShort{Workchain: -1, Shard: id.Shard, Seqno: int32(id.SeqNo - 2)}})
	header, ok := answer.(ton.BlockHeader)
	if err != nil || !ok {
		t.Fatalf("honest server: %v, %v", answer, err)
	}
	return header.ID
}

// N2: a cell without the reference that should be there must be an error.
func TestHoleMissingReference(t *testing.T) {
	s := newStage(t)
	bare := cell.BeginCell().MustStoreUInt(0, 8).EndCell().ToBOC()
	bare2 := forge(t, unchanged, cell.BeginCell().EndCell(), cell.BeginCell().MustStoreUInt(1, 1).EndCell())
	// Every cell of the proofs in turn loses its references.
	var cases []holeCase
	for which, name := range []string{"shard proof", "proof", "state"} {
		for n := range 12 {
			cases = append(cases, holeCase{name, errAnyLie, func(a *accountAnswer) {
				part := []*[]byte{&a.ShardProof, &a.Proof, &a.State}[which]
				i := 0
				*part = forge(t, func(_ *cell.Cell, raw *rawCell) {
					if i == n && len(raw.refs) > 0 {
						raw.refs = raw.refs[:len(raw.refs)-1]
					} else if i == n {
						raw.data = append([]byte{^raw.data[0]}, raw.data[1:]...)
					}
					i++
				}, parsed(t, *part)...)
			}})
		}
	}
	cases = append(cases,
		holeCase{"bare shard proof", lite.ErrProof, func(a *accountAnswer) { a.ShardProof = bare2 }},
		holeCase{"bare proof", lite.ErrProof, func(a *accountAnswer) { a.Proof = bare2 }},
		holeCase{"bare state", lite.ErrState, func(a *accountAnswer) { a.State = bare }},
		holeCase{"one root", lite.ErrAnswer, func(a *accountAnswer) { a.Proof = bare }},
	)
	s.tryAccount(t, s.calculator, cases)
}

// errAnyLie matches whatever a server is dropped for.
var errAnyLie = errors.New("any lie")

// N3: a lied level mask in the configuration changes its hash, and what may be read in it.
func TestHoleConfigLevelMask(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct {
		name string
		want error
		edit func(config *cell.Cell) func(*cell.Cell, *rawCell)
	}{
		{"parameter's mask", lite.ErrForgedCell, func(config *cell.Cell) func(*cell.Cell, *rawCell) {
			target := child(config, 0)
			return func(c *cell.Cell, raw *rawCell) {
				if c == target {
					raw.mask ^= 2
				}
			}
		}},
		{"pruned, masks forged", lite.ErrForgedCell, func(config *cell.Cell) func(*cell.Cell, *rawCell) {
			return pruning(child(config, 0, 0))
		}},
		{"pruned, masks honest", lite.ErrPruned, func(config *cell.Cell) func(*cell.Cell, *rawCell) {
			return pruningHonestly(t, child(config, 0, 0))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.with(t, func(_, answer tl.Serializable) tl.Serializable {
				config, ok := answer.(ton.ConfigAll)
				if !ok {
					return answer
				}
				root := parsed(t, config.ConfigProof)[0]
				extra := child(root, 0, 3)
				config.ConfigProof = forge(t, c.edit(child(extra, 1)), root)
				return config
			})
			_, err := s.client.Config(t.Context(), s.head)
			s.refused(t, err, c.want)
		})
	}
}

// N4: the library's client writes to the standard logger, as often as a server likes.
func TestHoleLogFlood(t *testing.T) {
	s := newStage(t)
	var mu sync.Mutex
	var logged bytes.Buffer
	log.SetOutput(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return logged.Write(p)
	}))
	defer log.SetOutput(os.Stderr)
	for _, garbage := range []tl.Raw{{}, {1, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8}, bytes.Repeat([]byte{0xff}, 1000)} {
		s.with(t, func(_, _ tl.Serializable) tl.Serializable { return garbage })
		_, err := s.client.Account(t.Context(), s.head, s.calculator)
		s.refused(t, err, lite.ErrAnswer)
	}
	mu.Lock()
	defer mu.Unlock()
	if logged.Len() > 0 {
		t.Errorf("written to the standard logger: %s", logged.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A server that keeps silent costs its time limit, not the caller's patience.
func TestHoleEndlessWait(t *testing.T) {
	s := newStage(t)
	silence := lie(func(_, _ tl.Serializable) tl.Serializable { return nil })
	const limit = 700 * time.Millisecond
	honest := at(s.server)
	s.client = s.open(t, lite.Options{Servers: []lite.Server{s.liar.server}, Timeout: limit})
	s.liar.lie.Store(&silence)

	began := time.Now()
	_, err := s.client.Head(context.Background())
	if !errors.Is(err, lite.ErrNoServer) || !errors.Is(err, lite.ErrTimeout) {
		t.Errorf("silent server: %v", err)
	}
	if took := time.Since(began); took > 5*limit {
		t.Errorf("waited %s", took)
	}
	s.liar.lie.Store(nil)
	if _, err := s.client.Head(t.Context()); err != nil {
		t.Errorf("it speaks again: %v", err)
	}

	s.liar.lie.Store(&silence)
	both := s.open(t, lite.Options{Servers: []lite.Server{s.liar.server, honest}, Timeout: limit})
	if _, err := both.Account(context.Background(), tlb.Block{}, s.calculator); err != nil {
		t.Errorf("with an honest server beside: %v", err)
	}
}
